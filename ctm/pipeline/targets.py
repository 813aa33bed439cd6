"""What milestones of training ask for (`training.stages.*.milestones`), and whether what was measured reaches it.

The trainer measures at each quarter of a stage's samples and knows no target. Whoever shows its figures compares them
with the targets of the configuration at hand, so that another target trains nothing again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Targets = Mapping[str, Mapping[str, float]]
"""Of a stage: by milestone ("25%" to "100%") least accuracy by category or "overall", most "loss"."""
LOSS = "loss"
"""The figure that should be below its target; all others are accuracies, which should be above."""


@dataclass(frozen=True)
class Comparison:
    """A figure at a milestone against its target."""

    milestone: str
    figure: str
    asked: float
    reached: float | None
    """None where the stage did not measure it."""

    @property
    def met(self) -> bool:
        """Whether it is on the right side of the target; what was not measured is not."""
        if self.reached is None:
            return False
        return self.reached < self.asked if self.figure == LOSS else self.reached > self.asked


def compare(milestones: Iterable[Mapping[str, Any]], targets: Targets) -> list[Comparison]:
    """Every target of a stage that has ended against its milestones, as its summary has them; in the stage's order."""
    lines = {line["milestone"]: line for line in milestones}
    # overlays put theirs anywhere
    in_order = sorted(targets, key=lambda milestone: int(milestone.rstrip("%")))
    return [one for milestone in in_order for one in compare_at(milestone, lines.get(milestone, {}), targets)]


def compare_at(milestone: str, line: Mapping[str, Any], targets: Targets) -> Iterator[Comparison]:
    """The targets of one milestone against its line of metrics ("accuracy" by category, "loss")."""
    measured = {**line.get("accuracy", {}), LOSS: line.get("loss")}
    for figure, asked in targets.get(milestone, {}).items():
        yield Comparison(milestone, figure, asked, measured.get(figure))
