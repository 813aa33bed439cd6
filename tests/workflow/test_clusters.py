"""What a cluster is told agrees with what the rules ask for: shards, groups, tries, and inputs that must be fetched."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ctm.pipeline.budget import resources
from ctm.pipeline.config import read_config
from ctm.pipeline.demand import Demand
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import steps
from helpers.fake_checkout import ROOT, Checkout
from slurm.compare import compared


def profile(name: str) -> dict[str, Any]:
    """A profile as Snakemake reads it."""
    return yaml.safe_load((ROOT / "profiles" / name / "config.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def config() -> Config:
    return read_config([ROOT / "config" / "config.yaml"])


def test_vram_is_asked_of_slurm_as_shards() -> None:
    assert resources(Demand(threads=1, mem_gb=1, vram=64))["gres"] == "shard:64"
    assert "gres" not in resources(Demand(threads=1, mem_gb=1)), "no device for a job that wants none"


def test_shards_follow_the_config(checkout: Checkout) -> None:
    """The profile has no list of them that could be forgotten."""
    checkout.overlay["machine"] = {"vram": 96}
    checkout.overlay["resources"] = {"train_stage2": {"vram": 33}}
    plan = checkout.snakemake(
        "results/checkpoints/stage2.safetensors", "-n", "--forcerun", "train_stage2"
    ).stdout
    assert re.search(r"rule train_stage2:[^\0]*?gres=shard:33", plan)
    assert "gres" not in str(profile("slurm").get("set-resources"))


def test_slurm_tries_every_stage_again(config: Config) -> None:
    stages = {f"train_{stage}" for stage in config.training.order} | {"train_trm"}
    assert set(profile("slurm")["preemptible-rules"]) == stages
    assert set(profile("kubernetes")["preemptible-rules"]) == stages


def test_groups_are_small_and_ask_for_one_kind_of_thing(config: Config) -> None:
    """Snakemake refuses a group whose jobs give a text, such as the class of disk, different values."""
    groups: dict[str, list[str]] = {}
    for rule, group in profile("slurm")["groups"].items():
        assert rule in steps(config), f"{rule} is no rule"
        groups.setdefault(group, []).append(rule)
    for group, rules in groups.items():
        demands = [config.resources[rule] for rule in rules]
        assert len({demand.disk for demand in demands}) == 1, group
        assert all(demand.vram == 0 and demand.threads == 1 for demand in demands), group


def test_kubernetes_gives_a_device_to_each_rule_that_uses_one(config: Config) -> None:
    wanted = {rule for rule in steps(config) if config.resources[rule].vram}
    assert set(profile("kubernetes")["set-resources"]) == wanted


def test_whoever_reads_a_manifest_can_fetch_what_it_lists() -> None:
    """In a bucket a job has nothing but its declared inputs; the shards behind a manifest are among them."""
    readers = set()
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for block in re.split(r"\n(?=\s*rule\b)", file.read_text(encoding="utf-8")):
            inputs = re.search(r"\binput:\n(.*?)\n\s*output:", block, re.DOTALL)
            if inputs and "manifest.json" in inputs[1]:
                readers.add(file.name)
                for split in set(re.findall(r"grids/(\w+)/manifest\.json", inputs[1])):
                    assert re.search(rf"shards=behind\([^)]*\"{split}\"", inputs[1]), f"{file.name}: {split}"
    assert readers == {"training.smk", "trm.smk", "validation.smk"}


def test_each_page_of_a_program_that_is_stopped_agrees_on_its_status() -> None:
    from ctm.training.interruption import STOPPED

    for page in ("docs/clusters.md", "docs/trainer.md"):
        assert f"status {STOPPED}" in Path(ROOT / page).read_text(encoding="utf-8"), page


def test_of_two_runs_only_what_was_measured_may_differ(tmp_path: Path) -> None:
    """The verdict of tests/slurm/run.py, which itself takes too long for here."""
    summary = {"seconds": 1.0, "milestones": [{"time": "now", "accuracy": 0.5}]}
    for run in ("alone", "cluster"):
        results = tmp_path / run / "results"
        (results / "training").mkdir(parents=True)
        (results / "weights.safetensors").write_bytes(b"weights")
        (results / "report.html").write_text(run)
        (results / "training/summary.json").write_text(json.dumps({**summary, "seconds": len(run)}))
    found = compared(tmp_path / "alone", tmp_path / "cluster")
    assert found == {
        "same": ["results/weights.safetensors"],
        "of the run": ["results/report.html"],
        "measured": ["results/training/summary.json"],
        "differ": [],
    }
    summary["milestones"] = [{"time": "later", "accuracy": 0.6}]
    (results / "training/summary.json").write_text(json.dumps(summary))
    (results / "weights.safetensors").write_bytes(b"other weights")
    (results / "more.parquet").touch()
    assert sorted(compared(tmp_path / "alone", tmp_path / "cluster")["differ"]) == [
        "results/more.parquet",
        "results/training/summary.json .milestones[].accuracy",
        "results/weights.safetensors",
    ]
