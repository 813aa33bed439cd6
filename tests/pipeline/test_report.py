"""The report and the summary: figures are those of the artifacts, each with its words and its file."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import pytest
from rich.console import Console

from ctm.bugs.generation.rates import Tally, figures_of
from ctm.pairs.milestones import Milestones
from ctm.pipeline.summary import SummaryError, print_summary
from helpers.report_run import HOSTILE, PAIR, make_run, page_of


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_run(tmp_path / "demo")


def row_of(page: str, label: str) -> list[str]:
    """Cells behind the first cell that says `label`."""
    row = page.split(f">{label}</td>")[1].split("</tr>")[0]
    return [part.split("</td>")[0].split(">")[-1] for part in row.split("<td")[1:]]


def test_the_first_screen_says_what_was_built_from_what_and_how_good_it_is(run: Path) -> None:
    first = page_of(run).split("<nav")[0]
    for shown in (
        "report of the run “demo”",
        "2.00 million parameters, 0.30 million more",
        "up to 8 ticks",
        "120,321 pairs",
        "of 2 projects",
        "321 of all pairs are real fixes",
        "4,321 samples in 1 stages, 1.2 minutes on cpu, 2 threads",
        "UTC",
        "d484d484d484",
        "3 of the first weights, 7 of the training",
    ):
        assert shown in first, shown
    real = row_of(first, "Real fixes repaired exactly: 0 of 26")
    assert real == ["0.0%", "0.0 to 13.2%"], "a figure of real code has its interval and its n"
    assert "working code (allowed: 2): 6 in 4,992 functions of 1 projects" in first
    assert "0.5 to 2.4 (90 %)" in first
    label = "For comparison, bugs made by programs repaired exactly: 856 of 2,284"
    assert row_of(first, label) == ["37.5%", "35.0 to 40.0%"]
    assert "must not be used for" in first and "62.5% are not repaired" in first, "1 - 0.375"
    assert "18.2% of 300 clean snippets; with the thresholds of use 0.1%" in first


def test_the_example_is_an_answer_of_the_run_with_its_origin(run: Path) -> None:
    page = page_of(run)
    right, wrong = page.split("One repair of this run")[1].split("One that went wrong")
    assert '<span class="del">- def total(items)</span><span class="add">+ def total(items):</span>' in right
    assert "some_kit 1.2.0, kit/sums.py, line 12; license MIT" in right
    assert 'href="https://pypi.org/project/some-kit/1.2.0/"' in right
    assert "There are 1 right answers to 4 items with a bug" in right, "how it was chosen stands beside it"
    wrong = wrong.split("How good it is")[0]
    assert (
        "+ def sum(items):" in wrong and "What its author wrote" in wrong and "+ def total(items):" in wrong
    )
    assert "<script" not in page and "\u202e" not in page and "&lt;script&gt;" in page, HOSTILE


def test_accuracies_by_kinds_by_items_and_in_use_have_their_intervals(run: Path) -> None:
    section = page_of(run).split('<h3 id="accuracy">')[1]
    assert row_of(section, "syntax") == [
        "51.2%", "48.1 to 54.3", "62.2%", "59.1 to 65.3", "-", "99.0%", "1,234", "17",
    ]  # fmt: skip
    assert row_of(section, "logic")[4] == "8.4%"
    assert row_of(section, "missing colon") == ["syntax", "40", "75.0%", "-"]
    assert row_of(section, "out of the model&#39;s reach") == ["7"]


def test_suites_stand_beside_the_deletion_baseline(run: Path) -> None:
    section = page_of(run).split("Made bugs (suite test)")[1]
    assert row_of(section, "the same, and nothing of the author&#39;s lost") == ["55.1%", "-", "19.1%"]
    assert row_of(section, "made to compile within 4 tokens (BIFI)") == ["70.2%", "68.2 to 72.3", "64.0%"]


def test_the_calibration_error_beside_the_trm_says_of_what_it_is(run: Path) -> None:
    """Those of the confidence stand below Certainty (analysis/test_certainty.py)."""
    assert row_of(page_of(run), "calibration error of the raw certainty") == ["6.2%", "6.2%"]


def test_accuracy_by_tick_is_there_once_and_says_first_whether_ticks_help(run: Path) -> None:
    first, section = page_of(run).split('id="does-it-think')[1].split('id="ticks"')
    row = row_of(section.split("By tick and category")[1], "3")
    assert row[0].startswith("96.8% (") and row[1].startswith("0.0% ("), (
        "30 of 31 items of syntax, none of logic"
    )
    assert "Up to tick 3: at tick 1 16.1% of first edits are right, at tick 3 48.4%" in first


def test_costs_are_those_that_snakemake_measured(run: Path) -> None:
    assert "Time and memory" not in page_of(run)
    (run / "logs" / "mutate").mkdir(parents=True)
    for shard, line in (("01-of-02", "10.5\t9.0\t300.0"), ("02-of-02", "2.0\t1.0\t-")):
        (run / "logs" / "mutate" / f"{shard}.tsv").write_text(f"s\tcpu_time\tmax_rss\n{line}\n")
    page = page_of(run)
    assert row_of(page, "mutate") == ["2", "12.5", "10", "300"]
    assert "0.2 minutes of jobs" in page


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
    page = page_of(run).split('<h3 id="synthetic-bugs">')[1].split("<h3")[0]
    success, validation = (
        page.split(f"<td>{name}</td>")[1].split("</tr>")[0] for name in ("success", "validation")
    )
    assert "61.4%" in success and "over 60%" in success and 'class="yes"' in success, "(50 + 65 + 20) of 220"
    assert "72.0%" in validation and "over 80%" in validation and 'class="no"' in validation, "154 of 214"
    assert row_of(page, "missing colon") == ["180", "160", "75.0%", "70.0%", "120", "4"]
    assert "sql fields" in page.split("Kinds never drawn")[1], "a kind that nothing was asked of is named"


def test_page_shows_what_training_did_and_what_was_dropped(run: Path) -> None:
    page = page_of(run)
    assert row_of(page, "stage1") == ["4,321", "4,000", "72.5", "59.6", "bfloat16", "cpu", "2"]
    for shown in ("the loss is nan", "rate factor 0.5", "1 of 3 met", "50.0%", "85.0%", 'class="no"'):
        assert shown in page, shown
    assert "40,000" in page and "71,000" in page, (
        "snippets of clean code; pairs of a category and split added up"
    )
    dropped = page.split('<h3 id="dropped">')[1]
    assert row_of(dropped, "build pairs") == ["duplicate", "3"]
    assert "click_-8.1.0" in dropped and "index &lt;said&gt; no" in dropped, "names stay, text is escaped"


def test_ctm_and_trm_stand_side_by_side(run: Path) -> None:
    section = page_of(run).split('<h3 id="ctm-and-trm">')[1].split("<h2")[0]
    for shown in ("41.5%", "30.5%", "7,654,321", "2,468"):
        assert shown in section, shown
    assert row_of(section, "samples seen") == ["4,321", "8,008"]
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
    assert 'id="ctm-and-trm"' not in page_of(run)


def test_a_thought_is_shown_still_and_moves_where_it_is_asked_to(run: Path) -> None:
    section = page_of(run).split('<h3 id="one-thought">')[1].split("<h2")[0]
    still, moving = (base64.b64encode(content).decode() for content in (b"\x89PNG still", b"GIF89a moving"))
    assert f"data:image/png;base64,{still}" in section.split("<details>")[0], "nobody has to ask for it"
    assert f"data:image/gif;base64,{moving}" in section.split("<details>")[1].split("</details>")[0]
    assert "Tick 2 of 2, which answers, about a made bug in real code (picamera 1.13" in section
    assert row_of(section, "2") == [
        "64.2%", "replaces &#39;s&#39; by &#39;&lt;b&gt;&#39;", "25.0%", "yes", "&#39;key_mask&#39;", "10.0%",
    ]  # fmt: skip


def test_the_speed_of_each_source_is_shown(run: Path) -> None:
    page = page_of(run)
    assert row_of(page, "releases") == ["pairs", "1", "77", "30.0"]
    assert row_of(page.split("Speed of each job")[1], "releases")[:5] == [
        "01-of-02",
        "pairs",
        "77",
        "0.5",
        "98,765",
    ]


def test_what_was_asked_scanned_and_kept_of_histories_is_there(run: Path) -> None:
    assert "Bug fixes in git histories" not in page_of(run)
    raw = run / "results/raw"
    (raw / "commits").mkdir(parents=True)
    (raw / "repositories").mkdir()
    names = ("asked", "listed", "repositories", "failed", "opted out", "commits", "pairs", "rejects")
    counts = {name: 1000 + n for n, name in enumerate(names)}
    for shard, ended in (("1-of-2", "the list ended"), ("2-of-2", "the number was reached")):
        Milestones().write(raw / "commits" / f"{shard}.counts.json", 7, {**counts, "ended": ended})
    (raw / "repositories/counts.json").write_text(json.dumps({"found": 4321, "kept": 12}))
    page = page_of(run)
    for shown in (
        "Bug fixes in git histories",
        "2,000",
        "2,010",
        "2,014",
        "shards where the list ended",
        "4,321",
    ):
        assert shown in page, shown


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
    with pytest.raises(SummaryError, match="no such file; has the run finished"):
        print_summary(tmp_path, Console(file=io.StringIO()))
