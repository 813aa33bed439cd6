"""The report's section on certainty: what the scores mean, before and after calibration, synthetic beside real."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctm.analysis.certainty_plots import not_drawn, reliability_plots, risk_coverage_plots
from ctm.evaluation.certainty import ALL, BROKEN, CERTAINTY, CONFIDENCE, FIRST, own_confidence
from ctm.pipeline.svg import svg_of
from ctm.pipeline.tables import Block, Section, Table, rows
from ctm.shares import percent, percents

WIDTHS = "ece_15_equal_widths"


def certainty_section(figures: Mapping[str, Any]) -> Section:
    """Tables and pictures. figures: what rule analyze_certainty wrote."""
    absent = not_drawn(figures)
    left_out = f" Too few answers to draw: {'; '.join(absent)}." if absent else ""
    return Section(
        "Certainty",
        [
            Block("Which calibration error is which", _WHICH, _which(figures)),
            Block(
                "Right as often as it says?",
                _RELIABILITY + left_out,
                svg=svg_of(reliability_plots(figures)),
                file="reports/reliability.png",
            ),
            Block("Calibration of every score", _CALIBRATION, _calibration(figures), fold=True),
            Block(
                "Wrong answers if only the surest are given",
                _RISK + left_out,
                svg=svg_of(risk_coverage_plots(figures)),
                file="reports/risk_coverage.png",
            ),
            Block("What every score knows of wrong answers", _ORDER, _order(figures), fold=True),
            Block("Confidence from which on 90 and 95 % are right", _THRESHOLDS, _thresholds(figures)),
            Block("From synthetic to real, by category", _SHIFT, _shift(figures), fold=True),
        ],
        "A score is held against an event: a confidence of 70 % is right if seven of ten such answers have exactly the "
        "lexical tokens of the fixed text. Other right repairs count as wrong. Users see the confidence of repairs of "
        "broken code; what fix --suggest says of code that compiles is another probability.",
    )


_WHICH = (
    "Several calibration errors can be had of one run, and they measure different things. That of the confidence "
    "over all items (ece of the benchmark) has broken code without an answer in it, which has confidence 0 and "
    "counts as wrong, and code that compiles, which has no calibration. That of the certainty of the first edit (in "
    "the table of CTM and TRM) is of a measure that is no probability. What a user meets is the line of broken "
    "code."
)
_RELIABILITY = (
    "Each point is a fifteenth of the answers, its bar a 95 % interval by project. On the dotted line a score is "
    "the share of right answers; below it the model is too sure. Calibration moves points towards the line."
)
_CALIBRATION = (
    "Calibration error (ECE): mean distance of score and share right, 15 bins of equally many answers; by chance is "
    "what scores that are right would show. Brier: mean squared distance. Slope and intercept of the log-odds of "
    "being right over those of the score: 1 and 0 where scores are right, a slope below 1 where they are too "
    "extreme."
)
_RISK = (
    "From right to left ever fewer answers, the surest ones. The lower a curve runs, the more the score knows of "
    "wrong answers. Calibration cannot change it: it leaves the order of answers as it is. Stars: thresholds that "
    "were chosen on the validation projects."
)
_ORDER = (
    "AUROC: how often a right answer scores higher than a wrong one, 50 % by guessing. Mean risk: share of wrong "
    "answers among those given, over all shares of answers given (AURC); an oracle gives all right answers first. "
    "This, not calibration, decides what ending early and abstaining can gain."
)
_THRESHOLDS = (
    "The lowest confidence at which a lower bound (99 %, by answers and by projects) of the share of right repairs "
    "of broken code is at least what is asked, on made errors like real ones of the validation projects; below it "
    "what it gives on the suites. Given: share of the broken items that get such an answer. Of real errors fewer "
    "are right, about as many as the confidence says."
)
_SHIFT = (
    "Repairs of broken code and decisions on code that compiles. Real code differs from made bugs in what breaks, "
    "and in that its authors often repair it in a way of their own."
)


def _which(figures: Mapping[str, Any]) -> Table:
    table = []
    for suite, found in figures["suites"].items():
        of, own = found["questions"], own_confidence(suite)
        lines = (
            (ALL, CONFIDENCE, "the whole repair, all items", "width", WIDTHS),
            (BROKEN, own, "the whole repair, broken code with an answer", "number", "ece"),
            (FIRST, CERTAINTY, "the first edit", "number", "ece"),  # as the table of CTM and TRM counts
        )
        for question, name, what, bins, key in lines:
            score = of[question][name]
            table.append((suite, name, what, bins, score["n"], percent(score[key])))
    return rows(["suite", "score", "right means", "bins of equal", "answers", "calibration error"], table)


def _calibration(figures: Mapping[str, Any]) -> Table:
    head = [
        "suite", "question", "score", "answers", "right", "mean score", "ECE", "95 %", "by chance", "Brier", "slope",
        "95 %", "intercept",
    ]  # fmt: skip
    table = [
        (
            suite, question, name, of["n"], percent(of["right"]), percent(of["mean"]), percent(of["ece"]),
            percents(of["ece_interval"]), percent((of["ece_if_calibrated"] or {}).get("mean")), _number(of["brier"], 3),
            _number(of["slope"]), _between(of["slope_interval"]), _number(of["intercept"]),
        )
        for suite, question, name, of in _all_scores(figures)
    ]  # fmt: skip
    return rows(head, table)


def _order(figures: Mapping[str, Any]) -> Table:
    head = [
        "suite",
        "question",
        "score",
        "answers",
        "AUROC",
        "95 %",
        "mean risk",
        "95 %",
        "oracle's",
        "by guessing",
    ]
    table = [
        (
            suite, question, name, of["n"], percent(of["auroc"]), percents(of["auroc_interval"]), percent(of["aurc"]),
            percents(of["aurc_interval"]), percent(of["aurc_oracle"]), percent(of["aurc_guess"]),
        )
        for suite, question, name, of in _all_scores(figures)
    ]  # fmt: skip
    return rows(head, table)


def _all_scores(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Every score with its suite and question; those without any answer are left out, as there is nothing to say."""
    for suite, found in figures["suites"].items():
        for question, scores in found["questions"].items():
            for name, score in scores.items():
                if score["n"]:
                    yield suite, question, name, score


def _shift(figures: Mapping[str, Any]) -> Table:
    head = [
        "category", "score", "suite", "answers", "right", "mean score", "ECE", "95 %", "slope", "AUROC", "95 %",
    ]  # fmt: skip
    names = dict.fromkeys(name for found in figures["suites"].values() for name in found["by_category"])
    table = [
        (
            category, score, suite, of["n"], percent(of["right"]), percent(of["mean"]), percent(of["ece"]),
            percents(of["ece_interval"]), _number(of["slope"]), percent(of["auroc"]), percents(of["auroc_interval"]),
        )
        for category in names
        for score in (CERTAINTY, CONFIDENCE)
        for suite, found in figures["suites"].items()
        if (of := found["by_category"].get(category, {}).get(score))
    ]  # fmt: skip
    return rows(head, table)


def _thresholds(figures: Mapping[str, Any]) -> Table:
    table: list[tuple[Any, ...]] = []
    for asked in figures["precision_thresholds"]:
        chosen = asked["validation"]
        wanted, confidence = f"{chosen['precision']:.0%}", percent(chosen["confidence"])
        if chosen["confidence"] is None:
            table.append(
                (wanted, f"none: {chosen['reason']}", "validation", chosen["answers"], "-", "-", "-")
            )
            continue
        sure = f"at least {percent(chosen['low'])}"
        right, given = percent(chosen["found"]), percent(chosen["coverage"])
        table.append((wanted, confidence, "validation", chosen["answers"], right, sure, given))
        for suite in figures["suites"]:
            of = asked[suite]
            if of["answers"]:
                right, given = percent(of["precision"]), percent(of["coverage"])
                table.append(
                    (wanted, confidence, suite, of["answers"], right, percents(of["interval"]), given)
                )
    return rows(["asked", "confidence", "suite", "answers", "right", "95 %", "given"], table)


def _number(value: float | None, digits: int = 2) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def _between(ends: list[float] | None) -> str:
    return "-" if ends is None else f"{ends[0]:.2f} to {ends[1]:.2f}"
