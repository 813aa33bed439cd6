"""Real fixes from package releases: wheels of consecutive patch releases, compared function by function.

No message says what a change is for, so that what is done in the same way to many functions is left out.
"""

from __future__ import annotations

import email
import email.message
import logging
import re
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctm.bounds import Amount, Count, Few, Megabytes, Seconds
from ctm.pairs.milestones import Milestones
from ctm.pairs.record import PAIR_SCHEMA, REJECT_SCHEMA, Origin, Reject, Writer, make_pair
from ctm.sources.changes.functions import VERSION, FixLimits, FunctionChange, changed_functions
from ctm.sources.changes.refactored import VERSION as FORMS
from ctm.sources.changes.refactored import is_refactoring, renamed, same_but_defaults
from ctm.sources.files import decode_source, is_in_shard, path_reject_reason
from ctm.sources.pypi.client import IndexClient
from ctm.sources.pypi.licenses import stated_license
from ctm.sources.pypi.pins import Pin, read_pins
from ctm.sources.releases.sweeps import is_half_change, is_repeated_change, leaves_old_python, makes_faster

log = logging.getLogger(__name__)
STEP = "collect_releases"
FILTERS = f"releases/2;{FORMS};{VERSION}"
BROKEN_WHEEL = (
    OSError,
    EOFError,
    zipfile.BadZipFile,
    zlib.error,
    RuntimeError,
    ValueError,
    NotImplementedError,
)
"""What reading a wheel raises where it is damaged or of a form that nobody foresaw."""
UNNOTICED = ("no change of the code", "formatting only", "declaration of an overload", "test function")
"""Reasons of changes that no run notices: a release may have any number of them."""


@dataclass(frozen=True)
class ReleaseSettings(FixLimits):
    """How wheels are brought and compared."""

    timeout: Seconds = 30
    """Time limit of one connection to the package index, and of each read from it, seconds."""
    downloads: Few = 8
    """Projects whose wheels are downloaded at the same time."""

    max_hunks: Count = 2
    """Most separate places that changed; three are mostly a feature."""
    max_shorter: Amount = 1
    """Most lines that a function loses; what loses more is mostly a simplification."""
    max_bytes: Count = 1_000_000
    """Largest source file that is compared, bytes."""
    max_wheel_mb: Megabytes = 50
    """Largest wheel that is opened, MB of its files together."""
    max_functions: Count = 10
    """Most functions that a release changes so that a run can notice; one that changes more is no patch release."""
    max_alike: Count = 2
    """Most functions of a release that exchange the same words; what is done to more is no fix but a new rule."""


def collect(
    releases_csv: Path,
    shard: int,
    shards: int,
    settings: ReleaseSettings,
    work: Path,
    out: Path,
    rejects: Path,
    counts_file: Path | None = None,
) -> dict[str, int]:
    """Write the changed functions of this shard's packages as pairs without split and category, and the rejects.

    Wheels are kept in `work` by their sha256. Returns counts of wheels, transitions, pairs and rejects. A wheel that
    the index does not have is a reject. Raises ValueError for a bad list, OSError where the index is out of reach.
    """
    pins = [pin for pin in read_pins(releases_csv) if is_in_shard(pin.name, shard, shards)]
    milestones = Milestones()
    counts = {"wheels": 0, "transitions": 0, "pairs": 0, "rejects": 0}
    with Writer(out, PAIR_SCHEMA) as pairs, Writer(rejects, REJECT_SCHEMA) as refused:
        wheels = download_wheels(pins, settings, work, refused)
        counts["wheels"] = len(wheels)
        transitions = [both for both in _transitions(pins) if wheels.keys() >= set(both)]
        for number, (before, after) in enumerate(transitions, 1):
            try:
                _compare(before, after, wheels, settings, pairs, refused)
                counts["transitions"] += 1
            except BROKEN_WHEEL as error:
                item = f"{before.name} {before.version} -> {after.version}"
                refused.write(Reject(STEP, "source failed", item, before.name, str(error)))
            milestones.record(number / len(transitions), pairs.rows, transitions=number)
        counts["pairs"], counts["rejects"] = pairs.rows, refused.rows
    log.info("releases: %s", counts)
    milestones.write(counts_file, counts["pairs"], counts)
    return counts


def download_wheels(
    pins: Sequence[Pin], settings: ReleaseSettings, work: Path, refused: Writer, step: str = STEP
) -> dict[Pin, Path]:
    """The pinned wheels, downloaded into `work` where they are not there yet; what cannot be had is a reject.

    Raises OSError where the index is out of reach.
    """
    wheels: dict[Pin, Path] = {}
    for pin, found in IndexClient(work, settings.timeout, settings.downloads).fetch(pins).items():
        if isinstance(found, Path):
            wheels[pin] = found
        else:
            refused.write(Reject(step, "source failed", f"{pin.name} {pin.version}", pin.name, found))
            log.warning("%s %s: %s", pin.name, pin.version, found)
    return wheels


def _transitions(pins: Sequence[Pin]) -> Iterator[tuple[Pin, Pin]]:
    last: dict[str, Pin] = {}
    for pin in pins:
        before = last.get(pin.name)
        if before is not None and before.series == pin.series:
            yield before, pin
        last[pin.name] = pin


def _compare(
    before: Pin,
    after: Pin,
    wheels: dict[Pin, Path],
    settings: ReleaseSettings,
    pairs: Writer,
    refused: Writer,
) -> None:
    kept: list[tuple[str, FunctionChange]] = []
    rejects: list[Reject] = []
    texts: list[tuple[str, str]] = []
    touched = 0
    with zipfile.ZipFile(wheels[before]) as old, zipfile.ZipFile(wheels[after]) as new:
        for archive in (old, new):
            if sum(item.file_size for item in archive.infolist()) > settings.max_wheel_mb * 1_000_000:
                raise ValueError(f"the wheel's files are larger than {settings.max_wheel_mb} MB")
        license, license_source = wheel_license(new)
        if not license:
            refused.write(Reject(STEP, "no license stated", f"{after.name} {after.version}", after.name))
            return
        for path, old_text, new_text, reason in _changed_files(old, new, settings):
            changes = changed_functions(old_text, new_text, settings)
            if not reason and not changes.kept and not changes.rejected:
                reason = "no function changed"
            if reason:
                rejects.append(Reject(STEP, reason, f"{path} {after.version}", after.name))
            touched += len(changes.kept) + sum(reason not in UNNOTICED for reason, *_ in changes.rejected)
            if touched > settings.max_functions:  # whatever else it changes: what costs most is not compared
                reason = "release changes too many functions"
                refused.write(Reject(STEP, reason, f"{after.name} {after.version}", after.name))
                return
            for reason, qualname, line in changes.rejected:
                item = f"{path}:{line} {after.version}"
                rejects.append(Reject(STEP, reason, item, after.name, qualname))
            kept += [(path, change) for change in changes.kept]
            texts.append((old_text, new_text))
        sides = _sides(old, new, texts, settings) if kept else ("", "")
    for reject in rejects:
        refused.write(reject)
    alike = is_repeated_change([change for _, change in kept], settings.max_alike)
    for (path, change), sweep in zip(kept, alike, strict=True):
        reason = "same exchange in many functions" if sweep else _refuse(change, *sides, settings)
        if not reason and change.before.replace(before.version, after.version) == change.after:
            reason = "names its own version"
        if reason:
            item = f"{path}:{change.line} {after.version}"
            refused.write(Reject(STEP, reason, item, after.name, change.qualname))
            continue
        origin = Origin(
            project=after.name,
            path=path,
            qualname=change.qualname,
            line=change.line,
            version_from=before.version,
            version_to=after.version,
            url=f"pkg:pypi/{after.name}@{after.version}",
            license=license,
            license_source=license_source,
        )
        pairs.write(
            make_pair(
                change.before,
                change.after,
                category="",
                kind="release",
                source="release",
                split="",
                group=after.name,
                origin=origin,
                filters=FILTERS,
            )
        )


def _refuse(change: FunctionChange, old: str, new: str, settings: ReleaseSettings) -> str:
    """Why a changed function is taken for no fix, by what it shows itself and what else its release changes."""
    if is_half_change(change, old, new):
        return "goes with a change elsewhere"
    if leaves_old_python(change):
        return "leaves an old Python"
    if makes_faster(change):
        return "comment names speed"
    if change.before.count("\n") - change.after.count("\n") > settings.max_shorter:
        return "takes lines away"
    if is_refactoring(change.before, change.after) or renamed(change.before, change.after):
        return "does the same in another form"
    return "another default only" if same_but_defaults(change.before, change.after) else ""


def _sides(
    old: zipfile.ZipFile, new: zipfile.ZipFile, texts: Sequence[tuple[str, str]], settings: ReleaseSettings
) -> tuple[str, str]:
    """The files of both releases that differ, one behind the other; a file may be there in one of them only."""
    before, after = set(old.namelist()), set(new.namelist())
    gone = _texts(old, before - after, settings)
    come = _texts(new, after - before, settings)
    return "\n".join([*(text for text, _ in texts), *gone]), "\n".join([*(text for _, text in texts), *come])


def _texts(archive: zipfile.ZipFile, paths: set[str], settings: ReleaseSettings) -> list[str]:
    read = (archive.read(path) for path in sorted(paths) if not path_reject_reason(path, settings.tests))
    return [decode_source(data, settings.max_bytes)[0] for data in read]


def _changed_files(
    old: zipfile.ZipFile, new: zipfile.ZipFile, settings: ReleaseSettings
) -> Iterator[tuple[str, str, str, str]]:
    """(path, text before, text after, "") of the files in both that differ, or (path, "", "", why it is not read)."""
    checksums = {item.filename: item.CRC for item in old.infolist()}
    for entry in new.infolist():
        path = entry.filename
        if checksums.get(path, entry.CRC) == entry.CRC or not path.endswith(".py"):
            continue
        if reason := path_reject_reason(path, settings.tests):
            yield path, "", "", reason
            continue
        old_text, old_reason = decode_source(old.read(path), settings.max_bytes)
        new_text, reason = decode_source(new.read(path), settings.max_bytes)
        reason = reason or old_reason
        yield (path, "", "", reason) if reason else (path, old_text, new_text, "")


def wheel_license(wheel: zipfile.ZipFile) -> tuple[str, str]:
    """(license, where it is stated) of a wheel; "" where nothing states one."""
    metadata = wheel_metadata(wheel)
    return ("", "") if metadata is None else stated_license(metadata)


def wheel_metadata(wheel: zipfile.ZipFile) -> email.message.Message | None:
    """What a wheel says of itself, read as text: of bytes beyond ASCII the parser makes headers that are no texts."""
    for name in wheel.namelist():
        if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
            return email.message_from_string(wheel.read(name).decode("utf-8", "replace"))
    return None
