"""The model of `fix`, loaded for the first text that needs it: one that compiles needs none.

Reading it, with numpy and onnxruntime, takes most of the time of a start. So most runs of a hook, in which every file
compiles, never wait for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from ctm.repair.bundle import Bundle
from ctm.repair.file_repair import FileRepair
from ctm.repair.source import PythonFile
from ctm.repair.terminal import load_model, print_error

CONSIDERED = 3
"""Others that --explain names beside each change."""
DELETIONS = -80.0
"""Score (nats) from which a repair is followed with --allow-deletions: a cost of 0.8 for each of a hundred cells."""


@dataclass(frozen=True)
class ModelOnDemand:
    """What `fix` repairs with."""

    path: Path
    """The bundle's folder."""
    threads: int = 1
    confidence: float | None = None
    """None: the bundle's own threshold."""
    allow_deletions: bool = False
    suggesting: bool = False
    """Whether texts that compile are looked at too."""
    explain: bool = False
    verbose: bool = False
    """Whether it is said of an older bundle that it could not be verified."""

    @cached_property
    def bundle(self) -> Bundle:
        """The bundle, loaded. Raises CommandRefused for one that is damaged."""
        bundle = load_model(self.path, self.threads)
        if self.verbose and bundle.unchecked:
            names = ", ".join(bundle.unchecked)
            print_error(f"{bundle.path}: an older bundle without checksums; not verified: {names}")
        return bundle if self.confidence is None else bundle.with_threshold(self.confidence)

    def load(self) -> None:
        """Now, where it is known that it will be needed. Raises CommandRefused."""
        assert self.bundle

    def repair(self, source: PythonFile) -> FileRepair:
        """What becomes of a text. Raises FileError, and CommandRefused where the model cannot be loaded."""
        from ctm.repair.files import fix_source  # with all that a repair takes
        from ctm.repair.search import RepairSearchSettings

        search = RepairSearchSettings()
        if self.allow_deletions:
            search = RepairSearchSettings(has_budget=False, floor=DELETIONS)
        return fix_source(
            source,
            self.bundle.repairer(search),
            suggesting=self.suggesting,
            odds=self.bundle.odds,
            considered=CONSIDERED if self.explain else 0,
        )
