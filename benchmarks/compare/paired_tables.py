"""The CTM's paired differences from every other model, and the tables of a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from contestants import CTM
from trainings import answers

from ctm.evaluation.paired import conclusion, mcnemar, paired_difference
from ctm.shares import COLUMNS

SAME_SAMPLES, SAME_COMPUTE = COMPARISONS = ("same samples", "same compute")


def differences(rows: list[dict[str, Any]], runs: Path, items: int) -> list[dict[str, Any]]:
    """The CTM against every other model, paired by item and seed; of those that both have been trained with.

    runs: where the trainings of the `rows` lie.
    """
    found = []
    folders = {(row["comparison"], row["model"], row["seed"]): runs / row["trained"] for row in rows}
    for comparison, name in dict.fromkeys((row["comparison"], row["model"]) for row in rows):
        seeds = sorted({s for c, n, s in folders if (c, n) == (comparison, name)})
        seeds = [seed for seed in seeds if (comparison, CTM, seed) in folders]
        if name == CTM or not seeds:
            continue
        read = {
            of: [np.load(answers(folders[comparison, of, seed], items)) for seed in seeds]
            for of in (CTM, name)
        }
        category, kind, projects = (read[CTM][0][key] for key in ("category", "kind", "project"))
        right = {of: np.stack([one["right"] for one in several], axis=1) for of, several in read.items()}
        found.append(
            {
                "comparison": comparison, "first": CTM, "second": name, "seeds": seeds,
                "difference": paired_difference(category, kind, projects.tolist(), right[CTM], right[name]),
                "mcnemar_by_seed": [
                    mcnemar(category, right[CTM][:, place], right[name][:, place]) for place in range(len(seeds))
                ],
            }
        )  # fmt: skip
    return found


def tables(rows: list[dict[str, Any]], pairs: list[dict[str, Any]], items: int) -> str:
    """Markdown: a table for each comparison, means over seeds, with accuracy by tick and the paired differences."""
    lines: list[str] = []
    for comparison in (SAME_SAMPLES, SAME_COMPUTE):
        mine = [row for row in rows if row["comparison"] == comparison]
        if not mine:
            continue
        lines += [f"**The {comparison}**; first edit exactly right, {items:,} items of the test set, %", ""]
        head = [
            "model", "seeds", "body + embeddings", "samples", "GFLOP a sample", "TFLOP in all", "samples/s",
            "seconds", *COLUMNS,
        ]  # fmt: skip
        lines += ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
        groups = {name: [row for row in mine if row["model"] == name] for name in _names(mine)}
        for name, group in groups.items():
            row = group[0]
            parameters = " + ".join(f"{row['parameters'][k] / 1e6:.2f} M" for k in ("body", "embedding"))
            speed, seconds = (_mean([one[key] for one in group]) for key in ("samples_per_second", "seconds"))
            cells = [name, str(len(group)), parameters, f"{row['samples']:,}"]
            cells += [
                f"{row['training_flops'] / 1e9:.2f}",
                f"{row['samples'] * row['training_flops'] / 1e12:.1f}",
            ]
            cells += [f"{speed:.0f}", f"{seconds:.0f}"]
            cells += [_spread([one["accuracy"].get(category) for one in group]) for category in COLUMNS]
            lines.append("| " + " | ".join(cells) + " |")
        lines.append("")
        for name, group in groups.items():
            by_tick = [one["accuracy_by_tick"].get("overall", []) for one in group]
            if len(by_tick[0]) > 1:
                shown = " / ".join(_percent(_mean(values)) for values in zip(*by_tick, strict=True))
                lines += [f"{name}, overall by tick: {shown}", ""]
        lines += _difference_table([pair for pair in pairs if pair["comparison"] == comparison])
    return "\n".join(lines)


def _difference_table(pairs: list[dict[str, Any]]) -> list[str]:
    """Paired differences as a table, in points."""
    if not pairs:
        return []
    head = ["paired difference, points", *COLUMNS, "overall by seed", "p by seed (McNemar)", "said"]
    lines = ["| " + " | ".join(head) + " |", "|---" * len(head) + "|"]
    for pair in pairs:
        by_category = pair["difference"]["accuracy"]
        cells = [f"{pair['first']} less {pair['second']}"]
        cells += [_points(by_category[category]) for category in COLUMNS]
        cells += [", ".join("-" if d is None else f"{100 * d:+.1f}" for d in pair["difference"]["by_seed"])]
        p = [one["overall"]["p"] for one in pair["mcnemar_by_seed"]]
        cells += [", ".join("-" if value is None else f"{value:.2g}" for value in p)]
        cells += [conclusion(by_category["overall"]["interval"], pair["first"], pair["second"])]
        lines.append("| " + " | ".join(cells) + " |")
    return [*lines, ""]


def _points(difference: dict[str, Any]) -> str:
    if difference["value"] is None:
        return "-"
    ends = difference["interval"]
    return f"{100 * difference['value']:+.1f}" + (
        f" ({100 * ends[0]:+.1f} to {100 * ends[1]:+.1f})" if ends else ""
    )


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys(row["model"] for row in rows))


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values))


def _spread(shares: list[float | None]) -> str:
    """Mean over seeds, and the lowest and highest where there are several."""
    known = [share for share in shares if share is not None]
    if not known:
        return "-"
    ends = f" ({_percent(min(known))} to {_percent(max(known))})" if len(known) > 1 else ""
    return _percent(_mean(known)) + ends


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f}"
