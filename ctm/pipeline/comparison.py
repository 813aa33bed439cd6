"""The report's section on the baseline: CTM and TRM side by side on the same test items, and what that lets one say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ctm.pipeline.tables import Block, Section, Table, rows
from ctm.shares import COLUMNS, percent, percents

NOTE = (
    "The likeliest edit of a thought against the right next text: no search, no compiler, no further pass. Categories "
    "are means of their kinds, overall is the mean of the categories tested but clean; intervals are 95 %, by project. "
    "Compute is of matrix products; that of training is samples times a measured step. The calibration error has 15 "
    "bins of equal mass."
)
BOTH = "What both saw and what it cost comes first: accuracies of unequal trainings do not say which model is better."
DIFFERENCES = (
    "Accuracy of the first less that of the second, in points, each item answered by both. Only right: items that one "
    "has right and the other wrong, by items alike. p: McNemar's exact test, which takes items for independent."
)


def comparison_section(comparison: Mapping[str, Any]) -> Section:
    """Tables of the models. comparison: what rule compare_trm wrote (`ctm.evaluation.comparison`)."""
    models: Mapping[str, Mapping[str, Any]] = comparison["models"]
    note = f"{BOTH} {_sentences(comparison)}"
    blocks = [Block("Side by side", note, rows(["", *models], _figures(models)), fold=False)]
    blocks += [
        Block(
            f"{pair['first']} less {pair['second']}", f"{pair['sentence']} {DIFFERENCES}", _difference(pair)
        )
        for pair in comparison["pairs"]
    ]
    if near := comparison.get("nearest_milestones"):
        blocks.append(Block("At nearly as many samples", _near_note(near), _near(near)))
    blocks += [_by_tick(models), _halting(models)]
    return Section("CTM and TRM", blocks, f"{comparison['items']:,} items of the test set. {NOTE}")


def _sentences(comparison: Mapping[str, Any]) -> str:
    return " ".join(pair["sentence"] for pair in comparison["pairs"])


def _figures(models: Mapping[str, Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    trained = [m["training"] for m in models.values()]
    lines: list[tuple[Any, ...]] = [
        ("samples seen", *(t["samples_seen"] for t in trained)),
        ("unique samples, added over stages", *(t["unique_samples"] for t in trained)),
        ("TFLOP of training, estimated", *(t["flops"] / 1e12 for t in trained)),
        ("seconds of training", *(t["seconds"] for t in trained)),
        ("parameters, body", *(m["parameters"]["body"] for m in models.values())),
        ("parameters, embeddings", *(m["parameters"]["embedding"] for m in models.values())),
        ("ticks", *(m["ticks"] for m in models.values())),
    ]
    for name in COLUMNS:
        lines.append(
            (f"first edit right: {name}", *(percent(m["accuracy"].get(name)) for m in models.values()))
        )
        ends = [percents(m["intervals"]["accuracy"].get(name)) for m in models.values()]
        lines.append((f"{name}, 95 %", *ends))
    lines += [
        ("calibration error of the raw certainty", *(percent(m["ece"]) for m in models.values())),
        ("AUROC of the certainty", *(m["auroc"] for m in models.values())),
        ("items a second, asked in turn", *(m["items_per_second"] for m in models.values())),
        ("GFLOP a thought", *(m["flops"] / 1e9 if m["flops"] else None for m in models.values())),
    ]
    return lines


def _difference(pair: Mapping[str, Any]) -> Table:
    lines = []
    for name in COLUMNS:
        apart, divided = pair["difference"]["accuracy"][name], pair["mcnemar"][name]
        if apart["value"] is None:
            continue
        lines.append(
            (
                name,
                f"{100 * apart['value']:+.1f}",
                percents(apart["interval"]),
                divided["n"],
                divided["only_first"],
                divided["only_second"],
                divided["p"],
            )
        )
    first, second = pair["first"], pair["second"]
    return rows(["", "points", "95 %", "items", f"only {first}", f"only {second}", "p"], lines)


def _near_note(near: Mapping[str, Any]) -> str:
    mixes = "; ".join(
        f"{name} drew {', '.join(f'{share:.0%} {category}' for category, share in one['mix'].items())}"
        if one["mix"]
        else f"{name} drew pairs as they come"
        for name, one in near["models"].items()
    )
    return (
        f"The milestones of both trainings at which the samples seen are nearest ({near['factor']:.2f} times), at no "
        f"further cost. {mixes}. On the validation slices of their stages, so not the items above, and without "
        "intervals: too few items for more than an impression."
    )


def _near(near: Mapping[str, Any]) -> Table:
    names = [name for name in COLUMNS if any(name in one["accuracy"] for one in near["models"].values())]
    head = ["", "samples", "stage", "at", "validation items, at most", "states under, cells", *names]
    return rows(
        head,
        [
            (
                name,
                *(one[key] for key in ("samples", "stage", "milestone", "validation_items", "max_cells")),
                *(percent(one["accuracy"].get(category)) for category in names),
            )
            for name, one in near["models"].items()
        ],
    )


def _by_tick(models: Mapping[str, Mapping[str, Any]]) -> Block:
    most = max(m["ticks"] for m in models.values())
    lines = []
    for name, m in models.items():
        shown = [percent(value) for value in m["accuracy_by_tick"].get("overall", [])]
        lines.append((name, *_filled(shown, most)))
    note = "A CTM's ticks, a TRM's recursions; the answer above is that of the most certain one."
    return Block(
        "Overall by tick",
        note,
        rows(["", *(f"tick {tick}" for tick in range(1, most + 1))], lines),
        fold=True,
    )


def _halting(models: Mapping[str, Mapping[str, Any]]) -> Block:
    halting = [
        (name, _threshold_text(h["threshold"]), h["ticks_mean"], percent(h["overall"]), percent(h["clean"]))
        for name, m in models.items()
        for h in m["halting"]
    ]
    head = ["", "certainty that ends a thought", "ticks", "overall", "clean"]
    note = "What ending thoughts at a certainty saves in ticks and costs in first edits that are right."
    return Block("Thoughts ended early", note, rows(head, halting), fold=True)


def _filled(shown: Sequence[str], most: int) -> list[str]:
    return [*shown, *[""] * (most - len(shown))]


def _threshold_text(threshold: float) -> str:
    return "none" if threshold > 1 else percent(threshold)
