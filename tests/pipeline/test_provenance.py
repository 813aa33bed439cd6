"""The ledger as people and machines read it: page, Markdown, and the Workflow Run RO-Crate."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from ctm.pipeline.ledger import REFUSED
from ctm.pipeline.run_records import read_records
from helpers.ledger import SESSION, add, lineage_of, make_ledger_run, provenance_of

CHECK = Path(__file__).resolve().parents[1] / "slow/check_crate.py"


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return make_ledger_run(tmp_path)


@pytest.fixture
def page(run: Path) -> Path:
    return provenance_of(run)


def entities(run: Path) -> dict[str, dict[str, object]]:
    graph = json.loads((run / "results/ro-crate-metadata.json").read_text())["@graph"]
    assert len({one["@id"] for one in graph}) == len(graph), "no two entities of one name"
    return {one["@id"]: one for one in graph}


def test_page_and_markdown_say_the_same_of_every_artifact(run: Path, page: Path) -> None:
    for text in (page.read_text(), page.with_suffix(".md").read_text()):
        for path, file in read_records(run).files.items():
            assert path.removeprefix("results/") in text and file.sha256 in text
        for part in (
            "9 lines of the ledger", "9 files", "8 made them, 1 attempts failed, 0 were refused",
            "not available on this machine",
            "999999999999, changed", "2 lines of diff", "A processor",
            "2 x An accelerator", "torch", "2.13.0", lineage_of("mutate")[:16],
            "Seeds: sources.packages.seed 5.", "Seeds: bugs.seed 3.", "threads 2, memory 3 GB, disk traffic low",
            "2026-11-29 10:04:10", "137", "config/corpus.csv",
        ):  # fmt: skip
            assert part in text, part
        assert "/home/somebody" not in text, "folders of a machine are somebody's"


def test_a_refused_try_is_told_with_its_reason_and_counts_for_nothing(run: Path) -> None:
    before = read_records(run)
    add(run, "bundle", ["checkpoints/stage1.safetensors"], [], {}, status=REFUSED, reason="it | was damaged")
    after = read_records(run)
    assert (after.jobs, after.files) == (before.jobs, before.files)
    text = provenance_of(run).with_suffix(".md").read_text()
    assert "8 made them, 1 attempts failed, 1 were refused" in text
    (line,) = (line for line in text.splitlines() if "was damaged" in line)
    assert "bundle" in line and "refused" in line and "65" in line
    (start,) = (line for line in text.splitlines() if f"[`{SESSION[:8]}`]" in line)
    assert "| 9 |" in start, "jobs that ran"
    assert len([name for name in entities(run) if name.startswith("#job-") and name.count("-") == 1]) == 8


def test_tables_of_the_markdown_are_tables(page: Path) -> None:
    lines = page.with_suffix(".md").read_text().splitlines()
    for number, line in enumerate(lines):
        if line.startswith("|") and not lines[number - 1].startswith("|"):
            assert lines[number - 1] == "", "a table begins after an empty line"
            assert line.count("|") == lines[number + 1].count("|")
    opened = sum(line.startswith("<details>") for line in lines)
    assert opened and opened == lines.count("</details>")


def test_the_crate_has_every_output_with_its_sum_and_what_made_it(run: Path, page: Path) -> None:
    found, records = entities(run), read_records(run)
    for path, file in records.files.items():
        one = found[path.removeprefix("results/")]
        assert one["sha256"] == file.sha256 and one["contentSize"] == str(file.size)
    action = found[f"#job-{records.latest['results/pairs/train.parquet'].job}"]
    assert [one["@id"] for one in action["object"]] == [
        "mutants/01-of-01.parquet", "raw/releases/01-of-01.parquet", "raw/commits/01-of-01.parquet"
    ]  # fmt: skip
    assert [one["@id"] for one in action["result"]] == ["pairs/train.parquet", "pairs/test.parquet"]
    assert action["instrument"] == {"@id": "#rule-build_pairs"}
    assert {"@id": f"provenance/sessions/{SESSION}.json"} in action["subjectOf"]
    figures = {found[one["@id"]]["name"] for one in action["resourceUsage"]}
    assert figures == {"seconds", "cpu_seconds", "memory_gb"}, "what is not available is no 0"
    files = [name for name, one in found.items() if "File" in one["@type"]]
    assert all((run / "results" / name).is_file() for name in files)
    assert {"provenance/provenance.html", "provenance/provenance.md", "provenance/Snakefile"} <= set(files)
    assert found["#run"]["result"] == {"@id": "final/ctm.onnx"}
    assert "/home/" not in json.dumps(list(found.values()))


def test_what_is_gone_or_was_made_again_is_no_file_of_the_crate(run: Path) -> None:
    pytest.importorskip("rocrate")
    (run / "results/final/ctm.onnx").unlink()
    (run / "results/pairs/train.parquet").write_text("others")
    add(run, "build_pairs", [], ["pairs/train.parquet", "pairs/test.parquet"], {})
    provenance_of(run)
    found = entities(run)
    assert "final/ctm.onnx" not in found
    [gone] = [one for one in found.values() if one.get("name") == "results/final/ctm.onnx"]
    assert (
        gone["@type"] == "CreativeWork"
        and gone["sha256"] == read_records(run).files["results/final/ctm.onnx"].sha256
    )
    stage = found[f"#job-{read_records(run).latest['results/checkpoints/stage1.safetensors'].job}"]
    assert stage["object"]["@id"].startswith("#elsewhere-"), "it was trained on what lay there before"


def test_an_earlier_page_is_no_artifact_of_the_later_one(run: Path, page: Path) -> None:
    add(run, "provenance", ["final/ctm.onnx"], ["provenance/provenance.html", "ro-crate-metadata.json"], {})
    page.write_text("what lay there before")
    provenance_of(run)
    assert "what lay there" not in page.read_text() and "9 lines of the ledger" in page.read_text()
    assert "sha256" not in entities(run)["provenance/provenance.html"]


def test_an_empty_ledger_makes_a_crate_too(run: Path) -> None:
    pytest.importorskip("rocrate")
    (run / "results/provenance/ledger.jsonl").write_text("")
    provenance_of(run)
    assert "#run" in entities(run)


def test_the_crate_is_valid_and_runcrate_reads_it(run: Path, page: Path) -> None:
    """Needs roc-validator and runcrate, which `make crate-check` sets up beside the other environment."""
    if not Path(sys.executable).with_name("rocrate-validator").exists():
        pytest.skip("needs roc-validator and runcrate: make crate-check RUN=runs/demo")
    done = subprocess.run([sys.executable, str(CHECK), str(run)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 issues; runcrate reads 9 actions" in done.stdout
