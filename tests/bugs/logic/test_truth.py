"""A logic pair is true: its two sides do different things, and the snippet shows which one is right."""

# ruff: noqa: E501  (a text is read beside its call)
from __future__ import annotations

from random import Random

import pytest

from ctm.bugs.registry import apply, registry
from ctm.bugs.static_analysis.evidence import binds, reads
from ctm.bugs.static_analysis.source import ParsedCode


def pairs(kind: str, text: str, seeds: int = 30) -> set[tuple[str, str]]:
    """(buggy, fixed) of all candidates of some seeds."""
    source = ParsedCode(text)
    made = [c for seed in range(seeds) for c in registry()[kind].mutator(source, Random(seed))]
    return {(apply(text, c.buggy), apply(text, c.fixed)) for c in made}


def ran(text: str, *calls: str) -> list[str]:
    """What each call gives, one after the other, or the name of its error."""
    scope: dict[str, object] = {}
    exec(text, scope)
    given = []
    for call in calls:
        try:
            given.append(repr(eval(call, scope)))
        except Exception as error:
            given.append(type(error).__name__)
    return given


GUARDED = "def f(x, xs=None):\n    if xs is None:\n        xs = []\n    xs.append(x)\n    return xs\n"


@pytest.mark.parametrize(
    ("text", "calls"),
    [
        (GUARDED, ("f(1)", "f(2)")),
        (
            "def f(x, seen=None):\n    if seen is None: seen = set()\n    return seen\n",
            ("f(1).add(3)", "f(2)"),
        ),
        ("def f(x, known):\n    known.setdefault(x, x + 1)\n    return known\n", ("f(1)", "f(2)")),
        ("def f(x, out):\n    for i in range(x):\n        out.append(i)\n    return out\n", ("f(1)", "f(2)")),
    ],
)
def test_a_mutable_default_is_seen_by_the_second_call(text, calls):
    made = pairs("mutable_default", text)
    assert made
    for buggy, fixed in made:
        assert ran(buggy, *calls) != ran(fixed, *calls), (buggy, fixed)
        assert "Error" not in "".join(ran(fixed, *calls)), "None is a default that the fixed side can take"
        assert "is None" in fixed


@pytest.mark.parametrize(
    "text",
    [
        "def f(x, xs=None):\n    return g(x, xs)\n",  # nobody changes it
        "def f(x, xs=None):\n    return x\n",
        "def f(x, xs=None):\n    for y in xs:\n        x += y\n    return x\n",  # None would crash
        "def f(x, xs=None):\n    xs = xs or []\n    xs.append(x)\n    return xs\n",  # a shared empty list is never seen
        "def f(x, xs=None):\n    if xs is None:\n        xs = []\n    return len(xs) + x\n",
        "def f(x, xs=()):\n    return [*xs, x]\n",
        "def f(x, thing):\n    thing.name.append(x)\n    thing.append(x)\n",  # an object, no list
    ],
)
def test_no_mutable_default_where_nothing_comes_of_it(text):
    assert not pairs("mutable_default", text)


MOVES = (
    "def f(a, b):\n    n = a + 1\n    m = n * b\n    k = a - b\n    j = k + m + n\n    i = j + 2\n    return i + b\n",
    "def f(a, b):\n    s = 0\n    t = b\n    for x in range(a):\n        s += x * t\n    u = s + a\n    v = u - b\n    return v\n",
)


@pytest.mark.parametrize("text", MOVES)
def test_a_moved_statement_leaves_the_line_that_it_depends_on(text):
    made = pairs("moved_statement", text)
    assert made
    for buggy, fixed in made:
        lines = fixed.splitlines()
        source = ParsedCode(fixed)
        [number] = {
            n for n, line in enumerate(lines) if _place(buggy, line) != n and _is_moved(buggy, lines, n)
        }
        up = _place(buggy, lines[number]) < number
        names = (
            binds(source, number - 1) & reads(source, number)
            if up
            else binds(source, number) & reads(source, number + 1)
        )
        assert names, (buggy, fixed)
        assert ran(buggy, "f(3, 5)", "f(2, 7)") != ran(fixed, "f(3, 5)", "f(2, 7)"), (buggy, fixed)


def _place(text: str, line: str) -> int:
    return text.splitlines().index(line)


def _is_moved(buggy: str, lines: list[str], number: int) -> bool:
    """Whether both sides are equal without the line."""
    left = buggy.splitlines()
    left.remove(lines[number])
    return left == lines[:number] + lines[number + 1 :]


def test_lines_that_do_not_depend_on_each_other_stay_where_they_are():
    free = "def f(a):\n    a.one(1)\n    b.two(2)\n    c.three(3)\n    d.four(4)\n    e.five(5)\n"
    assert not pairs("moved_statement", free) and not pairs("wrong_order", free)


@pytest.mark.parametrize(
    "text",
    [
        "print(name, value)", "log.info(name, value)", "logging.error(a, b)", "os.path.join(root, name)", "max(a, b)",
        "g(a, b)", "def f(name, value):\n    print(name, value)", "def f(a, b):\n    return g(b, a) + h(a, b)",
    ],
)  # fmt: skip
def test_arguments_of_which_any_order_may_be_meant_stay(text):
    made = {buggy for buggy, _ in pairs("swapped_arguments", text)}
    assert not made or made == {"def f(a, b):\n    return g(b, a) + h(b, a)"} - {text}, (
        "only calls of a known order"
    )


@pytest.mark.parametrize(
    ("text", "buggy"),
    [
        ("isinstance(x, str)", "isinstance(str, x)"),
        ("Base.__init__(self, a)", "Base.__init__(a, self)"),
        ("def f(a, b):\n    return g(a, b)", "def f(a, b):\n    return g(b, a)"),
        ("g(a, b)\nh(a, b)", "g(a, b)\nh(b, a)"),
    ],
)
def test_arguments_are_swapped_where_their_order_is_known(text, buggy):
    assert buggy in {made for made, _ in pairs("swapped_arguments", text)}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("off_by_one", "limit = 512"),
        ("off_by_one", "def f(xs):\n    return xs[0]"),
        ("bound", "def f(xs, n):\n    return xs[1:n]"),
        ("bound", "for i in range(n):\n    go(i)"),
        ("constant", "go(x, flag=True)"),
        ("constant", "def f(x=None):\n    return x"),
        ("identity_for_equality", "if kind == Kind.SMALL:\n    go()"),
        ("dropped_condition", "if a and b:\n    go()"),
        ("augmented_operator", "def f(self):\n    self.n |= 4"),
        ("wrong_jump", "for x in xs:\n    if not x:\n        break\n    go(x)"),
        ("wrong_jump", "for x in xs:\n    if x:\n        found = True\n        break"),  # once more is once
        ("augmented_operator", "names = set(a)\nnames -= set(b)"),  # which of them is meant?
        ("dropped_not", "assert not sentinel"),
        ("wrong_level", "for x in xs:\n    go(x)\nprint(n)"),
        ("wrong_order", "response.read()\nshow(response)"),
        ("if_for_elif", "if a:\n    return 1\nelif b:\n    return 2\nelse:\n    return 3"),
        ("if_for_elif", "while ready():\n    go()"),
    ],
)
def test_no_bug_where_the_snippet_does_not_show_what_is_right(kind, text):
    made = {buggy for buggy, _ in pairs(kind, text)}
    assert not made


RUN = (
    ("off_by_one", "def f(xs):\n    n = 0\n    for x in xs:\n        n += 1\n    return n\n", "f([3, 4])"),
    ("off_by_one", "def f(xs):\n    return xs[0], xs[1], xs[2]\n", "f([3, 4, 5, 6])"),
    ("bound", "def f(xs):\n    out = []\n    for i in range(len(xs)):\n        out.append(xs[i])\n    return out\n", "f([3, 4])"),
    ("bound", "def f(xs, n):\n    return xs[:n], xs[n:]\n", "f([3, 4, 5], 1)"),
    ("constant", "def f(xs):\n    any = False\n    for x in xs:\n        if x:\n            any = True\n    return any\n", "[f([0]), f([1])]"),
    ("comparison_operator", "def f(xs):\n    i = 0\n    while i < len(xs):\n        i += xs[i]\n    return i\n", "f([1, 1])"),
    ("dropped_condition", "def f(xs, i):\n    return i < len(xs) and xs[i] > 0\n", "f([1], 4)"),
    ("augmented_operator", "def f(xs):\n    n = 9\n    for x in xs:\n        n += x\n    return n\n", "f([2, 3])"),
    ("wrong_jump", "def f(xs):\n    out = []\n    for x in xs:\n        if x > 2:\n            continue\n        out.append(x)\n    return out\n", "f([1, 4, 2])"),
    ("wrong_level", "def f(xs, n):\n    for x in xs:\n        n += x\n    return n\n", "f([1, 4], 0)"),
    ("wrong_order", "def f(a):\n    n = a + 1\n    m = n * 2\n    return n, m\n", "f(1)"),
    ("if_for_elif", "def f(n):\n    while n > 3:\n        n = n - 2\n    return n\n", "f(9)"),
    ("if_for_elif", "def f(n):\n    if n > 3:\n        m = 1\n    elif n > 2:\n        m = 2\n    else:\n        m = 3\n    return m\n", "f(9)"),
)  # fmt: skip


@pytest.mark.parametrize(("kind", "text", "call"), RUN)
def test_the_buggy_side_does_something_else(kind, text, call):
    made = pairs(kind, text)
    assert made
    for buggy, fixed in made:
        assert fixed == text and ran(buggy, call) != ran(fixed, call), buggy
