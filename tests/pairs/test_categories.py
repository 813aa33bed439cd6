import time
import warnings

import pytest

from ctm.pairs.categories import categorise, compiles, too_hard

LONG = "\n".join(f"    v{i} = g(v{i - 1}, {i})" for i in range(1, 12))


@pytest.mark.parametrize(
    ("buggy", "fixed", "category"),
    [
        ("x = 1", "x  =  1  # one", "clean"),
        ("def f(a) return a", "def f(a): return a", "syntax"),
        ("return 1", "x = 1", "syntax"),  # parses, and does not compile
        ("if a < b: pass", "if a <= b: pass", "logic"),
        ("f(a, b)", "f(b, a)", "logic"),  # two places, one edit
        ("a = b + 1\nc = d - 1", "a = b * 1\nc = d / 1", "complex"),
        ("x = 1", "x = " + " + ".join(f"f{i}" for i in range(12)), "complex"),
        (f"def f(v0):\n{LONG}\n    return v1", f"def f(v0, k):\n{LONG}\n    return k", "complex"),
    ],
)
def test_first_category_that_matches(buggy: str, fixed: str, category: str) -> None:
    assert categorise(buggy, fixed) == category


def test_security_comes_before_logic_and_after_syntax() -> None:
    def unsafe(buggy: str, fixed: str) -> bool:
        return "eval" in buggy and "eval" not in fixed

    assert categorise("x = eval(y)", "x = int(y)", unsafe) == "security"
    assert categorise("x = eval(y", "x = int(y)", unsafe) == "syntax"
    assert categorise("x = a + y", "x = a - y", unsafe) == "logic"


def nested_finally(levels: int) -> str:
    lines = []
    for level in range(levels):
        lines += [" " * level + "try: a()", " " * level + "finally:"]
    return "\n".join([*lines, " " * levels + "b()"])


@pytest.mark.parametrize(
    "text",
    [
        "x = '\0'",
        "x = '\ud800'",
        "(" * 5000 + ")" * 5000,
        "-" * 90_000 + "1",
        "+".join("1" * 10_000),
        "x" + ".a" * 40_000,
        nested_finally(20),
        "x = 1\n" * 100_000,
    ],
)
def test_hostile_code_is_refused_at_once(text: str) -> None:
    start = time.perf_counter()
    assert not compiles(text)
    assert time.perf_counter() - start < 2


def test_ordinary_code_is_not_too_hard() -> None:
    assert compiles(nested_finally(4))
    assert not too_hard("# " + "-" * 75 + "\nx = [[[(1)]]]")


def test_warnings_are_no_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiles("x is 'a'\ny = '\\d'")


def test_future_imports_of_the_caller_do_not_change_what_compiles() -> None:
    assert compiles("def f():\n    x: (yield) = 1")  # an error under `from __future__ import annotations`
