"""What went wrong on a day, what was done about it, and what was seen.

From Snakemake's log, the stages' metrics, and the ledger, which has why a job was refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from itertools import zip_longest
from typing import Any

from ctm.pipeline.dashboard.records import Records, time_of
from ctm.pipeline.dashboard.snakemake_log import Job
from ctm.pipeline.dashboard.stages import Stage
from ctm.pipeline.ledger import REFUSED, Entry
from ctm.pipeline.run_records import job_name
from ctm.pipeline.targets import compare_at

TOLD = ("event", "step", "samples", "why", "at_step", "at", "time", "steps")
"""Keys of an event that its line says in words, or not at all; the others are what was done."""


def issues_of(records: Records, day: date, moment: datetime) -> list[str]:
    """Of that day up to the moment, in the order of time."""
    found = [*_of_jobs(records), *(line for stage in records.stages for line in _of_stage(stage))]
    then = sorted(issue for issue in found if issue[0].date() == day and issue[0] <= moment)
    return [f"{time:%H:%M} {text}" for time, text in then]


def _of_jobs(records: Records) -> Iterator[tuple[datetime, str]]:
    told: set[str] = set()
    for job in records.jobs():
        if job.failed and job.ended:
            refusal = records.refusal(job)
            told |= {refusal.job} if refusal else set()
            yield job.ended, f"{job.name} {_how_it_failed(job, refusal)}"
    for entry in records.entries:  # of a job that was started by hand, or whose Snakemake was killed
        if entry.status == REFUSED and entry.job not in told:
            yield time_of(entry.ended), f"{job_name(entry)} {_refused(entry)}"
    for session, following in zip_longest(records.sessions, records.sessions[1:]):
        if not session.over and (following is not None or not records.alive):
            again = f"; started again at {following.started:%H:%M}" if following else ""
            yield session.last, f"Snakemake was killed{again}"


def _how_it_failed(job: Job, refusal: Entry | None) -> str:
    again = " and is tried again" if job.again else ""
    return f"failed{again or f'; see {job.log}'}" if refusal is None else _refused(refusal, again)


def _refused(entry: Entry, again: str = "") -> str:
    return f"was refused (exit status {entry.exit}){again}: {entry.reason}"


def _of_stage(stage: Stage) -> Iterator[tuple[datetime, str]]:
    for event in stage.events:
        yield event["at"], f"{stage.name}: {event_text(event)}"
    for line in stage.milestones:
        for one in compare_at(line["milestone"], line, stage.targets or {}):
            if not one.met:
                yield line["at"], f"{stage.name} at {one.milestone}: {one.figure} is not what is asked"


def event_text(event: Mapping[str, Any]) -> str:
    """What happened in a stage, why, and how it went on."""
    done = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in event.items() if key not in TOLD)
    step = event.get("at_step", event["step"])
    return f"{event['event']} at step {step}: {event.get('why', 'no reason on record')}" + (
        f" ({done})" if done else ""
    )
