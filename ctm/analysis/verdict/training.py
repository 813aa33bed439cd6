"""What the specification expects of each stage of phase 3, and of the training of CTM and TRM."""

from __future__ import annotations

from collections.abc import Iterator

from ctm.analysis.verdict.artifacts import Artifacts, Missing, find
from ctm.analysis.verdict.criterion import Bound, Criterion, Derived, Figure, FirstOf, Key, Scale
from ctm.analysis.verdict.evaluation import at_half_the_ticks
from ctm.analysis.verdict.scales import (
    BENCHMARK,
    CERTAINTY,
    COMPARISON,
    FULL_TRAINING,
    FULL_TRM,
    PARAMETERS,
    STAGES,
    TRM,
    TRM_PARAMETERS,
    Stage,
    summaries,
)
from ctm.analysis.verdict.success import ECE, SUCCESS

PLACES = {"25%": "a quarter", "50%": "half", "75%": "three quarters", "100%": "the end"}


def _of_stage(stage: Stage) -> Iterator[Criterion]:
    for place, figure, bound in stage.milestones:
        yield _milestone(stage, place, figure, bound, "checkpoint")
    for category, bound in stage.expected:
        yield _milestone(stage, "100%", category, bound, "expected")
    yield Criterion(
        f"{stage.name}-throughput", "training", f"{stage.name}: samples/s", Bound(">=", stage.throughput, "number"),
        Key(stage.summary, "samples_per_second", n="samples_seen"), stage.scales(),
    )  # fmt: skip


def _milestone(stage: Stage, place: str, figure: str, bound: float, sort: str) -> Criterion:
    line = f"milestones[milestone={place}]"
    is_loss = figure == "loss"
    path = f"{line}.loss" if is_loss else f"{line}.accuracy.{figure}"
    return Criterion(
        f"{stage.name}-{sort}-{place.rstrip('%')}-{figure}",
        "training",
        f"{stage.name}, {sort} at {PLACES[place]}: {figure}",
        Bound("<", bound, "number") if is_loss else Bound(">", bound),
        Key(stage.summary, path, note="" if is_loss else "validation slice, first edits; items are not kept"),
        stage.scales(),
    )


def _descent(run: Artifacts) -> Figure:
    """Share of the fall of the loss, from the first milestone to the last, that is in its first third."""
    losses = [line["loss"] for line in run.find(STAGES[0].summary, "milestones") if "loss" in line]
    if len(losses) < 3 or losses[0] <= losses[-1]:
        raise Missing(f"{STAGES[0].summary}: the loss does not fall over three milestones or more")
    return Figure(
        (losses[0] - losses[1]) / (losses[0] - losses[-1]), note="from the first milestone to the second"
    )


def _hours(path_of: str) -> Derived:
    def read(run: Artifacts) -> Figure:
        trained = summaries(run) if path_of == "ctm" else [run.read(TRM)]
        seconds = [find(summary, "seconds", "a summary of training") for summary in trained]
        return Figure(sum(seconds) / 3600)

    return Derived(f"{'training/*/summary.json' if path_of == 'ctm' else TRM}: seconds", read)


def _peak(run: Artifacts) -> Figure:
    peaks = [s["machine"]["vram_peak_gb"] for s in summaries(run) if "vram_peak_gb" in s.get("machine", {})]
    if not peaks:
        raise Missing("no stage ran on an accelerator")
    return Figure(float(max(peaks)))


_FIRST_EDIT = "suites.test.questions.first edit.certainty"
CERTAINTY_AUROC = FirstOf(
    (
        Key(
            CERTAINTY, f"{_FIRST_EDIT}.auroc", f"{_FIRST_EDIT}.auroc_interval", f"{_FIRST_EDIT}.n",
            "certainty of the most certain tick, first edits",
        ),
        Key(BENCHMARK, "auroc", n="suites.test.n", note="confidence of the first answer, which is no certainty"),
    )
)  # fmt: skip
"""How often a right first edit is the more certain one."""
_LAST = STAGES[-1].scales()
TRAINING = (
    *(criterion for stage in STAGES for criterion in _of_stage(stage)),
    Criterion("stage1-descent", "training", "stage1: steep initial descent of the loss", Bound(">", 1 / 3),
              Derived(f"{STAGES[0].summary}: milestones, loss", _descent), STAGES[0].scales()),
    Criterion("stage2-iterations", "training", "stage2: accuracy improves with more iterations, a tick",
              Bound(">", 0, "points"),
              Key(STAGES[1].summary, "milestones[milestone=100%].gain_per_tick", note="validation slice"),
              STAGES[1].scales()),
    Criterion("stage2-certainty", "training", "stage2: certainty correlates with accuracy (AUROC, of the last stage)",
              Bound(">", 0.5, "number"), CERTAINTY_AUROC, STAGES[1].scales()),
    Criterion("stage3-sync", "training", "stage3: distinct sync patterns for bug types (of the last stage)",
              Bound(">", 0, "points"), next(c.source for c in SUCCESS if c.id == "target-sync"), STAGES[2].scales()),
    Criterion("stage3-early-stopping", "training",
              "stage3: can stop at half the ticks for simple bugs (syntax, of the last stage): points lost",
              Bound("<=", 0.01, "points"), at_half_the_ticks(), STAGES[2].scales()),
    Criterion("stage4-ece", "training", "stage4: ECE", Bound("<", 0.05), ECE, FULL_TRAINING),
)  # fmt: skip

BASELINES = (
    Criterion("ctm-parameters", "baseline", "CTM: parameters (body)", Bound("about", PARAMETERS, "count"),
              Key(BENCHMARK, "parameters.body"), (_LAST[1],)),
    Criterion("ctm-hours", "baseline", "CTM: hours of training", Bound("<=", 90, "number"), _hours("ctm"),
              FULL_TRAINING),
    Criterion("ctm-vram", "baseline", "CTM: peak of vram, GB", Bound("<=", 88, "number"),
              Derived("training/*/summary.json: machine.vram_peak_gb", _peak), FULL_TRAINING),
    Criterion("trm-parameters", "baseline", "TRM: parameters (body)", Bound("about", TRM_PARAMETERS, "count"),
              Key(TRM, "parameters.body"), (Scale("recursions of the TRM", Key(TRM, "settings.stage.ticks"), 8),)),
    Criterion("trm-hours", "baseline", "TRM: hours of training", Bound("<=", 50, "number"), _hours("trm"), FULL_TRM),
    Criterion("trm-throughput", "baseline", "TRM: samples/s", Bound(">=", 3.5, "number"),
              Key(TRM, "samples_per_second"), FULL_TRM),
    Criterion("trm-accuracy", "baseline", "TRM: accuracy overall (first edits)", Bound(">", 0.75),
              Key(COMPARISON, "models.TRM.accuracy.overall", "models.TRM.intervals.accuracy.overall",
                  "models.TRM.n.overall"), FULL_TRM),
)  # fmt: skip
