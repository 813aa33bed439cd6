"""What two lineages differ in is named part by part: key, module, file, parent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ctm.pipeline.cli import app
from ctm.pipeline.lineage_diff import of_lineages, of_runs
from ctm.pipeline.lineage_records import RecordError, changes
from helpers.ledger import row, write_parts, write_rows

A, B, C = "aa" * 32, "bb" * 32, "cc" * 32


def parts(**more: Any) -> dict[str, Any]:
    whole = {
        "config": {"bugs": {"seed": 0, "shares": {"logic": 0.25}}, "training.*": {"ema": 0.0}},
        "code": {"ctm.files": "01", "ctm.bugs.ast": "02"},
        "files": {"config/bug_mix.yaml": "03"},
        "parents": {"clean_snippets": C},
    }
    return whole | more


def test_each_part_is_named_with_what_it_was_and_is() -> None:
    after = parts(
        config={
            "bugs": {"seed": 0, "shares": {"logic": 0.3}},
            "training.*": {"ema": 0.9},
            "quality": {"x": ""},
        },
        code={"ctm.files": "99", "ctm.new": "05"},
        files={"config/bug_mix.yaml": "04"},
        parents={"clean_snippets": A, "collect_commits": B},
    )
    assert [change.text for change in changes(parts(), after)] == [
        "bugs.shares.logic: 0.25 → 0.3",
        "training.ema: 0.0 → 0.9",
        'quality.x: null → ""',
        "code ctm.files changed",
        "code ctm.new is new",
        "code ctm.bugs.ast is gone",
        "file config/bug_mix.yaml changed",
        "parent clean_snippets changed",
        "parent collect_commits is new",
    ]
    assert changes(parts(), parts()) == []


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    """Two runs: another seed of `mutate`, the same `report` with other bits, one step that the first alone has."""
    for name, lineage, seed in (("one", A, 0), ("two", B, 7)):
        run = tmp_path / name
        write_parts(run, "mutate", lineage, parts(config={"bugs": {"seed": seed}}))
        page = {"path": "results/report.html", "sha256": lineage, "size": 3}
        pairs = {"path": "results/mutants/01-of-01.parquet", "sha256": lineage, "size": 3}
        old = row("mutate", C, outputs=[pairs], started="2026-11-28T10:00:00.000Z")
        write_rows(run, [old, row("mutate", lineage, outputs=[pairs]), row("report", C, outputs=[page])])
    write_rows(tmp_path / "one", [row("extra", C, outputs=[{"path": "results/x", "sha256": A, "size": 1}])])
    return tmp_path / "one", tmp_path / "two"


def test_two_runs_differ_by_what_each_built_last(runs: tuple[Path, Path]) -> None:
    found = {one.step: one.differences for one in of_runs(*runs)}
    assert found == {
        "mutate": ("bugs.seed: 0 → 7",),
        "report": ("same lineage, other bits: results/report.html",),
        "extra": (f"only in {runs[0]}",),
    }


def test_two_lineages_of_a_run_are_named_by_their_first_digits(runs: tuple[Path, Path]) -> None:
    write_parts(runs[0], "mutate", B, parts(config={"bugs": {"seed": 7}}))
    assert of_lineages(runs[0], "aaa", "bb")[0].differences == ("bugs.seed: 0 → 7",)
    write_parts(runs[0], "mutate", "ab" * 32, parts())
    with pytest.raises(RecordError, match="2 lineages begin with that: aaaaaaaaaaaaaaaa, abab"):
        of_lineages(runs[0], "a", "bb")
    with pytest.raises(RecordError, match=r"dd: no such lineage in .*results/provenance/lineage"):
        of_lineages(runs[0], "dd", "bb")


def test_the_command_refuses_a_run_without_a_ledger(runs: tuple[Path, Path], tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["diff-lineage", str(runs[0]), str(runs[1])])
    assert done.exit_code == 0 and "3 of 3 steps differ" in done.output
    assert "mutate  bugs.seed: 0 → 7" in done.output
    (tmp_path / "none").mkdir()
    done = CliRunner().invoke(app, ["diff-lineage", str(runs[0]), str(tmp_path / "none")])
    assert done.exit_code == 2 and "no finished job in results/provenance/ledger.jsonl" in done.output
