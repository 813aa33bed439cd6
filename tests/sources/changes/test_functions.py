import textwrap

import pytest

from ctm.sources.changes.functions import FixLimits, change_reject_reason, changed_functions, diff_size

BEFORE = textwrap.dedent(
    '''
    import os

    class Box:
        def __init__(self, size):
            """A box."""
            self.size = size
            self.items = []

        @property
        def full(self):
            count = len(self.items)
            return count > self.size

        @full.setter
        def full(self, value):
            text = """
    at column 0
    """
            self.items = [text] * value


    def outer(values):
        def inner(value):
            value += 1
            return value

        return [inner(value) for value in values]


    def last(
        values,
    ):
        for value in values:
            pass
        return value
    '''
).lstrip("\n")


def changed(*replacements: tuple[str, str]) -> dict[str, tuple[str, str]]:
    after = BEFORE
    for old, new in replacements:
        assert old in after
        after = after.replace(old, new)
    changes = changed_functions(BEFORE, after, FixLimits())
    return {item.qualname: (item.before, item.after) for item in changes.kept}


def test_the_changed_function_is_found_dedented_with_its_decorator() -> None:
    found = changed(("count > self.size", "count >= self.size"))
    assert list(found) == ["Box.full"]
    before, after = found["Box.full"]
    assert before.startswith("@property\ndef full(self):\n    count")
    assert before.replace(">", ">=") == after


def test_functions_of_one_name_are_told_apart_and_strings_stay() -> None:
    found = changed(("[text] * value", "[text] * int(value)"))
    assert list(found) == ["Box.full#2"]
    assert "\nat column 0\n" in found["Box.full#2"][1]


def test_a_nested_change_counts_for_the_outermost_function() -> None:
    assert list(changed(("value += 1", "value += 2"))) == ["outer"]


def test_several_functions_and_headers_over_several_lines() -> None:
    found = changed(
        ("self.items = []", "self.items = list(size)"), ("return value\n", "return value or None\n")
    )
    assert "Box.__init__" in found and "last" in found
    assert found["last"][0].startswith("def last(\n    values,\n):\n    for")


def test_insertions_and_deletions_at_the_end_of_a_function() -> None:
    assert list(
        changed(("        pass\n    return value", "        pass\n    print(value)\n    return value"))
    ) == ["last"]
    assert list(
        changed(
            ("            pass\n".removeprefix("    "), ""),
            ("in values:\n    return", "in values:\n        break\n    return"),
        )
    ) == ["last"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("x = 1", "x = 1  # one", "no change of the code"),
        ("x = 1", "x: int = 1", "no change of the code"),
        ("x = g(a)", "x = cast(int, g(a))", "no change of the code"),
        ("'''Old.'''", "'''New.'''", "no change of the code"),
        ("x = 1", "x = 2", ""),
        ("x = 1", "x = 1.0", ""),
        ("x = 1", "assert a\n    x = 1", ""),
        ("x = 1", "print a", "fixed side does not parse"),
        ("print a", "print(a)", "buggy side does not parse"),
        ("x = 1", """x = f"{a["b"]}\"""", "newer than Python 3.11"),
        ("x = 1", "\n    ".join(f"x = {i}" for i in range(12)), "too many changed lines"),
        ("x = 1", "\n    ".join("x = 1" for _ in range(70)), "function too long"),
    ],
)
def test_what_counts_as_a_small_change_of_the_code(old: str, new: str, reason: str) -> None:
    text = f"def f(a):\n    {old}\n    return a"
    assert change_reject_reason(text, text.replace(old, new), FixLimits()) == reason


def test_defaults_count_although_no_bytecode_of_the_function_changes() -> None:
    text = "def f(a=1):\n    x = a\n    return x"
    assert change_reject_reason(text, text.replace("a=1", "a=None"), FixLimits()) == ""


def test_hunks_and_lines_are_counted_as_in_a_diff() -> None:
    old = list("abcdefgh")
    assert diff_size(old, list("abXdefgh")) == (1, 1)
    assert diff_size(old, list("abXYefgh")) == (1, 2)
    assert diff_size(old, list("aXcdefYZh")) == (2, 3)
    assert diff_size(old, old) == (0, 0)
    spread = "def f():\n" + "\n".join(f"    {c}" for c in "abcdefgh")
    assert change_reject_reason(
        spread, spread.replace("a", "x").replace("c", "y").replace("e", "z").replace("g", "w"), FixLimits()
    )


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ('raise E("no %s" % a)', 'raise E(f"no {a}")', "messages and tracebacks only"),
        ('raise E("no a")', 'raise E("a is missing")', "messages and tracebacks only"),
        ('raise E("got %s")', 'raise E("got %s" % a)', ""),
        ('raise E("no a")', 'raise F("no a")', ""),
        ("try:\n        g()\n    except E:\n        raise F",
         "try:\n        g()\n    except E as e:\n        raise F from e", "messages and tracebacks only"),
        ('log.info("a")', 'log.info("b")', "messages and tracebacks only"),
        ('log.info("a", a)', 'log.info("a", b, c)', "messages and tracebacks only"),
        ('warn("a", stacklevel=2)', 'warn("b", stacklevel=3)', "messages and tracebacks only"),
        ('warn(\n        "a",\n        stacklevel=2,\n    )', 'warn(\n        "a",\n        stacklevel=3,\n    )',
         "messages and tracebacks only"),
        ('print("a", a)', 'print("a", b)', ""),
        ("x = log(a)", "x = log(b)", ""),
        ("assert a", 'assert a, "a is needed"', "messages and tracebacks only"),
        ('g("a")', 'g("b")', ""),
        ("x: int\n    x = 1", "x = 1", "no change of the code"),
        ("self.x = 1\n    'New.'", "self.x = 1\n    'Newer.'", "no change of the code"),
    ],
)  # fmt: skip
def test_what_only_people_read_is_no_fix(old: str, new: str, reason: str) -> None:
    text = f"def f(a):\n    {old}\n    return a"
    assert change_reject_reason(text, text.replace(old, new), FixLimits()) == reason
    assert change_reject_reason(text, text.replace(old, new), FixLimits(same_meaning=True)) == ""


def test_attributes_that_are_only_prepared_are_no_fix() -> None:
    before = "def __init__(self, a):\n    self.a = a\n    g()"
    after = before.replace("    g()", "    self.b = []\n    g()")
    assert change_reject_reason(before, after, FixLimits()) == "attributes prepared only"
    assert change_reject_reason(before, before.replace("= a", "= a or 1"), FixLimits()) == ""
    assert (
        change_reject_reason(before.replace("__init__", "f"), after.replace("__init__", "f"), FixLimits())
        == ""
    )


def test_a_name_that_only_carries_a_type_is_no_change() -> None:
    before = "def f(self):\n    # text\n    return self.get(1)"
    after = "def f(self) -> int:\n    found: int = self.get(1)\n    return found"
    outer = "def g():\n    {}\n    return f"
    before, after = (outer.format(text.replace("\n", "\n    ")) for text in (before, after))
    assert change_reject_reason(before, after, FixLimits()) == "no change of the code"


def test_other_parameters_tests_and_broken_sides_are_counted_and_may_be_kept() -> None:
    functions = (
        "f(a):\n    x = a\n    return x",
        "test_f():\n    x = 1\n    return x",
        "g():\n    print 1\n    return 2",
    )
    before = "\n\n".join(f"def {text}" for text in functions)
    after = before.replace("def f(a)", "def f(a, b)").replace("x = 1", "x = 2").replace("print 1", "print(1)")
    changes = changed_functions(before, after, FixLimits())
    assert not changes.kept
    assert {(name, reason) for reason, name, _ in changes.rejected} == {
        ("f", "parameters changed"), ("test_f", "test function"), ("g", "buggy side does not parse"),
    }  # fmt: skip
    everything = changed_functions(before, after, FixLimits(parameters=True, tests=True, broken=True))
    assert [item.qualname for item in everything.kept] == ["f", "test_f", "g"]
