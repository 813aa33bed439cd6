"""Figures of the ticks from per-item results, and plots that are some."""

from __future__ import annotations

import dataclasses
import json
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ctm.analysis.settings import AnalysisSettings
from ctm.analysis.ticks import analyze_iterations
from ctm.evaluation.items import write_items
from ctm.pairs.record import Origin, make_pair, write_pairs
from helpers.tick_rows import COST, TICKS, item, some_rows


def write(folder: Path, rows: Sequence[dict[str, Any]], threshold: float = 0.9) -> None:
    """What the rule reads: items, their texts, thresholds, followed thoughts."""
    write_items(folder / "items.parquet", [row for row in rows if row["suite"] != "validation"])
    write_items(folder / "validation_items.parquet", [row for row in rows if row["suite"] == "validation"])
    (folder / "benchmark.json").write_text(json.dumps({"thresholds": {"tick": threshold}}))
    (folder / "thoughts.json").write_text(json.dumps({"cost": COST}))
    pairs = []
    for number, row in enumerate(rows):
        buggy, fixed = f"def f{number}(:\n    return 1\n", f"def f{number}():\n    return 1\n"
        pair = make_pair(
            buggy, fixed, category="syntax", kind="k", source="mutation", split="test", group="g", origin=Origin()
        )  # fmt: skip
        pairs.append(dataclasses.replace(pair, pair_id=row["id"]))
    write_pairs(folder / "test.parquet", pairs)


@pytest.fixture
def written(tmp_path: Path) -> Path:
    write(tmp_path, some_rows())
    return tmp_path


def analyzed(folder: Path) -> dict[str, Any]:
    analyze_iterations(
        folder / "benchmark.json", folder / "items.parquet", folder / "validation_items.parquet",
        folder / "thoughts.json", folder / "test.parquet",
        AnalysisSettings(), folder / "i.json", folder / "p.png", folder / "f.png", folder / "e.png",
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
    for row, accuracy in zip(figures["stopped_at"], by_tick["syntax"], strict=True):
        assert row["accuracy"]["syntax"] == pytest.approx(accuracy)
        low, high = row["intervals"]["syntax"]
        assert low <= accuracy <= high
        assert row["ahead_of_first"]["syntax"]["gain"] == pytest.approx(accuracy - 10 / 31)


def test_ticks_by_difficulty_and_certainty(written: Path) -> None:
    figures = analyzed(written)
    groups = {group["group"]: group for group in figures["by_difficulty"]["by edits"]}
    assert groups["2"]["ticks"] == TICKS, "never certain enough: all ticks"
    assert groups["none"]["ticks"] < groups["1"]["ticks"] < groups["2"]["ticks"]
    assert [group["n"] for group in figures["by_difficulty"]["by category"]] == [30, 10, 10]
    assert sum(group["n"] for group in figures["by_difficulty"]["by cells"]) == 50
    assert [(g["group"], g["n"]) for g in figures["by_difficulty"]["by edit length"]] == [("1", 50)], (
        "a `)` each"
    )
    assert [(g["group"], g["n"]) for g in figures["by_difficulty"]["by nesting"]] == [("1", 50)]
    assert groups["1"]["critical"] == pytest.approx(2) and groups["2"]["critical"] is None
    assert (
        figures["certainty_by_tick"]["first edit wrong"][-1]
        < figures["certainty_by_tick"]["first edit right"][-1]
    )
    assert figures["changes"]["wrong at first, right at last tick"] == pytest.approx(20 / 50)


def test_the_best_tick_is_chosen_on_validation_items(written: Path) -> None:
    said = analyzed(written)["does_it_think"]
    assert said["best_tick"] == 3 and said["validation_items"] == 30
    assert said["first_to_best"]["syntax"]["gain"] == pytest.approx(20 / 31)
    low, high = said["first_to_best"]["syntax"]["interval"]
    assert 0 < low < 20 / 31 < high
    assert said["by_edits"]["one edit"]["n"] == 31 and said["by_edits"]["several edits"]["n"] == 10
    assert said["by_edits"]["one edit"]["accuracy"]["best"] == pytest.approx(30 / 31)
    assert said["best_to_last"]["syntax"] == {"gain": 0.0, "interval": None}, (
        "nothing changed: nothing to draw"
    )


def test_without_validation_items_nothing_is_claimed_or_promised(tmp_path: Path) -> None:
    write(tmp_path, [item(n, "syntax", 2) for n in range(4)])
    figures = analyzed(tmp_path)
    assert figures["does_it_think"]["best_tick"] is None and "validation" in figures["does_it_think"]["why"]
    assert figures["early_exit"]["promises"] == []


def test_plots_are_pngs_that_a_narrow_screen_can_show(written: Path) -> None:
    analyzed(written)
    for name in ("p.png", "f.png", "e.png"):
        content = (written / name).read_bytes()
        width, height = struct.unpack(">II", content[16:24])
        assert content[:8] == b"\x89PNG\r\n\x1a\n" and 1000 <= width <= 1200 and height >= 600
        assert len(content) < 400_000, "small enough for a README"


def test_one_item_is_enough(tmp_path: Path) -> None:
    write(tmp_path, [item(1, "syntax", 2)], threshold=2.0)
    assert analyzed(tmp_path)["ticks_taken_mean"] == TICKS


def test_nothing_to_analyze_is_said(tmp_path: Path) -> None:
    write(tmp_path, [item(1, "syntax", None)], threshold=2.0)
    with pytest.raises(ValueError, match="no item of the test suite was in the model's scope"):
        analyzed(tmp_path)


def test_items_of_another_run_are_refused(written: Path) -> None:
    write_pairs(written / "test.parquet", [])
    with pytest.raises(
        ValueError, match=r"51 items .* are not among the test pairs.* run the benchmark again"
    ):
        analyzed(written)


def test_items_of_another_version_are_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    write(tmp_path, [item(1, "syntax", 2)])
    pq.write_table(pa.table({"suite": ["test"]}), tmp_path / "items.parquet")
    with pytest.raises(ValueError, match="run the benchmark again"):
        analyzed(tmp_path)
