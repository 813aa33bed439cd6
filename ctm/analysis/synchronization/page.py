"""`sync_interpretation_report.md`: each question with its number, controls and null, and a sentence made from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from ctm.analysis.synchronization import reading
from ctm.analysis.synchronization.category import SYNCHRONIZATION
from ctm.analysis.synchronization.patching import BACK, DONORS
from ctm.analysis.synchronization.reading import number_text, share_text
from ctm.shares import percent

SHOWN = 10
"""Pairs of the page's table."""

Lines = list[str]


def interpretation_page(figures: Mapping[str, Any], pairs: pd.DataFrame, heatmaps: str, table: str) -> str:
    """Markdown. pairs: of `importance.pair_table`. heatmaps, table: names of the picture and the CSV beside it."""
    n = ", ".join(f"{name} {count:,}" for name, count in figures["items"].items())
    left_out = "; ".join(f"{count:,} {reason}" for reason, count in figures["left out"].items()) or "none"
    lines = [
        "# What the synchronization says", "",
        f"Test items of {figures['projects']} projects that were not trained on: {n}; left out: {left_out}. The model"
        f" has {figures['pairs']} pairs in its readout and thinks {figures['ticks']} ticks; an item is looked at at its"
        " most certain tick where no tick is named. Intervals are 95 %, by bootstrap over projects. Probes are tested"
        " on projects that they have not learned from.", "",
        *_table(reading.SUMMARY, reading.summary(figures)),
        *_section("Does it differ by type of bug?", reading.category_reading(figures["category"])),
        *_category(figures["category"]),
        *_similarity(figures["similarity"]),
        f"![mean synchronization by category and tick]({heatmaps})", "",
        *_section("Does it tell where the bug is?", reading.place_reading(figures["place"])),
        *_place(figures["place"]),
        *_section("Which pairs matter?", reading.ablation_reading(figures["ablation"])),
        *_ablation(figures["ablation"]),
        *_pairs(pairs, table),
        *_section("Does it predict success?", reading.success_reading(figures["success"])),
        *_success(figures["success"]),
        *_section("Is it causal?", reading.patching_reading(figures["patching"])),
        *_patching(figures["patching"]),
        *_section("Has it collapsed?", reading.collapse_reading(figures["collapse"])),
        *_collapse(figures["collapse"]),
    ]  # fmt: skip
    return "\n".join(lines).rstrip() + "\n"


def _section(title: str, sentence: str) -> Lines:
    return [f"## {title}", "", sentence, ""]


def _category(found: Mapping[str, Any]) -> Lines:
    columns = [
        name
        for name in ("all items", "code that compiles")
        if found[name][SYNCHRONIZATION]["value"] is not None
    ]
    if not columns:
        return []
    rows = [("synchronization", *(share_text(found[c][SYNCHRONIZATION]) for c in columns))]
    rows += [
        (f"control: {name}", *(share_text(found[c]["controls"][name]) for c in columns))
        for name in found[columns[0]]["controls"]
    ]
    rows += [
        ("null: random labels", *(percent(found[c]["random labels"]) for c in columns)),
        ("selectivity", *(percent(found[c]["selectivity"]) for c in columns)),
        ("largest share of a category", *(percent(found[c]["largest share"]) for c in columns)),
        ("items", *(f"{found[c]['n']:,}" for c in columns)),
        ("categories", *(", ".join(found[c]["categories"]) for c in columns)),
        ("left out", *("; ".join(f"{k}: {v}" for k, v in found[c]["left out"].items()) or "none" for c in columns)),
    ]  # fmt: skip
    ticks = [
        (str(row["tick"]), *(share_text(row[name]) for name in ("trained", "untrained", "random labels")))
        for row in found["by tick"]
    ]
    return [
        *_table(("category named by a linear probe", *columns), rows),
        *_table(("tick", "trained", "untrained", "random labels"), ticks),
    ]


def _similarity(found: Mapping[str, Any]) -> Lines:
    if found["same category"]["value"] is None:
        return [f"Similarity of kinds: not known, {found['same category']['why']}.", ""]
    rows = [
        (name, number_text(row), f"{row['p']:.2g}")
        for name, row in found.items()
        if isinstance(row, Mapping) and "p" in row
    ]
    return [
        f"How unlike the {found['n']} kinds are that have enough items, beside other ways in which they are unlike"
        " (Spearman's correlation of distances; p by renaming kinds):",
        "",
        *_table(("the synchronization's distances and", "correlation", "p"), rows),
        f"Between seeds: not known, {found['seeds']['why']}.",
        "",
    ]


def _place(found: Mapping[str, Any]) -> Lines:
    if "why" in found:
        return []
    groups = {name: group for name, group in found["by group"].items() if "why" not in group}
    names = [name for name in next(iter(groups.values())) if name not in ("n", "chance", "ahead of")]
    lines: Lines = []
    for top in ("1", "3"):
        rows = [(name, *(share_text(group[name][top]) for group in groups.values())) for name in names]
        rows.append(("any line", *(percent(group["chance"][top]) for group in groups.values())))
        head = f"right line among {top}" if top != "1" else "right line named"
        lines += _table((head, *(f"{name} (n = {group['n']:,})" for name, group in groups.items())), rows)
    return lines


def _ablation(found: Mapping[str, Any]) -> Lines:
    if "why" in found:
        return []
    rows = [
        (
            f"{row['share']:.0%} ({row['pairs']})", method, number_text(row[method]["best"]["nats lost"], 3),
            number_text(row[method]["random"]["nats lost"], 3), share_text(row[method]["best"]["edits lost"]),
            share_text(row[method]["random"]["edits lost"]),
        )
        for row in found["by share"]
        for method in ("zero", "mean", "resampled")
    ]  # fmt: skip
    head = ("pairs", "set to", "nats lost", "random pairs", "right edits lost", "random pairs")
    return [
        f"{found['n']:,} items whose first edit is right; random pairs are the mean of three draws.",
        "",
        *_table(head, rows),
    ]


def _pairs(pairs: pd.DataFrame, table: str) -> Lines:
    columns = [f"information_{of}{null}" for of in ("category", "place") for null in ("", "_shuffled")]
    rows = [
        (
            f"{row['neuron_i']}-{row['neuron_j']}",
            f"{row['decay']:.3f}",
            _number(row["effect"], row["effect_low"], row["effect_high"]),
            *(_number(row[column]) for column in columns),
        )
        for row in pairs.head(SHOWN).to_dict("records")
    ]
    head = (
        "neurons", "decay", "nats lost without it", "nats on the category", "shuffled", "nats on the place", "shuffled"
    )  # fmt: skip
    return [f"The first {len(rows)} of {len(pairs):,} pairs; all are in `{table}`.", "", *_table(head, rows)]


def _success(found: Mapping[str, Any]) -> Lines:
    if found[SYNCHRONIZATION]["value"] is None:
        return []
    names = (SYNCHRONIZATION, "certainty", "length", "encoder pool", "category")
    null = "not known" if found["random labels"] is None else f"{found['random labels']:.2f}"
    rows = [(name, number_text(found[name])) for name in names] + [("null: random labels", null)]
    return _table((f"right first edit ({found['right']:,} of {found['n']:,})", "area under the curve"), rows)


def _patching(found: Mapping[str, Any]) -> Lines:
    left_out = "; ".join(f"{count:,} {reason}" for reason, count in found["left out"].items()) or "none"
    lines = [f"Items with a twin of equally many cells: {found['twins']:,}; without: {left_out}."]
    if "no edit for the twin" in found:
        lines.append(
            f"Unpatched, 'no edit' is said of {share_text(found['no edit for the broken text'])} of the broken texts"
            f" and {share_text(found['no edit for the twin'])} of the twins; patched are those where only the twin gets"
            " it."
        )
    lines.append("")
    if "by tick" in found:
        names = [*DONORS, BACK]
        rows = [(str(row["tick"]), *(share_text(row[name]) for name in names)) for row in found["by tick"]]
        head = ("patched after tick", *(f"'no edit', by {name}" for name in DONORS), BACK)
        lines += _table(head, rows)
    return lines


def _collapse(found: Mapping[str, Any]) -> Lines:
    def shown(name: str, value: float | None) -> str:
        if value is None:
            return "-"
        return percent(value) if name.startswith("share") else f"{value:.3g}"

    rows = [
        (
            name,
            *(
                shown(name, found[model].get(name))
                for model in ("trained", "untrained", "independent numbers")
            ),
        )
        for name in found["trained"]
    ]
    return _table(("", "trained", "untrained", "independent numbers"), rows)


def _number(value: float, low: float | None = None, high: float | None = None) -> str:
    if pd.isna(value):
        return "-"
    return f"{value:.3f}" + ("" if low is None or pd.isna(low) else f" ({low:.3f} to {high:.3f})")


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Lines:
    head = list(head)
    return ["| " + " | ".join(line) + " |" for line in (head, ["---"] * len(head), *rows)] + [""]
