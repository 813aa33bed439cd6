"""Pinned wheels of releases, brought by pip from its configured index; nothing is installed.

Wheels only, since a source distribution can run code on download. The list pins name, version and sha256; what is on
disk already is not asked for again.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from ctm.pairs.record import Reject, Writer
from ctm.pairs.splits import project_name

log = logging.getLogger(__name__)
STEP = "collect_releases"
GIVE_UP_AFTER = 3
"""Wheels in a row that cannot be had by themselves before the index counts as out of reach."""


@dataclass(frozen=True)
class WheelSettings:
    """How wheels are brought."""

    timeout: int = 15
    """Time limit of one connection to the package index, seconds."""
    download_timeout: int = 180
    """Time limit of one call of pip, seconds."""
    downloads: int = 4
    """Calls of pip that run at the same time."""


@dataclass(frozen=True, slots=True)
class Pin:
    """One line of the list of releases; lines of one name are consecutive versions."""

    name: str
    version: str
    sha256: str
    file: str = ""
    """Name of the archive, where the list has it."""

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
            pins.append(Pin(project_name(name), version, digest, row.get("file") or ""))
    return pins


def fetch_wheels(
    pins: Sequence[Pin], settings: WheelSettings, work: Path, refused: Writer
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
        if path.is_file() and sha256_of(path) == pin.sha256:
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


def _download(pins: Sequence[Pin], settings: WheelSettings, work: Path) -> str:
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
            digest = sha256_of(path)
            if digest in pinned:
                path.replace(work / f"{digest}.whl")
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")]
        return errors[-1].removeprefix("ERROR:").strip() if done.returncode and errors else ""


def sha256_of(path: Path) -> str:
    """Of a file's content, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
