"""What an item asks for: out of scope with a reason, the right first edit, 'no edit' for clean code."""

from __future__ import annotations

from pathlib import Path

from ctm.evaluation.suites import prepare, read_suite
from ctm.grid.edits import apply_edit
from ctm.grid.tokenizer import CodeTokenizer
from ctm.repair.evaluate import Item, out_of_scope


def test_goal_is_the_first_edit_and_its_text(items: list[Item], tokenizer: CodeTokenizer) -> None:
    seen = set()
    for case in prepare(items, tokenizer):
        assert case.reason == out_of_scope(case.item, tokenizer), "the same scope as in `ctm-repair evaluate`"
        if case.goal is None:
            assert case.reason
            continue
        ids = tokenizer.encode(case.text)
        assert tokenizer.decode(apply_edit(ids, case.goal.edit)) == case.goal.text
        if case.edits == 0:
            assert case.goal.edit.is_none(len(ids)) and case.goal.text == case.text
        if case.edits == 1:
            assert case.goal.text == case.item.fixed.rstrip("\n")
        seen.add(min(case.edits, 2))
    assert seen == {0, 1, 2}


def test_text_that_does_not_fit_is_out_of_scope_with_a_reason(
    items: list[Item], tokenizer: CodeTokenizer
) -> None:
    (case,) = prepare([items[-1]], tokenizer)
    assert case.goal is None and "rows" in case.reason


def test_pairs_become_items(items: list[Item], pairs_of, tmp_path: Path) -> None:
    read = read_suite(pairs_of(tmp_path / "pairs.parquet", items))
    assert [(i.buggy, i.fixed, i.category, i.kind) for i in read] == [
        (i.buggy, i.fixed, i.category, i.kind) for i in items
    ]
