"""The report's section on certainty: what the scores mean, before and after calibration, synthetic beside real."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ctm.evaluation.certainty import ALL, BROKEN, CERTAINTY, CONFIDENCE, FIRST, own_confidence
from ctm.pipeline.tables import Block, Section, Table, rows
from ctm.shares import percent, percents

PICTURES = {
    "reliability": (
        "Reliability",
        "Each point is a fifteenth of the answers, its bar a 95 % interval by project. On the dotted line a score "
        "is the share of right answers; below it the model is too sure. Calibration moves points to the line, and "
        "cannot change which answers are surer than others.",
    ),
    "risk_coverage": (
        "Wrong answers if only the surest are given",
        "From right to left: ever fewer answers, the surest ones. The lower a curve runs, the better the score "
        "knows wrong answers (AUROC: how often a right answer has the higher score). Stars: thresholds for 90 and "
        "95 % right answers, chosen on the validation split.",
    ),
}
"""Of each picture, by its file's name: title and caption."""
WIDTHS = "ece_15_equal_widths"


def certainty_section(figures: Mapping[str, Any], pictures: Mapping[str, str]) -> Section:
    """Tables and pictures.

    figures: what rule analyze_certainty wrote. pictures: PNGs in base64 by name.
    """
    shown = [
        Block(title, note, png=pictures[name]) for name, (title, note) in PICTURES.items() if name in pictures
    ]
    return Section(
        "Certainty",
        [
            Block("Which calibration error is which", _WHICH, _which(figures)),
            *shown,
            Block("Scores of every question", _SCORES, _scores(figures)),
            Block("From synthetic to real, by category", _SHIFT, _shift(figures)),
            Block("Confidence from which on 90 and 95 % are right", _THRESHOLDS, _thresholds(figures)),
        ],
        "A score is held against an event: a confidence of 0.7 is right if seven of ten such answers have exactly "
        "the lexical tokens of the fixed text. Other right repairs count as wrong. Users see the confidence of "
        "repairs of broken code; what suggest says of code that compiles is another probability, in the benchmark's "
        "figures.",
    )


_WHICH = (
    "The page has several calibration errors, which measure different things. The one of the accuracy above, ece, "
    "is that of the confidence over all items: those without an answer have confidence 0 and count as wrong, "
    "which makes it small; code that compiles is in it. That of CTM and TRM is of the certainty, which is no "
    "probability, of the first edit alone; it shows how unsure the model's pointers are, and calibrating it would "
    "change no answer. What a user meets is the second line."
)
_SCORES = (
    "ECE: calibration error, 15 bins of equally many answers; beside it what scores that are right would show by "
    "chance. Slope and intercept: of the log-odds of being right over those of the score, 1 and 0 where scores are "
    "right, a slope below 1 where they are too extreme. AUROC: how often a right answer scores higher than a wrong "
    "one. AURC: mean share of wrong answers over all coverages, above what an oracle has. Empty: too few answers."
)
_SHIFT = (
    "Certainty of the model and the confidence, of repairs of broken code and decisions on code that compiles. Real "
    "code differs from made bugs in what breaks and in that its authors often repair it in a way of their own."
)
_THRESHOLDS = (
    "The lowest confidence at which a lower bound (99 %, by items and by projects) of the share of right repairs of "
    "broken code is at least what is asked, on made errors like real ones of the validation projects; then what it "
    "gives on the test suite and on real errors. Coverage: share of the broken items that get such an answer."
)


def _which(figures: Mapping[str, Any]) -> Table:
    head = ["suite", "score", "held against", "bins", "answers", "calibration error"]
    table = []
    for suite, found in figures["suites"].items():
        of = found["questions"]
        own = own_confidence(suite)
        table += [
            (
                suite,
                CONFIDENCE,
                "whole repair; all items",
                "equal widths",
                *_n_and(of[ALL][CONFIDENCE], WIDTHS),
            ),
            (
                suite,
                own,
                "whole repair; broken code with an answer",
                "equal mass",
                *_n_and(of[BROKEN][own], "ece"),
            ),
            (suite, CERTAINTY, "first edit", "equal widths", *_n_and(of[FIRST][CERTAINTY], WIDTHS)),
        ]
    return rows(head, table)


def _n_and(score: Mapping[str, Any], name: str) -> tuple[int, str]:
    return score["n"], percent(score[name])


def _scores(figures: Mapping[str, Any]) -> Table:
    head = [
        "suite", "question", "score", "answers", "right", "mean score", "ECE", "95 %", "by chance", "Brier", "slope",
        "95 %", "intercept", "AUROC", "95 %", "AURC over oracle", "95 %",
    ]  # fmt: skip
    table = [
        (
            suite, question, name, score["n"], percent(score["right"]), percent(score["mean"]), percent(score["ece"]),
            percents(score["ece_interval"]), percent((score["ece_if_calibrated"] or {}).get("mean")),
            _three(score["brier"]), _two(score["slope"]), _between(score["slope_interval"], 2),
            _two(score["intercept"]), _three(score["auroc"]), _between(score["auroc_interval"], 3),
            _three(score["aurc_excess"]), _between(score["aurc_excess_interval"], 3),
        )
        for suite, question, name, score in _all_scores(figures)
    ]  # fmt: skip
    return rows(head, table)


def _all_scores(figures: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    for suite, found in figures["suites"].items():
        for question, scores in found["questions"].items():
            for name, score in scores.items():
                yield suite, question, name, score


def _shift(figures: Mapping[str, Any]) -> Table:
    suites = figures["suites"]
    head = ["category", "score"]
    for suite in suites:
        head += [f"{suite}: answers", "right", "mean score", "ECE", "95 %", "slope", "AUROC", "95 %"]
    names = dict.fromkeys(name for found in suites.values() for name in found["by_category"])
    table = []
    for category in names:
        for score in (CERTAINTY, CONFIDENCE):
            line: list[Any] = [category, score]
            for found in suites.values():
                of = found["by_category"].get(category, {}).get(score)
                line += [None] * 8 if of is None else [
                    of["n"], percent(of["right"]), percent(of["mean"]), percent(of["ece"]),
                    percents(of["ece_interval"]), _two(of["slope"]), _three(of["auroc"]),
                    _between(of["auroc_interval"], 3),
                ]  # fmt: skip
            table.append(line)
    return rows(head, table)


def _thresholds(figures: Mapping[str, Any]) -> Table:
    suites = list(figures["suites"])
    head = ["asked", "confidence", "validation: right", "lower bound", "coverage"]
    for suite in suites:
        head += [f"{suite}: right", "95 %", "answers", "coverage"]
    table = []
    for asked in figures["precision_thresholds"]:
        chosen = asked["validation"]
        line: list[Any] = [
            percent(chosen["precision"]), _three(chosen["confidence"]) or chosen["reason"], percent(chosen["found"]),
            percent(chosen["low"]), percent(chosen["coverage"]),
        ]  # fmt: skip
        for suite in suites:
            given = asked[suite]
            line += [
                percent(given["precision"]), percents(given["interval"]), given["answers"], percent(given["coverage"]),
            ]  # fmt: skip
        table.append(line)
    return rows(head, table)


def _two(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _three(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _between(ends: list[float] | None, digits: int) -> str:
    return "" if ends is None else f"{ends[0]:.{digits}f} to {ends[1]:.{digits}f}"
