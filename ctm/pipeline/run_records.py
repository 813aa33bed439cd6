"""What a run has written down about itself: its ledger, the parts behind each lineage, and the starts of Snakemake.

All of it lies below results/provenance/ and is read here for the provenance page, the crate and `ctm-pipeline trace`.
A record that is not there is None: a run that was copied without it can be looked at all the same.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from ctm.pipeline import ledger
from ctm.pipeline.ledger import Entry, File

FOLDER = ledger.FOLDER.as_posix()


@dataclass(frozen=True)
class RunRecords:
    """The records of the run in folder `run`."""

    run: Path
    entries: Sequence[Entry]
    """All lines of the ledger, in its order: failed attempts and jobs that were made again too."""
    _parts: dict[str, Mapping[str, Any] | None] = field(default_factory=dict)

    @cached_property
    def latest(self) -> dict[str, Entry]:
        """Of each artifact, by its path relative to the run, the job that made what should lie there."""
        return dict(ledger.latest(list(self.entries)))

    @cached_property
    def files(self) -> dict[str, File]:
        """Of each artifact, by its path, its sum and size as they were when it was made."""
        return {
            file.path: file
            for path, entry in self.latest.items()
            for file in entry.outputs
            if file.path == path
        }

    @cached_property
    def jobs(self) -> list[Entry]:
        """The jobs that made the artifacts, each once, in the order of their ends."""
        made = {entry.job: entry for entry in self.latest.values()}
        return sorted(made.values(), key=lambda entry: (entry.ended, entry.job))

    @cached_property
    def sessions(self) -> dict[str, Mapping[str, Any]]:
        """Each start of Snakemake that there is a record of, by its name, in the order of time."""
        found = [_json(path) for path in sorted((self.run / FOLDER / "sessions").glob("*.json"))]
        known = [one for one in found if one and "session" in one]
        known.sort(key=lambda one: str(one.get("started", "")))
        return {str(one["session"]): one for one in known}

    @cached_property
    def bucket(self) -> str | None:
        """Where the last start of Snakemake put the results, such as "s3://BUCKET/RUN"; None: into the run's folder."""
        last = next(reversed(self.sessions.values()), {})
        return str(last["bucket"]) if last.get("bucket") else None

    def lies(self, path: str) -> bool:
        """Whether an artifact lies where its name says. A bucket is not asked: what jobs put there counts as there."""
        return self.bucket is not None or (self.run / path).exists()

    @cached_property
    def gone(self) -> list[str]:
        """Artifacts of the ledger that lie no longer in the run's folder, whether in a bucket or nowhere."""
        return [path for path in self.files if not (self.run / path).exists()]

    def parts(self, lineage: str) -> Mapping[str, Any] | None:
        """What a lineage is the hash of: config sections, code, files and parents by name; None: not on record."""
        if lineage not in self._parts:
            self._parts[lineage] = _json(self.run / FOLDER / "lineage" / f"{lineage[:16]}.json")
        return self._parts[lineage]

    def seeds(self, lineage: str) -> dict[str, Any]:
        """The seeds among the config sections of a lineage, by their dotted names."""
        config = (self.parts(lineage) or {}).get("config", {})
        return {name: value for name, value in _flat(config) if name.rpartition(".")[2] == "seed"}


def read_records(run: Path) -> RunRecords:
    """The records of a run. Raises FileNotFoundError where it has no ledger, ValueError for one of another format."""
    if not (run / ledger.LEDGER).is_file():
        raise FileNotFoundError(
            f"{run}: no {ledger.LEDGER}; it is written by the jobs of a run. Is it the folder of a run, and was it "
            "copied whole?"
        )
    return RunRecords(run, ledger.read(run))


def seconds(entry: Entry) -> float | None:
    """How long a job took by its clock; None where a time cannot be read."""
    try:
        took = datetime.fromisoformat(entry.ended) - datetime.fromisoformat(entry.started)
    except ValueError:
        return None
    return took.total_seconds()


def job_name(entry: Entry) -> str:
    """Rule and wildcards: "mutate 01-of-02"."""
    return " ".join([entry.rule, *entry.wildcards])


def _flat(content: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    if not isinstance(content, Mapping):
        yield name, content
        return
    for key, value in content.items():
        yield from _flat(value, f"{name}.{key}" if name else str(key))


def _json(path: Path) -> Mapping[str, Any] | None:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return content if isinstance(content, Mapping) else None
