"""The wheel holds all that a repair needs: installed where nothing else is, it mends a file without network."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("ctm", "pyproject.toml", "README.md", "LICENSE")
MAX_BYTES = 25_000_000


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, so that the checkout gets no build/ and no egg-info."""
    copy = tmp_path_factory.mktemp("checkout")
    for name in SOURCES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    command = [
        sys.executable,
        "-m",
        "pip",
        "-q",
        "wheel",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        "dist",
        ".",
    ]
    subprocess.run(command, cwd=copy, check=True)
    (path,) = (copy / "dist").glob("*.whl")
    return path


def needed(name: str, seen: set[str]) -> Iterator[importlib.metadata.Distribution]:
    """An installed distribution and all that it requires without extras."""
    if name.lower() in seen:
        return
    seen.add(name.lower())
    distribution = importlib.metadata.distribution(name)
    yield distribution
    for text in distribution.requires or ():
        requirement = Requirement(text)
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            yield from needed(requirement.name, seen)


@pytest.fixture(scope="module")
def command(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`ctm-repair` of an environment that has the wheel and links to what it declares, and no more."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    install = [
        sys.executable,
        "-m",
        "pip",
        "-q",
        "--python",
        str(python),
        "install",
        "--no-deps",
        "--no-index",
    ]
    subprocess.run([*install, str(wheel)], check=True)
    target = Path(sysconfig.get_path("purelib", vars={"base": str(folder), "platbase": str(folder)}))
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = archive.read(name).decode()
    declared = [
        line.split(": ", 1)[1] for line in metadata.splitlines() if line.startswith("Requires-Dist: ")
    ]
    wanted = [Requirement(text) for text in declared if "extra ==" not in text]
    seen: set[str] = set()
    for requirement in wanted:
        for distribution in needed(requirement.name, seen):
            for top in {
                file.parts[0]
                for file in distribution.files or ()
                if file.parts[0] not in ("..", "__pycache__")
            }:
                link = target / top
                if not link.exists():
                    link.symlink_to(Path(str(distribution.locate_file(top))))
    return folder / "bin" / "ctm-repair"


def run(command: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """In an empty environment, and without network where the system lets us take it away."""
    alone = ["unshare", "--map-root-user", "--net"]
    offline = (
        shutil.which("unshare") is not None
        and not subprocess.run([*alone, "true"], capture_output=True).returncode
    )
    return subprocess.run(
        [*(alone if offline else ()), str(command), *arguments],
        input=stdin, capture_output=True, text=True, env={"PATH": os.environ["PATH"]}, cwd=command.parent,
    )  # fmt: skip


def test_it_repairs_what_it_is_handed(command: Path) -> None:
    """What the README shows, in the first minute of a user."""
    ran = run(command, "fix", "-", stdin="def add(a, b)\n    return a + b\n")
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "def add(a, b):\n    return a + b\n", "")


def test_it_names_code_and_model(command: Path) -> None:
    """A report of a bad repair names both; they are versioned apart."""
    ran = run(command, "--version")
    assert ran.returncode == 0 and "ctm-repair 0" in ran.stdout and "small" in ran.stdout


def test_it_is_small_and_needs_no_trainer(wheel: Path, command: Path) -> None:
    """A laptop's pip install brings no torch (1 GB) and no pyarrow (120 MB)."""
    assert wheel.stat().st_size < MAX_BYTES and wheel.name.endswith("-py3-none-any.whl")
    with zipfile.ZipFile(wheel) as archive:
        assert "ctm/pretrained/SHA256SUMS" in archive.namelist(), "what is installed is compared with it"
    probe = "import importlib.util as u; print([n for n in ('torch', 'pyarrow', 'zarr') if u.find_spec(n)])"
    ran = subprocess.run([command.parent / "python", "-c", probe], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "[]"
