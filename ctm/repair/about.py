"""What `ctm-repair` is made of: versions of the code, of the model that is found, of Python and of onnxruntime."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from ctm.repair.bundle import find_bundle, read_release
from ctm.repair.terminal import visible

DISTRIBUTION = "ctm-code-repair"


def code_version() -> str:
    """Of the package that is installed; 0.0.0 in a checkout that is not."""
    return version_of(DISTRIBUTION) or "0.0.0"


def version_of(distribution: str) -> str:
    """Of an installed package, without importing it; "" where there is none."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return ""


def model_of(bundle: Path) -> str:
    """Name, version and last day of the data of a bundle that ships. Raises BundleError for a damaged one."""
    release = read_release(bundle)
    return "without a name" if release is None else f"{release}, data until {release.cutoff}"


def versions() -> str:
    """What --version prints: a line for the code, one for the model that is found, one for what they run on."""
    try:
        bundle = find_bundle()
        model = f"{model_of(bundle)} ({bundle})"
    except ValueError as error:  # BundleError is one
        model = f"none ({error})"
    python = ".".join(map(str, sys.version_info[:3]))
    runtime = version_of("onnxruntime") or "none"
    lines = (f"ctm-repair {code_version()}", f"model: {model}", f"Python {python}, onnxruntime {runtime}")
    return "".join(f"{visible(line)}\n" for line in lines)
