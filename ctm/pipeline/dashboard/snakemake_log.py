"""Reads Snakemake's own log of a run (.snakemake/log/): which job began, ended or failed when, and what it asked for.

The form is Snakemake 9.27's, whose version is pinned; lines of another form are passed over. Its times have no zone:
they are this machine's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

_TIME = re.compile(r"\[(\w{3} \w{3} +\d+ [\d:]{8} \d{4})\]")
_BEGUN = re.compile(r"(?:local)?(?:rule|checkpoint) (\w+):")
_FIELD = re.compile(r"    (jobid|wildcards|threads|resources|log): (.*)")
_ENDED = re.compile(r"Finished jobid: (\d+) ")
_FAILED = re.compile(r"Error in rule (\w+):")
_AGAIN = re.compile(r"Trying to restart job (\d+)")
_DONE = re.compile(r"(\d+) of (\d+) steps \(")
_COUNT = re.compile(r"(\w+) +(\d+)")
_OVER = (
    "Complete log(s):",
    "Nothing to be done",
    "Exiting because",
    "Terminating processes",
    "WorkflowError",
)


@dataclass
class Job:
    """One attempt of a job."""

    rule: str
    started: datetime
    jobid: int = -1
    wildcards: str = ""
    threads: int = 1
    resources: dict[str, str] = field(default_factory=dict)
    log: str = ""
    ended: datetime | None = None
    failed: bool = False
    again: bool = False
    """Whether Snakemake tried it once more after it failed."""

    @property
    def name(self) -> str:
        """Rule and wildcards."""
        return " ".join([self.rule, *re.findall(r"=([^,]+)", self.wildcards)])

    def declared(self, resource: str) -> float | None:
        """A number that it asked for; None where the log has none."""
        try:
            return float(self.resources[resource])
        except (KeyError, ValueError):
            return None


@dataclass
class Session:
    """One start of Snakemake."""

    started: datetime
    jobs: list[Job] = field(default_factory=list)
    planned: dict[str, int] = field(default_factory=dict)
    """Jobs of each rule that it meant to run."""
    over: bool = False
    """Whether it said that it ends; one that was killed did not."""
    last: datetime = datetime.min.replace(tzinfo=UTC)
    """When it last wrote a time."""


def sessions(run: Path) -> list[Session]:
    """All starts of a run, oldest first."""
    paths = sorted((run / ".snakemake" / "log").glob("*.snakemake.log"))
    return [made for path in paths if (made := read_session(path)) is not None]


def read_session(path: Path) -> Session | None:
    """None for a log whose name holds no time (it is none of Snakemake's)."""
    try:
        begun = datetime.strptime(path.name.partition(".")[0], "%Y-%m-%dT%H%M%S").astimezone(UTC)
    except ValueError:
        return None
    session = Session(begun, last=begun)
    reader = _Reader(session)
    for line in _lines(path):
        reader.take(line)
    return session


def _lines(path: Path) -> Iterator[str]:
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            yield line.rstrip("\n")


class _Reader:
    """Follows the lines of a log: a time, then what happened then, then its details."""

    def __init__(self, session: Session) -> None:
        self.session, self.now = session, session.started
        self.job: Job | None = None
        self.failure = False
        self.counting = False
        self.running: dict[int, Job] = {}

    def take(self, line: str) -> None:
        """One line."""
        if found := _TIME.fullmatch(line):
            self.now = datetime.strptime(found[1], "%a %b %d %H:%M:%S %Y").astimezone(UTC)
            self.session.last = self.now
        elif found := _BEGUN.fullmatch(line):
            self.job, self.failure = Job(found[1], self.now), False
            self.session.jobs.append(self.job)
        elif found := _FAILED.fullmatch(line):
            self.job, self.failure = None, True
        elif found := _FIELD.match(line):
            self._detail(found[1], found[2])
        elif found := _ENDED.match(line):
            if job := self.running.pop(int(found[1]), None):
                job.ended = self.now
        elif found := _AGAIN.match(line):
            self._tried_again(int(found[1]))
        elif line.startswith("job ") and line.rstrip().endswith("count"):
            self.counting = True
        elif self.counting:
            self._count(line)
        elif line.startswith(_OVER):
            self.session.over = True

    def _detail(self, name: str, value: str) -> None:
        if self.failure:
            if name == "jobid" and (failed := self.running.pop(int(value), None)):
                failed.ended, failed.failed = self.now, True
            return
        if self.job is None:
            return
        if name == "jobid":
            self.job.jobid = int(value)
            self.running[self.job.jobid] = self.job
        elif name == "threads":
            self.job.threads = int(value)
        elif name == "resources":
            pairs = (item.partition("=") for item in value.split(", "))
            self.job.resources = {key: content for key, _, content in pairs}
        elif name == "wildcards":
            self.job.wildcards = value
        elif name == "log":
            self.job.log = value

    def _tried_again(self, jobid: int) -> None:
        for job in reversed(self.session.jobs):
            if job.jobid == jobid and job.failed:
                job.again = True
                return

    def _count(self, line: str) -> None:
        if found := _COUNT.fullmatch(line):
            self.session.planned[found[1]] = int(found[2])
        elif not line.startswith("---"):
            self.counting = False
