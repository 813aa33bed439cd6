"""The report's tables of reference points and of suites: every figure beside its point, what was dropped, grey rows."""

from __future__ import annotations

from typing import Any

from ctm.pipeline.suites_section import GREY, MEASURES, real_suites_section, references_section
from ctm.pipeline.tables import Block


def measures(**given: float) -> dict[str, Any]:
    return {**dict.fromkeys(MEASURES), "coverage": 0.9, **given}


def no_ends(**given: list[float]) -> dict[str, Any]:
    return {**dict.fromkeys(MEASURES), **given}


SUITE = {
    "license": "MIT",
    "citation": "Someone 2017",
    "item": "a program",
    "asked": 30,
    "dropped": {"not Python": 7},
    "notes": {"no test that can be run": 9},
    "tests": {"items": 21, "why_not_run": "no sandbox: refused"},
    "all": measures(exact_at_1=0.25, same_tree=0.3),
    "baselines": {"no_edit": measures(exact_at_1=0.0)},
    "intervals": {"all": no_ends(exact_at_1=[0.1, 0.4]), "baselines": {"no_edit": no_ends()}},
    "unreachable": {"out_of_scope": 2, "fixed_does_not_compile": 1, "share": 0.1},
    "by": {
        "lines": {"1": {**measures(exact_at_1=0.5), "n": 4, "interval": [0.2, 0.8]}},
        "source": {"projects": 40},
    },
    "security": {
        "n": 3,
        "rule": {"seen": 2, "mended": 1, "share": 0.5, "interval": None},
        "bandit": None,
        "bandit_why": "bandit is not installed",
    },
    "erased": None,
    "published": [
        {
            "system": "Other",
            "parameters": "1 B",
            "measure": "pass at 1",
            "figure": "10 %",
            "source": "arXiv 1",
        }
    ],
}


def texts(block: Block) -> list[list[str]]:
    assert block.table is not None
    return [[cell.text for cell in row] for row in block.table.rows]


def test_a_suite_has_its_points_its_drops_and_grey_rows_of_others() -> None:
    points, security, lines = real_suites_section({"suites": {"mine": SUITE}}).blocks
    assert points.title == "mine: 30 items"
    for told in (
        "7 not Python",
        "9 no test that can be run",
        "no sandbox: refused",
        "License: MIT",
        "3 cannot be solved",
    ):
        assert told in points.note
    assert points.table is not None
    assert points.table.head[1:] == ["this model", "no edit", "published, not run here"]
    exact, tree, other = texts(points)
    assert exact == ["exact at 1", "25.0% (10.0 to 40.0)", "0.0%", ""] and tree[:2] == ["same tree", "30.0%"]
    assert other == ["Other, 1 B: pass at 1", "", "", "10 % (arXiv 1)"]
    assert (
        {cell.mark for cell in points.table.rows[-1]}
        == {GREY}
        != {cell.mark for cell in points.table.rows[0]}
    )
    assert texts(security) == [["our rules", "2", "1", "50.0%", "-"]] and "not installed" in security.note
    assert texts(lines)[0][:4] == ["1", "4", "90.0%", "50.0%"]


def test_reference_points_of_the_frozen_sets_stand_beside_the_model() -> None:
    points = {
        name: {
            "measures": measures(exact_at_1=share),
            "measure_intervals": no_ends(exact_at_1=[share / 2, share]),
            "accuracy": {"syntax": share},
        }
        for name, share in (("model", 0.5), ("inverse_mutation", 0.25))
    }
    (block,) = references_section({"items": {"test": 1500}, "suites": {"test": points}}).blocks
    assert block.title == "test: 1,500 items" and block.table is not None
    assert block.table.head[1:] == ["this model", "most frequent inverse mutation"]
    assert texts(block) == [
        ["exact at 1", "50.0% (25.0 to 50.0)", "25.0% (12.5 to 25.0)"],
        ["exact at 1, syntax, by kinds", "50.0%", "25.0%"],
    ]
