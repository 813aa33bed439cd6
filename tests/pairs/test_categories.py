import textwrap

import pytest

from ctm.pairs.categories import categorize

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
    assert categorize(buggy, fixed) == category


BLOCK = "def f(a, b):\n    c = a + b\n    d = g(c)\n    h(d, a)\n    return d"
BODY = BLOCK.split("\n", 1)[1]
INDENTED = textwrap.indent(BODY, "    ")


@pytest.mark.parametrize(
    ("wrapped", "category"),
    [
        (f"def f(a, b):\n    if a:\n{INDENTED}", "logic"),
        (f"def f(a, b):\n    with a.lock as b:\n{INDENTED}", "logic"),
        (f"def f(a, b):\n    try:\n{INDENTED}\n    except OSError:\n        return None", "logic"),
        (f"def f(a, b):\n    for a in b:\n        if a:\n{textwrap.indent(INDENTED, '    ')}", "logic"),
        (f"def f(a, b):\n    if a:\n{INDENTED.replace('h(d, a)', 'h(d, b)')}", "complex"),
        (f"def f(a, b):\n    if {' and '.join(f'a{i}' for i in range(9))}:\n{INDENTED}", "complex"),
        (f"def f(a, b):\n    if a:\n{INDENTED}\n    e = a\n    k(e)\n    return g(d) - b", "complex"),
        (BLOCK.replace("    c = a", "    a = 0\n    c = a").replace("    h(d, a)\n", ""), "complex"),
    ],
)
def test_a_block_that_is_wrapped_or_unwrapped_is_one_edit(wrapped: str, category: str) -> None:
    assert categorize(BLOCK, wrapped) == category
    assert categorize(wrapped, BLOCK) == category


def test_a_statement_moved_out_of_its_block_is_one_edit() -> None:
    inside = "def f(a):\n    for b in a:\n        c = b + 1\n        d = g(c)\n        h(d)\n    return c"
    assert (
        categorize(inside, inside.replace("        d = g(c)\n        h(d)", "    d = g(c)\n    h(d)"))
        == "logic"
    )


def test_security_comes_before_logic_and_after_syntax() -> None:
    def unsafe(buggy: str, fixed: str) -> bool:
        return "eval" in buggy and "eval" not in fixed

    assert categorize("x = eval(y)", "x = int(y)", unsafe) == "security"
    assert categorize("x = eval(y", "x = int(y)", unsafe) == "syntax"
    assert categorize("x = a + y", "x = a - y", unsafe) == "logic"
