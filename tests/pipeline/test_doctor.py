"""The doctor and the other looks at the workflow from the command line."""

from __future__ import annotations

import dataclasses
import json
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctm.pipeline.cli import app
from ctm.pipeline.config import read_config
from ctm.pipeline.doctor import conflicts, findings
from ctm.pipeline.machine_facts import Machine, accelerator, this_machine
from ctm.pipeline.profiles import read_profile

ROOT = Path(__file__).resolve().parents[2]


def test_unified_memory_conflicts_of_the_specification_are_named() -> None:
    config = read_config([ROOT / "config" / "config.yaml"])
    found = {
        c.rule: (c.unified_gb, c.lowered_to)
        for c in conflicts(config.resources, read_profile(ROOT / "profiles/strix-halo"))
    }
    assert found == {"train_stage3": (144, 48), "train_stage4": (168, 40)}
    assert not conflicts(config.resources, read_profile(ROOT / "profiles" / "default"))


def test_doctor_prints_rule_demand_and_what_the_profile_does() -> None:
    done = CliRunner().invoke(app, ["doctor", "--profile", "profiles/strix-halo"])
    assert done.exit_code == 0
    assert "train_stage4 asks for mem 80 + vram 88 = 168 GB of 128 GB" in done.output
    assert "lowers mem_gb to 40" in done.output


MACHINE = Machine(
    cores=64,
    memory_gb=256.0,
    accelerator="NVIDIA",
    disk_gb=900.0,
    python=(3, 12, 1),
    torch="2.13.0+cu130",
    torch_devices="CUDA",
    missing_tools=(),
    closed_folders=(),
)
"""One that has all that the full scale asks for."""


def test_nothing_stands_in_the_way_of_the_full_scale_on_a_large_machine() -> None:
    assert findings(read_config([ROOT / "config/config.yaml"]), MACHINE) == []


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        ({"cores": 8}, ["8 cores, but", "encode_shard: 16", "resources.RULE.threads"]),
        ({"memory_gb": 60.5}, ["machine.mem_gb is 128", "set machine.mem_gb to 60", "train_stage4: 80 GB"]),
        ({"accelerator": ""}, ["no accelerator", "train_stage4: 88 GB", "on the processor"]),
        ({"torch_devices": ""}, ["does not compute on the accelerator (NVIDIA)", "HARDWARE=cuda"]),
        ({"accelerator": "AMD"}, ["does not compute on the accelerator (AMD)", "HARDWARE=rocm"]),
        ({"disk_gb": 1.5}, ["1.5 GB of disk are free"]),
        ({"python": (3, 10, 4)}, ["Python 3.10.4: 3.11 or later"]),
        ({"torch": ""}, ["torch is not installed: make setup"]),
        ({"missing_tools": ("git", "dot")}, ["git not found", "dot not found"]),
        ({"closed_folders": (("caches (HOME)", Path("/proc")),)}, ["/proc cannot be written, where caches"]),
    ],
)
def test_doctor_looks_at_the_machine_at_hand(change: dict[str, object], parts: list[str]) -> None:
    """Each thing that the full scale lacks is named with its remedy, and nothing else is."""
    lines = findings(read_config([ROOT / "config/config.yaml"]), dataclasses.replace(MACHINE, **change))
    assert 1 <= len(lines) <= 2
    for part in parts:
        assert any(part in line for line in lines), (part, lines)


def test_the_demo_needs_no_accelerator() -> None:
    small = dataclasses.replace(MACHINE, cores=2, memory_gb=4.0, accelerator="", torch_devices="")
    assert findings(read_config([ROOT / "config/config.yaml", ROOT / "config/demo.yaml"]), small) == []


def test_doctor_says_which_machine_it_saw(tmp_path: Path) -> None:
    done = CliRunner().invoke(
        app, ["doctor", "--configfile", "config/demo.yaml", "--directory", str(tmp_path)]
    )
    assert done.exit_code == 0 and "this machine: " in done.output and " cores, " in done.output
    assert "Strix" not in done.output and "strix" not in done.output


def test_a_closed_home_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A home that cannot be written ends runs with a traceback of 40 lines."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", "/proc")
    assert any(str(folder) == "/proc/.cache" for _, folder in this_machine(tmp_path).closed_folders)


@pytest.mark.skipif(sys.platform == "darwin", reason="there, the processor tells")
def test_an_accelerator_is_known_by_its_drivers_file(tmp_path: Path) -> None:
    assert accelerator(tmp_path) == ""
    (tmp_path / "kfd").touch()
    assert accelerator(tmp_path) == "AMD"


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


@pytest.mark.parametrize("text", ["{", "[]", '{"n": 3}', '{"ticks_used": 3}', "\x00", ""])
def test_summary_names_a_damaged_file(tmp_path: Path, text: str) -> None:
    metrics = tmp_path / "results/final/final_metrics.json"
    metrics.parent.mkdir(parents=True)
    metrics.write_text(text, encoding="utf-8")
    done = CliRunner().invoke(app, ["summary", str(tmp_path)])
    assert done.exit_code == 2 and isinstance(done.exception, SystemExit)
    assert "final_metrics.json" in done.output and "run the workflow again" in done.output
