"""Edits by characters: they make the very text, in the file as it is on disk, however many steps led there."""

from __future__ import annotations

from difflib import SequenceMatcher
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm.repair.text_edits import (
    LineStarts,
    TextEdit,
    applied,
    edits_of_lines,
    in_first_text,
    in_words,
    place_in_first,
)

TEXTS = st.lists(st.sampled_from(["", "a", "ab", "a b", "print x", "()"]), min_size=1, max_size=6)


def edits_between(old: list[str], new: list[str]) -> tuple[TextEdit, ...]:
    return edits_of_lines(old, new, SequenceMatcher(None, old, new, autojunk=False).get_opcodes())


@given(TEXTS, TEXTS)
def test_edits_make_the_other_text(old: list[str], new: list[str]):
    """At both ends of a file, too, where a line has no line end."""
    assert applied("\n".join(old), edits_between(old, new)) == "\n".join(new)


@given(TEXTS, st.lists(TEXTS, max_size=5))
def test_all_changes_together_make_the_last_text_of_the_first(first: list[str], states: list[list[str]]):
    """Reports point into the file as it is: whoever applies every fix has the repaired file."""
    changes = [edits_between(old, new) for old, new in zip([first, *states], states, strict=False)]
    found = in_first_text("\n".join(first), changes)
    assert len(found) == len(changes)
    edits = sorted((edit for change in found for edit in change), key=lambda item: item.start)
    assert all(one.end < two.start for one, two in pairwise(edits)), "they do not touch"
    assert applied("\n".join(first), edits) == "\n".join([first, *states][-1])


@given(TEXTS, st.lists(TEXTS, max_size=4), st.data())
def test_a_place_goes_back_into_the_first_text(first: list[str], states: list[list[str]], data):
    """What no change touched is found where it was."""
    text, states = "\n".join(first), [[*state, "mark"] for state in states]
    changes = [edits_between(old, new) for old, new in zip([[*first, "mark"], *states], states, strict=False)]
    last = "\n".join(states[-1] if states else [*first, "mark"])
    assert place_in_first(len(last) - 4, changes) == len(text) + 1


def test_words_are_replaced_whole():
    """`ru` for `ur` inside of `retrun` is what changes, and nothing that a reader would recognize."""
    (edit,) = edits_between(["    retrun x"], ["    return x"])
    assert edit == TextEdit(4, 10, "return")
    assert LineStarts(["ab", "c"]).place(3) == (2, 1)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (["def f()"], ["def f():"], "insert `:`"),
        (["f())"], ["f()"], "delete `)`"),
        (["retrun 1"], ["return 1"], "`retrun` -> `return`"),
        (["a b", "a b"], ["a + b", "a + b"], "insert `+ `, and 1 more place"),
        (["x"], ["x", "y"], "insert `\\ny`"),
        (["x"], ["x", "y" * 99], "insert `\\n" + "y" * 59 + "…`"),
    ],
)
def test_edits_in_words(old: list[str], new: list[str], words: str):
    """One short line, whatever the edit."""
    assert in_words("\n".join(old), edits_between(old, new)) == words
