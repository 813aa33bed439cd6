"""Writes the lock files and conda environments from what is installed in the running environment (`make lock`).

Locks name versions, never an index. torch is in none of them: it is installed first, from the index that suits the
hardware (TORCH_INDEX_URL; without it, pip's own). `dev.lock` has what only the tests need. `docs.lock` has what the
site is built with; that environment is its own, so that its pins and ours do not meet. The conda files repeat the
pins, because Snakemake copies them away from the locks; pip takes torch for an accelerator from the index that
PIP_EXTRA_INDEX_URL names. CUDA and ROCm are untested.
"""

from __future__ import annotations

import importlib.metadata
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

HERE = Path(__file__).parent
TORCH = "2.13.0"
HARDWARE = ("cpu", "cuda", "rocm")
LEFT_OUT = {"pip", "setuptools", "torch"}
HEAD = "# Made by `make lock`. torch comes first and separately: see envs/make_lock.py.\n"


def closure(requirements: list[str]) -> set[str]:
    """Canonical names of everything that requirements pull in, as installed here."""
    seen: dict[str, set[str]] = {}
    waiting = [Requirement(text) for text in requirements]
    while waiting:
        wanted = waiting.pop()
        name = canonicalize_name(wanted.name)
        if name in seen and wanted.extras <= seen[name]:
            continue
        seen[name] = seen.get(name, set()) | wanted.extras
        for text in importlib.metadata.distribution(name).requires or []:
            below = Requirement(text)
            if not below.marker or any(below.marker.evaluate({"extra": e}) for e in ("", *wanted.extras)):
                waiting.append(below)
    return set(seen) - LEFT_OUT


def pin(name: str) -> str:
    """name==version, less the part of a version that names a build."""
    return f"{name}=={importlib.metadata.version(name).split('+')[0]}"


def conda(hardware: str, pins: list[str]) -> str:
    """A conda environment with the same pins."""
    lines = [f"torch=={TORCH}", *pins]
    tested = "" if hardware == "cpu" else " Untested. PIP_EXTRA_INDEX_URL names the index of torch."
    return (
        f"# Made by `make lock` from {hardware}.lock.{tested}\n"
        f"name: ctm-{hardware}\n"
        "channels:\n  - conda-forge\n  - nodefaults\n"
        "dependencies:\n  - python=3.11\n  - pip\n  - pip:\n" + "".join(f"      - {line}\n" for line in lines)
    )


def lock_docs(requirements: list[str]) -> None:
    """Writes `docs.lock`; runs in the site's environment (`make lock-docs`)."""
    pins = sorted(map(pin, closure(requirements)))
    (HERE / "docs.lock").write_text(
        "# Made by `make lock-docs`.\n" + "\n".join(pins) + "\n", encoding="utf-8"
    )


def main() -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    if sys.argv[1:] == ["docs"]:
        lock_docs(extras["docs"])
        return
    train = closure([*project["dependencies"], *extras["train"]])
    pins = sorted(map(pin, train))
    for hardware in HARDWARE:
        tested = "" if hardware == "cpu" else "# Untested.\n"
        (HERE / f"{hardware}.lock").write_text(HEAD + tested + "\n".join(pins) + "\n", encoding="utf-8")
        (HERE / f"{hardware}.yaml").write_text(conda(hardware, pins), encoding="utf-8")
    dev = sorted(map(pin, closure(extras["dev"]) - train))
    (HERE / "dev.lock").write_text(HEAD + "\n".join(dev) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
