"""The artifacts that a page is made of, by their names.

A JSON file goes by its stem ("benchmark"), where many folders have one of that name by folder and stem
("pairs/counts"); any other file by its whole name ("items.parquet").
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ctm.pipeline.ledger import LEDGER
from ctm.pipeline.targets import Targets

SOURCE_COUNTS = ".counts.json"
"""End of the names of what each job of a source writes beside its raw dump (ctm/pairs/milestones.py)."""
_GENERIC = ("counts", "summary")


class RunArtifacts:
    """Artifacts of a run. `page` is where the page that is made of them will lie: links are relative to it.

    `run` is the folder with results/; of a bucket, where its files lie meanwhile. `records` has the ledger: `run`, or
    with a bucket the working folder, which programs of rules share with Snakemake.

    targets: what each stage's milestones ask for, by stage.
    """

    def __init__(
        self, artifacts: Sequence[Path], page: Path, targets: Mapping[str, Targets] | None = None
    ) -> None:
        self.page, self.targets = page, targets or {}
        self.run = page.absolute().parent.parent
        places = (self.run, Path.cwd())
        self.records = next((folder for folder in places if (folder / LEDGER).is_file()), self.run)
        self.rejects = [path for path in artifacts if path.name.endswith("rejects.parquet")]
        self.sources = [path for path in artifacts if path.name.endswith(SOURCE_COUNTS)]
        self.metrics = {path.parent.name: path for path in artifacts if path.name == "metrics.jsonl"}
        rest = [path for path in artifacts if path not in (*self.rejects, *self.sources)]
        self._paths = {_name(path): path for path in rest}

    def __contains__(self, name: str) -> bool:
        return name in self._paths

    def path(self, name: str) -> Path:
        """Where an artifact lies. Raises KeyError where there is none of that name."""
        return self._paths[name]

    def read(self, name: str) -> Any:
        """Content of an artifact: of JSON and YAML what it says, of a picture its base64, of any other its path."""
        path = self.path(name)
        if path.suffix == ".json":
            return json.loads(path.read_text(encoding="utf-8"))
        if path.suffix == ".yaml":
            return yaml.safe_load(path.read_text(encoding="utf-8"))
        if path.suffix in (".png", ".gif"):
            return base64.b64encode(path.read_bytes()).decode()
        return path

    def address(self, path: Path) -> str:
        """Address of a file relative to the page."""
        return Path(os.path.relpath(path.absolute(), self.page.absolute().parent)).as_posix()


def _name(path: Path) -> str:
    if path.suffix != ".json":
        return path.name
    return f"{path.parent.name}/{path.stem}" if path.stem in _GENERIC else path.stem
