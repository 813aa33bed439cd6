"""Why jobs would run, in words: `ctm-pipeline why`.

What would run is Snakemake's plan (planned.py); which change is behind it comes from the ledger. It says under which
lineage each output was built, and what that lineage was made of is on record, so that it can be compared, part by part,
with today's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctm.pipeline.ledger import DONE, REFUSED, Entry
from ctm.pipeline.lineage import Lineage
from ctm.pipeline.lineage_records import DIGITS, changes, read_parts
from ctm.pipeline.planned import PlannedJob


@dataclass(frozen=True)
class Explained:
    """Jobs of one rule that would run for the same reasons."""

    rule: str
    jobs: tuple[PlannedJob, ...]
    reasons: tuple[str, ...]
    """Of its own: what changed, what is missing, what failed."""
    after: tuple[str, ...]
    """Rules that would run before it; the nearest ones alone."""


def explain(
    jobs: Sequence[PlannedJob], entries: Sequence[Entry], lineage: Lineage, run: Path
) -> list[Explained]:
    """Why each job that would run does so, rule by rule in the order of the plan.

    jobs: of a plan, those that are up to date too. entries: of the run's ledger, oldest first. lineage: today's.
    """
    reasons = _Reasons(entries, lineage, run)
    above = _ancestors(jobs)
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[PlannedJob]] = {}
    for job in jobs:
        if job.runs:
            after = tuple(sorted(name for name in job.before if not _implied(name, job.before, above)))
            found.setdefault((job.rule, tuple(reasons.of(job)), after), []).append(job)
    return [Explained(rule, tuple(jobs), why, after) for (rule, why, after), jobs in found.items()]


class _Reasons:
    """Reasons of single jobs. What a lineage was made of is compared once for all jobs that have it."""

    def __init__(self, entries: Sequence[Entry], lineage: Lineage, run: Path) -> None:
        self.lineage, self.run = lineage, run
        self.latest: dict[str, Entry] = {}
        self.failed: dict[tuple[str, tuple[str, ...]], Entry | None] = {}
        """By rule and wildcards the last try, where it failed or was refused."""
        for entry in entries:
            done = entry.status == DONE
            self.failed[entry.rule, entry.wildcards] = None if done else entry
            self.latest |= {file.path: entry for file in entry.outputs} if done else {}
        self._compared: dict[tuple[str, str], list[str]] = {}

    def of(self, job: PlannedJob) -> list[str]:
        """The changes behind one job; Snakemake's own words where nothing else is known."""
        made_by = [self.latest[path] for path in job.outputs if path in self.latest]
        reasons = []
        if not made_by and len(job.missing) == len(job.outputs):
            reasons.append("never built")
        elif job.missing:
            reasons += [f"{path} is missing" for path in job.missing]
        if failed := self.failed.get((job.rule, job.wildcards)):
            reasons.append(_how_it_ended(failed))
        for old in dict.fromkeys(entry.lineage for entry in made_by):
            reasons += self._compare(job.rule, old)
        if made_by:
            reasons += self._changed_inputs(job, made_by[0], look=not reasons and not job.before)
        if reasons or job.before:
            return reasons
        unknown = "" if made_by else "not in the ledger, so what changed is not known; "
        return [f"{unknown}Snakemake says: {job.reason.partition(': Union')[0] or 'nothing'}"]

    def _compare(self, rule: str, old: str) -> list[str]:
        """What changed between a lineage of the past and today's, parents apart: those are rules of the plan."""
        if (rule, old) not in self._compared:
            self._compared[rule, old] = list(self._differences(rule, old))
        return self._compared[rule, old]

    def _differences(self, rule: str, old: str) -> Iterator[str]:
        new = self.lineage.of(rule)
        if old == new:
            return
        before = read_parts(self.run, old)
        if before is None:
            yield f"another lineage ({old[:DIGITS]} → {new[:DIGITS]}); what the first was made of is not on record"
            return
        for change in changes(before, self.lineage.parts(rule)):
            if change.kind != "parents":
                yield change.text
            elif change.before is None or change.after is None:
                yield f"{'now' if change.before is None else 'no longer'} reads what {change.name} makes"

    def _changed_inputs(self, job: PlannedJob, entry: Entry, look: bool) -> Iterator[str]:
        """Inputs that have other content than the job read: by the ledger, and by the files themselves if `look`."""
        read = {file.path: file for file in entry.inputs}
        for path in job.inputs:
            file = self.run / path
            if path not in read or not file.is_file():
                continue
            old, now = read[path].sha256, self._made(path) or read[path].sha256
            if now == old and look:
                now = _sha256(file)
            if now != old:
                yield f"input {path} changed (sha256 {old[:DIGITS]} → {now[:DIGITS]})"

    def _made(self, path: str) -> str | None:
        """The sum of a file when it was last built."""
        maker = self.latest.get(path)
        return next((file.sha256 for file in maker.outputs if file.path == path), None) if maker else None


def _how_it_ended(last: Entry) -> str:
    if last.status == REFUSED:
        return f"its last try was refused (exit status {last.exit}): {last.reason}"
    return f"its last try failed (exit status {last.exit}, {last.log})"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _ancestors(jobs: Sequence[PlannedJob]) -> dict[str, set[str]]:
    """Of each rule, those that would run before it, directly or not; jobs come parents first."""
    above: dict[str, set[str]] = {}
    for job in jobs:
        mine = above.setdefault(job.rule, set())
        for name in job.before:
            mine |= {name} | above.get(name, set())
    return above


def _implied(name: str, names: frozenset[str], above: Mapping[str, set[str]]) -> bool:
    """Whether another one of `names` comes after a rule, so that the rule need not be named."""
    return any(name in above.get(other, ()) for other in names if other != name)
