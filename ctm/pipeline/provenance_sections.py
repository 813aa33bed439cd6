"""The sections of the provenance page: of each rule its artifacts, jobs, inputs, and what its lineage is made of."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from ctm.pipeline.ledger import LEDGER, Entry
from ctm.pipeline.run_records import FOLDER, RunRecords, job_name, seconds
from ctm.pipeline.tables import Block, Cell, Section, Table, cell
from ctm.pipeline.words import plain

DECLARED = {
    "threads": "threads {}",
    "mem_gb": "memory {} GB",
    "vram": "vram {} GB",
    "gpu_percent": "GPU {} %",
    "runtime": "time limit {} minutes",
    "disk": "disk traffic {}",
    "network_mbps": "network {} Mbit/s",
}
"""What a job asked for, and how it is said."""
USED = ("cpu_seconds", "memory_gb", "vram_gb", "read_gb", "written_gb", "network_gb")
USED_HEAD = ("s of CPU", "GB, peak", "GB of vram", "GB read", "GB written", "GB of network")
NOT_THERE = "Used is measured over the job and its child processes; a minus: not available."
PAGE = f"{FOLDER}/provenance.html"
_LEDGER = LEDGER.name  # it lies beside the page


def rule_sections(records: RunRecords) -> Iterator[Section]:
    """A section a rule, in the order in which their first jobs ended."""
    for rule in dict.fromkeys(entry.rule for entry in records.jobs):
        jobs = [entry for entry in records.jobs if entry.rule == rule]
        blocks = [replace(block, file=block.file or _LEDGER) for block in _blocks(records, jobs)]
        yield Section(plain(rule), blocks, _note(records, jobs))


def _note(records: RunRecords, jobs: Sequence[Entry]) -> str:
    lineages = dict.fromkeys(entry.lineage for entry in jobs)
    seeds = {name: value for lineage in lineages for name, value in records.seeds(lineage).items()}
    said = ", ".join(f"{plain(name)} {value}" for name, value in seeds.items())
    sections = {
        plain(name) for lineage in lineages for name in (records.parts(lineage) or {}).get("config", {})
    }
    return (
        f"Lineage {' and '.join(name[:16] for name in lineages)}. "
        f"Settings: {', '.join(sorted(sections)) or 'none of its own'}. Seeds: {said or 'none'}."
    )


def _blocks(records: RunRecords, jobs: Sequence[Entry]) -> Iterator[Block]:
    made = [
        [_file(records, file.path), cell(file.size), _sum(file.sha256)]
        for entry in jobs
        for file in entry.outputs
        if records.latest.get(file.path) == entry
    ]
    yield Block("Artifacts", "", Table(["file", "bytes", "sha256"], made))
    head = ["job", "start", "end", "s", "start of Snakemake", "log"]
    ran = [
        [
            _code(job_name(entry)),
            _moment(entry.started),
            _moment(entry.ended),
            _took(entry),
            _code((entry.session or "not known")[:8]),
            _link(records, entry.log),
        ]
        for entry in jobs
    ]
    yield Block("Jobs", "", Table(head, ran))
    used = Table(["job", *USED_HEAD, "Wh"], [_used(entry) for entry in jobs])
    yield Block("Used", f"Declared for each job: {_declared(jobs)}. {NOT_THERE}", used)
    read = list(_inputs(records, jobs))
    if read:
        yield Block("Inputs", "", Table(["file", "sha256", "made by"], read), fold=True)
    parts = Table(["", "", ""], list(_parts(records, jobs)))
    yield Block("What the lineage is made of", "", parts, file=_address(f"{FOLDER}/lineage"), fold=True)
    commands = [[_code(job_name(entry)), _code(_bare(entry.command))] for entry in jobs]
    yield Block(
        "Commands", "Folders of the machine are left out.", Table(["job", "command"], commands), fold=True
    )


def _declared(jobs: Sequence[Entry]) -> str:
    """What a job asked for; where jobs differ, what each that does asked for."""
    said = (
        ", ".join(
            text.format(value) for name, text in DECLARED.items() if (value := _of(entry.declared, name))
        )
        for entry in jobs
    )
    return " or ".join(dict.fromkeys(said)) or "nothing"


def _used(entry: Entry) -> list[Cell]:
    figures = (_of(entry.used, name) for name in USED)
    return [_code(job_name(entry)), *map(cell, figures), cell(watt_hours(entry))]


def _took(entry: Entry) -> Cell:
    took = seconds(entry)
    return cell(None if took is None else round(took, 1))


def _inputs(records: RunRecords, jobs: Sequence[Entry]) -> Iterator[list[Cell]]:
    for file in {(file.path, file.sha256): file for entry in jobs for file in entry.inputs}.values():
        maker = records.latest.get(file.path)
        outside = "outside of the run" if Path(file.path).is_absolute() else "no job on record"
        name = (
            Cell(Path(file.path).name, mark="code")
            if Path(file.path).is_absolute()
            else _file(records, file.path)
        )
        yield [name, _sum(file.sha256), _code(job_name(maker)) if maker else Cell(outside, mark="no")]


def _parts(records: RunRecords, jobs: Sequence[Entry]) -> Iterator[list[Cell]]:
    for lineage in dict.fromkeys(entry.lineage for entry in jobs):
        parts = records.parts(lineage)
        if parts is None:
            yield [_code(lineage[:16]), Cell("not on record"), Cell("")]
            continue
        for kind in ("config", "threads", "files", "large_files", "code", "parents"):
            for name, value in parts.get(kind, {}).items():
                shown = value if isinstance(value, str) else json.dumps(value, sort_keys=True)
                yield [
                    Cell(
                        {"files": "file", "large_files": "file, by its ends", "parents": "parent"}.get(
                            kind, kind
                        )
                    ),
                    _code(name),
                    _code(shown),
                ]


def session_section(records: RunRecords) -> Section:
    """When Snakemake was started, with which code and where; packages apart."""
    rows = []
    for name, one in records.sessions.items():
        code, environment = one.get("code") or {}, one.get("environment") or {}
        rows.append(
            [
                Cell(name[:8], mark="code", address=_address(f"{FOLDER}/sessions/{name}.json")),
                _moment(str(one.get("started", ""))),
                cell(sum(entry.session == name for entry in records.entries)),
                _code(str(code.get("commit") or "not known")[:12]),
                Cell(_changed(code)),
                Cell(str(environment.get("python") or "-")),
                Cell(str(environment.get("platform") or "-")),
                Cell(str(environment.get("processor") or "-")),
                cell(environment.get("cores")),
                cell(environment.get("memory_gb")),
                Cell(str(environment.get("driver") or "-")),
                _code(_command(str(one.get("command") or ""))),
            ]
        )
    head = [
        "",
        "time",
        "jobs",
        "commit",
        "changes",
        "Python",
        "system",
        "processor",
        "cores",
        "GB",
        "driver",
        "command",
    ]
    blocks = [Block("", "", Table(head, rows), file=_address(f"{FOLDER}/sessions"))]
    packages = _packages(records)
    if packages:
        blocks.append(
            replace(blocks[0], title="Packages", table=Table(["package", "version"], packages), fold=True)
        )
    note = "Each file has the command, the code with its difference from the commit, and all packages."
    return Section("Starts of Snakemake", blocks, note)


def failed_section(records: RunRecords) -> Section:
    """Attempts that failed, and jobs that were made again since."""
    current = {entry.job for entry in records.jobs}
    rows = [
        [
            _code(job_name(entry)),
            _moment(entry.started),
            Cell("failed" if entry.status == "failed" else "made again since", mark="no"),
            cell(entry.exit),
            _took(entry),
            _link(records, entry.log),
        ]
        for entry in records.entries
        if entry.job not in current
    ]
    note = "They failed, or their files were made again since. The ledger keeps them, as they had their cost."
    table = Table(["job", "start", "", "exit status", "s", "log"], rows)
    return Section("Attempts that no artifact is of", [Block("", note, table, file=_LEDGER)] if rows else [])


def moment(text: str) -> str:
    """A time of the ledger to the second: "2026-11-29 10:00:00"."""
    return text[:19].replace("T", " ")


def watt_hours(entry: Entry) -> float | None:
    """Energy of a job as far as it was measured; None where nothing was."""
    energy = _of(entry.used, "energy") or {}
    parts = [value for name in ("cpu_wh", "gpu_wh") if (value := _of(energy, name)) is not None]
    return sum(parts) if parts else None


def _of(content: Any, name: str) -> Any:
    return content.get(name) if isinstance(content, Mapping) else getattr(content, name, None)


def _packages(records: RunRecords) -> list[list[Cell]]:
    versions: dict[str, dict[str, None]] = {}
    for one in records.sessions.values():
        for name, version in ((one.get("environment") or {}).get("packages") or {}).items():
            versions.setdefault(name, {})[version] = None
    return [
        [_code(name), Cell(", ".join(found))]
        for name, found in sorted(versions.items(), key=lambda x: x[0].lower())
    ]


def _changed(code: Mapping[str, Any]) -> str:
    if not code.get("commit"):
        return "-"
    lines = len(str(code.get("diff") or "").splitlines())
    return f"in no commit ({lines:,} lines of diff)" if code.get("dirty") else "none"


def _command(text: str) -> str:
    try:
        return _bare(shlex.split(text))
    except ValueError:  # a quote that is never closed
        return text


def _bare(command: Iterable[str]) -> str:
    """A command with the names of absolute paths alone: folders of a machine say nothing and are somebody's."""
    return shlex.join(Path(text).name if text.startswith("/") else _tail(text) for text in command)


def _tail(text: str) -> str:
    option, equals, value = text.partition("=")
    return f"{option}={Path(value).name}" if equals and value.startswith("/") else text


def _code(text: str) -> Cell:
    return Cell(text, mark="code")


def _sum(text: str) -> Cell:
    return Cell(text, mark="code whole")


def _moment(text: str) -> Cell:
    return Cell(moment(text), mark="whole")


def _file(records: RunRecords, path: str) -> Cell:
    address = _address(path) if records.lies(path) else ""
    return Cell(path.removeprefix("results/"), mark="code", address=address)


def _link(records: RunRecords, path: str | None) -> Cell:
    if path is None:
        return Cell("-")
    # beside a bucket lie logs of tries that failed, and no others
    there = (records.run / path).is_file() is (records.bucket is None)
    return Cell(Path(path).name, mark="code", address=_address(path) if there else "")


def _address(path: str) -> str:
    """Of a file of the run, relative to the page."""
    return Path(os.path.relpath(path, Path(PAGE).parent)).as_posix()
