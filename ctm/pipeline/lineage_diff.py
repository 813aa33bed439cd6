"""In what two runs, or two lineages of a run, differ: `ctm-pipeline diff-lineage`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ctm.pipeline.ledger import Entry, latest, read
from ctm.pipeline.lineage_records import DIGITS, Difference, Parts, RecordError, changes, find, read_parts


@dataclass(frozen=True)
class StepDifference:
    """A step of two runs and what is different about it, in words; nothing: it is the same."""

    step: str
    differences: tuple[str, ...]


def of_runs(a: Path, b: Path) -> list[StepDifference]:
    """All steps of two runs, by what each built last. Raises RecordError where one has no ledger."""
    built_a, built_b = (_built(run) for run in (a, b))
    return [
        StepDifference(step, tuple(_of_step(step, built_a.get(step), built_b.get(step), a, b)))
        for step in dict.fromkeys([*built_b, *built_a])
    ]


def of_lineages(run: Path, a: str, b: str) -> list[StepDifference]:
    """Two lineages of one run, by their first digits. Raises RecordError where one is not on record."""
    (step, before), (other, after) = find(run, a), find(run, b)
    name = step if step == other else f"{step} → {other}"
    return [StepDifference(name, tuple(_parts(before, after)))]


def _built(run: Path) -> dict[str, list[Entry]]:
    """Of each step, the jobs behind the outputs that are there, oldest first."""
    entries = latest(read(run))
    if not entries:
        raise RecordError(f"{run}: no finished job in results/provenance/ledger.jsonl")
    by_job = {(entry.rule, tuple(entry.wildcards)): entry for entry in entries.values()}
    steps: dict[str, list[Entry]] = {}
    for entry in sorted(by_job.values(), key=lambda entry: entry.started):
        steps.setdefault(entry.rule, []).append(entry)
    return steps


def _of_step(step: str, old: list[Entry] | None, new: list[Entry] | None, a: Path, b: Path) -> Iterable[str]:
    if not old or not new:
        return [f"only in {a if old else b}"]
    before, after = old[-1].lineage, new[-1].lineage
    if before == after:
        return _other_bits(old, new)
    parts = read_parts(a, before), read_parts(b, after)
    if parts[0] is None or parts[1] is None:
        missing = [str(run) for run, part in zip((a, b), parts, strict=True) if part is None]
        return [f"lineage {before[:DIGITS]} → {after[:DIGITS]}; not on record in {' and '.join(missing)}"]
    return _parts(parts[0], parts[1])


def _parts(before: Parts, after: Parts) -> list[str]:
    return [_described(change) for change in changes(before, after)]


def _described(change: Difference) -> str:
    if change.kind != "parents" or change.before is None or change.after is None:
        return change.text
    return f"{change.text} ({change.before[:DIGITS]} → {change.after[:DIGITS]})"


def _other_bits(old: list[Entry], new: list[Entry]) -> list[str]:
    """Outputs of one lineage that are not the same bits; Parquet and JSON with times in them are among them."""
    sums = [{file.path: file.sha256 for entry in side for file in entry.outputs} for side in (old, new)]
    other = [path for path in sums[0] if path in sums[1] and sums[0][path] != sums[1][path]]
    return [f"same lineage, other bits: {path}" for path in other]
