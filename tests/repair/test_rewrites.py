"""Rewrites that need no model: what they mend, and what they leave alone. Odd and long texts: test_any_text.py."""

from __future__ import annotations

import re
import sys

import pytest

from ctm.python.compiling import compile_error, compiles
from ctm.repair.rewrites.broken import Broken
from ctm.repair.rewrites.registry import STEP, RewriteRule, registry, rewritten

VALID_SINCE = {"quotes of an fstring": (3, 12), "backslash in an fstring": (3, 12)}
"""Examples that newer Pythons compile."""


def broken_by(text: str) -> SyntaxError:
    error = compile_error(text)
    assert error is not None, f"this Python compiles {text!r}"
    return error


def all_of(text: str) -> list[str]:
    """What the rewrites make of a text, the likeliest first."""
    return [item.text for item in sorted(rewritten(text, broken_by(text)), key=lambda item: -item.score)]


def texts_of(text: str, name: str) -> list[str]:
    """What one rewrite makes of a text, if the compiler's message is one that it is for."""
    error, item = broken_by(text), registry()[name]
    is_for = item.message is None or item.message.search(error.msg or "")
    return list(item.make(Broken(text, error))) if is_for else []


# --- the registry ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("item", registry().values(), ids=lambda item: item.name)
def test_each_rewrite_mends_its_example(item: RewriteRule):
    if compiles(item.broken):
        assert sys.version_info >= VALID_SINCE[item.name], (
            "only newer syntax makes an example one that compiles"
        )
        pytest.skip("this Python compiles it")
    assert compiles(item.repaired)
    assert item.repaired in texts_of(item.broken, item.name)
    assert item.repaired in all_of(item.broken), "under its own name or that of a likelier rewrite"


@pytest.mark.parametrize("item", registry().values(), ids=lambda item: item.name)
def test_each_rewrite_says_what_it_does_and_competes_as_a_likely_edit(item: RewriteRule):
    assert re.fullmatch(r"[A-Z`].+\.", item.doc), "one sentence"
    assert -3 < item.score < 0


def test_later_texts_of_a_rewrite_are_less_likely_and_no_text_comes_twice():
    text = "<<<<<<< a\nx = 1\n=======\nx = 2\n>>>>>>> b"
    found = {item.text: item for item in rewritten(text, broken_by(text))}
    ours, theirs = found["x = 1"], found["x = 2"]
    assert ours.name == theirs.name == "conflict markers"
    assert ours.score - theirs.score == pytest.approx(STEP)


# --- what they mend -------------------------------------------------------------------------------------------------

CASES = [
    # characters
    ("odd characters", "print(“hello”)", 'print("hello")'),
    ("odd characters", "x\u00a0=\u200b 1", "x = 1"),
    ("odd characters", "f（1）；g()", "f(1);g()"),
    ("odd characters", "if a ≤ b — c:\n    pass", "if a <= b - c:\n    pass"),
    # copied
    ("prompts", ">>> def f():\n...     return 1\n>>> f()\n1", "def f():\n    return 1\nf()"),
    ("prompts", "In [3]: x = 1\nIn [4]: x +\\\n   ...: 2", "x = 1\nx +\\\n2"),
    ("line numbers", "8 for a in b:\n9     c()\n10 d()", "for a in b:\n    c()\nd()"),
    ("line numbers", "1: x = 1\n2:\n3: y = 2", "x = 1\n\ny = 2"),
    ("fences", "Use this:\n```py\nx = 1\n```\nor that", "x = 1"),
    ("conflict markers", "a()\n<<<<<<< x\nb()\n||||||| y\nc()\n=======\nd()\n>>>>>>> z\ne()", "a()\nb()\ne()"),
    ("conflict markers", "a()\n<<<<<<< x\nb()\n||||||| y\nc()\n=======\nd()\n>>>>>>> z\ne()", "a()\nd()\ne()"),
    ("magics", "!ls -l\nx = 1\n%%time\nprint(x)", "# !ls -l\nx = 1\n# %%time\nprint(x)"),
    ("mixed tabs", "if x:\n    if y:\n\ta = 1\n    b = 2", "if x:\n    if y:\n        a = 1\n    b = 2"),
    ("mixed tabs", "if x:\n\tif y:\n\t\tb()\n        \tc()", "if x:\n\tif y:\n\t\tb()\n\t\tc()"),
    # Python 2
    ("python 2", "print 'a' % b", "print('a' % b)"),
    ("python 2", "print 1\nprint >>f, 'a', b", "print(1)\nprint('a', b, file=f)"),
    ("python 2", "print\nprint 1,", 'print()\nprint(1, end=" ")'),
    ("python 2", "print\nprint 1,", "print()\nprint(1)"),
    ("python 2", "if a: print 'b'; print c", "if a: print('b'); print(c)"),
    ("python 2", "print 1\nprint ('a'), b", "print(1)\nprint(('a'), b)"),
    ("python 2", "print x[1:2], {a: b}", "print(x[1:2], {a: b})"),
    ("python 2", "raise E, 'no'", "raise E('no')"),
    ("python 2", "exec 'a = 1'in d", "exec('a = 1', d)"),
    ("python 2", "try:\n    f()\nexcept (A, B), e:\n    pass", "try:\n    f()\nexcept (A, B) as e:\n    pass"),
    ("python 2", "if a <> 10L:\n    x = 0xFFL", "if a != 10:\n    x = 0xFF"),
    ("python 2", "x = 0777", "x = 0o777"),
    ("python 2", "x = `a` + ur'\\d'", "x = repr(a) + r'\\d'"),
    # other languages
    ("else if", "if a: b()\nelseif (c): d()\nelse if e: f()", "if a: b()\nelif (c): d()\nelif e: f()"),
    ("signs", "if a && (b || c):\n    pass", "if a and (b or c):\n    pass"),
    ("signs", "if a=<b:\n    pass", "if a<=b:\n    pass"),
    ("declarations", "let x = 1;\nconst y = 2;", "x = 1;\ny = 2;"),
    ("missing in", "x = [a for a, b c.items()]", "x = [a for a, b in c.items()]"),
    ("comparison", "while f(x=1) = 2:\n    pass", "while f(x=1) == 2:\n    pass"),
    ("comparison", "if a = 1: b = 2", "if a == 1: b = 2"),
    # layout
    ("space behind a backslash", "x = 1 + \\  \n    2 + \\\t\n    3", "x = 1 + \\\n    2 + \\\n    3"),
    ("colon of a block", "def f(a, b)  # sum\n    return a", "def f(a, b):  # sum\n    return a"),
    ("colon of a block", "while a;\n    b()", "while a:\n    b()"),
    ("indented block", "if a:\n  if b:\n        # why\n  c()", "if a:\n  if b:\n        # why\n    c()"),
    ("indented block", "if a:\nb()\nc()", "if a:\n    b()\n    c()"),
    ("level of a line", "if a:\n    b()\n      c()\nd()", "if a:\n    b()\n    c()\nd()"),
    ("into the block before", "def f(a):\n  b = 1\nif b:\n  return a", "def f(a):\n  b = 1\n  if b:\n    return a"),
    ("async function", "if a:\n  def f(a):\n    if x: await y", "if a:\n  async def f(a):\n    if x: await y"),
    # calls
    ("parameters with defaults last", "def f(a, b=(1, 2), c, *d, e): pass", "def f(a, c, b=(1, 2), *d, e): pass"),
    ("positional arguments first", "f(g(x), a=1, b, *c)", "f(g(x), b, *c, a=1)"),
    ("keyword once", "f(g(a=1), a=h(2), b=3, a=4)", "f(g(a=1), a=h(2), b=3)"),
    ("keyword once", "f(g(a=1), a=h(2), b=3, a=4)", "f(g(a=1), b=3, a=4)"),
    ("dict of literals", "d = dict(1=f(a=1), b=2)", 'd = {1: f(a=1), "b": 2}'),
    ("global first", "def f():\n    'Doc.'\n    a = 1\n    global a", "def f():\n    'Doc.'\n    global a\n    a = 1"),
    # strings
    ("raw string", "p = u'C:\\Users'", "p = r'C:\\Users'"),
    ("raw string", "p = f('\\x41', 'C:\\Users')", "p = f('\\x41', r'C:\\Users')"),
    ("raw string", "p = 'C:\\Users\\\\'", "p = 'C:\\\\Users\\\\\\\\'"),
    ("end of a string", "f('a)\ng()", "f('a')\ng()"),
    ("end of a docstring", "def f():\n    '''Doc.\n    more''\n    g()", "def f():\n    '''Doc.\n    more'''\n    g()"),
    # brackets
    ("comma between two values", "f(a, [1, (2) 'x'])", "f(a, [1, (2), 'x'])"),
    ("bracket between names", "items = []\nprint(lenitems))", "items = []\nprint(len(items))"),
    ("bracket between names", "x.append(a)\nx.appendf'{a}')", "x.append(a)\nx.append(f'{a}')"),
    ("bracket between names", "rows = []\nx = rows0]", "rows = []\nx = rows[0]"),
    (
        "bracket between names",
        "models = 1\nclass Usermodels.Base):\n    x",
        "models = 1\nclass User(models.Base):\n    x",
    ),
    ("bracket by its level", "x = [\n    1,  # one\n\ny = 2", "x = [\n    1,  # one\n]\n\ny = 2"),
    ("bracket by its level", "if a:\n    f(\n        b,", "if a:\n    f(\n        b,\n    )"),
    ("bracket by its level", "f(\n    g(\n        a[1\nx = 1", "f(\n    g(\n        a[1]\n    )\n)\nx = 1"),
    ("bracket by its level", "f({\n    1: 2,\nx = 1", "f({\n    1: 2,\n})\nx = 1"),
    (
        "bracket by its level",
        "x = [\n    {\n        'a': b,\n    for b in c\n]",
        "x = [\n    {\n        'a': b,\n    }\n    for b in c\n]",
    ),
    ("closing brackets", "x = f([1, {'a': (2\ny = 3", "x = f([1, {'a': (2)}])\ny = 3"),
    ("closing brackets", "if f(a:\n    b()", "if f(a):\n    b()"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "before", "after"), CASES)
def test_further_cases_are_mended(name: str, before: str, after: str):
    assert after in texts_of(before, name)
    assert compiles(after)


def test_brackets_that_are_never_closed_do_not_hide_the_statements_behind_them():
    text = "x = f(a, (b\nimport c\nprint 'd'"
    assert "x = f(a, (b\nimport c\nprint('d')" in texts_of("print 'a'\n" + text, "python 2")[0]


def test_text_around_a_session_goes_only_where_it_is_one():
    session = "Try this\n>>> f(1)\nTraceback:\n  no f\n>>> def f(a):\n...     return a"
    assert "f(1)\ndef f(a):\n    return a" in texts_of(session, "prompts")
    code = "import a\n" + "x = a.b(1)\n" * 20
    assert texts_of(code + ">>> y = x", "prompts") == [code + "y = x"], (
        "the code is not what a prompt printed"
    )


def test_a_conflict_without_end_is_none_and_a_line_below_a_heading_no_marker():
    cut = "<<<<<<< a\nx = 1\n=======\nx = 2\n" + "y = f(x)\n" * 20
    assert texts_of(cut, "conflict markers") == [], "what follows would be taken for theirs"
    both = "<<<<<<< a\nx = 1\n=======\nx = 2\n>>>>>>> b\n" + cut
    assert texts_of(both, "conflict markers") == [f"x = 1\n{cut}", f"x = 2\n{cut}"]
    heading = '<<<<<<< a\nx = """\nTitle\n===========\n"""\n=======\nx = ""\n>>>>>>> b'
    assert texts_of(heading, "conflict markers")[0] == 'x = """\nTitle\n===========\n"""'


# --- what they leave alone ------------------------------------------------------------------------------------------

LITERALS = [
    "'print x, y'",
    '"“smart” – 1"',
    "'\\x41 \\N{BULLET} C:\\\\Users'",
    "'else if a:'",
    "'for k d.items()'",
    "'a\\tvar x = 1'",
    "r'C:\\Users'",
    '''"""
>>> print 'a'
... b <> 10L
1
\telse if c:
    %matplotlib inline
\t!ls
```python
    for k d.items():
   if a
x => y && “z”
    if (a
```"""''',
    "'''\nelse if x\n        \t>>> f(a=1, b)\nreturn\n'''",
]
COMMENTS = ["# print x, “y” \\ ", "# for k d: var x = 1; if a => b", "# f(a=1, b) <> 0777L"]
PROPER = "\n".join(f"s{n} = {literal}  {COMMENTS[n % len(COMMENTS)]}" for n, literal in enumerate(LITERALS))


@pytest.mark.parametrize("item", registry().values(), ids=lambda item: item.name)
@pytest.mark.parametrize("comes_first", [True, False])
def test_strings_and_comments_stay_as_they_are(item: RewriteRule, comes_first: bool):
    assert compiles(PROPER)
    if item.name == "end of a docstring" and not comes_first:
        pytest.skip("what follows a string that is never closed is no string of its own")
    text = f"{PROPER}\n{item.broken}" if comes_first else f"{item.broken}\n{PROPER}"
    if compiles(text):
        pytest.skip("this Python compiles it")
    error = broken_by(text)
    for new in rewritten(text, error):  # fences keep what is between them, a session what has a prompt
        lost = [part for part in (*LITERALS, *COMMENTS) if new.text.count(part) < text.count(part)]
        is_left_out = new.name == "fences" or (new.name == "prompts" and not comes_first)
        assert not lost or is_left_out, f"{new.name} touched {lost[0]}"


def test_a_bracket_gets_a_comma_where_the_text_has_them():
    text = "f(\n    a,\n    g(\n        b{}\n)"
    assert (
        texts_of(text.format(","), "bracket by its level")[0] == "f(\n    a,\n    g(\n        b,\n    ),\n)"
    )
    assert texts_of(text.format(""), "bracket by its level")[0] == "f(\n    a,\n    g(\n        b\n    )\n)"


def test_a_bracket_that_is_closed_or_has_nothing_in_it_stays():
    assert not texts_of("x = f(\n    a,\n    b)\ny = = 1", "bracket by its level")
    assert not texts_of("x = [\n'a',\n'b',\ny = = 1", "bracket by its level")


def test_a_name_that_is_one_stays_one():
    assert not texts_of("path = 1\nos.abspath(path))", "bracket between names"), "called already"
    assert not texts_of("tools = 1\nitertools.chain(tools))", "bracket between names"), "a module of Python's"
    assert not texts_of("data = 1\nf(data2))", "bracket between names"), "nothing calls data"
    assert not texts_of("x = is_valid\ny = is_valid)", "bracket between names"), "it stands elsewhere"


def test_a_string_moves_with_its_line_but_what_is_in_it_stays():
    text = "if a:\nb = '''\nc\n  d'''\ne()"
    assert "if a:\n    b = '''\nc\n  d'''\ne()" in texts_of(text, "indented block")
    text = "def f():\n    a()\n      b('''\n      x''')\n    c()"
    assert texts_of(text, "level of a line")[0] == text.replace("      b", "    b")
    text = "if a:\n\tb = '''\n\tc'''\n        d()"
    assert all("\n\tc'''" in new for new in texts_of(text + "\n  e(", "mixed tabs"))


def test_a_prompted_string_loses_its_prompts_and_a_doctest_keeps_them():
    text = ">>> def f():\n...     '''Doc.\n...     more'''\n...     return 1"
    assert texts_of(text, "prompts")[0] == "def f():\n    '''Doc.\n    more'''\n    return 1"
    text = "def f():\n    '''Doc.\n\n    >>> f()\n    1\n    '''\n    return = 1"
    assert texts_of(text, "prompts") == []


def test_calls_of_print_stay_calls():
    text = "print 'a'\nprint('b') if c else None\nprint('d') or print('e')\nprint = f"
    assert texts_of(text, "python 2")[0] == text.replace("print 'a'", "print('a')")
