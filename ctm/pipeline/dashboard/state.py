"""Where a run stands at a moment, in the words of the specification's template: tables of texts, ready to be shown.

A figure that no log has is "not available" and its mark "–": neither ✓ nor ✗.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from ctm.pipeline.dashboard import rows
from ctm.pipeline.dashboard.issues import issues_of
from ctm.pipeline.dashboard.records import Records, end_of
from ctm.pipeline.dashboard.rows import Figure, Row
from ctm.pipeline.dashboard.snakemake_log import Job
from ctm.pipeline.dashboard.stages import NextMilestone, Stage, next_milestone
from ctm.pipeline.dashboard.usage import Machine, machine_now, use_of
from ctm.pipeline.phases import PHASES, phase_of

TARGETS = ("all", "export")
"""Rules that only name what is wanted."""
BASELINE = "trm"
"""The stage that is none of the curriculum."""


@dataclass(frozen=True)
class State:
    """A run at a moment."""

    run: str
    day: int
    date: date
    at: datetime
    now: bool
    """Whether that is the present, not the end of a day that is over."""
    phase: str
    task: str
    status: str
    """running, done, failed, stopped and so on."""
    others: Sequence[str]
    """What runs beside it."""
    running: Sequence[str]
    """Rules of all that runs."""
    planned: Mapping[str, int]
    """Jobs of each rule that this start of Snakemake meant to run."""
    progress: Sequence[tuple[str, int, int]]
    """Of each phase of this start of Snakemake: its name, jobs done, jobs planned."""
    use_source: str
    resources: Sequence[Row]
    stage: str
    """The stage that the training metrics are of; empty where none has written any."""
    training: Sequence[Row]
    model: Sequence[Figure]
    issues: Sequence[str]
    """Of that day."""
    target: str
    eta: str
    machine: Machine | None
    """The whole machine, where the moment is the present."""


def state_now(records: Records) -> State:
    """The present."""
    return state_at(records, datetime.now(UTC), now=True)


def state_on(records: Records, day: date) -> State:
    """As a day ended; the last day of a run that has ended is as its last line left it."""
    now = datetime.now(UTC)
    return state_now(records) if day == now.date() else state_at(records, end_of(day), now=False)


def state_at(records: Records, moment: datetime, now: bool) -> State:
    """Where the run stood at a moment."""
    running = records.running(moment)
    job = _main(running) or _main(records.interrupted(moment)) or records.last_job(moment)
    stages = [then for stage in records.stages if (then := stage.until(moment)) is not None]
    of_job = next((stage for stage in stages if job and stage.rule == job.rule), None)
    stage = of_job or _last_stage(stages)
    use = use_of(records, job, of_job, moment, now) if job else None
    written = [time for time in records.times() if time <= moment]
    day = moment.date() if running else max(written).date()
    target, eta = _next(records, running, of_job, moment)
    return State(
        run=records.run.resolve().name,
        day=records.number(day),
        date=day,
        at=moment if now else max(written),
        now=now,
        phase=PHASES[phase_of(job.rule)] if job else "none",
        task=job.name if job else "none",
        status=_status(records, running, moment),
        others=[other.name for other in running if other is not job],
        running=sorted({one.rule for one in running}),
        planned=session.planned if (session := records.session(moment)) else {},
        progress=_progress(records, moment),
        use_source=use.source if use else "",
        resources=rows.resource_rows(job, use) if job and use else [],
        stage=stage.name if stage else "",
        training=rows.training_rows(stage, job if of_job else None) if stage else [],
        model=rows.model_figures(stage) if stage else [],
        issues=issues_of(records, day, moment),
        target=target,
        eta=eta,
        machine=machine_now(records.run) if now else None,
    )


def _last_stage(stages: Sequence[Stage]) -> Stage | None:
    """The stage that wrote last: of the curriculum, else of the baseline."""
    return max(stages, key=lambda stage: (stage.name != BASELINE, stage.lines[-1]["at"]), default=None)


def _main(running: Sequence[Job]) -> Job | None:
    """What the run is at: the curriculum if it trains, then the baseline, then what has run longest."""
    order = sorted(running, key=lambda job: (not job.rule.startswith("train_s"), phase_of(job.rule) != 3))
    return order[0] if order else None


def _status(records: Records, running: Sequence[Job], moment: datetime) -> str:
    if running:
        return "running"
    session = records.session(moment)
    if session is None:
        return "no longer running"
    last = {job.jobid: job for job in session.jobs if job.ended and job.ended <= moment}
    if any(job.failed for job in last.values()):
        return "failed"
    if session.over:
        return (
            "done"
            if len(last) >= sum(session.planned.values()) - session.planned.get("total", 0)
            else "ended early"
        )
    newest = session is records.sessions[-1]
    return "between two jobs" if newest and records.alive else "stopped (Snakemake was killed)"


def _progress(records: Records, moment: datetime) -> list[tuple[str, int, int]]:
    session = records.session(moment)
    if session is None:
        return []
    planned: dict[int, int] = {}
    for rule, count in session.planned.items():
        if rule not in ("total", *TARGETS):
            planned[phase_of(rule)] = planned.get(phase_of(rule), 0) + count
    ended = [job for job in session.jobs if job.ended and job.ended <= moment and not job.failed]
    done = [phase_of(job.rule) for job in ended if job.rule not in TARGETS]
    return [(PHASES[phase], done.count(phase), count) for phase, count in sorted(planned.items())]


def _next(records: Records, running: Sequence[Job], stage: Stage | None, moment: datetime) -> tuple[str, str]:
    """What comes next and when: a milestone of a stage that trains, else the end of the task."""
    if not running:
        return "none", "nothing runs"
    if stage is not None and (milestone := next_milestone(stage)):
        target = (
            f"{milestone.quarter} of {stage.name}, {milestone.samples:,} samples ({_goals_of(milestone)})"
        )
        return target, "not known" if milestone.eta is None else _time(milestone.eta, moment)
    job = _main(running)
    assert job is not None, "something runs"
    done, planned, seconds = _of_rule(records, job, moment)
    target = f"end of {job.rule}, {done} of {planned} jobs done" if planned > 1 else f"end of {job.rule}"
    if not done:
        return target, "not known: it writes no steps, and none of its jobs has ended"
    side_by_side = sum(other.rule == job.rule for other in running)
    left = (planned - done) * seconds / done / side_by_side
    return target, _time(job.started + timedelta(seconds=left), moment)


def _goals_of(milestone: NextMilestone) -> str:
    if milestone.asked is None:
        return "what is asked is not on record"
    return ", ".join(rows.goal(name, value) for name, value in milestone.asked.items()) or "nothing is asked"


def _of_rule(records: Records, job: Job, moment: datetime) -> tuple[int, int, float]:
    """Jobs of a rule in this start that are done and that were planned, and the seconds of those that are done."""
    session = records.session(moment)
    planned: Mapping[str, int] = session.planned if session else {}
    done = [
        other
        for other in (session.jobs if session else [])
        if other.rule == job.rule and other.ended and other.ended <= moment and not other.failed
    ]
    seconds = sum((other.ended - other.started).total_seconds() for other in done if other.ended)
    return len(done), max(planned.get(job.rule, 1), len(done) + 1), seconds


def _time(eta: datetime, moment: datetime) -> str:
    late = " (overdue)" if eta < moment else ""
    return f"{eta:%Y-%m-%d %H:%M} UTC{late}"
