"""What people look at: a pair, the audit page and its answers, the data card and its Croissant."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctm.pairs.record import Origin, Pair, Reject, make_pair, write_pairs, write_rejects
from ctm.pipeline.audit import AnswersError, audit_page, precision, wilson
from ctm.pipeline.cli import app
from ctm.pipeline.croissant import licenses
from ctm.pipeline.data_card import write_data_card
from ctm.pipeline.diffs import diff_lines, link, visible

HOSTILE = "</pre><script>alert(1)</script> {{ 7 * 7 }} \u202e \x1b[31m \"'><img src=x onerror=alert(2)>"


def pair(number: int, source: str = "commit", split: str = "train", text: str = "") -> Pair:
    origin = Origin(
        project="kit",
        path="kit/mean.py",
        qualname="mean",
        line=number,
        commit="c" * 40,
        url=f"https://example.org/kit/commit/{number}",
        license="MIT",
        license_source="LICENSE",
        date="2021-03-04" if source == "commit" else "",
    )
    return make_pair(
        f"x = {number}  # {text}\ny = x",
        f"x = {number + 1}  # {text}\ny = x",
        category="logic",
        kind=source,
        source=source,
        split=split,
        group="kit",
        origin=origin,
    )


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = tmp_path / "demo"
    pairs = folder / "results" / "pairs"
    write_pairs(pairs / "train.parquet", [pair(number, text=HOSTILE) for number in range(30)])
    write_pairs(pairs / "real.parquet", [pair(100, "release", "test")])
    for name in ("validation", "test"):
        write_pairs(pairs / f"{name}.parquet", [])
    return folder


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["pairs", *map(str, arguments)])
    return done.exit_code, done.output


def test_a_pair_is_shown_with_its_origin_and_its_diff(run: Path) -> None:
    wanted = pair(100, "release", "test")
    code, shown = call("show", wanted.pair_id[:12], "--directory", run)
    assert code == 0 and "date" not in shown
    assert "date      2021-03-04" in call("show", pair(3, text=HOSTILE).pair_id, "--directory", run)[1]
    for part in (wanted.pair_id, "kit/mean.py:100", "MIT (LICENSE)", "- x = 100", "+ x = 101", "  y = x"):
        assert part in shown


def test_nothing_in_a_pair_reaches_the_terminal(run: Path) -> None:
    _, shown = call("show", pair(3, text=HOSTILE).pair_id, "--directory", run)
    assert "\x1b[31m" not in shown and "\\x1b[31m" in shown
    assert "\u202e" not in shown and "\\u202e" in shown


@pytest.mark.parametrize(("name", "said"), [("zz", "no pair"), ("", "31 pairs")])
def test_a_pair_that_is_not_named_well_is_one_line(run: Path, name: str, said: str) -> None:
    code, shown = call("show", name, "--directory", run)
    assert code == 2 and said in shown and shown.count("\n") == 1
    assert call("show", name, "--directory", run / "nowhere")[0] == 2


def test_the_audit_page_stands_alone_and_runs_no_script_but_its_own(run: Path) -> None:
    out = run / "audit.html"
    assert call("audit", "--n", 20, "--directory", run, "--out", out)[0] == 0
    page = out.read_text()
    assert len(re.findall(r"<article data-id=", page)) == 20
    assert page.count("<script>") == 1 and "<img" not in page and " src=" not in page.replace("img src=x", "")
    script = page.split("<script>")[1].split("</script>")[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.unescape(page)
    assert "{{ 7 * 7 }}" in page and "\u202e" not in page
    assert call("audit", "--n", 20, "--directory", run, "--out", run / "again.html")[0] == 0
    assert (run / "again.html").read_text() == page, "the same draw for the same seed"


def test_audit_of_a_source_that_is_not_there_names_those_that_are(run: Path) -> None:
    code, shown = call("audit", "--source", "stackoverflow", "--directory", run)
    assert code == 2 and "commit, release" in shown


def test_only_web_addresses_are_links() -> None:
    for url in ("javascript:alert(1)", "file:///etc/passwd", "https:evil", "data:text/html,x"):
        hostile = replace(pair(1), origin=replace(pair(1).origin, url=url))
        assert link(hostile) == ""
        assert f'href="{url}' not in audit_page([hostile], "commit", 0)
    release = replace(pair(1), origin=replace(pair(1).origin, url="pkg:pypi/jinja2@2.11.1"))
    assert link(release) == "https://pypi.org/project/jinja2/2.11.1/"


def test_precision_of_saved_answers(tmp_path: Path) -> None:
    answers = {str(i): "fix" for i in range(30)} | {"a": "not", "b": "unsure"}
    path = tmp_path / "answers.json"
    path.write_text(json.dumps({"format": "ctm.audit", "answers": answers}))
    done = precision(path)
    assert (done.fix, done.not_fix, done.unsure) == (30, 1, 1)
    assert done.share == pytest.approx(30 / 31)
    assert "96.8%" in call("audit", "--answers", path)[1]
    for content in ("{", "[]", '{"format": "ctm.audit", "answers": {"a": "maybe"}}'):
        path.write_text(content)
        with pytest.raises(AnswersError, match=r"answers\.json"):
            precision(path)


def test_wilson_interval() -> None:
    # n = 10, 8 hits: 0.4902 to 0.9433 (the textbook's example of the score interval)
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 0) == (0.0, 1.0)
    assert wilson(0, 20)[0] == 0.0 and wilson(20, 20)[1] == 1.0


def test_a_diff_is_both_texts() -> None:
    lines = diff_lines("a\nb\nc", "a\nB\nc\nd")
    assert [line.text for line in lines if line.mark != "+"] == ["a", "b", "c"]
    assert [line.text for line in lines if line.mark != "-"] == ["a", "B", "c", "d"]
    assert visible("a\tb") == "a\tb" and visible("\x00\u2066") == "\\x00\\u2066"


@pytest.fixture
def card(run: Path) -> Path:
    results = run / "results"
    lost = Reject("encode", "more than 8 edits", pair(2, text=HOSTILE).pair_id, "kit", "commit")
    write_rejects(results / "grids" / "01-of-01.rejects.parquet", [lost])
    sidecar = results / "grids" / "01-of-01.parquet"
    write_pairs(sidecar, [pair(number) for number in range(29)])  # has the column that is read
    (results / "pairs" / "counts.json").write_text(
        json.dumps(
            {
                "rejects": [{"source": "commit", "reason": "suite mini", "n": 7}],
                "masked": [],
                "leaks": {
                    "texts": {"train": 900},
                    "compared": {"train": 500},
                    "table": [
                        {"split": "train", "copies in": "suite x", "exact": 0, "but for names": 3, "near": 1}
                    ],
                },
            }
        )
    )
    (results / "clean.json").write_text(
        json.dumps({"rejects": {"near duplicate": 5}, "masked": {"email": 3}, "joined": {}})
    )
    sets = [results / "pairs" / f"{name}.parquet" for name in ("train", "validation", "test", "real")]
    reports = results / "reports"
    write_data_card(
        sets,
        results / "pairs" / "counts.json",
        results / "clean.json",
        [sidecar],
        [results / "grids" / "01-of-01.rejects.parquet"],
        reports / "data_card.html",
        reports / "croissant.json",
    )
    return reports


def test_the_card_counts_what_is_there(card: Path) -> None:
    page = (card / "data_card.html").read_text()
    rows = [re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", page)]
    assert ["commit", "30", "30", "0", "0", "0"] in rows
    assert ["release", "1", "0", "0", "0", "1"] in rows
    assert ["MIT", "31", "30", "0", "0", "1"] in rows
    assert ["2 to 5", "31", "30", "0", "0", "1"] in rows
    assert ["2021", "30", "30", "0", "0", "0"] in rows and ["not known", "1", "0", "0", "0", "1"] in rows
    assert ["commit", "30", "96.7%", "1"] in rows, "coverage: 29 of 30 encoded"
    assert ["snippets", "near duplicate", "5"] in rows and ["commit", "suite mini", "7"] in rows
    assert ["train", "suite x", "0", "3", "1"] in rows and ["train", "900", "500"] in rows
    assert page.count('<span class="del">') == 10, "ten examples of the one category"
    assert "<script" not in page and "<img" not in page and "\u202e" not in page


def test_croissant_names_files_by_checksum_and_all_columns(card: Path) -> None:
    content = json.loads((card / "croissant.json").read_text())
    for entry in content["distribution"]:
        data = (card / entry["contentUrl"]).read_bytes()
        assert entry["sha256"] == hashlib.sha256(data).hexdigest()
    assert {entry["name"] for entry in content["recordSet"][0]["field"]} >= {
        "buggy",
        "fixed",
        "license",
        "date",
    }
    assert all(field["description"] for entry in content["recordSet"][:4] for field in entry["field"])
    assert (
        content["isLiveDataset"] is False and content["version"] and content["citeAs"].startswith("@software")
    )
    assert content["license"] == ["https://spdx.org/licenses/MIT.html"]
    described = {entry["name"]: entry["description"] for entry in content["recordSet"]}
    assert described["train"].endswith(" 30 rows.") and "splits" in described


def test_a_license_that_spdx_does_not_list_is_not_lost() -> None:
    assert licenses(["MIT AND LicenseRef-kit", "GPL-2.0-only WITH Classpath-exception-2.0"]) == [
        "https://spdx.org/licenses/Classpath-exception-2.0.html",
        "https://spdx.org/licenses/GPL-2.0-only.html",
        "LicenseRef-kit",
        "https://spdx.org/licenses/MIT.html",
    ]


def test_croissant_is_valid_and_its_records_can_be_read(card: Path) -> None:
    mlcroissant = pytest.importorskip(
        "mlcroissant", reason="needs mlcroissant, which brings rdflib: make crate-check"
    )
    dataset = mlcroissant.Dataset(card / "croissant.json")
    assert not dataset.metadata.ctx.issues.errors and not dataset.metadata.ctx.issues.warnings
    records = list(dataset.records("real"))
    assert len(records) == 1
    assert records[0]["real/pair_id"].decode() == pair(100, "release", "test").pair_id
