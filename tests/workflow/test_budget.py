"""The machine's budget: missing parts are filled in, no job may exceed it, and no load ever does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.fake_checkout import ROOT, Checkout
from helpers.random_loads import random_load, run_watched

SMALL = """
from ctm.pipeline import budget
from ctm.pipeline.demand import Demand
from ctm.pipeline.sections import MachineBudget
import json

JOBS = json.load(open("jobs.json"))
budget.fill_budgets(workflow, MachineBudget(mem_gb=10, vram=6, gpu_percent=100))


rule all:
    input:
        expand("{job}.txt", job=JOBS),


for job, demand in JOBS.items():

    rule:
        name:
            job
        output:
            f"{job}.txt",
        threads: demand["threads"]
        resources:
            **budget.resources(Demand(**demand)),
        shell:
            "touch {output}"


budget.check_against_budgets(workflow)


onstart:
    budget.evaluate_demands(workflow)
"""
CORES = 6


def run(folder: Path, jobs: dict[str, dict[str, int]], *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(SMALL)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    command = [sys.executable, "-m", "snakemake", "--cores", str(CORES), "--scheduler", "greedy", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def test_random_loads_never_exceed_the_budget(tmp_path: Path) -> None:
    """Twenty; `make budget-loads` runs two hundred."""
    side_by_side = 0
    for seed in range(20):
        load = random_load(seed)
        most, _ = run_watched(load, tmp_path / str(seed))
        assert all(most[name] <= load.budget[name] for name in load.budget), (seed, most)
        side_by_side += most["mem_gb"] > max(job["mem_gb"] for job in load.jobs.values())
    assert side_by_side, "no two jobs ever ran at once, so nothing was tested"


@pytest.mark.parametrize("arguments", [("-n",), ()], ids=["plan", "run"])
def test_demand_above_the_budget_is_refused_before_any_job_starts(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    jobs = {"job1": {"threads": 1, "mem_gb": 1}, "job2": {"threads": 1, "mem_gb": 11}}
    done = run(tmp_path, jobs, *arguments)
    assert done.returncode != 0
    text = done.stdout + done.stderr
    assert "rule job2 asks for mem_gb=11, the budget is mem_gb=10" in text
    assert not (tmp_path / "job1.txt").exists()


def test_command_line_replaces_one_budget_and_keeps_the_others(tmp_path: Path) -> None:
    jobs = {"job1": {"threads": 1, "mem_gb": 11, "vram": 7}}
    done = run(tmp_path, jobs, "-n", "--resources=vram=96")
    assert "mem_gb=11, the budget is mem_gb=10" in done.stdout + done.stderr
    done = run(tmp_path, jobs, "-n", "--resources=mem_gb=96")
    assert "vram=7, the budget is vram=6" in done.stdout + done.stderr
    assert run(tmp_path, jobs, "-n", "--resources", "mem_gb=96", "vram=96").returncode == 0


def test_finished_jobs_may_have_asked_for_more(checkout: Checkout) -> None:
    checkout.overlay["resources"] = {"train_stage4": {"mem_gb": 64}}
    assert checkout.snakemake("all", "-n").returncode == 0  # nothing to do
    checkout.overlay["training"] = {"stages": {"stage4": {"learning_rate": 0.5}}}
    done = checkout.snakemake("all", check=False)
    assert done.returncode != 0
    assert "rule train_stage4 asks for mem_gb=64, the budget is mem_gb=4" in done.stdout + done.stderr


def test_strix_halo_profile_holds_the_unified_memory(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "snakemake", "--workflow-profile", str(ROOT / "profiles" / "strix-halo")]
    command += ["results/final/ctm.onnx", "-n", "--directory", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    # a `--set-resources` of one's own replaces the profile's whole map, and the conflict is back
    command.append("--set-resources=train_stage4:unified_gb=128")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "rule train_stage3 asks for unified_gb=144" in done.stdout + done.stderr
