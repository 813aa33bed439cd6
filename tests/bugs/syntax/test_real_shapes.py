"""Kinds modeled on what people posted: each does what it says on any place, and its repair can be seen in the text."""

from __future__ import annotations

from random import Random

import pytest

from ctm.bugs.checks.validity import code_of, quiet
from ctm.bugs.generation.shapes import _Shaper
from ctm.bugs.registry import apply, registry
from ctm.bugs.static_analysis.source import ParsedCode


def made(kind: str, text: str, seeds: int = 40) -> set[tuple[str, str]]:
    """Every (fixed, buggy) that the kind makes of the text and that is a syntax error."""
    source, found = ParsedCode(text), set()
    with quiet():
        for seed in range(seeds):
            for candidate in registry()[kind].mutator(source, Random(seed)):
                fixed, buggy = apply(text, candidate.fixed), apply(text, candidate.buggy)
                if code_of(buggy) is None:
                    assert code_of(fixed) is not None, (kind, fixed)
                    found.add((fixed, buggy))
    return found


def buggy(kind: str, text: str) -> set[str]:
    """The buggy sides of pairs whose fixed side is the text itself."""
    return {broken for fixed, broken in made(kind, text) if fixed == text}


def test_a_wrong_pair_is_round_key_and_value_or_a_slice():
    text = "d = {'a': 1}\nx = d[1:2]\ny = [1, 2]\nz = d['a']\ns = {1, 2}"
    assert buggy("wrong_pair", text) == {
        text.replace("{'a': 1}", "['a': 1]"),
        text.replace("{'a': 1}", "('a': 1)"),
        text.replace("[1:2]", "(1:2)"),
    }


def test_a_comprehension_with_keys_may_be_a_call_of_dict():
    assert "d = dict(k: v for k, v in xs)" in buggy("wrong_pair", "d = {k: v for k, v in xs}")


def test_the_last_line_that_goes_has_only_brackets():
    text = "xs = [\n    1,\n    f(2)\n]\nd = {\n    'a': [\n        1\n    ],\n}"
    assert buggy("missing_last_line", text) == {
        text.replace("\n]", "", 1),
        text.replace("\n    ],", ""),
        text.removesuffix("\n}"),
    }
    assert not made("missing_last_line", "xs = [1,\n      2]"), "this line has an item too"


def test_items_without_braces_are_the_whole_text():
    text = "x = 1\nd = {\n    'a': 1,\n    'b': [2]\n}\nf(d)"
    assert made("missing_braces", text) == {("{\n'a': 1,\n'b': [2]\n}", "'a': 1,\n'b': [2]")}
    assert not made("missing_braces", "s = {1, 2}\nd = {x: 1 for x in s}\ne = {}"), "no items with a key"


def test_dots_become_an_ellipsis_and_words_go():
    text = "xs = [1, 'a', b]"
    pairs = made("elided_items", text, 200)
    assert {fixed for fixed, _ in pairs} == {text, "xs = [1, 'a', b, ...]"}
    for fixed, broken in pairs:
        assert broken.startswith(text[:-1]) and broken.endswith("]")
        assert ("etc" in broken or "so on" in broken) == (fixed == text)
    rest = "f(a, b)\nx[1, 2]\ny = [g(a, b) for a in y]"
    assert not made("elided_items", rest), "neither in calls nor in comprehensions"


def test_a_missing_assignment_leaves_name_and_value_apart():
    text = "x = 3\nxs = []\nf(a=1)\ny=g(x)"
    assert buggy("missing_assignment", text) == {
        text.replace("x = 3", "x 3"),
        text.replace("a=1", "a 1"),
        text.replace("y=g", "y g"),
    }, "`xs []` would be a subscript"


def test_a_loop_loses_only_what_the_rest_tells():
    text = (
        "a = [x for x in xs if x]\nb = [f(y) for y in ys]\nc = [1 for _ in zs]\n"
        "for i in a:\n    go(i)\nfor j in b:\n    go()"
    )
    assert buggy("missing_loop_part", text) == {
        text.replace("[x for x in xs", "[for x in xs"),
        text.replace("[x for x in xs", "[x for in xs"),
        text.replace("[x for x in xs", "[x in xs"),
        text.replace("f(y) for y in", "f(y) for in"),
        text.replace("for i in a", "for in a"),
    }


def test_a_loop_variable_is_not_missing_where_two_names_could_be_it():
    assert not buggy("missing_loop_part", "a = [x + n for x in xs]")
    assert not buggy("missing_loop_part", "for i in a:\n    print(i + k)")
    assert buggy("missing_loop_part", "n = 1\na = [x + n for x in xs]") == {"n = 1\na = [x + n for in xs]"}


def test_a_lambda_keeps_its_parameter_in_sight():
    text = "f = lambda x: x[1]"
    wrong = buggy("wrong_lambda", text)
    assert {
        "f = lambda x: return x[1]",
        "f = lambda (x): x[1]",
        "f = lambda x[1]",
        "f = lambda x x[1]",
    } <= wrong
    assert all("x" in broken.split("x[1]")[0] or broken == "f = lambda x[1]" for broken in wrong)
    assert all("lambda (" not in b for b in buggy("wrong_lambda", "f = lambda a, b: a")), "that is Python 2"


def test_a_missing_dot_stands_between_two_words():
    text = "x = ', '.join(a)\ny = a.b\nz = 1.5\nfrom . import q\na.f(x)"
    assert buggy("missing_dot", text) == {
        text.replace("'.join", "'join"),
        text.replace("'.join", "' join"),
        text.replace("a.f", "a f"),
    }, "`a b` might be one name"


def test_a_cast_takes_one_value():
    text = "x = int(a)\ny = int(input(b)) + a.int(x)\nz = int(a + b)"
    assert {broken.replace("(int) ", "(int)") for broken in buggy("c_cast", text)} == {
        text.replace("int(a)\n", "(int)a\n"),
        text.replace("int(input(b))", "(int)input(b)"),
    }, "a sum would be cast in part"


def test_a_chain_of_calls_over_two_lines_has_a_backslash_on_the_fixed_side():
    pairs = made("broken_line", "d = f(x).g()")
    assert pairs == {("d = f(x) \\\n    .g()", "d = f(x)\n    .g()")}


def test_glued_words_lose_one_space_at_a_keyword():
    text = "class A:\n    def f(self, xs):\n        for x in xs:\n            return not x"
    wrong = buggy("glued_words", text)
    assert text.replace("def f", "deff") in wrong and text.replace("x in", "xin") in wrong
    assert all(len(broken) == len(text) - 1 for broken in wrong)


@pytest.mark.parametrize("text", ["x = f(a, b=1)\nprint(x)", "def f(x):\n    return x", "import os\nos.sep"])
def test_bold_and_remarks_only_add(text: str):
    for kind in ("bold", "trailing_words"):
        pairs = made(kind, text)
        assert pairs and all(fixed == text for fixed, _ in pairs)
        for _, broken in pairs:
            rest = iter(broken)
            assert all(sign in rest for sign in text), "nothing of the code is gone"
    assert all(set(broken) <= set(text) | {"*", " "} for _, broken in made("bold", text))
    lines = {
        frozenset(text.splitlines()) - frozenset(broken.splitlines())
        for _, broken in made("trailing_words", text)
    }
    assert all(len(changed) == 1 for changed in lines), "one line has a remark"


def test_an_import_without_its_name_is_made_only_where_the_name_is_used():
    used, unused = "from os import path\npath.join(a, b)", "from os import path\nx = 1"
    assert any("from os import\n" in broken for broken in buggy("import_order", used))
    assert not any("from os import\n" in broken for broken in buggy("import_order", unused))


def test_an_import_may_look_like_a_call():
    assert "from os import path()" in buggy("import_order", "from os import path")


def test_classes_and_lambdas_among_the_shapes_compile():
    source = ParsedCode("def f(total, rows):\n    return total\n")
    for seed in range(200):
        shaper = _Shaper(source, Random(seed))
        compile("\n".join(shaper.type()), "class", "exec")
        compile(shaper.value(), "value", "exec")


LOOP = "for x in xs:\n    if x:\n        go(x)\n    else:\n        stop(x)"
LONG = "def f():\n    a()\n    b()\n    c()\n    d()"
SHAPES = [
    ("missing_pair", "ys = [(a, f(a)) for a in xs]", "ys = [a, f(a) for a in xs]"),
    ("missing_pair", "df.rename(columns={'a': 'b'})", "df.rename(columns='a': 'b')"),
    ("missing_pair", "d = {'a': 1, 'b': 2}", "d = 'a': 1, 'b': 2"),
    ("missing_pair", "ys = [f(x) for x in xs]", "ys = f(x) for x in xs"),
    ("missing_pair", "f(a, {1: 2, 3: 4})", "f(a, 1: 2, 3: 4)"),
    ("wrong_pair", "d = {k: v for k, v in xs}", "d = dict(k: v for k, v in xs)"),
    ("call_without_parentheses", "xs.append(a)", "xs.append a"),
    ("missing_opening", "xs = [[1, 2], [3, 4]]", "xs = [1, 2], [3, 4]]"),
    ("unclosed_inner_bracket", "f({'a': [1]})", "f({'a': [1})"),
    ("extra_closing", "xs = [0] * 7", "xs = [0] * 7]"),
    ("mismatched_closing", "f = open(p)", "f = open(p("),
    ("import_order", "from m import Thing", "from m import Thing()"),
    ("import_order", "from y import x", "import x from y"),
    ("import_order", "import numpy as np\nnp.ones(3)", "import numpy as\nnp.ones(3)"),
    ("import_path", "import foo.bar", "import foo/bar"),
    ("import_path", "from foo.bar import x", "from foo/bar.py import x"),
    ("import_path", "from .bar import x", "from ./bar import x"),
    ("import_path", "import my_module", "import my-module"),
    ("import_path", "import a", 'import "a.py"'),
    ("empty_subscript", "rows = []", "rows[] = []"),
    ("empty_subscript", "rows = []", "rows[]"),
    ("empty_subscript", "rows.append(x)", "rows[].append(x)"),
    ("tuple_parameter", "f = lambda a_b: a_b[0] + a_b[1]", "f = lambda (a, b): a + b"),
    ("doubled_operator", "x += a + b", "x += a += b"),
    ("magic_line", "import a\nb = 1", "%matplotlib inline\nimport a\nb = 1"),
    ("magic_line", "import a\nb = 1", "!pip install a\nimport a\nb = 1"),
    ("flat_block", LOOP, LOOP.replace("    ", "")),
    ("missing_braces", "{'a': 1, 'b': 2}", "'a': 1, 'b': 2"),
    ("pasted_output", "x = f(a)", "x = f(a)\n<Response [200]>"),
    ("shell_line", "f(x)", "f(x)\nTraceback (most recent call last):"),
    ("keyword_as_name", "f(class_='x')", "f(class='x')"),
    ("keyword_as_name", "f(from_=1)", "f(from=1)"),
    ("foreign_keyword", "try:\n    a()\nexcept E as e:\n    b()", "try:\n    a()\ncatch E as e:\n    b()"),
    ("foreign_keyword", "ys = [x for x in xs if x]", "ys = [x for x in xs where x]"),
    ("then", "if a:\n    b()", "if a then:\n    b()"),
    ("declared_type", "f(Thing(1))", "f(new Thing(1))"),
    ("wrong_parameter", "def f(text):\n    pass", "def f(String text):\n    pass"),
    ("placeholder", "f(file_name)", "f(<file name>)"),
    ("branch_without_if", "if a:\n    b()", "elif a:\n    b()"),
    ("conflict_markers", "x = 1\ny = 2", "<<<<<<< HEAD\nx = 1\n=======\ny = 2\n>>>>>>> main"),
    ("conflict_markers", "x = 1\ny = 2", "x = 1\n=======\ny = 2"),
    ("line_numbers", "x = 1\ny = 2", "1 x = 1\n2 y = 2"),
    ("prompt", "x = 1\ny = 2", ">>> x = 1\n>>> y = 2"),
    ("ruler_line", "x = 1\ny = 2", "x = 1\n>>>\ny = 2"),
    ("bold", "f(a, b=1)", "f(a, **b=1**)"),
    ("mixed_tabs", LONG, LONG.replace("    c", "\tc").replace("    d", "\td")),
    ("unexpected_indent", "a = 1\nif a:\n    b()", "a = 1\n    if a:\n        b()"),
    ("truncated_end", "def f():\n    return g(h())", "def f():\n    return g(h("),
]
"""Shapes of errors that people make: kind, fixed side, buggy side."""


@pytest.mark.parametrize(("kind", "fixed", "broken"), SHAPES, ids=lambda text: text.replace("\n", "|")[:40])
def test_each_shape_is_made_by_its_kind(kind: str, fixed: str, broken: str):
    """A shape that no kind makes is one that the model never sees; a kind may have a fixed side of its own."""
    names = {"keyword_as_name": ("f(a='x')", "f(a=1)"), "tuple_parameter": ("f = lambda t: t[0] + t[1]",)}
    for text in names.get(kind, (fixed,)):
        if (fixed, broken) in made(kind, text, 1500):
            return
    raise AssertionError(f"{kind} does not make {broken!r} of {fixed!r}")


def test_a_flat_block_is_told_by_its_words():
    """Without a jump or a branch nobody could say where an inner block ended."""
    assert not made("flat_block", "for x in xs:\n    if x:\n        go(x)\n    stop(x)")
    assert not made("flat_block", "for x in xs:\n    if x:\n        go(x)\nstop(x)")
    two = "for x in xs:\n    if x:\n        for y in x:\n            return y\n    stop(x)"
    assert not made("flat_block", two), "two blocks end after one jump"
    assert made("flat_block", "def f(x):\n    if x:\n        return 1\n    return 2\ny = f(1)")


@pytest.mark.parametrize("kind", ["magic_line", "pasted_output", "conflict_markers"])
def test_lines_that_do_not_belong_leave_the_code_as_it_is(kind: str):
    text = "import os\nif os.sep:\n    x = 1\nelse:\n    x = 2\nprint(x)"
    pairs = made(kind, text, 100)
    assert pairs and all(fixed == text for fixed, _ in pairs)
    for _, broken in pairs:
        rest = iter(broken.split("\n"))
        assert all(line in rest for line in text.split("\n")), "only whole lines are too many"


def test_markers_stand_between_whole_statements():
    """A marker between `if` and its `else` would cut the statement, and a merge seldom does."""
    text = "a = 1\nif a:\n    b()\nelse:\n    c()"
    whole = [broken for _, broken in made("conflict_markers", text, 200) if broken.count(">>>>>>>") == 1]
    assert all("=======\n    " not in b and "=======\nelse" not in b for b in whole if "<<<<<<<" in b)


def test_a_tuple_parameter_reads_both_parts_only():
    assert not made("tuple_parameter", "f = lambda t: len(t)"), "the tuple itself is read"
    assert not made("tuple_parameter", "f = lambda t: t[2]")
    for fixed, broken in made("tuple_parameter", "f = lambda t: t[1]", 50):
        names = broken[len("f = lambda (") : broken.index(")")].split(", ")
        assert fixed == f"f = lambda {'_'.join(names)}: {'_'.join(names)}[1]"


def test_a_keyword_stands_for_a_name_of_the_snippet_alone():
    """`def.compile(...)` for `re.compile(...)` has one repair, and it is not `def_.compile(...)`."""
    kind = registry()["keyword_as_name"]
    assert not list(kind.mutator(ParsedCode("import re\nprint(re.compile(int))"), Random(0)))
    made = [
        apply("x = [1]\nprint(x)", c.buggy) for c in kind.mutator(ParsedCode("x = [1]\nprint(x)"), Random(0))
    ]
    assert made and all("print" in text and " = [1]" in text for text in made)
