"""The report's section on the baseline: CTM and TRM side by side on the same test items."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.pipeline.tables import Block, Section, rows
from ctm.shares import COLUMNS, percent

NOTE = (
    "The likeliest edit of a thought against the right next text: no search, no compiler, no further pass. Categories "
    "are means of their kinds, overall is the mean of the categories tested but clean. Compute is of matrix products."
)


def comparison_section(comparison: Mapping[str, Any], training: Mapping[str, Mapping[str, Any]]) -> Section:
    """Tables of both models.

    comparison: what rule compare_trm wrote. training: by the model's name there, samples seen and seconds of its
    training.
    """
    models: Mapping[str, Mapping[str, Any]] = comparison["models"]
    lines: list[tuple[str, list[Any]]] = [
        (label, [training.get(name, {}).get(key) for name in models])
        for key, label in (("samples_seen", "samples seen in training"), ("seconds", "seconds of training"))
    ]
    lines += [
        (f"first edit right: {name}", [percent(m["accuracy"].get(name)) for m in models.values()])
        for name in COLUMNS
    ]
    lines += [
        ("calibration error of the raw certainty", [percent(m["ece"]) for m in models.values()]),
        ("items a second", [m["items_per_second"] for m in models.values()]),
        ("GFLOP a thought", [m["flops"] / 1e9 if m["flops"] else None for m in models.values()]),
        ("parameters, body", [m["parameters"]["body"] for m in models.values()]),
        ("parameters, embeddings", [m["parameters"]["embedding"] for m in models.values()]),
        ("ticks", [m["ticks"] for m in models.values()]),
    ]
    note = "Look at the samples first: models that saw more of them are better for it."
    blocks = [
        Block(
            "Side by side",
            note,
            rows(["", *models], [(label, *values) for label, values in lines]),
            fold=False,
        )
    ]
    most = max(m["ticks"] for m in models.values())
    by_tick = [
        (
            name,
            *(percent(value) for value in m["accuracy_by_tick"].get("overall", [])),
            *[""] * (most - m["ticks"]),
        )
        for name, m in models.items()
    ]
    blocks.append(
        Block(
            "Overall by tick",
            "The same first edits at every tick of both models, on these items.",
            rows(["", *(f"tick {tick}" for tick in range(1, most + 1))], by_tick),
            fold=True,
        )
    )
    halting = [
        (name, _threshold_text(h["threshold"]), h["ticks_mean"], percent(h["overall"]), percent(h["clean"]))
        for name, m in models.items()
        for h in m["halting"]
    ]
    head = ["", "certainty that ends a thought", "ticks", "overall", "clean"]
    note = "What ending thoughts at a certainty saves in ticks and costs in first edits that are right."
    blocks.append(Block("Thoughts ended early", note, rows(head, halting), fold=True))
    return Section("CTM and TRM", blocks, f"{comparison['items']:,} items of the test set. {NOTE}")


def _threshold_text(threshold: float) -> str:
    return "none" if threshold > 1 else percent(threshold)
