"""The suite "real bugs of our kinds": fixes of single functions in releases of projects that never train.

Nothing of it is committed but the pins (config/real_bugs.csv); who has the wheels has the same suite. A fix
counts where it undoes exactly one kind by its shape (`ctm.bugs.fixes.classification`); whether a mutator's strict
contract would have made the bug too is recorded beside it. Everything that was dropped is counted with its reason.
"""

from __future__ import annotations

import csv
import json
import logging
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from ctm.bugs.checks.validity import quiet
from ctm.bugs.fixes.classification import ClassifiedFix, UnclassifiedFix, classify_fix, words_of
from ctm.bugs.fixes.mix_fit import explain
from ctm.bugs.registry import registry
from ctm.files import write_text
from ctm.pairs.duplicates import exact_key, renamed_key
from ctm.pairs.record import REJECT_SCHEMA, Reject, Writer, pair_id
from ctm.sources.changes.functions import FixLimits, changed_functions
from ctm.sources.files import decode_source, path_reject_reason
from ctm.sources.pypi.licenses import stated_license
from ctm.sources.pypi.pins import Pin, read_pins
from ctm.sources.releases.collector import BROKEN_WHEEL, ReleaseSettings, download_wheels, wheel_metadata
from ctm.sources.releases.sweeps import is_repeated_change

log = logging.getLogger(__name__)
STEP = "real_bugs"
MAX_BYTES = 400_000
"""Of a source file."""
MAX_ALIKE = 2
"""Most functions of a release that make the same exchange."""
MAX_LINES = 64
"""Of a function; the grid has 64 rows."""
MAX_FILES = 30
MAX_FUNCTIONS = 60
"""Most files and functions that a release changes; where more change, one that did follows the others."""


@dataclass(frozen=True, slots=True)
class RealBug:
    """A line of the suite, as `ctm-repair evaluate` reads it, with where it comes from."""

    id: str
    buggy: str
    fixed: str
    category: str
    kind: str
    project: str
    strict: bool
    """Whether a kind's own contract makes this bug of the fixed side."""
    tokens: int
    """Lexical tokens that change: of the two sides, the longer one."""
    path: str
    qualname: str
    line: int
    version_from: str
    version_to: str
    license: str
    license_source: str


def build(
    pins_csv: Path, work: Path, out: Path, rejects: Path, settings: ReleaseSettings
) -> dict[str, object]:
    """Write the suite (JSON lines) and the rejects; returns counts by kind and by reason.

    settings: how wheels are brought; they are kept in `work` by their sha256. A release that the index does not have is
    a reject. Raises ValueError for a list that cannot be read, OSError where the index is out of reach.
    """
    transitions = read_transitions(pins_csv)
    pins = sorted({pin for both in transitions for pin in both}, key=lambda pin: (pin.name, pin.version))
    found: list[RealBug] = []
    reasons: Counter[str] = Counter()
    compared = 0
    with Writer(rejects, REJECT_SCHEMA) as refused:
        there = download_wheels(pins, settings, work, refused, STEP)
        for before, after in transitions:
            if before not in there or after not in there:
                reasons["release cannot be had"] += 1
                continue
            try:
                for item in release_fixes(before, after, there):
                    if isinstance(item, Reject):
                        reasons[item.reason] += 1
                        refused.write(item)
                    else:
                        found.append(item)
                compared += 1
            except BROKEN_WHEEL as error:
                reasons["source failed"] += 1
                where = f"{before.version} -> {after.version}"
                refused.write(Reject(STEP, "source failed", where, after.name, str(error)))
        kept: list[RealBug] = []
        for bug, reason in zip(found, _refusals(found), strict=True):
            if reason:
                reasons[reason] += 1
                refused.write(Reject(STEP, reason, f"{bug.path}:{bug.line}", bug.project, bug.qualname))
            else:
                kept.append(bug)
    write_text(out, "".join(json.dumps(asdict(bug)) + "\n" for bug in kept))
    return {
        "releases": len(pins),
        "transitions": compared,
        "items": len(kept),
        "projects": len({bug.project for bug in kept}),
        "strict": sum(bug.strict for bug in kept),
        "kinds": _by_kind(kept),
        "dropped": dict(reasons.most_common()),
    }


def read_transitions(path: Path) -> list[tuple[Pin, Pin]]:
    """Pairs of releases to compare: each line that names the version `before` it, which is on a line of its own.

    Raises ValueError with file and line.
    """
    pins = read_pins(path)
    known = {(pin.name, pin.version): pin for pin in pins}
    found = []
    with path.open(newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        for row, pin in zip(rows, pins, strict=True):
            version = row.get("before") or ""
            if version and (pin.name, version) not in known:
                raise ValueError(
                    f"{path}:{rows.line_num}: column `before` names {pin.name} {version}, but no line pins "
                    "that release; add one"
                )
            if version:
                found.append((known[pin.name, version], pin))
    return found


def release_fixes(before: Pin, after: Pin, wheels: Mapping[Pin, Path]) -> Iterator[RealBug | Reject]:
    """What a release fixes, and what it changes otherwise."""
    with zipfile.ZipFile(wheels[before]) as old, zipfile.ZipFile(wheels[after]) as new:
        license, license_source = _license(new)
        found: list[tuple[str, int, str, ClassifiedFix]] = []
        others: list[Reject] = []
        kept = []
        checksums = {item.filename: item.CRC for item in old.infolist()}
        paths = [
            entry.filename
            for entry in new.infolist()
            if entry.filename.endswith(".py") and checksums.get(entry.filename, entry.CRC) != entry.CRC
        ]
        if sum(not path_reject_reason(path, False) for path in paths) > MAX_FILES:
            yield Reject(STEP, "release changes too many files", after.version, after.name)
            return
        for path in paths:
            texts = [decode_source(archive.read(path), MAX_BYTES) for archive in (old, new)]
            if reason := path_reject_reason(path, False) or texts[0][1] or texts[1][1]:
                others.append(Reject(STEP, reason, path, after.name))
                continue
            old_text, new_text = texts[0][0], texts[1][0]
            changes = changed_functions(
                old_text, new_text, FixLimits(max_lines=MAX_LINES, min_lines=2, parameters=True)
            )
            others += (
                Reject(STEP, why, f"{path}:{line}", after.name, name) for why, name, line in changes.rejected
            )
            words = words_of(old_text), words_of(new_text)
            kept += changes.kept
            for change in changes.kept:
                try:
                    with quiet():
                        fix = classify_fix(change.before, change.after, *words)
                    found.append((path, change.line, change.qualname, fix))
                except UnclassifiedFix as why:
                    where = f"{path}:{change.line}"
                    others.append(Reject(STEP, str(why), where, after.name, change.qualname))
    yield from others
    sweeps = is_repeated_change(kept, MAX_ALIKE)
    alike = {change.before for change, sweep in zip(kept, sweeps, strict=True) if sweep}
    exchanges = Counter((fix.old, fix.new) for *_, fix in found)
    for path, line, qualname, fix in found:
        where = f"{path}:{line}"
        if not license:
            yield Reject(STEP, "no license stated", where, after.name, qualname)
        elif len(kept) > MAX_FUNCTIONS:
            yield Reject(STEP, "release changes too many functions", where, after.name, qualname)
        elif exchanges[fix.old, fix.new] > MAX_ALIKE or fix.buggy in alike:
            yield Reject(STEP, "same exchange in many functions", where, after.name, qualname)
        else:
            yield RealBug(
                pair_id(fix.buggy, fix.fixed)[:16],
                fix.buggy,
                fix.fixed,
                fix.category,
                fix.kind,
                after.name,
                is_strict(fix),
                max(len(fix.old), len(fix.new)),
                path,
                qualname,
                line,
                before.version,
                after.version,
                license,
                license_source,
            )


def _license(wheel: zipfile.ZipFile) -> tuple[str, str]:
    """As an SPDX expression or else in the project's own words: nothing of it is handed on, so that any will do."""
    metadata = wheel_metadata(wheel)
    if metadata is None:
        return "", ""
    license, where = stated_license(metadata)
    if license:
        return license, where
    words = [str(metadata.get("License") or "").strip().split("\n")[0].strip()]
    words += [
        str(text) for text in metadata.get_all("Classifier") or () if str(text).startswith("License ::")
    ]
    found = next((text for text in words if text and text != "UNKNOWN"), "")
    return found[:80], "METADATA, as stated" if found else ""


def is_strict(fix: ClassifiedFix) -> bool:
    """Whether some logic or security kind makes the buggy side of the fixed one, by its own contract."""
    kinds = registry()
    with quiet():
        made, _ = explain(fix.buggy, fix.fixed)
    return any(kinds[name].category == fix.category for name in made)


def _refusals(bugs: Iterable[RealBug]) -> list[str]:
    """Why each is left out: it stands twice, or was done and undone again; "" where it is not."""
    bugs = list(bugs)
    undone_again = {(exact_key(bug.fixed), exact_key(bug.buggy)) for bug in bugs}
    seen: set[int] = set()
    found = []
    for bug in bugs:
        key = renamed_key(bug.buggy, bug.fixed)
        reverted = (exact_key(bug.buggy), exact_key(bug.fixed)) in undone_again
        found.append("undone by another release" if reverted else "duplicate" if key in seen else "")
        seen.add(key)
    return found


def _by_kind(bugs: Iterable[RealBug]) -> dict[str, dict[str, int]]:
    """Items and strict items of each kind, most frequent first."""
    items: Counter[str] = Counter()
    strict: Counter[str] = Counter()
    for bug in bugs:
        items[bug.kind] += 1
        strict[bug.kind] += bug.strict
    return {kind: {"items": count, "strict": strict[kind]} for kind, count in items.most_common()}
