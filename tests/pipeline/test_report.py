"""The report and the summary: figures are those of the artifacts, the page stands alone."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from ctm.bugs.generation.rates import Tally, figures_of
from ctm.pairs.milestones import Milestones
from ctm.pairs.record import Reject, write_rejects
from ctm.pipeline.report import write_report
from ctm.pipeline.summary import print_summary
from ctm.pipeline.tables import blocks_of, cell

METRICS: dict[str, Any] = {
    "accuracy": {
        "syntax": 0.512,
        "logic": 0.213,
        "security": None,
        "complex": 0.1,
        "clean": 0.9,
        "overall": 0.275,
    },
    "accuracy_by_items": {"syntax": 0.622, "clean": 0.9, "overall": 0.375},
    "intervals": {
        "level": 0.95,
        "units": {"syntax": 17},
        "accuracy": {"syntax": [0.481, 0.543], "overall": None},
        "accuracy_by_items": {"syntax": [0.591, 0.653]},
    },
    "rare_kinds": {"complex": {"kinds": 31, "rare": 13, "items": 29}},
    "suite_intervals": {"test": {"bifi": [0.682, 0.723], "guarded_bifi": None}},
    "coverage": {
        "syntax": 0.99,
        "logic": 0.98,
        "security": None,
        "complex": 0.9,
        "clean": 1.0,
        "overall": 0.97,
    },
    "n": {"syntax": 1234, "logic": 1000, "security": 0, "complex": 50, "clean": 300, "overall": 2284},
    "ece": 0.043,
    "accuracy_by_tick": [[1, 0.01], [8, 0.275]],
    "ticks_used": {"mean": 5.5},
    "parameters": {"body": 2_000_000, "embedding": 300_000},
    "suites": {"test": {"n": 2584, "bifi": 0.7025, "guarded_bifi": 0.5515}},
    "deletion": {"test": {"n": 2584, "bifi": 0.6405, "guarded_bifi": 0.1905}},
    "samples_seen": 98_765,
    "train_samples_per_second": 210.0,
}
STAGE = {
    "stage": "stage1",
    "samples_seen": 4321,
    "seconds": 12.5,
    "events": [
        {
            "event": "rollback",
            "step": 90,
            "samples": 2880,
            "why": "the loss is nan",
            "at_step": 97,
            "to_step": 90,
            "rate_factor": 0.5,
        },
    ],
    "milestones": [
        {
            "milestone": "100%",
            "compared": [{"figure": "syntax", "asked": 0.85, "reached": 0.5, "met": False}],
        }
    ],
}


def model_figures(overall: float, ticks: int, samples: int) -> dict:
    """Of one model of a comparison."""
    halts = [{"threshold": t, "ticks_mean": 1.5, "overall": overall, "clean": 0.9} for t in (0.5, 2.0)]
    return {
        "accuracy": {"syntax": overall, "overall": overall, "clean": None},
        "accuracy_by_tick": {"overall": [overall] * ticks},
        "intervals": {"accuracy": {"syntax": [overall - 0.05, overall + 0.05]}},
        "training": {"samples_seen": samples, "unique_samples": samples, "flops": 2.5e12, "seconds": 61.0},
        "ece": 0.0625,
        "auroc": 0.75,
        "items_per_second": 31.0,
        "flops": 1_500_000_000,
        "parameters": {"body": 7_654_321, "embedding": 100},
        "ticks": ticks,
        "halting": halts,
    }


def apart(value: float | None, interval: list[float] | None) -> dict:
    return {"value": value, "interval": interval}


PAIR = {
    "first": "CTM",
    "second": "TRM",
    "comparable": False,
    "sentence": "Not comparable: CTM had 0.54 times the samples of TRM.",
    "difference": {
        "accuracy": {
            **{name: apart(None, None) for name in ("syntax", "logic", "security", "complex", "clean")},
            "overall": apart(0.11, [-0.021, 0.205]),
        }
    },
    "mcnemar": {
        name: {"n": 900, "only_first": 70, "only_second": 33, "p": 0.000343}
        for name in ("syntax", "logic", "security", "complex", "clean", "overall")
    },
}
NEAR = {
    "factor": 1.19,
    "models": {
        name: {"samples": samples, "stage": stage, "milestone": "25%", "mix": {"syntax": 0.9, "clean": 0.1},
               "max_cells": 96, "validation_items": 160, "accuracy": {"syntax": 0.375}}
        for name, samples, stage in (("CTM", 6_000, "stage1"), ("TRM", 5_040, "trm"))
    },
}  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Path:
    results = tmp_path / "demo" / "results"
    content = {
        "final/final_metrics.json": METRICS,
        "clean/counts.json": {"snippets": {"train": 40_000, "test": 1_000}},
        "raw/releases/01-of-02.counts.json": {
            "unit": "pairs",
            "items": 77,
            "hours": 0.5,
            "milestones": [{"milestone": "25%", "items": 20, "items_per_hour": 98765, "hours": 0.1}],
        },
        "pairs/counts.json": {"pairs": {"mutation": {"train": 120_000}, "release": {"train": 321}}},
        "training/stage1/summary.json": STAGE,
        "reports/benchmark.json": {"by_kind": {"missing_colon": {"n": 40, "exact": 0.75}}},
        "trm/summary.json": {"stage": "trm", "samples_seen": 8_008, "seconds": 61.0},
        "reports/comparison.json": {
            "items": 2_468,
            "models": {"CTM": model_figures(0.415, 3, 4_321), "TRM": model_figures(0.305, 2, 8_008)},
            "pairs": [PAIR],
            "nearest_milestones": NEAR,
        },
        "reports/iterations.json": {"by_tick": [[1, 0.1], [2, 0.2]]},
        "reports/onnx.json": {"items": 200, "same": True},
        "reports/validation.json": {"shapes": "ok"},
        "reports/baseline.json": {"accuracy": 0.0},
    }
    for name, value in content.items():
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text(json.dumps(value))
    lines = [
        {"step": 1, "samples": 64, "loss": 9.0, "certainty": 0.1, "samples_per_second": 200.0},
        {"event": "rollback", "step": 1, "samples": 64, "why": "the loss is nan"},
        {"milestone": "100%", "samples": 128, "loss": 3.0, "accuracy": {"syntax": 0.5}, "step": 2},
    ]
    (results / "training/stage1/metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (results / "reports/accuracy_by_tick.png").write_bytes(b"\x89PNG not really")
    failed = Reject("collect_releases", "source failed", "click-8.1.0", "click", "index <said> no")
    write_rejects(
        results / "pairs/rejects.parquet", [failed, *[Reject("build_pairs", "duplicate", "x", "g", "")] * 3]
    )
    return tmp_path / "demo"


def test_suites_stand_beside_the_deletion_baseline(run: Path) -> None:
    page = page_of(run)
    assert "test, by deletion" in page
    row = page.split("<td>guarded_bifi</td>")[1].split("</tr>")[0]
    assert row.index("0.5515") < row.index("0.1905")


def test_accuracies_by_kinds_and_by_items_have_their_intervals(run: Path) -> None:
    row = page_of(run).split("<td>syntax</td>")[1].split("</tr>")[0]
    cells = [part.split("</td>")[0].split(">")[-1] for part in row.split("<td")[1:]]
    assert cells == ["51.2%", "48.1 to 54.3", "62.2%", "59.1 to 65.3", "99.0%", "1,234", "17"]
    assert "68.2 to 72.3" in page_of(run).split("<td>bifi</td>")[1].split("</tr>")[0]
    assert "<td>complex</td>" in page_of(run).split("rare_kinds")[1].split("</table>")[0]


def test_costs_are_those_that_snakemake_measured(run: Path) -> None:
    (run / "logs" / "mutate").mkdir(parents=True)
    for shard, line in (("01-of-02", "10.5\t9.0\t300.0"), ("02-of-02", "2.0\t1.0\t-")):
        (run / "logs" / "mutate" / f"{shard}.tsv").write_text(f"s\tcpu_time\tmax_rss\n{line}\n")
    row = page_of(run).split("<td>mutate</td>")[1].split("</tr>")[0]
    assert [part.split("<")[0] for part in row.split('class="n">')[1:]] == ["2", "12.5", "10", "300"]


def test_rates_of_synthetic_bugs_stand_beside_those_asked_for(run: Path) -> None:
    assert "Synthetic bugs" not in page_of(run), "a run without mutants has no such section"
    (run / "results/mutants").mkdir()
    for number, made in ((1, 50), (2, 65)):
        kinds = {
            "missing_colon": [90, 80, 100, 70, 60, 2, 50],
            "md5_hash": [9, 8, 7, 7, 5, 0, 5],
            "clean": [9, 0, 0, 0, 9, 1, 9],
        }
        tally = Tally(kinds, {"syntax": [100, made], "security": [10, 10], "clean": [10, 9]})
        Milestones().write(run / f"results/mutants/0{number}-of-02.counts.json", 60, figures_of(tally))
    page = page_of(run).split('<h2 id="synthetic-bugs">')[1].split("<h2")[0]
    success, validation = (
        page.split(f"<td>{name}</td>")[1].split("</tr>")[0] for name in ("success", "validation")
    )
    assert "61.4%" in success and "over 60%" in success and 'class="yes"' in success, "(50 + 65 + 20) of 220"
    assert "72.0%" in validation and "over 80%" in validation and 'class="no"' in validation, "154 of 214"
    row = page.split("<td>missing_colon</td>")[1].split("</tr>")[0]
    for shown in (">180<", ">160<", "75.0%", "70.0%", ">120<", ">4<"):
        assert shown in row, shown
    assert "sql_fields" in page.split("Kinds never drawn")[1], "a kind that nothing was asked of is named"


def page_of(run: Path) -> str:
    artifacts = [path for path in (run / "results").rglob("*") if path.is_file()]
    write_report(artifacts, run / "results" / "report.html")
    return (run / "results" / "report.html").read_text()


def test_page_shows_the_figures_of_the_artifacts(run: Path) -> None:
    page = page_of(run)
    for shown in (
        "51.2%",
        "1,234",
        "40,000",
        "321",
        "missing_colon",
        "0.75",
        "0.85",
        "the loss is nan",
        "rate factor 0.5",
    ):
        assert shown in page, shown
    assert "duplicate" in page and ">3<" in page
    assert "Milestones" in page and 'class="no"' in page


def test_ctm_and_trm_stand_side_by_side(run: Path) -> None:
    section = page_of(run).split("CTM and TRM")[-1]
    for shown in ("41.5%", "30.5%", "7,654,321", "8,008", "2,468"):
        assert shown in section, shown
    row = section.split("<td>samples seen</td>")[1].split("</tr>")[0]
    assert ">4,321<" in row and ">8,008<" in row
    assert PAIR["sentence"] in section.split("<table>")[0], "before any accuracy"
    row = section.split("CTM less TRM")[1].split("<td>overall</td>")[1].split("</tr>")[0]
    for shown in ("+11.0", "-2.1 to 20.5", ">900<", ">70<", ">33<", ">0.000343<"):
        assert shown in row, shown
    assert "<td>syntax</td>" not in section.split("CTM less TRM")[1].split("</table>")[0], (
        "nothing was tested there"
    )
    assert "6,000" in section and "5,040" in section and "1.19 times" in section
    assert section.split("Thoughts ended early")[1].count("<td>TRM</td>") == 2
    (run / "results" / "reports/comparison.json").unlink()
    assert "CTM and TRM" not in page_of(run)


def test_the_speed_of_each_source_is_shown(run: Path) -> None:
    row = page_of(run).split("<td>releases</td>")[1].split("</tr>")[0]
    assert "01-of-02" in row and ">77<" in row and ">98,765<" in row


def test_what_was_asked_scanned_and_kept_of_histories_is_there(run: Path) -> None:
    assert "Collected" not in page_of(run)
    raw = run / "results/raw"
    (raw / "commits").mkdir(parents=True)
    (raw / "repositories").mkdir()
    names = ("asked", "listed", "repositories", "failed", "opted out", "commits", "pairs", "rejects")
    counts = {name: 1000 + n for n, name in enumerate(names)}
    for shard, ended in (("1-of-2", "the list ended"), ("2-of-2", "the number was reached")):
        Milestones().write(raw / "commits" / f"{shard}.counts.json", 7, {**counts, "ended": ended})
    (raw / "repositories/counts.json").write_text(json.dumps({"found": 4321, "kept": 12}))
    page = page_of(run)
    for shown in ("Collected", "2,000", "2,010", "2,014", "shards where the list ended", "4,321"):
        assert shown in page, shown


def test_sources_that_failed_are_named_with_the_reason(run: Path) -> None:
    page = page_of(run)
    assert "Sources that failed" in page
    assert "click-8.1.0" in page
    assert "index &lt;said&gt; no" in page, "text of artifacts is escaped"


def test_page_stands_alone(run: Path) -> None:
    page = page_of(run)
    assert "<svg" in page and "data:image/png;base64," in page
    body = page.split("</style>")[1]
    assert "src=" not in body.replace('src="data:', "")
    assert "<link" not in page and "<script" not in page


def test_summary_names_figures_and_paths(run: Path) -> None:
    page_of(run)
    out = io.StringIO()
    print_summary(run, Console(file=out, width=200))
    text = out.getvalue()
    for shown in (
        "syntax",
        "51.2%",
        "1,234",
        "2.00 M",
        "98,765",
        "report.html",
        "TRM 30.5% (7.65 M)",
        PAIR["sentence"],
    ):
        assert shown in text
    assert "security" not in text, "nothing was tested there"


def test_summary_of_an_unfinished_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        print_summary(tmp_path, Console(file=io.StringIO()))


def test_nested_figures_become_tables() -> None:
    blocks = blocks_of(
        "Top", {"n": 3, "by": {"a": {"x": 1, "y": 2.5}, "b": {"x": 2}}, "list": [{"k": 1}] * 6}
    )
    assert [block.title for block in blocks] == ["Top", "Top: by", "Top: list"]
    matrix = blocks[1].table
    assert matrix is not None and matrix.head == ["", "x", "y"]
    assert [[c.text for c in row] for row in matrix.rows] == [["a", "1", "2.5"], ["b", "2", "-"]]


def test_cells_read_well() -> None:
    shown = [cell(value).text for value in (1234567, 0.123456, None, True, 123456.7, {"a": 1})]
    assert shown == ["1,234,567", "0.1235", "-", "yes", "123,457", "a 1"]
