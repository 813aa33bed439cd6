"""Pairs about names and comparisons are true: the right one is shown by the snippet, and nothing else is taken."""

# ruff: noqa: E501  (a text is read beside its bug)
from __future__ import annotations

from random import Random

import pytest

from ctm.bugs.registry import apply, registry
from ctm.bugs.static_analysis.source import ParsedCode


def buggy(kind: str, text: str, seeds: int = 60) -> set[str]:
    """Buggy sides of all candidates of some seeds, whose fixed side is the text."""
    source = ParsedCode(text)
    made = [c for seed in range(seeds) for c in registry()[kind].mutator(source, Random(seed))]
    assert all(not c.fixed for c in made), "the fixed side is the snippet"
    return {apply(text, c.buggy) for c in made}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("wrong_attribute", "def f(xs, y):\n    xs.append(y)\n    return xs.strip()"),
        ("wrong_attribute", "self.width = 3\nself.height = 4\nreturn self.width"),
        ("wrong_attribute", "a.rows = rows\nb.columns = columns"),
        ("wrong_attribute", "class A(B):\n    def __init__(self):\n        self.rows = 1\n    def f(self):\n        return self.rows"),
        ("wrong_attribute", "class A:\n    def __init__(self):\n        self.rows = 1\n    def row(self):\n        return self.rows"),
        ("wrong_attribute", "xs = []\nif y:\n    xs = g()\nxs.append(y)"),
        ("wrong_attribute", "for k in d.items():\n    go(k)"),
        ("wrong_attribute", "text = json.load(f)"),
        ("wrong_attribute", "a.acquire()\na.release()\nb.release()\na.release()"),
        ("dropped_self", "def f(self):\n    return self.n"),
        ("dropped_self", "def f(self, n):\n    self.n = n\n    return self.n"),
        ("dropped_self", "def f(self):\n    n = self.n\n    return self.n + n"),
        ("dropped_self", "import n\ndef f(self):\n    return self.n + self.n"),
        ("dropped_self", "from m import n as k, n\ndef f(self):\n    return self.n + self.n"),
        ("dropped_self", "def f(self):\n    global n\n    return self.n + self.n"),
        ("dropped_self", "def f(self):\n    g(f'{n}')\n    return self.n + self.n"),
        ("dropped_self", "def f(self):\n    return self.id + self.id"),
        ("dropped_self", "n = 3\nclass A:\n    def f(self):\n        return self.n + self.n"),
        ("dropped_self", "def f(self):\n    for n in self.n:\n        go(self.n)"),
        ("variable_misuse", "def f(a, b):\n    x = a\n    x = 3\n    return x"),
        ("variable_misuse", "def f(xs, a):\n    pattern = []\n    return pattern.search(1)"),
        ("comparison_operator", "if n < 3:\n    go()"),
        ("comparison_operator", "def f(a, b):\n    return a == b"),
        ("comparison_operator", "while a < b:\n    go()"),
        ("comparison_operator", "while a < b:\n    a += 1\n    a -= go()"),
        ("comparison_operator", "if a > b:\n    b = a"),
        ("comparison_operator", "if a > b:\n    raise ValueError('bad')"),
        ("comparison_operator", "go(x < 0, y < 0)"),
        ("comparison_operator", "assert x == 0"),
        ("comparison_operator", "if x == 'a':\n    go()"),
        ("comparison_operator", "if x != None:\n    go()"),
        ("broken_name", "names = [n9 for n9 in Rows9]"),
    ],
)  # fmt: skip
def test_no_bug_where_the_snippet_does_not_show_what_is_right(kind, text):
    made = buggy(kind, text)
    if kind == "broken_name":
        made = {
            new
            for new in made
            if any(f"{digit}Rows9" in new or f"{digit}names" in new for digit in range(10))
        }
    if kind == "variable_misuse":
        made = {
            new for new in made if "x = b" in new or ("pattern = " in new and "pattern.search" not in new)
        }
    assert not made


@pytest.mark.parametrize(
    ("kind", "text", "wanted"),
    [
        ("wrong_attribute", "self.width = width\nself.height = height", {
            "self.height = width\nself.height = height", "self.width = width\nself.width = height"}),
        ("wrong_attribute", "f(a=x.a, b=x.b)", {"f(a=x.b, b=x.b)", "f(a=x.a, b=x.a)"}),
        ("wrong_attribute", "class A:\n    def __init__(self):\n        self.rows = 1\n    def f(self):\n        return self.rows", {
            "class A:\n    def __init__(self):\n        self.rows = 1\n    def f(self):\n        return self.row"}),
        ("wrong_attribute", "for k, v in d.items():\n    go(k)", {"for k, v in d.keys():\n    go(k)", "for k, v in d.values():\n    go(k)"}),
        ("wrong_attribute", "with open(p) as f:\n    x = json.load(f)", {"with open(p) as f:\n    x = json.loads(f)"}),
        ("wrong_attribute", "x = getattr(a, 'b', None)", {"x = hasattr(a, 'b', None)"}),
        ("wrong_attribute", "l.acquire()\nl.release()", {"l.acquire()\nl.acquire()"}),
        ("dropped_self", "def f(self):\n    g(n=self.n)\n    return self.n", {
            "def f(self):\n    g(n=n)\n    return self.n", "def f(self):\n    g(n=self.n)\n    return n"}),
        ("comparison_operator", "while i < n:\n    i += 1", {"while i > n:\n    i += 1"}),
        ("comparison_operator", "if a > largest:\n    largest = a", {"if a < largest:\n    largest = a"}),
        ("comparison_operator", "if len(a) > 9:\n    raise ValueError('too long')", {"if len(a) < 9:\n    raise ValueError('too long')"}),
        ("comparison_operator", "x = 0 < n < 9", {"x = 0 > n < 9", "x = 0 < n > 9", "x = 0 <= n < 9", "x = 0 < n <= 9"}),
        ("comparison_operator", "if x == 1 or x == 2:\n    go()", {"if x != 1 or x == 2:\n    go()", "if x == 1 or x != 2:\n    go()"}),
        ("comparison_operator", "if x != None:\n    x.go()", {"if x == None:\n    x.go()"}),
        ("comparison_operator", "if len(a) != len(b):\n    raise E", {"if len(a) == len(b):\n    raise E"}),
        ("comparison_operator", "if __name__ == '__main__':\n    main()", {"if __name__ != '__main__':\n    main()"}),
        ("off_by_one", "for x in xs:\n    n += 1", {"for x in xs:\n    n += 2"}),
        ("off_by_one", "while n < m:\n    n += 1\n    n = go(n)", {"while n < m:\n    n += 2\n    n = go(n)"}),
        ("off_by_one", "while n < m:\n    go(n)\n    n += 1", {"while n < m:\n    go(n)\n    n += 2", "while n < m:\n    go(n)\n    n += 0"}),
    ],
)  # fmt: skip
def test_a_bug_where_the_snippet_shows_what_is_right(kind, text, wanted):
    made = buggy(kind, text)
    assert made and made <= wanted, "nothing but these"
    assert len(made) >= len(wanted) - ("<=" in "".join(wanted)) * 2


def test_a_digit_comes_before_a_name_that_stands_elsewhere_as_it_is():
    text = "rows9 = [1]\nprint(rows9)"
    made = {
        new for new in buggy("broken_name", text, 300) if any(f"{digit}rows9" in new for digit in range(10))
    }
    assert made and all(new.count("rows9") == 2 and len(new) == len(text) + 1 for new in made)


def test_a_call_with_the_wrong_name_fails():
    """The families of `wrong_attribute` are bugs when they run."""
    for text in (
        "xs = []\nxs.append(1)",
        "xs = []\nxs.insert(0, 1)",
        "xs = set()\nxs.add(1)",
        "xs = {'abc': 1}\nfor k, v in xs.items():\n    pass",
        "for i, x in enumerate([1, 2]):\n    pass",
        "x = getattr(3, 'b', None)",
        "x = sorted([1], key=str)",
        "xs = [1]\nxs.sort(key=str)",
        "import json\nx = json.dumps([1])",
        "import json\ns = '[1]'\nx = json.loads(s)",
    ):
        exec(text, {})
        made = buggy("wrong_attribute", text)
        assert made, text
        for new in made:
            with pytest.raises((AttributeError, TypeError, ValueError)):
                exec(new, {})
