"""The report's section on costs: time and memory, from what Snakemake measured of each job's last attempt."""

from __future__ import annotations

import pandas as pd

from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.tables import Block, Section, rows


def costs_section(run: RunArtifacts) -> Section:
    """No block where nothing was measured."""
    logs = run.run / "logs"
    paths = sorted(logs.rglob("*.tsv"))
    if not paths:
        return Section("Costs")
    rules = [path.relative_to(logs).parts[0].removesuffix(".tsv") for path in paths]
    jobs = pd.concat([pd.read_csv(path, sep="\t", na_values="-") for path in paths], keys=rules)
    costs = (
        jobs.groupby(level=0, sort=False)
        .agg(jobs=("s", "size"), s=("s", "sum"), cpu=("cpu_time", "sum"), rss=("max_rss", "max"))
        .fillna(0.0)
        .sort_values("s", ascending=False, kind="stable")
    )
    minutes, most = costs["s"].sum() / 60, costs["rss"].max()
    note = (
        f"{minutes:.1f} minutes of jobs, one by one; those that run side by side take less of the clock. Most memory "
        f"of one job: {most:,.0f} MB. The longest first; of jobs that were tried again, the last attempt."
    )
    head = ["step", "jobs", "seconds", "seconds of processor", "peak memory, MB"]
    items = [
        (name, jobs, round(seconds, 1), round(cpu, 1), round(rss))
        for name, jobs, seconds, cpu, rss in costs.itertuples()
    ]
    return Section("Time and memory", [Block("By step", note, rows(head, items), file=run.address(logs))])
