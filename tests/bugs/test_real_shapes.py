"""Kinds modelled on what people posted: each does what it says on any place, and its repair can be seen in the text."""

from __future__ import annotations

from random import Random

import pytest

from ctm.bugs.check import code_of, quiet
from ctm.bugs.registry import apply, registry
from ctm.bugs.shapes import _Shaper
from ctm.bugs.source import Source


def made(kind: str, text: str, seeds: int = 40) -> set[tuple[str, str]]:
    """Every (fixed, buggy) that the kind makes of the text and that is a syntax error."""
    source, found = Source(text), set()
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
    source = Source("def f(total, rows):\n    return total\n")
    for seed in range(200):
        shaper = _Shaper(source, Random(seed))
        compile("\n".join(shaper.type()), "class", "exec")
        compile(shaper.value(), "value", "exec")


def test_a_keyword_stands_for_a_name_of_the_snippet_alone():
    """`def.compile(...)` for `re.compile(...)` has one repair, and it is not `def_.compile(...)`."""
    kind = registry()["keyword_as_name"]
    assert not list(kind.mutator(Source("import re\nprint(re.compile(int))"), Random(0)))
    made = [apply("x = [1]\nprint(x)", c.buggy) for c in kind.mutator(Source("x = [1]\nprint(x)"), Random(0))]
    assert made and all("print" in text and " = [1]" in text for text in made)
