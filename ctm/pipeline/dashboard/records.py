"""All that a run has written down, and what can be told from it of any moment: what ran, what was done, what failed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from ctm.pipeline import ledger
from ctm.pipeline.dashboard.snakemake_log import Job, Session, sessions
from ctm.pipeline.dashboard.stages import Stage, read_stages
from ctm.pipeline.ledger import Entry


@dataclass(frozen=True)
class Records:
    """Logs of the run in folder `run`."""

    run: Path
    sessions: Sequence[Session]
    stages: Sequence[Stage]
    entries: Sequence[Entry]
    alive: bool
    """Whether Snakemake is at work in the folder now."""

    def times(self) -> list[datetime]:
        """When something was written."""
        jobs = [time for job in self.jobs() for time in (job.started, job.ended) if time]
        lines = [line["at"] for stage in self.stages for line in stage.lines]
        return sorted([*(session.started for session in self.sessions), *jobs, *lines])

    def days(self) -> list[date]:
        """Days (UTC) on which something was written."""
        return sorted({time.date() for time in self.times()})

    def number(self, day: date) -> int:
        """Days since the run began, from 1."""
        return (day - self.days()[0]).days + 1

    def jobs(self) -> list[Job]:
        """Attempts of jobs: by Snakemake's log, or by the ledger where the folder was copied without it."""
        if self.sessions:
            return [job for session in self.sessions for job in session.jobs]
        return [_job(entry) for entry in self.entries]

    def session(self, moment: datetime) -> Session | None:
        """The start of Snakemake that was the last one then."""
        return next((s for s in reversed(self.sessions) if s.started <= moment), None)

    def running(self, moment: datetime) -> list[Job]:
        """Jobs that ran then, the oldest first; those of a Snakemake that was killed only as long as it wrote."""
        session = self.session(moment)
        if session is None:
            return []
        newest = session is self.sessions[-1]
        if moment > session.last and not (newest and self.alive):
            return []
        return [
            job for job in session.jobs if job.started <= moment and (job.ended is None or job.ended > moment)
        ]

    def interrupted(self, moment: datetime) -> list[Job]:
        """Jobs that had begun and not ended when Snakemake was killed, if nothing has run since."""
        session = self.session(moment)
        if session is None or session.over or self.running(moment):
            return []
        return [job for job in session.jobs if job.started <= moment and job.ended is None]

    def last_job(self, moment: datetime) -> Job | None:
        """The job that ended last."""
        ended = [job for job in self.jobs() if job.ended is not None and job.ended <= moment and job.log]
        return max(ended, key=lambda job: (job.ended, job.started), default=None)

    def entry(self, job: Job, moment: datetime) -> Entry | None:
        """The ledger's line of a job, as far as it had ended; None where it was refused, as it used nothing."""
        found = [e for e in self._entries(job) if time_of(e.ended) <= moment]
        return next(iter(ledger.that_ran(reversed(found))), None)

    def refusal(self, job: Job) -> Entry | None:
        """The ledger's line of an attempt that was refused, else None. Times in Snakemake's log are whole seconds."""
        if job.ended is None:
            return None
        found = [e for e in self._entries(job) if time_of(e.ended).replace(microsecond=0) <= job.ended]
        return found[-1] if found and found[-1].status == ledger.REFUSED else None

    def _entries(self, job: Job) -> list[Entry]:
        """Lines of the ledger, of jobs of this name that ended after this one began, in their order."""
        name = job.name.split()
        named = [entry for entry in self.entries if [entry.rule, *entry.wildcards] == name]
        return [entry for entry in named if time_of(entry.ended) >= job.started]


def read(run: Path) -> Records:
    """Everything there is. Raises FileNotFoundError where the folder holds neither Snakemake's log nor a ledger."""
    records = Records(run, sessions(run), read_stages(run), ledger.read(run), is_alive(run))
    if not records.times():
        raise FileNotFoundError(f"{run}: no run (neither .snakemake/log nor {ledger.LEDGER} says anything)")
    return records


def is_alive(run: Path) -> bool:
    """Whether a Snakemake of this machine is at work in the folder: it, or a job of it, has it as working folder."""
    import psutil

    folder = str(run.resolve())
    for process in psutil.process_iter(["cwd", "cmdline"]):
        command = " ".join(process.info["cmdline"] or [])
        if process.info["cwd"] == folder and ("snakemake" in command or "ctm-pipeline run" in command):
            return True
    return False


def time_of(text: str) -> datetime:
    """A time of the ledger."""
    return datetime.fromisoformat(text)


def end_of(day: date) -> datetime:
    """The last moment of a day (UTC)."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1, microseconds=-1)


def _job(entry: Entry) -> Job:
    return Job(
        entry.rule,
        time_of(entry.started),
        wildcards=", ".join(f"{place}={value}" for place, value in enumerate(entry.wildcards)),
        threads=entry.declared.get("threads") or 1,
        resources={name: str(value) for name, value in entry.declared.items()}
        | {"disk_class": str(entry.declared.get("disk") or "")},
        log=entry.log or "",
        ended=time_of(entry.ended),
        failed=entry.status != ledger.DONE,
    )
