"""The report's sections on the model before training and on its export."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ctm.pipeline.tables import Block, Cell, Section, rows
from ctm.pipeline.words import plain, prose

SIZES = (
    "width",
    "blocks",
    "heads",
    "neurons",
    "memory",
    "ticks",
    "nlm_hidden",
    "synapse_depth",
    "action_pairs",
    "out_pairs",
)
"""Settings of the model that say how large it is, in the paper's words."""


def sizes_section(config: Mapping[str, Any]) -> Section:
    """config: final_config.yaml."""
    model = config.get("model", {})
    table = [(plain(name), model[name]) for name in (*SIZES, "vocabulary", "seed") if name in model]
    note = "Width is of encoder and attention, memory the ticks that a neuron looks back; pairs are synchronized."
    return Section(
        "Size",
        [Block("Settings of the model", note, rows(["setting", "value"], table), fold=True)] if table else [],
    )


def checks_section(validation: Mapping[str, Any], baseline: Mapping[str, Any] | None = None) -> Section:
    """validation, baseline: what rules validate_model and baseline wrote."""
    blocks = []
    if checks := validation.get("checks"):
        held = sum(bool(check["holds"]) for check in checks)
        table = [(c["check"], c["part"], c["holds"], Cell(prose(c["seen"]))) for c in checks]
        note = f"Is the model what its equations say? {held} of {len(checks)} checks hold."
        head = ["check", "what has to hold", "holds", "what was seen"]
        blocks.append(Block("Equations, gradients, memory", note, rows(head, table), fold=True))
    if targets := (baseline or {}).get("targets"):
        met = sum(bool(target["met"]) for target in targets)
        table = [(Cell(t["what"]), t["value"], t["target"], t["met"]) for t in targets]
        note = f"What an untrained model reaches and costs; {met} of {len(targets)} figures are as they should be."
        head = ["figure", "reached", "asked for", "met"]
        blocks.append(
            Block("Untrained model", note, rows(head, table), file="reports/baseline.json", fold=True)
        )
    return Section("Checks before training", blocks)


def export_section(onnx: Mapping[str, Any]) -> Section:
    """onnx: what rule check_onnx wrote."""
    known = {
        "items": "items that both answered",
        "comparisons": "answers compared",
        "largest_probability_difference": "largest difference of a probability",
        "largest_certainty_difference": "largest difference of a certainty",
        "same": "same answers",
        "onnxruntime": "onnxruntime",
        "torch": "torch",
    }
    table = [(label, onnx[key]) for key, label in known.items() if key in onnx]
    table += [(f"ties: {plain(str(key))}", value) for key, value in (onnx.get("ties") or {}).items()]
    table += [
        (plain(key), Cell(str(value), mark="code"))
        for key, value in (onnx.get("metadata") or {}).items()
        if key not in ("title", "license")
    ]
    note = (
        "The exported graph and the model in torch answer the same items; a run ends where an answer differs. The "
        "differences below are of rounding."
    )
    return Section("ONNX graph", [Block("Against torch", note, rows(["", "value"], table))] if table else [])
