"""The figures of `run.py` as Markdown tables."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ctm.pairs.record import CATEGORIES
from ctm.shares import percent, percents

COLUMNS = (*CATEGORIES, "overall")
SCORES = (
    ("first edit", "certainty"),
    ("broken code", "share"),
    ("broken code", "confidence, made errors"),
    ("code that compiles", "probability"),
    ("all items", "confidence"),
)
"""Question and score in certainty.json."""
REAL = ("coverage", "exact_at_1", "bifi", "guarded_bifi", "edit_precision", "same_tree")


def table(out: Path) -> str:
    """All tables of a folder that `run.py` filled."""
    read = {path.stem: json.loads(path.read_text()) for path in out.glob("*.json")}
    parts = [
        accuracy(read["items"], read["benchmark"], read["iterations"]),
        certainty(read["certainty"]),
        ends(read["iterations"]["early_exit"]),
        controls(read["iterations"]["followed"]["controls"]),
        synchronization(read["synchronization"]),
    ]
    if "real_errors" in read:
        parts.append(real_errors(read["real_errors"]))
    return "\n".join(parts)


def accuracy(counts: Mapping[str, Any], figures: Mapping[str, Any], ticks: Mapping[str, Any]) -> str:
    """Whole repairs, first edits by tick, and what the ticks win and lose."""
    by_tick, thinks = ticks["accuracy_by_tick"], ticks["does_it_think"]
    units = figures["intervals"]["units"]
    lines = [
        ["items", *(str(figures["n"][name]) for name in COLUMNS)],
        ["projects", *(str(units[name]) for name in COLUMNS)],
        [
            "whole repairs",
            *(_with(figures["accuracy"][name], figures["intervals"]["accuracy"][name]) for name in COLUMNS),
        ],
        *(
            [f"first edit at tick {tick}", *(percent(by_tick[name][tick - 1]) for name in COLUMNS)]
            for tick in _shown(ticks["ticks"])
        ),
        [
            "first edit at the surest tick",
            *(percent(ticks["accuracy_at_most_certain_tick"][name]) for name in COLUMNS),
        ],
        [
            "that less the first tick, points",
            *(
                _points(thinks["first_to_read"][name]["gain"], thinks["first_to_read"][name]["interval"])
                for name in COLUMNS
            ),
        ],
        *(
            [f"flips {how}, all ticks", *(percent(sum(ticks["flips"][how][name])) for name in COLUMNS)]
            for how in ("won", "lost")
        ),
    ]
    seen = f"{counts['test']['projects']} projects, none of the {counts['seen']} that trained the model"
    return f"{seen}\n\n" + _table(["", *COLUMNS], lines)


def _shown(ticks: int) -> list[int]:
    """Tick 1, its doubles, and the last two."""
    doubles = [2**power for power in range(ticks.bit_length()) if 2**power < ticks - 1]
    return sorted({*doubles, ticks - 1, ticks} - {0})


def certainty(figures: Mapping[str, Any]) -> str:
    """Calibration and failure prediction of each score."""
    questions = figures["suites"]["test"]["questions"]
    lines = []
    for question, score in SCORES:
        found = questions[question][score]
        lines.append(
            [
                f"{question}: {score}",
                str(found["n"]),
                percent(found["right"]),
                f"{found['mean']:.2f}",
                _number(found["ece"], found["ece_interval"]),
                _number(found["auroc"], found["auroc_interval"]),
                _number(found["slope"], found["slope_interval"]),
            ]
        )
    return _table(["of what: score", "n", "right", "mean score", "ECE", "AUROC", "slope"], lines)


def ends(figures: Mapping[str, Any]) -> str:
    """Ending thoughts early."""
    lines = [
        [
            row["exit"],
            f"{row['ticks_mean']:.1f}",
            percent(row["overall"]),
            percent(row["clean"]),
            percent(row["lost"]),
            percent(row["flops_saved"]),
        ]
        for row in figures["exits"]
    ]
    promised = ", ".join(
        f"{percent(row['allowed'])} ({row['items_needed']} items needed)"
        for row in figures["promises"]
        if row["threshold"] is None
    )
    note = f"\nNo threshold promises {promised} on {figures['promises'][0]['items']} items.\n" * bool(
        promised
    )
    head = ["a thought ends", "mean ticks", "overall", "clean", "lost", "FLOP saved"]
    return _table(head, lines) + note


def controls(figures: Mapping[str, Any]) -> str:
    """Ticks frozen and shuffled."""
    lines = []
    for name, found in figures["by_control"].items():
        ahead = found["ahead"]["overall"] if found["ahead"] else None
        lines.append(
            [
                name,
                *(percent(found["accuracy"][column]) for column in COLUMNS),
                _points(ahead["gain"], ahead["interval"]) if ahead else "",
            ]
        )
    return _table([f"{figures['items']} items", *COLUMNS, "model ahead, points"], lines)


def synchronization(figures: Mapping[str, Any]) -> str:
    """A number, a control and a null for each question."""
    lines: list[list[str]] = []
    for group in ("all items", "code that compiles"):
        found = figures["category"][group]
        if found.get("synchronization"):
            lines.append(
                [
                    f"category from S_out, {group}",
                    _number_of(found["synchronization"]),
                    f"encoder pool {_number_of(found['controls']['encoder pool'])}",
                    f"random labels {found['random labels']:.2f}",
                ]
            )
    for group in ("all", "logic"):
        found = figures["place"]["by group"][group]
        if "synchronization" in found:
            lines.append(
                [
                    f"line of the bug, {group}, top 1",
                    _number_of(found["synchronization"]["1"]),
                    f"pointer {_number_of(found['pointer']['1'])}",
                    f"random places {_number_of(found['random places']['1'])}",
                ]
            )
    success = figures["success"]
    if success.get("synchronization"):
        lines.append(
            [
                "first edit right, AUROC",
                _number_of(success["synchronization"]),
                f"certainty {_number_of(success['certainty'])}",
                f"random labels {success['random labels']:.2f}",
            ]
        )
    collapse = figures["collapse"]
    rank = "effective rank over samples, last tick"
    lines.append(
        [
            f"{rank}, of {figures['pairs']} pairs",
            f"{collapse['trained'][rank]:.0f}",
            f"untrained {collapse['untrained'][rank]:.0f}",
            f"independent numbers {collapse['independent numbers'][rank]:.0f}",
        ]
    )
    return _table(["question", "found", "control", "null"], lines)


def real_errors(figures: Mapping[str, Any]) -> str:
    """Real syntax errors."""
    measures, sure = figures["measures"], figures["intervals"]
    lines = [[name.replace("_", " "), _with(measures[name], sure[name])] for name in REAL]
    lines += [[name, f"{measures[name]:.3f}"] for name in ("ece", "auroc")]
    return _table([f"{figures['suite']}, {figures['asked']} of {figures['items']:,} items", "model"], lines)


def _table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    body = [f"| {' | '.join(line)} |" for line in lines]
    return "\n".join([f"| {' | '.join(head)} |", "|---" * len(head) + "|", *body]) + "\n"


def _with(value: float | None, ends_: Sequence[float] | None) -> str:
    return percent(value) if ends_ is None else f"{percent(value)} ({percents(ends_)})"


def _points(gain: float, ends_: Sequence[float] | None) -> str:
    told = f"{100 * gain:+.1f}"
    return told if ends_ is None else f"{told} ({100 * ends_[0]:+.1f} to {100 * ends_[1]:+.1f})"


def _number(value: float | None, ends_: Sequence[float] | None) -> str:
    if value is None:
        return "-"
    return f"{value:.2f}" if ends_ is None else f"{value:.2f} ({ends_[0]:.2f} to {ends_[1]:.2f})"


def _number_of(found: Mapping[str, Any]) -> str:
    return _number(found["value"], found["interval"])
