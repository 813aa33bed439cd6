"""Real fixes from package releases: wheels of consecutive patch releases, compared function by function.

Wheels only, since a source distribution can run code on download. The list pins name, version and sha256; pip brings
the files from its configured index, and what is on disk already is not asked for again. Nothing is installed.
"""

from __future__ import annotations

import csv
import email
import hashlib
import logging
import re
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.milestones import Milestones
from ctm.pairs.record import PAIR_SCHEMA, REJECT_SCHEMA, Origin, Reject, Writer, make_pair
from ctm.pairs.splits import project_name
from ctm.sources.changes import VERSION, ChangeLimits, changed_functions
from ctm.sources.files import deals_to, decode_source, refuse_path
from ctm.sources.licences import stated_licence

log = logging.getLogger(__name__)
STEP = "collect_releases"
GIVE_UP_AFTER = 3
"""Wheels in a row that cannot be had by themselves before the index counts as out of reach."""


@dataclass(frozen=True)
class ReleaseSettings(ChangeLimits):
    """How wheels are brought and compared."""

    timeout: int = 15
    """Time limit of one connection to the package index, seconds."""
    download_timeout: int = 180
    """Time limit of one call of pip, seconds."""
    downloads: int = 4
    """Calls of pip that run at the same time."""
    max_bytes: int = 1_000_000
    """Largest source file that is compared, bytes."""
    max_wheel_mb: int = 50
    """Largest wheel that is opened, MB of its files together."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of the list of releases; lines of one name are consecutive versions."""

    name: str
    version: str
    sha256: str

    @property
    def series(self) -> str:
        """Major and minor version: only releases of one series are compared."""
        return ".".join(self.version.split(".")[:2])


def read_pins(path: Path) -> list[Pin]:
    """The pinned list. Raises ValueError with file and line for a line that cannot be used."""
    pins: list[Pin] = []
    seen: set[tuple[str, str]] = set()
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name, version, digest = (row.get(key) or "" for key in ("name", "version", "sha256"))
            line = len(pins) + 2
            if not re.fullmatch(r"[A-Za-z0-9._-]+", name) or not re.fullmatch(r"[A-Za-z0-9.!+_-]+", version):
                raise ValueError(f"{path}:{line}: {name!r} {version!r} is not a name and a version")
            if not re.fullmatch(r"[0-9a-f]{64}", digest):
                raise ValueError(f"{path}:{line}: sha256 of {name} {version} must be 64 hexadecimal digits")
            if (name, version) in seen:
                raise ValueError(f"{path}:{line}: {name} {version} is listed twice")
            seen.add((name, version))
            pins.append(Pin(project_name(name), version, digest))
    return pins


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
    cannot be had is a reject; only a list that cannot be read raises.
    """
    pins = [pin for pin in read_pins(releases_csv) if deals_to(pin.name, shard, shards)]
    milestones = Milestones()
    counts = {"wheels": 0, "transitions": 0, "pairs": 0, "rejects": 0}
    with Writer(out, PAIR_SCHEMA) as pairs, Writer(rejects, REJECT_SCHEMA) as refused:
        wheels = fetch_wheels(pins, settings, work, refused)
        counts["wheels"] = len(wheels)
        transitions = [both for both in _transitions(pins) if wheels.keys() >= set(both)]
        for number, (before, after) in enumerate(transitions, 1):
            try:
                _compare(before, after, wheels, settings, pairs, refused)
                counts["transitions"] += 1
            except (OSError, zipfile.BadZipFile, RuntimeError, ValueError, NotImplementedError) as error:
                item = f"{before.name} {before.version} -> {after.version}"
                refused.write(Reject(STEP, "source failed", item, before.name, str(error)))
            milestones.at(number / len(transitions), pairs.rows, transitions=number)
        counts["pairs"], counts["rejects"] = pairs.rows, refused.rows
    log.info("releases: %s", counts)
    milestones.write(counts_file, counts["pairs"], counts)
    return counts


def fetch_wheels(
    pins: Sequence[Pin], settings: ReleaseSettings, work: Path, refused: Writer
) -> dict[Pin, Path]:
    """Paths of the wheels that are there, verified; the others are rejects.

    pip takes one version of a name a call, so the n-th versions of all packages come together.
    """
    work.mkdir(parents=True, exist_ok=True)
    places: dict[str, int] = defaultdict(int)
    waves: defaultdict[int, list[Pin]] = defaultdict(list)
    found: dict[Pin, Path] = {}
    for pin in pins:
        path = work / f"{pin.sha256}.whl"
        if path.is_file() and _sha256(path) == pin.sha256:
            found[pin] = path
        else:
            waves[places[pin.name]].append(pin)
            places[pin.name] += 1
    failed_in_a_row, why = 0, ""
    for number, wave in enumerate(waves.values()):
        if number == 0:
            why = _download(wave, settings, work)
        elif number == 1 and failed_in_a_row < GIVE_UP_AFTER:  # the index answers: all others at once
            with ThreadPoolExecutor(settings.downloads) as pool:
                why = max(pool.map(lambda pins: _download(pins, settings, work), list(waves.values())[1:]))
        for pin in wave:
            path = work / f"{pin.sha256}.whl"
            if not path.is_file() and len(wave) > 1 and failed_in_a_row < GIVE_UP_AFTER:
                why = _download([pin], settings, work)
            if path.is_file():
                found[pin], failed_in_a_row = path, 0
            else:
                failed_in_a_row += 1
                refused.write(Reject(STEP, "source failed", f"{pin.name} {pin.version}", pin.name, why))
                log.warning("%s %s: %s", pin.name, pin.version, why)
    return found


def _download(pins: Sequence[Pin], settings: ReleaseSettings, work: Path) -> str:
    """Bring wheels into `work` under their sha256; returns pip's last error, "" where it had none."""
    with tempfile.TemporaryDirectory(dir=work) as folder:
        wanted = Path(folder) / "requirements.txt"
        wanted.write_text("".join(f"{pin.name}=={pin.version} --hash=sha256:{pin.sha256}\n" for pin in pins))
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--no-deps"]
        command += ["--disable-pip-version-check", "--only-binary=:all:", "--require-hashes"]
        command += ["--retries", "1", "--timeout", str(settings.timeout)]
        # The wheel that every platform can use, whatever else a release has: what is pinned must not depend on it.
        command += [
            "--platform",
            "any",
            "--implementation",
            "py",
            "--abi",
            "none",
            "--python-version",
            "3.11",
        ]
        command += ["--dest", folder, "--requirement", str(wanted)]
        try:
            done = subprocess.run(
                command,
                capture_output=True,
                text=True,
                timeout=settings.download_timeout,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            return f"pip: {error.__class__.__name__}: no answer within {settings.download_timeout} s"
        pinned = {pin.sha256 for pin in pins}
        for path in Path(folder).glob("*.whl"):
            digest = _sha256(path)
            if digest in pinned:
                path.replace(work / f"{digest}.whl")
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        return errors[-1].removeprefix("ERROR:").strip() if done.returncode and errors else ""


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
    with zipfile.ZipFile(wheels[before]) as old, zipfile.ZipFile(wheels[after]) as new:
        for archive in (old, new):
            if sum(item.file_size for item in archive.infolist()) > settings.max_wheel_mb * 1_000_000:
                raise ValueError(f"the wheel's files are larger than {settings.max_wheel_mb} MB")
        licence, licence_source = _licence(new)
        checksums = {item.filename: item.CRC for item in old.infolist()}
        for entry in new.infolist():
            path = entry.filename
            if path not in checksums or checksums[path] == entry.CRC or refuse_path(path):
                continue
            old_text, old_reason = decode_source(old.read(path), settings.max_bytes)
            new_text, reason = decode_source(new.read(path), settings.max_bytes)
            if reason := reason or old_reason:
                refused.write(Reject(STEP, reason, f"{path} {after.version}", after.name))
                continue
            changes = changed_functions(old_text, new_text, settings)
            for reason, qualname, line in changes.rejected:
                refused.write(Reject(STEP, reason, f"{path}:{line} {after.version}", after.name, qualname))
            for change in changes.kept:
                if not licence:
                    refused.write(Reject(STEP, "no licence stated", f"{path} {after.version}", after.name))
                    continue
                origin = Origin(
                    project=after.name,
                    path=path,
                    qualname=change.qualname,
                    line=change.line,
                    version_from=before.version,
                    version_to=after.version,
                    url=f"pkg:pypi/{after.name}@{after.version}",
                    licence=licence,
                    licence_source=licence_source,
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
                        filters=VERSION,
                    )
                )


def _licence(wheel: zipfile.ZipFile) -> tuple[str, str]:
    for name in wheel.namelist():
        if re.fullmatch(r"[^/]+\.dist-info/METADATA", name):
            return stated_licence(email.message_from_bytes(wheel.read(name)))
    return "", ""


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
