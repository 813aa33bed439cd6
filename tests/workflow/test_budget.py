"""The machine's budget: missing parts are filled in, no job may exceed it, and no load ever does."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.api import SnakemakeApi
from snakemake.scheduling.greedy import SchedulerSettings
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings, SchedulingSettings

from helpers.fake_checkout import ROOT, Checkout

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
            "date +%s.%N > {output}; sleep 0.0{rule[3]}; date +%s.%N >> {output}"


budget.check_against_budgets(workflow)


onstart:
    budget.evaluate_demands(workflow)
"""
CORES, MEM, VRAM = 6, 10, 6


def run(folder: Path, jobs: dict[str, dict[str, int]], *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "Snakefile").write_text(SMALL)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    command = [sys.executable, "-m", "snakemake", "--cores", str(CORES), "--scheduler", "greedy", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


def run_in_process(folder: Path, jobs: dict[str, dict[str, int]]) -> None:
    """The same through Snakemake's API, which saves starting an interpreter. Raises what Snakemake raises."""
    (folder / "Snakefile").write_text(SMALL)
    (folder / "jobs.json").write_text(json.dumps(jobs))
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=CORES), snakefile=folder / "Snakefile", workdir=folder
        )
        workflow.dag().execute_workflow(
            scheduling_settings=SchedulingSettings(scheduler="greedy"),
            scheduler_settings=SchedulerSettings(),
            greedy_scheduler_settings=SchedulerSettings(),
        )


def random_load(seed: int) -> dict[str, dict[str, int]]:
    rng = random.Random(seed)
    return {
        f"job{i}": {
            "threads": rng.randint(1, 3),
            "mem_gb": rng.randint(0, MEM),
            "vram": rng.randint(0, VRAM),
            "gpu_percent": rng.choice([0, 40, 60, 95]),
        }
        for i in range(10)
    }


def peaks(folder: Path, jobs: dict[str, dict[str, int]]) -> dict[str, int]:
    """Most of each resource that was in use at once, from the times that the jobs wrote down."""
    moments: list[tuple[float, int, str]] = []
    for job in jobs:
        begin, end = map(float, (folder / f"{job}.txt").read_text().split())
        moments += [(begin, 1, job), (end, -1, job)]
    used = dict.fromkeys(("threads", "mem_gb", "vram", "gpu_percent"), 0)
    most = dict(used)
    for _, sign, job in sorted(moments):
        for name in used:
            used[name] += sign * jobs[job][name]
            most[name] = max(most[name], used[name])
    return most


def test_twenty_random_loads_never_exceed_the_budget(tmp_path: Path) -> None:
    side_by_side = 0
    for seed in range(20):
        folder = tmp_path / str(seed)
        folder.mkdir()
        jobs = random_load(seed)
        run_in_process(folder, jobs)
        most = peaks(folder, jobs)
        budget = {"threads": CORES, "mem_gb": MEM, "vram": VRAM, "gpu_percent": 100}
        assert all(most[name] <= budget[name] for name in budget), (seed, most)
        side_by_side += most["mem_gb"] > max(job["mem_gb"] for job in jobs.values())
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
