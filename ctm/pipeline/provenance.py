"""Gathers a run's ledger: a page, the same in Markdown, and a Workflow Run RO-Crate.

The line of the job that does this is written when it has ended, so no page can hold its own, and lines of earlier pages
are of files that are no more: both are left out. `ctm-pipeline trace results/provenance/provenance.html` shows them.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from ctm.files import replacing, write_json, write_text
from ctm.pipeline.crate import crate_of
from ctm.pipeline.markdown import markdown
from ctm.pipeline.page import render
from ctm.pipeline.provenance_sections import (
    failed_section,
    moment,
    rule_sections,
    session_section,
    watt_hours,
)
from ctm.pipeline.run_records import RunRecords, read_records, seconds
from ctm.pipeline.tables import Section

RULE = "provenance"
"""The rule that gathers."""
LIMITS = (
    "Itself: the line of a job is written when it has ended, so that of this page, and those of what runs after it, "
    "are in the ledger alone.",
    "Whether the files are still what they were: ctm-pipeline trace --verify hashes them again.",
    "What each row of a file came from: ctm-pipeline trace --pair ID leads from a pair to the commit or release.",
    "What lies outside of a job's inputs: clones and downloads in work/ have the sums of the pinned lists or the names "
    "of commits, and the processor and the installed packages are named, not hashed.",
    "Who ran it: no names of persons are kept.",
)
PLACE = {"Python": "python", "System": "platform", "Processor": "processor", "Driver": "driver"}
"""What the page says of where it ran, and the key that a start of Snakemake has for it."""


def write_provenance(run: Path, page: Path, text: Path, crate: Path, snakefile: Path, workflow: Path) -> None:
    """Write the page, its Markdown and the crate, and `workflow`, a copy of the Snakefile that the crate names.

    run: the folder with the ledger. The files lie below one results/, of the run or of a bucket. Raises
    FileNotFoundError where there is no ledger.
    """
    found = read_records(run.absolute())
    records = RunRecords(found.run, [entry for entry in found.entries if entry.rule != RULE])
    gathered = datetime.now(UTC).isoformat(timespec="seconds")
    with replacing(workflow) as part:
        shutil.copyfile(snakefile, part)
    made = [session_section(records), *rule_sections(records), failed_section(records)]
    sections = [section for section in made if section.blocks]
    facts = list(_facts(records, gathered))
    name = records.run.name
    write_text(page, render("provenance.html.j2", run=name, facts=facts, limits=LIMITS, sections=sections))
    write_text(text, _markdown(name, facts, sections))
    write_json(crate, crate_of(records, gathered, workflow, [page, text], _engine(records)))


def _markdown(name: str, facts: Sequence[tuple[str, str]], sections: Sequence[Section]) -> str:
    lines = [f"# Provenance of the run “{name}”", ""]
    lines += [f"- **{key}**: {value}" for key, value in facts]
    lines += ["", "Not here:", "", *(f"- {limit}" for limit in LIMITS), ""]
    return "\n".join([*lines, *(markdown(section) for section in sections)])


def _facts(records: RunRecords, gathered: str) -> Iterator[tuple[str, str]]:
    jobs, files = records.jobs, records.files.values()
    yield "Gathered", f"{moment(gathered)} UTC from {len(records.entries):,} lines of the ledger"
    size = sum(file.size for file in files)
    yield "Artifacts", f"{len(files):,} files, {size / 1e9:.3g} GB, each with its sha256"
    if records.bucket:
        yield (
            "In a bucket",
            f"{records.bucket}: files are named as they were put there, and nobody has looked for them since",
        )
    elif missing := records.gone:
        yield (
            "Gone since",
            f"{len(missing):,} of them: {', '.join(missing[:5])}{', …' if len(missing) > 5 else ''}",
        )
    failed = sum(entry.status == "failed" for entry in records.entries)
    yield "Jobs", f"{len(jobs):,} made them, {failed:,} attempts failed"
    if jobs:
        first, last = min(entry.started for entry in jobs), max(entry.ended for entry in jobs)
        took = sum(seconds(entry) or 0 for entry in jobs)
        yield "Time", f"{moment(first)} to {moment(last)} UTC; the jobs together {took / 3600:.2f} hours"
    yield "Energy", _energy(records)
    codes = [one.get("code") or {} for one in records.sessions.values()]
    commits = sorted(
        {
            f"{str(one['commit'])[:12]}{', changed' * bool(one.get('dirty'))}"
            for one in codes
            if one.get("commit")
        }
    )
    yield "Code", f"commit {' and '.join(commits)}" if commits else "no commit on record"
    places = [one.get("environment") or {} for one in records.sessions.values()]
    for label, key in PLACE.items():
        known = sorted({str(place[key]) for place in places if place.get(key)})
        yield label, " and ".join(known) or "not available"


def _energy(records: RunRecords) -> str:
    measured = [value for entry in records.jobs if (value := watt_hours(entry)) is not None]
    if not measured:
        return "not available on this machine"
    return f"{sum(measured):,.1f} Wh, measured of {len(measured):,} of {len(records.jobs):,} jobs"


def _engine(records: RunRecords) -> str:
    """The version of Snakemake that the last start had on record."""
    for one in reversed(records.sessions.values()):
        packages = (one.get("environment") or {}).get("packages") or {}
        if version := packages.get("snakemake"):
            return str(version)
    return ""
