"""Random DAGs of small jobs with random demands, run under our budgets and watched while they run."""

from __future__ import annotations

import json
import os
import random
import threading
from dataclasses import dataclass
from pathlib import Path

from snakemake.api import SnakemakeApi
from snakemake.scheduling.greedy import SchedulerSettings
from snakemake.settings.types import OutputSettings, Quietness, ResourceSettings, SchedulingSettings

SNAKEFILE = """
import json
from ctm.pipeline import budget
from ctm.pipeline.demand import Demand
from ctm.pipeline.sections import MachineBudget

LOAD = json.load(open("load.json"))
budget.fill_budgets(workflow, MachineBudget(**LOAD["machine"]))


rule all:
    input:
        expand("{job}.txt", job=LOAD["jobs"]),


for job, entry in LOAD["jobs"].items():

    rule:
        name:
            job
        input:
            [f"{parent}.txt" for parent in entry["parents"]],
        output:
            f"{job}.txt",
        threads: entry["demand"]["threads"]
        resources:
            **budget.resources(Demand(**entry["demand"])),
        params:
            seconds=entry["seconds"],
        shell:
            "date +%s.%N > {output}; : > running/{rule}; sleep {params.seconds};"
            " rm running/{rule}; date +%s.%N >> {output}"


budget.check_against_budgets(workflow)


onstart:
    budget.evaluate_demands(workflow)
"""
RESOURCES = ("threads", "mem_gb", "vram", "gpu_percent")


@dataclass(frozen=True)
class Load:
    """Jobs with their demands and the jobs they wait for, on a machine of some size."""

    budget: dict[str, int]
    """By resource; "threads" are Snakemake's cores."""
    jobs: dict[str, dict[str, int]]
    parents: dict[str, list[str]]
    seconds: dict[str, float]

    def write(self, folder: Path) -> None:
        """The Snakefile and what it reads."""
        (folder / "running").mkdir(parents=True)
        (folder / "Snakefile").write_text(SNAKEFILE)
        machine = {
            name: value for name, value in self.budget.items() if name not in ("threads", "gpu_percent")
        }
        jobs = {
            job: {"demand": demand, "parents": self.parents[job], "seconds": self.seconds[job]}
            for job, demand in self.jobs.items()
        }
        (folder / "load.json").write_text(json.dumps({"machine": machine, "jobs": jobs}))


def random_load(seed: int, jobs: int = 10) -> Load:
    """A DAG of `jobs` jobs, none of which asks for more than the machine has."""
    draw = random.Random(seed)
    budget = {
        "threads": draw.randint(3, 8), "mem_gb": draw.randint(6, 16), "vram": draw.randint(3, 8), "gpu_percent": 100,
    }  # fmt: skip
    names = [f"job{i}" for i in range(jobs)]
    demands = {
        name: {
            "threads": draw.randint(1, min(3, budget["threads"])),
            "mem_gb": draw.randint(0, budget["mem_gb"]),
            "vram": draw.randint(0, budget["vram"]),
            "gpu_percent": draw.choice([0, 40, 60, 95]),
        }
        for name in names
    }
    parents = {name: [before for before in names[:i] if draw.random() < 0.12] for i, name in enumerate(names)}
    return Load(budget, demands, parents, {name: round(draw.uniform(0.01, 0.06), 3) for name in names})


def run_watched(load: Load, folder: Path) -> tuple[dict[str, int], int]:
    """Run a load; the most of each resource that was in use at once, and how often the watcher looked.

    From both: what a watcher saw while it ran, and the times that the jobs wrote down. Raises what Snakemake raises.
    """
    load.write(folder)
    seen: list[set[str]] = []
    end = threading.Event()

    def watch() -> None:
        while not end.wait(0.002):
            seen.append(set(os.listdir(folder / "running")))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=load.budget["threads"]),
                snakefile=folder / "Snakefile",
                workdir=folder,
            )
            workflow.dag().execute_workflow(
                scheduling_settings=SchedulingSettings(scheduler="greedy"),
                scheduler_settings=SchedulerSettings(),
                greedy_scheduler_settings=SchedulerSettings(),
            )
    finally:
        end.set()
        watcher.join()
    at_once = [*seen, *_together(load, folder)]
    most = {name: max(sum(load.jobs[job][name] for job in jobs) for jobs in at_once) for name in RESOURCES}
    return most, len(seen)


def _together(load: Load, folder: Path) -> list[set[str]]:
    """Jobs that ran at once by their own clocks, at each begin of one."""
    times = {job: tuple(map(float, (folder / f"{job}.txt").read_text().split())) for job in load.jobs}
    return [{job for job, (a, b) in times.items() if a <= moment < b} for moment, _ in times.values()]
