"""What `ctm-repair` is made of: versions of the code, of the model that is found, of Python and of onnxruntime."""

from __future__ import annotations

import sys
from importlib import metadata
from pathlib import Path

from ctm.bundle_names import CONFIG
from ctm.repair.bundle import find_bundle
from ctm.repair.bundle_config import BundleConfig
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
    """Name and version of a bundle's model, as far as its config says them. Raises ValueError for a damaged one."""
    config = BundleConfig(bundle / CONFIG)
    known = [text for key in ("name", "version") if (text := config.text(key))]
    return " ".join(known) or "without a name"


def versions() -> str:
    """What --version prints: a line for the code, one for the model that is found, one for what they run on."""
    try:
        bundle = find_bundle()
        model = f"{model_of(bundle)} ({bundle})"
    except ValueError as error:  # BundleError and BundleConfigError are
        model = f"none ({error})"
    python = ".".join(map(str, sys.version_info[:3]))
    runtime = version_of("onnxruntime") or "none"
    lines = (f"ctm-repair {code_version()}", f"model: {model}", f"Python {python}, onnxruntime {runtime}")
    return "".join(f"{visible(line)}\n" for line in lines)
