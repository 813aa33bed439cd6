import textwrap

import pytest

from ctm.sources.changes import ChangeLimits, changed_functions, diff_size, judge
from ctm.sources.messages import refuse_message

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
    changes = changed_functions(BEFORE, after, ChangeLimits())
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
        ("x = 1", "print a", "does not parse"),
        ("x = 1", "\n    ".join(f"x = {i}" for i in range(12)), "too many changed lines"),
        ("x = 1", "\n    ".join("x = 1" for _ in range(70)), "function too long"),
    ],
)
def test_what_counts_as_a_small_change_of_the_code(old: str, new: str, reason: str) -> None:
    text = f"def f(a):\n    {old}\n    return a"
    assert judge(text, text.replace(old, new), ChangeLimits()) == reason


def test_defaults_count_although_no_bytecode_of_the_function_changes() -> None:
    text = "def f(a=1):\n    x = a\n    return x"
    assert judge(text, text.replace("a=1", "a=None"), ChangeLimits()) == ""


def test_hunks_and_lines_are_counted_as_in_a_diff() -> None:
    old = list("abcdefgh")
    assert diff_size(old, list("abXdefgh")) == (1, 1)
    assert diff_size(old, list("abXYefgh")) == (1, 2)
    assert diff_size(old, list("aXcdefYZh")) == (2, 3)
    assert diff_size(old, old) == (0, 0)
    spread = "def f():\n" + "\n".join(f"    {c}" for c in "abcdefgh")
    assert judge(
        spread, spread.replace("a", "x").replace("c", "y").replace("e", "z").replace("g", "w"), ChangeLimits()
    )


@pytest.mark.parametrize(
    ("message", "author", "taken"),
    [
        ("Fix crash when the list is empty", "A <a@b>", True),
        ("Off-by-one in pager\n\nfixes #12", "A <a@b>", True),
        ("Add a prefix option", "A <a@b>", False),
        ("Fix typo in docs", "A <a@b>", False),
        ("Fix flake8 warnings", "A <a@b>", False),
        ("Fix tests on Windows", "A <a@b>", False),
        ("Fix bug in parser", "dependabot[bot] <x@y>", False),
        ("Improve speed", "A <a@b>", False),
    ],
)
def test_messages_that_name_a_fix(message: str, author: str, taken: bool) -> None:
    assert (refuse_message(message, author) == "") is taken
