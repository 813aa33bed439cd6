"""The words about the ticks are no stronger than their figures, and the section shows each of them."""

from __future__ import annotations

from typing import Any

import pytest

from ctm.pipeline.does_it_think import answer
from ctm.pipeline.iterations_section import iterations_section, thinking_section
from helpers.tick_rows import iterations

NAMES = ("syntax", "logic", "security", "complex", "clean", "overall")


def gain(value: float, low: float | None = None, high: float | None = None) -> dict[str, Any]:
    return {key: {"gain": value, "interval": None if low is None else [low, high]} for key in NAMES}


def figures(best: int, first: dict[str, Any], rest: dict[str, Any], frozen: dict[str, Any]) -> dict[str, Any]:
    shares = dict.fromkeys(NAMES, 0.3)
    control = {"accuracy": shares, "ahead": frozen}
    return {
        "ticks": 8,
        "does_it_think": {
            "best_tick": best,
            "accuracy": {
                "first": shares,
                "best": dict.fromkeys(NAMES, 0.39),
                "last": dict.fromkeys(NAMES, 0.37),
            },
            "first_to_best": first,
            "best_to_last": rest,
        },
        "followed": {"controls": {"items": 200, "by_control": {"frozen": control, "shuffled": control}}},
    }


@pytest.mark.parametrize(
    ("best", "first", "rest", "begins"),
    [
        (3, gain(0.09, 0.05, 0.13), gain(-0.02, -0.03, -0.01), "Up to tick 3: at tick 1 30.0% "),
        (3, gain(0.09, 0.05, 0.13), gain(0.02, 0.01, 0.03), "Yes: "),
        (8, gain(0.09, 0.05, 0.13), gain(0.0), "Yes: "),
        (3, gain(0.01, -0.01, 0.03), gain(0.0), "Not shown: "),
        (3, gain(0.01), gain(0.0), "Not shown: "),
        (3, gain(-0.05, -0.08, -0.02), gain(0.0), "No, it gets worse: "),
        (1, gain(0.0), gain(-0.02, -0.03, 0.0), "Not that it shows: "),
    ],
)
def test_the_answer_follows_the_intervals(
    best: int, first: dict[str, Any], rest: dict[str, Any], begins: str
) -> None:
    said = answer(figures(best, first, rest, gain(0.1, 0.05, 0.15)))
    assert said.startswith(begins), said
    assert "ahead by +10.0 points (95 %: +5.0 to +15.0)" in said
    assert "left alone in 30.0%, 39.0% and 37.0%" in said


def test_neurons_are_credited_only_where_the_frozen_control_is_behind() -> None:
    first, rest = gain(0.09, 0.05, 0.13), gain(0.0)
    credited = "changes from tick to tick are used"
    assert credited in answer(figures(3, first, rest, gain(0.1, 0.05, 0.15)))
    assert credited not in answer(figures(3, first, rest, gain(0.1, -0.05, 0.15)))


def test_what_cannot_be_known_is_said() -> None:
    unknown = {"does_it_think": {"best_tick": None, "why": "no validation item has a bug"}}
    assert answer(unknown) == "Not known: no validation item has a bug."
    only_clean = {
        "does_it_think": {"best_tick": 2, "first_to_best": {"overall": {"gain": None, "interval": None}}}
    }
    assert answer(only_clean) == "Not known: no test item has a bug."


def test_every_table_of_the_section_has_rows() -> None:
    first, section = thinking_section(iterations()), iterations_section(iterations())
    assert first.title == "Does it think?" and first.note == answer(iterations())
    assert [block.file for block in section.blocks if block.svg] == [
        "reports/accuracy_by_tick.png", "reports/flips_by_tick.png", "reports/early_exit.png",
    ]  # fmt: skip
    for block in [*first.blocks, *section.blocks]:
        assert block.note or block.fold, f"{block.title} says what there is to see"
        if block.svg:
            continue
        assert block.table and block.table.rows, block.title
        assert all(len(row) == len(block.table.head) for row in block.table.rows), block.title
    promised = next(block for block in section.blocks if block.title == "Ends of thoughts")
    assert "cannot be promised: 30 validation items" in promised.note
