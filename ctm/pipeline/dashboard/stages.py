"""Reads what stages of training wrote: metrics of those that ended and of one that runs, and what is asked of them.

A running stage's metrics grow in work/train_STAGE/LINEAGE/metrics/; they are put into results/ when it has ended.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ctm.pipeline.ledger import FOLDER
from ctm.pipeline.run_records import RunRecords
from ctm.pipeline.targets import Targets

QUARTERS = ("25%", "50%", "75%", "100%")
ENDED = ("results/training/*/metrics.jsonl", "results/trm/metrics.jsonl")
RUNNING = "work/train_*/*/metrics/metrics.jsonl"


@dataclass(frozen=True)
class Stage:
    """A stage of training, as far as it is written down."""

    name: str
    path: Path
    lines: Sequence[Mapping[str, Any]]
    """Of its metrics, each with `at`, when it was written."""
    settings: Mapping[str, Any]
    """Its own settings (ctm.training.settings.StageSettings); empty where nobody wrote them down."""
    targets: Targets | None
    """What its milestones ask for, by the configuration of the newest start; None where none is on record."""

    @property
    def rule(self) -> str:
        """The rule that trains it."""
        return f"train_{self.name}"

    def until(self, moment: datetime) -> Stage | None:
        """As it was then; None where it had written nothing."""
        lines = [line for line in self.lines if line["at"] <= moment]
        return dataclasses.replace(self, lines=lines) if lines else None

    def last(self, key: str) -> Mapping[str, Any] | None:
        """The last line that has a figure."""
        return next((line for line in reversed(self.lines) if key in line), None)

    def first(self, key: str) -> Mapping[str, Any] | None:
        """The first one."""
        return next((line for line in self.lines if key in line), None)

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """What went wrong: out of memory, rollbacks."""
        return [line for line in self.lines if "event" in line]

    @property
    def milestones(self) -> list[Mapping[str, Any]]:
        """Lines of the milestones that it came to."""
        return [line for line in self.lines if "milestone" in line]


@dataclass(frozen=True)
class NextMilestone:
    """What a stage is on its way to."""

    quarter: str
    step: int
    samples: int
    asked: Mapping[str, float] | None
    """Least accuracy by category, most loss; None where it is not on record."""
    eta: datetime | None
    """At the speed of the stage so far."""


def read_stages(run: Path) -> list[Stage]:
    """All stages, the one that wrote last at the end. Of one that ended and runs again, the files of the newer run."""
    newest: dict[str, Path] = {}
    for path in [*(p for pattern in ENDED for p in run.glob(pattern)), *run.glob(RUNNING)]:
        name = _name(path)
        if name not in newest or path.stat().st_mtime > newest[name].stat().st_mtime:
            newest[name] = path
    targets = newest_targets(run)
    stages = [
        Stage(name, path, _lines(path), _settings(run, path), targets.get(name))
        for name, path in newest.items()
    ]
    return sorted((stage for stage in stages if stage.lines), key=lambda stage: stage.lines[-1]["at"])


def newest_targets(run: Path) -> Mapping[str, Targets]:
    """What is asked of each stage's milestones, by stage: as the newest start of Snakemake that says it was told."""
    sessions = reversed(RunRecords(run, ()).sessions.values())
    return next((one["targets"] for one in sessions if isinstance(one.get("targets"), Mapping)), {})


def next_milestone(stage: Stage) -> NextMilestone | None:
    """None where the stage has ended, or where its lines do not say how long it is."""
    line = stage.last("samples_per_second")
    if line is None or "steps" not in line or line["step"] >= line["steps"]:
        return None
    step, steps = line["step"], line["steps"]
    places = {max(1, round(steps * (n + 1) / 4)): quarter for n, quarter in enumerate(QUARTERS)}
    next_step = min(place for place in places if place > step)
    each = line["samples"] / step
    seconds = (next_step - step) * each / line["samples_per_second"] if line["samples_per_second"] else None
    asked = None if stage.targets is None else stage.targets.get(places[next_step], {})
    eta = None if seconds is None else line["at"] + timedelta(seconds=seconds)
    return NextMilestone(places[next_step], next_step, round(next_step * each), asked, eta)


def _name(path: Path) -> str:
    """results/training/STAGE/…, results/trm/…, work/train_STAGE/LINEAGE/metrics/…"""
    return path.parents[2].name.removeprefix("train_") if path.parent.name == "metrics" else path.parent.name


def _lines(path: Path) -> list[dict[str, Any]]:
    """Lines with their time; of a run before lines had one, the file's. A line that is being written is left out."""
    written = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    found = []
    for text in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            line = json.loads(text)
        except ValueError:
            continue
        if isinstance(line, dict) and "step" in line:
            time = line.get("time")
            found.append({**line, "at": datetime.fromisoformat(time) if time else written})
    return found


def _settings(run: Path, path: Path) -> Mapping[str, Any]:
    """From the summary of a stage that ended, else from the parts of the lineage that its folder is named by."""
    told = _json(path.with_name("summary.json")).get("settings", {}).get("stage")
    if told:
        return told
    if path.parent.name != "metrics":
        return {}
    sections = _json(run / FOLDER / "lineage" / f"{path.parents[1].name}.json").get("config", {})
    return sections.get(f"training.stages.{_name(path)}.*") or sections.get("trm.stage.*") or {}


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
