"""Edits lead from the broken text to the whole one through states that equal their own text."""

from __future__ import annotations

import random

import pytest

from ctm.grid.edits import MAX_PASSES, MAX_UNITS, Edit, Unreachable, apply_edit, edits_between
from ctm.grid.layout import DoesNotFit, layout
from ctm.grid.packed import pack, replacement_units
from ctm.grid.tokenizer import CodeTokenizer

REASONS = {"more than 8 edits", "an edit changes how other cells are read", "a state on the way does not fit"}


def walk(buggy: str, fixed: str, tokenizer: CodeTokenizer) -> list[Edit]:
    """The edits of a pair, made one by one and checked on the way."""
    state, goal = tokenizer.encode(buggy), tokenizer.encode(fixed)
    edits = edits_between(state, goal, tokenizer)
    assert len(edits) <= MAX_PASSES
    for edit in edits:
        units = replacement_units(edit.tokens, pack(state, tokenizer), tokenizer)
        assert len(units) <= MAX_UNITS
        assert edit.start < edit.end or edit.tokens, "an edit that does nothing"
        if len(units) < 6:  # a longer one may be the first part of a hunk, and stands where that begins
            check_leftmost(state, edit)
        state = apply_edit(state, edit)
        assert tokenizer.encode(tokenizer.decode(state)) == state, (
            "repair, which goes through text, meets other cells"
        )
        layout(state)
    assert tokenizer.decode(state) == fixed
    return edits


def check_leftmost(state: list[int], edit: Edit) -> None:
    before = state[edit.start - 1] if edit.start else None
    if edit.start == edit.end:
        assert before != edit.tokens[-1], f"{edit} could stand one cell further left"
    elif not edit.tokens:
        assert before != state[edit.end - 1], f"{edit} could stand one cell further left"


def test_mutants_lead_back(tokenizer: CodeTokenizer, mutants: list[tuple[str, str]]) -> None:
    reached = 0
    for buggy, fixed in mutants:
        for one, other in ((buggy, fixed), (fixed, buggy)):
            try:
                walk(one, other, tokenizer)
                reached += 1
            except Unreachable as error:
                assert error.reason in REASONS
            except DoesNotFit:
                assert max(len(tokenizer.encode(t)) for t in (one, other)) > 48
    assert reached > 0.97 * 2 * len(mutants), f"only {reached} of {2 * len(mutants)} can be repaired"


def test_unrelated_texts_lead_to_each_other_or_say_why_not(
    tokenizer: CodeTokenizer, texts: list[str]
) -> None:
    draw = random.Random(3)
    short = [t for t in texts if len(t) < 90 and t.count("\n") < 20]
    reached = 0
    for one, other in (draw.sample(short, 2) for _ in range(1500)):
        try:
            walk(one, other, tokenizer)
            reached += 1
        except Unreachable as error:
            assert error.reason in REASONS
    assert reached > 500


def test_equal_texts_need_no_edit(tokenizer: CodeTokenizer) -> None:
    ids = tokenizer.encode("x = 1\n")
    assert edits_between(ids, ids, tokenizer) == []
    assert Edit(len(ids), len(ids), ()).is_none(len(ids))
    assert not Edit(0, 0, ()).is_none(len(ids)) and not Edit(len(ids), len(ids), (9,)).is_none(len(ids))
    assert apply_edit(ids, Edit(len(ids), len(ids), ())) == ids


@pytest.mark.parametrize(
    ("buggy", "fixed", "start", "end", "new"),
    [
        ("f((x)\n", "f(x)\n", 2, 3, ""),  # either bracket could be the one too many
        ("f(x))\n", "f(x)\n", 4, 5, ""),
        ("f(x)\n", "f((x)\n", 2, 2, "("),
        ("def f()\n    pass\n", "def f():\n    pass\n", 5, 5, ":"),
        ("", "x\n", 0, 0, "x\n"),
        ("x\n", "", 0, 3, ""),
    ],
)
def test_ambiguous_places_are_leftmost(
    tokenizer: CodeTokenizer, buggy: str, fixed: str, start: int, end: int, new: str
) -> None:
    (edit,) = walk(buggy, fixed, tokenizer)
    assert (edit.start, edit.end) == (start, end)
    assert tokenizer.decode(edit.tokens) == new


def test_separate_changes_are_edits_in_reading_order(tokenizer: CodeTokenizer) -> None:
    edits = walk(
        "def f(a)\n    return a +\n\nprint f\n", "def f(a):\n    return a + 1\n\nprint(f)\n", tokenizer
    )
    assert len(edits) >= 3
    assert [e.start for e in edits] == sorted(e.start for e in edits)


def test_a_long_replacement_is_several_edits(tokenizer: CodeTokenizer) -> None:
    fixed = "x = [" + ", ".join(f"{n}" for n in range(20)) + "]\n"
    assert len(walk("x = []\n", fixed, tokenizer)) >= 3
    with pytest.raises(Unreachable, match="more than 8 edits"):
        walk("", "\n".join(f"name_{n} = {n}" for n in range(60)), tokenizer)


def test_a_word_of_the_code_is_one_unit(tokenizer: CodeTokenizer) -> None:
    """However many tokens its name takes: that is what copies are for."""
    name = "a_very_unusual_identifier_qzx"
    state = tokenizer.encode(f"{name} = 1\nprint(nam)\n")
    (edit,) = edits_between(state, tokenizer.encode(f"{name} = 1\nprint({name})\n"), tokenizer)
    assert len(edit.tokens) > 4
    assert len(replacement_units(edit.tokens, pack(state, tokenizer), tokenizer)) < len(edit.tokens)
