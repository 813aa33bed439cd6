"""Whether a text compiles: hostile code is refused at once, and the caller's settings do not matter."""

import time
import warnings

import pytest

from ctm.python.compiling import compile_limit_reason, compiles


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
    assert not compile_limit_reason("# " + "-" * 75 + "\nx = [[[(1)]]]")


def test_warnings_are_no_errors() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert compiles("x is 'a'\ny = '\\d'")


def test_future_imports_of_the_caller_do_not_change_what_compiles() -> None:
    assert compiles("def f():\n    x: (yield) = 1")  # an error under `from __future__ import annotations`
