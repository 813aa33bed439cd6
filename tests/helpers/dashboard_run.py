"""The logs of a run, written by hand: what the dashboard reads, with figures that can be recounted.

Data from 22:00 (UTC) on, the first stage of training from 23:50 on. Times of Snakemake's log are local ones, so they
are written as this machine would.
"""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ctm.pipeline.ledger import Entry, append

BEGUN = datetime(2026, 11, 28, 22, 0, tzinfo=UTC)
TRAINED = datetime(2026, 11, 28, 23, 50, tzinfo=UTC)
LINEAGE = "ab" * 32
SETTINGS = {"ticks": 16}
TARGETS = {"25%": {"syntax": 0.5}, "50%": {"loss": 4.0}, "75%": {"syntax": 0.4, "loss": 2.5}}


def local(moment: datetime) -> str:
    """As Snakemake writes it."""
    return f"[{moment.astimezone():%a %b %d %H:%M:%S %Y}]"


def begun_job(moment: datetime, rule: str, jobid: int, threads: int = 2, **resources: object) -> list[str]:
    """Lines of a job that begins."""
    given = {"tmpdir": "/tmp", "mem_gb": 4, "vram": 0, "gpu_percent": 0, "runtime": 60, "disk_class": "low"}
    shown = ", ".join(f"{name}={value}" for name, value in {**given, **resources}.items())
    return [
        local(moment), f"localrule {rule}:", f"    output: results/{rule}", f"    log: logs/{rule}.log",
        f"    jobid: {jobid}", f"    threads: {threads}", f"    resources: {shown}",
    ]  # fmt: skip


def ended_job(moment: datetime, rule: str, jobid: int) -> list[str]:
    """Lines of a job that ended well."""
    return [local(moment), f"Finished jobid: {jobid} (Rule: {rule})", "1 of 3 steps (33%) done"]


def failed_job(moment: datetime, rule: str, jobid: int, again: bool) -> list[str]:
    """Lines of a job that failed."""
    failed = [local(moment), f"Error in rule {rule}:", "    message: None", f"    jobid: {jobid}"]
    return [*failed, *([f"Trying to restart job {jobid}."] if again else [])]


def write_log(run: Path, begun: datetime, lines: list[str]) -> None:
    """Snakemake's log of one start."""
    path = run / ".snakemake/log" / f"{begun.astimezone():%Y-%m-%dT%H%M%S}.123456.snakemake.log"
    path.parent.mkdir(parents=True, exist_ok=True)
    head = ["Job stats:", "job             count", "------------  -------", "mutate              1",
            "train_stage1        1", "all                 1", "total               3", ""]  # fmt: skip
    path.write_text("\n".join([*head, *lines]) + "\n", encoding="utf-8")


def metrics_line(step: int, minutes: float, **more: Any) -> dict[str, Any]:
    """A line of a stage of 100 steps of 10 samples, which makes 10 steps a minute."""
    time = (TRAINED + timedelta(minutes=minutes)).isoformat(timespec="milliseconds")
    return {"step": step, "samples": 10 * step, **more, "steps": 100, "time": time}


def step_line(step: int, loss: float, certainty: float) -> dict[str, Any]:
    """A line of figures of a step."""
    return metrics_line(
        step, step / 10, loss=loss, certainty=certainty, sync_variance=0.25, samples_per_second=10 / 6,
        neurons={"mean": 0.01, "std": 0.8, "near_zero": 0.02, "large": 0.001, "still": 0.0},
        machine={"gpu_busy": 0.9, "vram_reserved_gb": 70.0, "cores_busy": 1.5, "ram_gb": 5.0,
                 "disk_mb_per_second": 12.5, "processor_watts": "not available"},
    )  # fmt: skip


def measured_line(step: int, syntax: float) -> dict[str, Any]:
    """A line of a milestone."""
    return metrics_line(
        step, step / 10, milestone="25%", loss=3.5, accuracy={"syntax": syntax, "overall": syntax / 2},
        accuracy_by_tick=[0.1] * 16, gain_per_tick=0.0125, certainty=0.6,
    )  # fmt: skip


def entry(rule: str, begun: datetime, ended: datetime, **used: Any) -> Entry:
    """A line of the ledger."""
    return Entry(
        job=f"{rule}-1", session=None, rule=rule, wildcards=(), lineage=LINEAGE, status="done", exit=0,
        started=begun.isoformat(), ended=ended.isoformat(), host="here", command=("python",), log=f"logs/{rule}.log",
        inputs=(), outputs=(), declared={"threads": 2, "mem_gb": 4}, used=used,
    )  # fmt: skip


def write_session(run: Path, started: datetime, targets: dict[str, Any]) -> None:
    """What a start of Snakemake says it was told (ctm.pipeline.session)."""
    name = f"{started:%H%M}"
    path = run / "results/provenance/sessions" / f"{name}.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"session": name, "started": started.isoformat(), "targets": targets}
    path.write_text(json.dumps(told), encoding="utf-8")


def make_run(run: Path, ledger: bool = True) -> Path:
    """The run's folder: mutate failed once and then ended, train_stage1 is at step 60 of 100."""
    minute = timedelta(minutes=1)
    write_log(
        run,
        BEGUN,
        [
            *begun_job(BEGUN, "mutate", 1),
            *failed_job(BEGUN + 5 * minute, "mutate", 1, again=True),
            *begun_job(BEGUN + 6 * minute, "mutate", 1),
            *ended_job(BEGUN + 66 * minute, "mutate", 1),
            *begun_job(
                TRAINED, "train_stage1", 2, mem_gb=4, vram=64, gpu_percent=85, runtime=5, disk_class="medium"
            ),
        ],
    )
    lines = [
        step_line(20, 4.2, 0.5),
        measured_line(25, 0.45),
        metrics_line(
            30, 3.0, event="out of memory", why="did not <fit> | at all", pieces=2, checkpoint_ticks=8
        ),
        step_line(60, 3.0, 0.75),
    ]
    path = run / "work/train_stage1" / LINEAGE[:16] / "metrics/metrics.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text(
        "".join(json.dumps(line) + "\n" for line in lines) + '{"step": 70, "sam', encoding="utf-8"
    )
    parts = run / "results/provenance/lineage" / f"{LINEAGE[:16]}.json"
    parts.parent.mkdir(parents=True)
    parts.write_text(json.dumps({"config": {"training.stages.stage1.*": SETTINGS}}), encoding="utf-8")
    write_session(run, BEGUN, {"stage1": {"75%": {"syntax": 0.9}}})
    write_session(run, BEGUN + minute, {"stage1": TARGETS})
    if ledger:
        made = entry(
            "mutate", BEGUN + 6 * minute, BEGUN + 66 * minute, seconds=3600.0, cpu_seconds=5400.0, memory_gb=4.5,
            vram_gb=None, read_gb=3.6, written_gb=3.6,
            energy={"cpu_wh": 30.0, "gpu_wh": None, "source": "rapl"},
        )  # fmt: skip
        append(run, made)
        append(
            run, dataclasses.replace(made, job="other", rule="baseline", used={**made.used, "energy": None})
        )
    return run
