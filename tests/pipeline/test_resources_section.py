"""What jobs used stands beside what they declared; what passed it is marked, and a number is suggested."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ctm.pipeline.cli import app
from ctm.pipeline.ledger import read
from ctm.pipeline.resources_section import resources_section
from ctm.pipeline.rule_use import rule_uses
from helpers.ledger import row, write_rows


def job(rule: str, declared: dict[str, Any] | None = None, **used: Any) -> dict[str, Any]:
    line = row(rule, "aa" * 32)
    return line | {"declared": line["declared"] | (declared or {}), "used": line["used"] | used}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    rows = [
        job("mutate", {"mem_gb": 4, "threads": 2}, memory_gb=0.9, seconds=60.0, cpu_seconds=66.0),
        job("mutate", {"mem_gb": 4, "threads": 2}, memory_gb=1.3, seconds=100.0, cpu_seconds=300.0),
        job("train_stage1", {"runtime": 2}, memory_gb=1.5, seconds=600.0, cpu_seconds=600.0)
        | {"status": "failed"},
        job("report", memory_gb=None, seconds=3.0, cpu_seconds=9.0),
    ]
    write_rows(tmp_path, rows)
    return tmp_path


def test_what_passed_is_marked_and_the_largest_job_counts(run: Path) -> None:
    mutate, stage, report = rule_uses(read(run))
    assert (mutate.jobs, mutate.passed, mutate.suggested) == (2, ["threads"], {"threads": 3, "mem_gb": 2})
    assert stage.passed == ["mem_gb", "runtime"], "a failed try counts: it may have failed by that"
    assert stage.suggested == {"mem_gb": 2, "runtime": 20}
    assert report.passed == [], "three seconds say nothing about cores, and unknown memory passes nothing"
    assert [measure.text for measure in report.measures] == ["-", "-", "-", "0.05 of 60", "-"]
    [block] = resources_section(read(run)).blocks
    assert block.note.startswith("2 of 3 rules passed what they had declared.")
    assert block.table is not None
    marked = {(cells[0].text, cell.text) for cells in block.table.rows for cell in cells if cell.mark == "no"}
    assert marked == {("mutate", "3 of 2"), ("train_stage1", "1.5 of 1"), ("train_stage1", "10 of 2")}


def test_vram_that_passed_its_declaration_is_marked_and_more_is_suggested(tmp_path: Path) -> None:
    write_rows(
        tmp_path,
        [
            job("train_stage1", {"vram": 8, "mem_gb": 1}, vram_gb=9.2),
            job("train_stage2", {"vram": 64, "mem_gb": 1}, vram_gb=16.4),
            job("benchmark", {"vram": 8, "mem_gb": 1}, vram_gb=None),
        ],
    )
    first, second, unknown = rule_uses(read(tmp_path))
    assert first.passed == ["vram"] and first.suggested == {"vram": 12}
    assert second.passed == [] and second.suggested == {"vram": 21}
    assert unknown.suggested == {}, "nothing is suggested of what was not measured"
    [block] = resources_section(read(tmp_path)).blocks
    assert block.table is not None
    marked = [cell.text for cells in block.table.rows for cell in cells if cell.mark == "no"]
    assert marked == ["9.2 of 8"]
    done = CliRunner().invoke(app, ["used", "--directory", str(tmp_path)])
    assert yaml.safe_load(done.output[done.output.index("resources:") :]) == {
        "resources": {"train_stage1": {"vram": 12}, "train_stage2": {"vram": 21}}
    }


def test_a_refused_try_is_no_job_of_a_rule(run: Path) -> None:
    """It used nothing: its zeros, or its dashes, would stand for a job's."""
    before = rule_uses(read(run))
    refused = {"status": "refused", "exit": 65, "used": {}, "reason": "an input was damaged"}
    write_rows(run, [job("mutate", {"mem_gb": 99}) | refused, job("bundle") | refused])
    assert rule_uses(read(run)) == before


def test_the_yaml_is_a_section_of_the_config(run: Path) -> None:
    done = CliRunner().invoke(app, ["used", "--directory", str(run)])
    assert done.exit_code == 0, done.output
    written = yaml.safe_load(done.output[done.output.index("resources:") :])
    assert written == {
        "resources": {"mutate": {"threads": 3, "mem_gb": 2}, "train_stage1": {"mem_gb": 2, "runtime": 20}}
    }


def test_a_run_without_a_ledger_says_so(tmp_path: Path) -> None:
    [block] = resources_section(read(tmp_path)).blocks
    assert block.table is None and "no ledger" in block.note
    done = CliRunner().invoke(app, ["used", "--directory", str(tmp_path)])
    assert done.exit_code == 2 and "no ledger" in done.output
