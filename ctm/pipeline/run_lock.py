"""One Snakemake at a time in a run's folder, and no lock that a killed one leaves behind.

Snakemake's own lock is a file that a killed Snakemake leaves, and only `--unlock` takes it away. Ours ends with the
process that holds it: whoever gets it knows that nobody else is at work, and removes what is left of the other.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from snakemake.exceptions import WorkflowError

from ctm.pipeline.locks import HeldError, hold

LOCK = Path(".snakemake/run.lock")


def guard(workflow: Any) -> None:
    """Take the run's lock when Snakemake is about to run jobs; plans and questions take none.

    `_prepare_dag` is private: of all that call it, only what runs jobs says `nolock` (tests/workflow/test_locks.py).
    """
    prepare = workflow._prepare_dag

    def prepared(*arguments: Any, **options: Any) -> None:
        if options.get("nolock") is False and not options.get("lock_warn_only"):
            take(Path.cwd())
        prepare(*arguments, **options)

    workflow._prepare_dag = prepared


def take(run: Path) -> None:
    """Lock the folder of a run until this process ends. Raises WorkflowError where another Snakemake is at work."""
    try:
        hold(run / LOCK)
    except HeldError as error:
        if error.holder == os.getpid():
            return
        at_work = f"process {error.holder}" if error.holder else "another process"
        raise WorkflowError(
            f"{run}: {at_work} is running this workflow here; wait for it, or stop it. Nothing was changed."
        ) from None
    for left in (run / ".snakemake" / "locks").glob("*.lock"):
        left.unlink(missing_ok=True)
