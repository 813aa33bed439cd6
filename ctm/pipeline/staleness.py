"""Plans by content: which artifacts are stale is read from the ledger, whatever Snakemake remembers.

Snakemake knows an artifact's lineage from its own records alone: copied without them, after `--touch` or
`--cleanup-metadata`, or with `--rerun-triggers mtime`, a stale artifact looks up to date. And it knows a changed input
by its time where the input is large or the records are gone, so that a copied run looks changed. The ledger has both.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ctm.pipeline.ledger import Entry, File, latest, read, sums
from ctm.pipeline.storage import fetch_records, name_of


def stale(
    entries: Sequence[Entry], lineage: Mapping[str, str], exists: Callable[[str], bool]
) -> dict[str, str]:
    """Paths of artifacts that must be made again, each with why.

    lineage: of each rule of today's configuration. An artifact is stale where it was made by another lineage of its
    rule, or of an input that has been made anew since, with other content. What is not there (`exists`, of its path),
    was made by no rule of today, or is not in the ledger, is Snakemake's to judge.
    """
    known, found = sums(entries), {}
    for path, entry in latest(entries).items():
        if entry.rule in lineage and (why := _why(entry, lineage[entry.rule], known)) and exists(path):
            found[path] = why
    return found


def _why(entry: Entry, lineage: str, known: Mapping[str, File]) -> str | None:
    if entry.lineage != lineage:
        return f"made by lineage {entry.lineage[:16]}, today's is {lineage[:16]}"
    for file in entry.inputs:
        if known.get(file.path, file) != file:
            return f"made of another {file.path}"
    return None


def follow(workflow: Any, lineage: Mapping[str, str], stored: str = "") -> None:
    """Let Snakemake plan by the ledger of the folder that it runs in. stored: where a bucket's files lie (storage.py).

    Stale artifacts are made again, those that the targets need (`--forcerun` would make targets of them all). An input
    that is newer than what was made of it, with the same content, changes nothing. `_prepare_dag`, `forcefiles` and
    `input_checksums` are private: the version is pinned, and tests/workflow/test_staleness.py holds what is used here.
    A bucket is not asked for each artifact: one that is not there is made in any case.
    """
    prepare = workflow._prepare_dag
    place = f"{stored}/" if stored else ""

    def prepared(*arguments: Any, **options: Any) -> None:
        prepare(*arguments, **options)
        run = Path.cwd()
        fetch_records(workflow, run)
        entries = read(run)
        dag, records = workflow.dag, workflow.persistence
        found = stale(entries, lineage, lambda path: bool(stored) or (run / path).exists())
        dag.forcefiles = {*dag.forcefiles, *(f"{place}{path}" for path in found)}
        dag.max_checksum_file_size = sys.maxsize  # only what is newer is ever hashed
        records.input_checksums = _input_checksums(entries, records.input_checksums, stored)

    workflow._prepare_dag = prepared


def _input_checksums(entries: Sequence[Entry], recorded: Any, stored: str) -> Any:
    """What an input was when a job ran: as the ledger has it, or else as Snakemake's records do."""
    makers = latest(entries)

    def checksums(job: Any, path: Any) -> set[str]:
        entry = makers.get(name_of(str(job.output[0]), stored)) if job.output else None
        known = {file.path: file.sha256 for file in entry.inputs} if entry else {}
        name = name_of(str(path), stored)
        return {f"sha256:{known[name]}"} if name in known else recorded(job, path)

    return checksums
