"""Working projects from pinned wheels: unpacked as data, repaired in a copy, and looked at again.

Notable: nothing of a wheel is installed or imported in this process. Its code runs in one place, the smoke test, which
is a process of its own (smoke.py) over a copy. The copies lie outside the checkout, since what its .gitignore
leaves out is nothing that `ctm-repair` looks at.
"""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ctm.pairs.splits import project_name
from ctm.parquet import read_parquet
from ctm.repair.bundle import Bundle
from ctm.repair.file_repair import LineChange, first_error
from ctm.repair.source import FileError, PythonFile, read_source
from ctm.repair.suggest import suggest
from ctm.repair.windows import functions_of
from ctm.sources.pypi.client import IndexClient
from ctm.sources.pypi.pins import Pin, read_pins

SMOKE, SUGGEST = "smoke", "suggest"
USES = (SMOKE, SUGGEST)
"""What a project is for, beside the run of `fix --write` that all are for."""
HERE = Path(__file__).parent
TRACEBACK = "Traceback (most recent call last)"
LIMIT = 3600
"""Seconds that one project may take."""
TIMEOUT, DOWNLOADS = 30, 4
"""Of the package index: seconds of one connection, projects at the same time."""


@dataclass(frozen=True, slots=True)
class Project:
    """A pinned wheel and what it is used for."""

    pin: Pin
    uses: frozenset[str]

    @property
    def name(self) -> str:
        """Normalized."""
        return self.pin.name


def read_projects(path: Path) -> list[Project]:
    """The list (name, version, sha256, use). Raises ValueError with file and line for what cannot be used."""
    pins = read_pins(path)
    with path.open(newline="", encoding="utf-8") as file:
        uses = [frozenset((row.get("use") or "").split()) for row in csv.DictReader(file)]
    for line, given in enumerate(uses, 2):
        if unknown := sorted(given.difference(USES)):
            raise ValueError(f"{path}:{line}: no use {unknown[0]!r}; there are {', '.join(USES)}")
    return [Project(pin, given) for pin, given in zip(pins, uses, strict=True)]


def bring(projects: list[Project], work: Path) -> tuple[dict[Project, Path], dict[str, str]]:
    """Wheels by project, those on disk without asking anybody; and by name, why the index does not have the others.

    Raises OSError where the index is out of reach.
    """
    wheels = IndexClient(work, TIMEOUT, DOWNLOADS).fetch([project.pin for project in projects])
    found = {project: wheel for project in projects if isinstance(wheel := wheels[project.pin], Path)}
    return found, {pin.name: why for pin, why in wheels.items() if isinstance(why, str)}


def unpack(wheel: Path, folder: Path) -> Path:
    """The wheel's files under `folder`, as data."""
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def trained_on(bundle: Path) -> frozenset[str] | None:
    """Projects that the run of a bundle trained on, normalized; None where its pairs are not beside it."""
    pairs = bundle.resolve().parent / "pairs" / "train.parquet"
    if not pairs.is_file():
        return None
    table = read_parquet(pairs, ["project", "group"])
    names = set(table["project"].unique().to_pylist()) | set(table["group"].unique().to_pylist())
    return frozenset(project_name(name.rsplit("/", 1)[-1].removesuffix(".git")) for name in names)


# --- proposals ------------------------------------------------------------------------------------------------------


@dataclass
class Proposals:
    """What the model would change in a project."""

    functions: int = 0
    """Parts as `fix` reads them: functions, and runs of statements between definitions."""
    changes: list[dict[str, Any]] = field(default_factory=list)
    """path, line, before, after, confidence."""

    @property
    def per_thousand(self) -> float | None:
        """Proposals per 1,000 functions."""
        return 1000 * len(self.changes) / self.functions if self.functions else None


def propose(source: PythonFile, model: Bundle) -> tuple[LineChange, ...]:
    """Changes of one file that compiles: the one place that knows how they are asked for."""
    return suggest(source, model.repairer()).changes


def proposals(folder: Path, model: Bundle) -> Proposals:
    """Of all files of a project that compile."""
    found = Proposals()
    for path in sorted(folder.rglob("*.py")):
        try:
            source = read_source(path)
            if first_error(source.text) is not None:
                continue
        except FileError:
            continue  # counted with its reason by the run of `fix --write`
        found.functions += len(functions_of(source.text))
        found.changes += [
            {
                "path": path.relative_to(folder).as_posix(),
                "line": change.line,
                "confidence": change.confidence,
                "before": change.before,
                "after": change.after,
            }
            for change in propose(source, model)
        ]
    return found


# --- fix --write ----------------------------------------------------------------------------------------------------


@dataclass
class Written:
    """What `ctm-repair fix --write` did to a project."""

    files: int
    changed: list[str]
    """Files whose bytes are others, or that came or went."""
    statuses: dict[str, int]
    """Files by what the command said of them."""
    errors: dict[str, str]
    """Files that it could not handle, and why."""
    unseen: int
    """Files it said nothing of."""
    crashed: str = ""
    """Its last words, where it ended in a traceback, by a signal, with an unknown status or not at all."""


def fix_and_write(folder: Path, bundle: Path, threads: int = 1) -> Written:
    """Run the command over a folder as a user would, and compare every file with what it was."""
    before = fingerprints(folder)
    command = [sys.executable, "-m", "ctm.repair.cli", "fix", str(folder), "--write", "--json"]
    command += ["--bundle", str(bundle.resolve()), "--threads", str(threads)]
    crashed, rows = "", []
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=LIMIT, stdin=subprocess.DEVNULL
        )
        if done.returncode not in (0, 1, 2, 3) or TRACEBACK in done.stderr:
            crashed = (done.stderr.strip().splitlines() or ["no message"])[
                -1
            ] + f" (status {done.returncode})"
        else:
            rows = json.loads(done.stdout)["files"]
    except (subprocess.TimeoutExpired, ValueError, KeyError) as error:
        crashed = f"{type(error).__name__}: {error}"[:300]
    after = fingerprints(folder)
    sources = {path for path in before if path.endswith(".py")}
    said = {Path(row["path"]).resolve().relative_to(folder.resolve()).as_posix(): row for row in rows}
    return Written(
        files=len(sources),
        changed=sorted(p for p in before.keys() | after.keys() if before.get(p) != after.get(p)),
        statuses=dict(sorted(Counter(row["status"] for row in rows).items())),
        errors={path: str(row["error"]) for path, row in said.items() if row["status"] == "error"},
        unseen=len(sources - said.keys()),
        crashed=crashed,
    )


def fingerprints(folder: Path) -> dict[str, str]:
    """SHA-256 of every file, by its path in the folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


# --- smoke tests ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Smoke:
    """What a project's own code does."""

    imported: tuple[str, ...]
    """Modules that can be imported here."""
    error: str
    """What the project's check said; "" where it passed."""

    def is_worse_than(self, before: Smoke) -> str:
        """What worked before and does not now; "" where all does."""
        lost = sorted(set(before.imported).difference(self.imported))
        if lost:
            return f"{len(lost)} modules no longer import, {lost[0]} first"
        return self.error if not before.error else ""


def smoke(folder: Path, name: str) -> Smoke:
    """Import every module of a copy of the project and run its check (checks/NAME.py), in a process of its own."""
    check = HERE / "checks" / f"{name}.py"
    if not check.is_file():
        raise ValueError(
            f"{check}: {name} is used for smoke tests and has no check; write a few lines of Python"
        )
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-I", "-B", str(HERE / "smoke.py"), str(folder.resolve()), str(check)]
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=300, cwd=home, env={"HOME": home, "PATH": ""},
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
            found = json.loads(done.stdout.splitlines()[-1])
        except (subprocess.TimeoutExpired, ValueError, IndexError) as error:
            return Smoke((), f"the smoke test did not end well: {type(error).__name__}: {error}"[:300])
    return Smoke(tuple(found["imported"]), found["error"])
