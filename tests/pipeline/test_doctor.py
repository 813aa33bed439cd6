"""The doctor and the other looks at the workflow from the command line."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from ctm.pipeline.cli import app
from ctm.pipeline.config import read_config
from ctm.pipeline.doctor import conflicts

ROOT = Path(__file__).resolve().parents[2]


def test_unified_memory_conflicts_of_the_specification_are_named() -> None:
    config = read_config([ROOT / "config" / "config.yaml"])
    found = {
        c.rule: (c.unified_gb, c.lowered_to)
        for c in conflicts(config.resources, ROOT / "profiles/strix-halo")
    }
    assert found == {"train_stage3": (144, 48), "train_stage4": (168, 40)}
    assert not conflicts(config.resources, ROOT / "profiles" / "default")


def test_doctor_prints_rule_demand_and_what_the_profile_does() -> None:
    done = CliRunner().invoke(app, ["doctor"])
    assert done.exit_code == 0
    assert "train_stage4 asks for mem 80 + vram 88 = 168 GB of 128 GB" in done.output
    assert "lowers mem_gb to 40" in done.output


def test_lineage_of_a_rule_shows_its_parts() -> None:
    done = CliRunner().invoke(app, ["lineage", "show", "balance_mix"])
    parts = json.loads(done.output)
    assert parts["files"].keys() == {"config/bug_mix.yaml"}
    assert parts["parents"].keys() == {"clean_snippets"}
    assert len(parts["lineage"]) == 64


def test_unknown_rule_is_refused_with_the_names_there_are() -> None:
    done = CliRunner().invoke(app, ["lineage", "show", "mutat"])
    assert done.exit_code == 2
    assert "mutate" in done.output


def test_summary_of_nothing_is_one_line_and_status_2(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["summary", str(tmp_path)])
    assert done.exit_code == 2
    assert len(done.output.strip().splitlines()) == 1
