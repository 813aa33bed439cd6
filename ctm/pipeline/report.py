"""The report of a run: one self-contained page; every figure is read from the run's artifacts.

What stands on it is the table PHASES: a part is one line there.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ctm.files import write_text
from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.certainty_section import certainty_section
from ctm.pipeline.comparison import comparison_section
from ctm.pipeline.costs_section import costs_section
from ctm.pipeline.data_sections import collected_section, mutants_section, pairs_section, rejected_section
from ctm.pipeline.evaluation_sections import (
    accuracy_section,
    alarms_section,
    suites_section,
    thresholds_section,
)
from ctm.pipeline.iterations_section import iterations_section, thinking_section
from ctm.pipeline.model_sections import checks_section, export_section, sizes_section
from ctm.pipeline.opening import opening
from ctm.pipeline.page import render
from ctm.pipeline.resources_section import resources_part
from ctm.pipeline.suites_section import real_suites_section, references_section
from ctm.pipeline.synchronization_section import HEATMAPS, synchronization_section
from ctm.pipeline.tables import Section
from ctm.pipeline.targets import Targets
from ctm.pipeline.thought_section import thought_section
from ctm.pipeline.training_section import training_section
from ctm.pipeline.verdict_section import verdict_section
from ctm.pipeline.workflow_section import workflow_section

Part = Callable[[RunArtifacts], Section | None]
"""Makes a section of a run; None, or one without blocks, where the run has nothing for it."""


def of(make: Callable[..., Section], *names: str, more: Sequence[str] = ()) -> Part:
    """A section that `make` makes of artifacts, given in this order as RunArtifacts.read gives them.

    Without all of `names` there is no section; those of `more` that there are come behind. Its tables are said to be of
    the first one, its pictures of the files that they are.
    """

    def part(run: RunArtifacts) -> Section | None:
        if not all(name in run for name in names):
            return None
        used = [*names, *(name for name in more if name in run)]
        given = [run.read(name) for name in used]
        pictures = {
            content: run.address(run.path(name))
            for name, content in zip(used, given, strict=True)
            if isinstance(content, str)
        }
        file = run.address(run.path(names[0]))
        section = make(*given)
        blocks = [
            dataclasses.replace(block, file=block.file or pictures.get(block.png, file))
            for block in section.blocks
        ]
        return dataclasses.replace(section, blocks=blocks)

    return part


PHASES: Mapping[str, Sequence[Part]] = {
    "Answers": (of(thinking_section, "iterations"), of(verdict_section, "success_criteria")),
    "Data": (
        collected_section,
        of(pairs_section, "pairs/counts", more=["clean/counts"]),
        mutants_section,
        rejected_section,
    ),
    "Model": (
        of(sizes_section, "final_config.yaml"),
        of(checks_section, "validation", more=["baseline"]),
    ),
    "Training": (training_section,),
    "Evaluation": (
        of(accuracy_section, "final_metrics"),
        of(suites_section, "final_metrics"),
        of(references_section, "references"),
        of(real_suites_section, "suites"),
        of(alarms_section, "final_metrics"),
        of(thresholds_section, "final_metrics"),
        of(certainty_section, "certainty"),
        of(comparison_section, "comparison"),
    ),
    "Analysis": (
        of(iterations_section, "iterations"),
        of(thought_section, "thought", "iteration_progression.png", "iteration_progression.gif"),
        of(synchronization_section, "synchronization", more=[HEATMAPS]),
    ),
    "Export": (of(export_section, "onnx"),),
    "Costs": (costs_section, resources_part, workflow_section),
}
"""Sections by phase, in the order of the page."""


@dataclass(frozen=True)
class Phase:
    """A heading of the page and the sections below it."""

    title: str
    sections: list[Section]


def write_report(artifacts: Sequence[Path], targets: Mapping[str, Targets], out: Path) -> None:
    """Write the page `out` from artifacts, known by their names.

    artifacts: what rule `report` lists as its input. targets: what each stage's milestones ask for, by stage. Raises
    FileNotFoundError if an artifact is missing.
    """
    run = RunArtifacts(artifacts, out, targets)
    page = render("report.html.j2", run=run.run.name, opening=opening(run), phases=phases(run))
    write_text(out, page)


def phases(run: RunArtifacts) -> list[Phase]:
    """All sections that there are artifacts for; a phase without any is left out."""
    made = [
        Phase(title, [s for part in parts if (s := part(run)) and s.blocks])
        for title, parts in PHASES.items()
    ]
    return [phase for phase in made if phase.sections]
