"""What a criterion is, and how one is judged: found against asked, by the whole of its interval where it has one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from ctm.analysis.verdict.artifacts import Artifacts, Missing

Level = Literal["minimum", "target", "stretch", "data", "model", "training", "evaluation", "baseline"]
LEVELS: dict[Level, str] = {
    "minimum": "Success criteria: minimum",
    "target": "Success criteria: target",
    "stretch": "Success criteria: stretch",
    "data": "Phase 1: data",
    "model": "Phase 2: model, validation, baseline",
    "training": "Phase 3: curriculum",
    "evaluation": "Phase 4: evaluation",
    "baseline": "CTM against TRM",
}
"""What the groups of criteria are called, in their order."""
Status = Literal["met", "not met", "not decided", "not tested at this scale", "not tested"]
STATUSES: dict[Status, str] = {
    "met": "the figure, and the whole of its interval where it has one, is on the right side of what is asked",
    "not met": "the figure, and the whole of its interval, is on the wrong side",
    "not decided": "the interval reaches over what is asked to both sides, whichever side the figure is on",
    "not tested at this scale": "the run is smaller than the criterion asks for; what it found stands there",
    "not tested": "there is no such artifact or figure in this run, or nothing can be read from what there is",
}
ABOUT = 0.1
"""Share of an expected number that "about" allows to either side."""
ENOUGH = 0.99
"""Share of a full scale that counts as all of it: samples are cut to whole batches."""


@dataclass(frozen=True)
class Figure:
    """What a run found."""

    value: float
    interval: tuple[float, float] | None = None
    n: int | None = None
    note: str = ""
    """What a reader has to know of it."""


@dataclass(frozen=True)
class Bound:
    """What is asked of a figure."""

    sign: Literal[">", ">=", "<", "<=", "about"]
    value: float
    unit: Literal["share", "points", "number", "count"] = "share"
    """share: 0 to 1, shown as percent; points: a difference of shares."""

    def holds(self, value: float) -> bool:
        """Whether a number meets it."""
        match self.sign:
            case ">":
                return value > self.value
            case ">=":
                return value >= self.value
            case "<":
                return value < self.value
            case "<=":
                return value <= self.value
        return abs(value - self.value) <= ABOUT * abs(self.value)

    def judge(self, figure: Figure) -> Status:
        """Met or not met by both ends of the interval, or else not decided; by the value where there is none.

        An interval is met by its ends because every bound but "about" is one-sided; of "about" the value decides.
        """
        if figure.interval is None or self.sign == "about":
            return "met" if self.holds(figure.value) else "not met"
        ends = {self.holds(end) for end in (*figure.interval, figure.value)}
        return "not decided" if len(ends) > 1 else "met" if ends == {True} else "not met"


class Source(Protocol):
    """Where a figure comes from."""

    @property
    def reads(self) -> str:
        """Artifact and key, or what is made of which."""
        ...

    def __call__(self, run: Artifacts) -> Figure:
        """The figure. Raises Missing."""
        ...


@dataclass(frozen=True)
class Key:
    """A figure that stands in an artifact; interval and n stand beside it, or nowhere."""

    artifact: str
    path: str
    interval: str = ""
    n: str = ""
    note: str = ""

    @property
    def reads(self) -> str:
        return f"{self.artifact}: {self.path}"

    def __call__(self, run: Artifacts) -> Figure:
        value = float(run.find(self.artifact, self.path))
        ends, n = _optional(run, self.artifact, self.interval), _optional(run, self.artifact, self.n)
        return Figure(value, None if ends is None else (float(ends[0]), float(ends[1])), n, self.note)


@dataclass(frozen=True)
class Derived:
    """A figure that is made of several."""

    reads: str
    read: Callable[[Artifacts], Figure]

    def __call__(self, run: Artifacts) -> Figure:
        return self.read(run)


@dataclass(frozen=True)
class FirstOf:
    """The first of several sources that a run has: a finer figure, or else a coarser one."""

    sources: tuple[Source, ...]

    @property
    def reads(self) -> str:
        return "; or else ".join(source.reads for source in self.sources)

    def __call__(self, run: Artifacts) -> Figure:
        reasons = []
        for source in self.sources:
            try:
                return source(run)
            except Missing as reason:
                reasons.append(str(reason))
        raise Missing("; ".join(reasons))


@dataclass(frozen=True)
class Scale:
    """A size that a run must have for a criterion to be tested."""

    what: str
    """The quantity, in the plural: "samples of stage 4"."""
    source: Source
    wanted: float
    enough: float = ENOUGH
    """Share of it that will do."""

    def lacks(self, run: Artifacts) -> str:
        """Why the run is too small; "" where it is not."""
        try:
            found = self.source(run).value
        except Missing as reason:
            return f"{self.what} unknown ({reason})"
        return (
            ""
            if found >= self.enough * self.wanted
            else f"{number(found)} of {number(self.wanted)} {self.what}"
        )


@dataclass(frozen=True)
class Condition:
    """Something else that must hold for a criterion to be tested."""

    reason: Callable[[Artifacts], str]
    """Why it does not hold; "" where it does."""

    def lacks(self, run: Artifacts) -> str:
        try:
            return self.reason(run)
        except Missing as reason:
            return str(reason)


@dataclass(frozen=True)
class Criterion:
    """A line of the specification that a run can meet."""

    id: str
    level: Level
    text: str
    """What the specification says, in its words as far as they go."""
    bound: Bound
    source: Source
    needs: tuple[Scale | Condition, ...] = ()


@dataclass(frozen=True)
class Judged:
    """A criterion, what was found, and what follows."""

    criterion: Criterion
    figure: Figure | None
    status: Status
    reason: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        bound = self.criterion.bound
        return {
            "id": self.criterion.id,
            "level": self.criterion.level,
            "criterion": self.criterion.text,
            "expected": {"sign": bound.sign, "value": bound.value, "unit": bound.unit},
            "found": self.figure.value if self.figure else None,
            "interval": list(self.figure.interval) if self.figure and self.figure.interval else None,
            "n": self.figure.n if self.figure else None,
            "note": self.figure.note if self.figure else "",
            "status": self.status,
            "reason": self.reason,
            "reads": self.criterion.source.reads,
        }


def judge(criterion: Criterion, run: Artifacts) -> Judged:
    """What a run says of a criterion. What it did not make is not tested, and never met."""
    try:
        figure = criterion.source(run)
    except Missing as reason:
        return Judged(criterion, None, "not tested", str(reason))
    lacking = [(need, lack) for need in criterion.needs if (lack := need.lacks(run))]
    if lacking:
        at_scale = all(isinstance(need, Scale) for need, _ in lacking)
        status: Status = "not tested at this scale" if at_scale else "not tested"
        return Judged(criterion, figure, status, "; ".join(lack for _, lack in lacking))
    return Judged(criterion, figure, criterion.bound.judge(figure), "")


def number(value: float) -> str:
    """A number as a reader wants it."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 1000 else f"{value:.3g}"


def _optional(run: Artifacts, artifact: str, path: str) -> Any:
    try:
        return run.find(artifact, path) if path else None
    except Missing:
        return None
