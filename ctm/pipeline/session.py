"""What a start of Snakemake runs with, kept beside the ledger: code, environment, targets, and lineages in parts.

results/provenance/sessions/SESSION.json     one a start that runs jobs
results/provenance/lineage/LINEAGE.json      the parts of a step's lineage, by its first 16 digits; written once
"""

from __future__ import annotations

import os
import platform
import shlex
import socket
import sys
import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

import psutil

from ctm.files import write_json
from ctm.pipeline.accelerator_names import accelerators
from ctm.pipeline.checkout import git
from ctm.pipeline.config import section, targets_of
from ctm.pipeline.job import SESSION
from ctm.pipeline.ledger import FOLDER
from ctm.pipeline.lineage import Lineage
from ctm.pipeline.supervision import SNAKEMAKE
from ctm.pipeline.targets import Targets


def begin(
    run: Path,
    lineage: Lineage,
    steps: Iterable[str],
    config_files: Sequence[Path],
    local: bool,
    bucket: str | None = None,
) -> str:
    """Write the session's record and the lineages of the planned `steps`; jobs learn of it by the environment.

    local: whether jobs run on this machine as children of this process, which they must then not outlive.
    bucket: where the results lie (storage.py); None: in the run's folder.
    Returns the session's name. Raises OSError.
    """
    session = uuid.uuid4().hex
    targets = {**targets_of(lineage.config), "trm": section(lineage.config, "trm.stage.milestones")}
    content = record(session, lineage.root, config_files, bucket, targets)
    write_json(run / FOLDER / "sessions" / f"{session}.json", content)
    for step in steps:
        path = run / FOLDER / "lineage" / f"{lineage.of(step)[:16]}.json"
        if not path.exists():
            write_json(path, {"step": step, "lineage": lineage.of(step), **lineage.parts(step)})
    os.environ[SESSION] = session
    if local:
        os.environ[SNAKEMAKE] = f"{os.getpid()}:{psutil.Process().create_time()}"
    return session


def record(
    session: str, root: Path, config_files: Sequence[Path], bucket: str | None, targets: Mapping[str, Targets]
) -> dict[str, Any]:
    """What a session is kept as. targets: what each stage's milestones ask for, which no lineage of training has."""
    return {
        "session": session,
        "started": datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z"),
        "command": shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
        "config_files": [str(path) for path in config_files],
        "bucket": bucket,
        "targets": targets,
        "code": code(root),
        "environment": {
            "python": platform.python_version(),
            "platform": platform.platform(),
            "processor": processor(),
            "cores": os.cpu_count(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
            "accelerator": accelerators(),
            "driver": driver(),
            "packages": dict(sorted((one.name, one.version) for one in distributions() if one.name)),
        },
        "host": socket.gethostname(),
    }


def code(root: Path) -> dict[str, Any]:
    """The commit of the checkout, and what differs from it; null where it is no checkout of git."""
    commit = git(root, "rev-parse", "HEAD")
    if commit is None or git(root, "rev-parse", "--show-prefix"):  # a folder of somebody else's repository
        return {"commit": None, "dirty": None, "diff": None}
    diff = git(root, "diff", "HEAD")
    return {"commit": commit, "dirty": None if diff is None else bool(diff), "diff": diff or None}


def processor() -> str | None:
    """Name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), None)


def driver() -> str | None:
    """Version of the accelerator's driver; None where there is none, or it does not say."""
    for path in ("/sys/module/nvidia/version", "/sys/module/amdgpu/version"):
        try:
            return f"{Path(path).parent.name} {Path(path).read_text(encoding='ascii').strip()}"
        except OSError:
            continue
    return None
