"""Code blocks: equal to BeautifulSoup's, and cleaned of what people paste around code."""

from __future__ import annotations

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from ctm.sources.stackoverflow.code_blocks import cleaned, html_blocks, markdown_blocks


def by_soup(body: str) -> list[str]:
    """The reference."""
    return [code.get_text() for code in BeautifulSoup(body, "lxml").select("pre code")]


BODIES = [
    "<p>text <code>inline</code></p><pre><code>a = 1\nb &lt; 2 &amp;&amp; c\n</code></pre>",
    '<pre class="lang-py prettyprint-override"><code>x\r\n\ty\n</code></pre><pre>no code</pre>',
    "<blockquote><pre><code>in <b>bold</b> and <em>x</em></code></pre></blockquote>",
    "<pre><code>one<code>two</code></code></pre><ol><li><pre><code>three</code></pre></li></ol>",
    "<pre><code>unclosed <p>open <pre><code>next",
    "<pre><code>a<!-- note -->b<br>c<script>d</script><style>e</style></code></pre>",
    "<PRE><CODE>upper &eacute; &nbsp; &#x1F600; é 😀</CODE></PRE>",
    "<code><pre>outside in</pre></code><pre><span><code></code></span></pre>",
    "<pre><code>&lt;script&gt; &amp;amp; &notanentity; & <</code></pre>",
    "",
    "<code",
]


@pytest.mark.parametrize("body", BODIES)
def test_blocks_are_those_of_beautifulsoup(body: str) -> None:
    assert html_blocks(body) == by_soup(body)


_TAGS = (
    "pre",
    "code",
    "p",
    "b",
    "ul",
    "li",
    "blockquote",
    "script",
    "style",
    "span",
    "a",
    "rt",
    "template",
    "br",
    "kbd",
)
_PIECES = st.one_of(
    st.sampled_from(
        [f"<{t}>" for t in _TAGS] + [f"</{t}>" for t in _TAGS] + ["<pre><code>", "</code></pre>"] * 6
    ),
    st.sampled_from(
        [
            "&lt;",
            "&amp;",
            "&gt",
            "&#10;",
            "&quot;",
            "\n",
            "\r\n",
            "\t",
            "<!-- c -->",
            "<",
            ">",
            "&",
            "é",
            "😀",
        ]
    ),
    st.text("abc =:()[]'\"#\n ", max_size=12),
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=30).map("".join))
def test_blocks_of_any_soup_are_those_of_beautifulsoup(body: str) -> None:
    assert html_blocks(body) == by_soup(body)


@settings(max_examples=100, deadline=None)
@given(st.lists(_PIECES, min_size=200, max_size=400).map("".join))
def test_blocks_of_long_soup_are_those_of_beautifulsoup(body: str) -> None:
    assert html_blocks(body) == by_soup(body)


def test_markdown_has_fences_indented_blocks_and_raw_html() -> None:
    text = (
        "Text with `inline`:\n\n    a = 1\n    if a:\n        b()\n\n```python\nc = 2\n```\n\n"
        "1. item\n\n        d = 3\n\n<pre><code>e = 4 &lt; 5\n</code></pre>\n"
    )
    assert markdown_blocks(text) == ["a = 1\nif a:\n    b()\n", "c = 2\n", " d = 3\n", "e = 4 < 5\n"]


@pytest.mark.parametrize(
    ("block", "code"),
    [
        (">>> a = 1\n>>> a\n1\n>>> if a:\n...     b()\n... \nout\n", "a = 1\na\nif a:\n    b()"),
        (">>> def f():\n\treturn 1\n\n>>> f()\n1\n", "def f():\n\treturn 1\nf()"),
        ("    >>> a = 1\n    >>> b\n", "a = 1\nb"),
        ("x = 1\n>>> x\n", "x = 1\n>>> x"),
        ("def f():\n    ...\n", "def f():\n    ..."),
        ("1 import os\n2\n3 def f():\n4     return os\n", "import os\n\ndef f():\n    return os"),
        (" 9: a = 1\n10: if a:\n11:     b()\n", "a = 1\nif a:\n    b()"),
        ("1. a\n2. b\n", "a\nb"),
        ("1 2\n3 4\n", "1 2\n3 4"),
        ("12\n", "12"),
        ("1\n2\n", ""),
        ("\n\n  a\n    b\n\n", "a\n  b"),
        ("a\r\n\tb\r\n", "a\n\tb"),
        ("x = 1  \n \n", "x = 1"),
    ],
)
def test_prompts_output_and_line_numbers_go(block: str, code: str) -> None:
    assert cleaned(block) == code
