"""What `ctm-repair` is made of: versions of the code, of the model that is found, of Python and of onnxruntime."""

from __future__ import annotations

from importlib import metadata
from pathlib import Path

from ctm.bundle_names import CONFIG
from ctm.repair.bundle_config import BundleConfig

DISTRIBUTION = "ctm-code-repair"
UNKNOWN = "unknown"


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
    name, version = config.text("name"), config.text("version")
    return f"{name or 'without a name'} {version or 'without a version'}"
