"""The rule: pictures that can be read, figures of every suite, and what older benchmarks lack is said."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctm.analysis.certainty import analyze_certainty
from ctm.analysis.settings import AnalysisSettings
from ctm.evaluation.certainty import BROKEN, MADE
from ctm.evaluation.items import ITEMS, read_items, write_items
from ctm.pipeline.certainty_section import certainty_section
from ctm.pipeline.report import write_report

PICTURES = ("reliability", "risk_coverage")
CURVE = {"intercept": 0.5, "slope": 0.6, "real_intercept": -0.85, "real_slope": 0.7}
CHOSEN = {
    "precision": 0.9, "confidence": 0.5, "answers": 200, "coverage": 0.4, "found": 0.95, "low": 0.91, "items": 500,
    "reason": "",
}  # fmt: skip
NONE = {"precision": 0.95, "confidence": None, "answers": 300, "coverage": None, "found": None, "low": None,
        "items": 500, "reason": "best are the 15 surest of 300 answers"}  # fmt: skip


def item(number: int, suite: str, rng: np.random.Generator) -> dict[str, Any]:
    """Broken code with an answer, or clean code."""
    broken, score = number % 2 == 0, float(rng.random())
    row: dict[str, Any] = dict.fromkeys(ITEMS.names)
    return row | {
        "suite": suite, "id": str(number), "project": f"p{number % 5}", "broken": broken, "compiles": True,
        "category": "syntax" if broken else "clean", "passes": int(broken), "asked": 1, "certainty": score,
        "exact": bool(rng.random() < score), "confidence": score, "share": score if broken else None,
        "tick_right": [True, False], "tick_certainty": [score, 0.5],
    }  # fmt: skip


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder, rng = tmp_path_factory.mktemp("certainty"), np.random.default_rng(0)
    rows = [item(n, "test", rng) for n in range(240)] + [item(n, "real", rng) for n in range(9)]
    write_items(folder / "items.parquet", rows)
    report = {"confidence": CURVE, "precision_thresholds": [CHOSEN, NONE]}
    (folder / "benchmark.json").write_text(json.dumps(report))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("ctm.repair.intervals.DRAWS", 100)
        analyze(folder)
    return folder


def analyze(folder: Path) -> None:
    analyze_certainty(
        folder / "benchmark.json", folder / "items.parquet", AnalysisSettings(), folder / "certainty.json",
        folder / "reliability.png", folder / "risk_coverage.png",
    )  # fmt: skip


@pytest.mark.parametrize("name", PICTURES)
def test_pictures_are_narrow_enough_for_a_telephone(written: Path, name: str) -> None:
    """On 390 pixels 4.2 inches are shown: letters of 9.5 points are 12 pixels high."""
    content = (written / f"{name}.png").read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert content[:8] == b"\x89PNG\r\n\x1a\n" and height > width
    assert width == round(4.2 * AnalysisSettings().dpi)
    assert len(content) < 500_000


def test_figures_of_both_suites_are_written_and_too_few_are_null(written: Path) -> None:
    figures = json.loads((written / "certainty.json").read_text())
    assert figures["format_version"] == 1 and set(figures["suites"]) == {"test", "real"}
    found = figures["suites"]["test"]["questions"][BROKEN][MADE]
    assert found["n"] == 120 and 0 < found["ece"] < 1 and 0.5 < found["auroc"] < 1
    real = figures["suites"]["real"]["questions"][BROKEN][MADE]
    assert real["n"] == 5 and real["ece"] is real["auroc"] is None
    assert real["reasons"]["ece"] == "5 answers; a calibration error needs 50"


def test_the_section_shows_each_error_once_with_what_it_is_of(written: Path) -> None:
    figures = json.loads((written / "certainty.json").read_text())
    section = certainty_section(figures)
    assert section.id == "certainty" and sum(bool(block.svg) for block in section.blocks) == 2
    assert all(block.note for block in section.blocks), "a figure without a caption explains nothing"
    assert "broken code of suite real (5 answers)" in section.blocks[1].note, "what is not drawn is said"
    shown = {block.title: block.table for block in section.blocks if block.table}
    which = shown["Which calibration error is which"]
    assert [row[2].text for row in which.rows[:3]] == [
        "the whole repair, all items", "the whole repair, broken code with an answer", "the first edit",
    ]  # fmt: skip
    found = figures["suites"]["test"]["questions"][BROKEN][MADE]
    assert which.rows[1][5].text == f"{found['ece']:.1%}"
    first = figures["suites"]["test"]["questions"]["first edit"]["certainty"]
    assert (which.rows[2][3].text, which.rows[2][5].text) == ("number", f"{first['ece']:.1%}"), (
        "in bins as those of the table of CTM and TRM"
    )
    thresholds = shown["Confidence from which on 90 and 95 % are right"].rows
    given = figures["precision_thresholds"][0]["test"]
    assert [cell.text for cell in thresholds[0][:5]] == ["90%", "50.0%", "validation", "200", "95.0%"]
    assert [cell.text for cell in thresholds[1][2:5]] == [
        "test",
        str(given["answers"]),
        f"{given['precision']:.1%}",
    ]
    assert thresholds[-1][1].text == "none: best are the 15 surest of 300 answers"
    assert all(len(row) == len(table.head) for table in shown.values() for row in table.rows)


def test_a_run_too_small_for_any_figure_goes_the_whole_way(tmp_path: Path) -> None:
    """The smallest runs have a handful of answers and no real fix; they must not fail for it."""
    rng = np.random.default_rng(1)
    write_items(tmp_path / "items.parquet", [item(n, "test", rng) for n in range(7)])
    report = {"confidence": CURVE, "precision_thresholds": [NONE]}
    (tmp_path / "benchmark.json").write_text(json.dumps(report))
    analyze(tmp_path)
    figures = json.loads((tmp_path / "certainty.json").read_text())
    assert figures["suites"]["test"]["questions"][BROKEN][MADE]["ece"] is None
    assert (tmp_path / "reliability.png").stat().st_size > 1000, "it says what is not drawn"
    assert not any(block.svg for block in certainty_section(figures).blocks)


def test_the_page_has_a_drawing_for_each_question_that_can_be_answered(written: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    artifacts = [path for path in written.iterdir() if path.suffix != ".parquet"]
    write_report(artifacts, {}, tmp_path / "results/report.html")
    page = (tmp_path / "results/report.html").read_text()
    assert page.split('id="certainty"')[1].count("<svg") == 4, (
        "broken code and code that compiles, two of each"
    )


def test_items_of_an_earlier_benchmark_are_refused(written: Path, tmp_path: Path) -> None:
    table = read_items(written / "items.parquet").drop_columns(["share", "project"])
    pq.write_table(table, tmp_path / "items.parquet")
    (tmp_path / "benchmark.json").write_text((written / "benchmark.json").read_text())
    with pytest.raises(
        ValueError, match=r"items\.parquet: has no column project, share; run the benchmark again"
    ):
        analyze(tmp_path)
    assert isinstance(read_items(tmp_path / "items.parquet"), pa.Table), (
        "the analysis of the ticks needs neither"
    )
