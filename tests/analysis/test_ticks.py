"""Figures of the ticks from per-item results, and a plot that is one."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from ctm.analysis.settings import AnalysisSettings
from ctm.analysis.ticks import analyze_iterations
from ctm.evaluation.items import ITEMS, write_items

TICKS = 4


def item(number: int, category: str, first_right: int | None, suite: str = "test") -> dict[str, Any]:
    """An item that is right from tick `first_right` (from 1) on; None: the model was not asked."""
    row: dict[str, Any] = dict.fromkeys(ITEMS.names)
    row |= {
        "suite": suite, "id": str(number), "category": category, "kind": category, "cells": 10 * number + 5,
        "edits": {"clean": 0, "syntax": 1}.get(category, 2),
    }  # fmt: skip
    if first_right is not None:
        row["tick_right"] = [tick >= first_right for tick in range(1, TICKS + 1)]
        row["tick_certainty"] = [min(0.95, tick / first_right) for tick in range(1, TICKS + 1)]
    return row


@pytest.fixture
def written(tmp_path: Path) -> Path:
    rows = [item(n, "syntax", 1 + n % 3) for n in range(30)]
    rows += [item(n, "logic", 9) for n in range(10)] + [item(n, "clean", 1) for n in range(10)]
    rows += [item(99, "syntax", None), item(98, "syntax", 1, suite="real")]
    write_items(tmp_path / "items.parquet", rows)
    (tmp_path / "benchmark.json").write_text(json.dumps({"thresholds": {"tick": 0.9}}))
    return tmp_path


def analyzed(folder: Path) -> dict[str, Any]:
    analyze_iterations(
        folder / "benchmark.json", folder / "items.parquet", AnalysisSettings(), folder / "i.json", folder / "p.png"
    )  # fmt: skip
    figures: dict[str, Any] = json.loads((folder / "i.json").read_text())
    return figures


def test_accuracy_by_tick_counts_unasked_items_as_failures(written: Path) -> None:
    figures = analyzed(written)
    by_tick = figures["accuracy_by_tick"]
    assert by_tick["syntax"] == pytest.approx([10 / 31, 20 / 31, 30 / 31, 30 / 31])
    assert by_tick["logic"] == [0.0] * TICKS and by_tick["clean"] == pytest.approx([1.0] * TICKS)
    assert by_tick["overall"] == pytest.approx([v / 2 for v in by_tick["syntax"]]), "clean stands apart"
    assert figures["n"] == {"syntax": 31, "logic": 10, "clean": 10} and figures["items"] == 51


def test_ticks_by_difficulty_and_certainty(written: Path) -> None:
    figures = analyzed(written)
    groups = {group["group"]: group for group in figures["by_difficulty"]["by edits"]}
    assert groups["2"]["ticks"] == TICKS, "never certain enough: all ticks"
    assert groups["none"]["ticks"] < groups["1"]["ticks"] < groups["2"]["ticks"]
    assert [group["n"] for group in figures["by_difficulty"]["by category"]] == [30, 10, 10]
    assert sum(group["n"] for group in figures["by_difficulty"]["by cells"]) == 50
    assert (
        figures["certainty_by_tick"]["first edit wrong"][-1]
        < figures["certainty_by_tick"]["first edit right"][-1]
    )
    assert figures["changes"]["wrong at first, right at last tick"] == pytest.approx(20 / 50)


def test_plot_is_a_png_of_readable_size(written: Path) -> None:
    analyzed(written)
    content = (written / "p.png").read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert content[:8] == b"\x89PNG\r\n\x1a\n" and width >= 1200 and height >= 600
    assert len(content) < 400_000, "small enough for a README"


def test_one_item_is_enough(tmp_path: Path) -> None:
    write_items(tmp_path / "items.parquet", [item(1, "syntax", 2)])
    (tmp_path / "benchmark.json").write_text(json.dumps({"thresholds": {"tick": 2.0}}))
    assert analyzed(tmp_path)["ticks_taken_mean"] == TICKS


def test_nothing_to_analyze_is_said(tmp_path: Path) -> None:
    write_items(tmp_path / "items.parquet", [item(1, "syntax", None)])
    (tmp_path / "benchmark.json").write_text(json.dumps({"thresholds": {"tick": 2.0}}))
    with pytest.raises(ValueError, match="no item of the test suite was in the model's scope"):
        analyzed(tmp_path)


def test_items_of_another_version_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"suite": ["test"]}), tmp_path / "items.parquet")
    (tmp_path / "benchmark.json").write_text(json.dumps({"thresholds": {"tick": 2.0}}))
    with pytest.raises(ValueError, match="run the benchmark again"):
        analyzed(tmp_path)
