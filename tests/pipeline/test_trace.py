"""`ctm-pipeline trace`: from an artifact to releases and commits, from a pair to its file, and files hashed again."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctm.pipeline import pair_origin, trace
from ctm.pipeline.cli import app
from ctm.pipeline.ledger import LEDGER, REFUSED
from ctm.pipeline.run_records import read_records
from helpers.ledger import (
    COMMIT,
    FLASK_NEW,
    FLASK_OLD,
    KIT_SUM,
    add,
    commit,
    make_ledger_run,
    mutant,
    release,
    snippet,
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the run; its checkout is the one beside it."""
    for function in (trace.trace, pair_origin.way_back):
        monkeypatch.setattr(function, "__defaults__", (tmp_path / "checkout",))
    return make_ledger_run(tmp_path)


def call(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["trace", *map(str, arguments)])
    return done.exit_code, done.output


def test_an_artifact_leads_down_to_archives_and_commits(run: Path) -> None:
    code, shown = call("results/final/ctm.onnx", "--directory", run)
    assert code == 0, shown
    lines = shown.splitlines()
    assert (
        lines[0].startswith("results/final/ctm.onnx") and lines[1] == "bundle, 2026-11-29 10:07:10Z, 10.5 s"
    )
    for part in (
        f"kit 1.2, sha256 {KIT_SUM}, 1 row",
        f"flask 2.0.0, sha256 {FLASK_OLD}",
        f"flask 2.0.1, sha256 {FLASK_NEW}",
        "https://example.org/some-kit, 1 commit, 1 row",
        f"commit {COMMIT}",
    ):
        assert part in shown
    assert sum("build_pairs, 2026" in line for line in lines) == 1, "a job is shown once"
    assert "and of jobs above: results/pairs/test.parquet" in shown
    assert call(run / "results/final/ctm.onnx")[1] == shown, "the path alone says which run it is"


def test_a_refused_try_stands_where_one_looks_for_what_it_would_have_made(run: Path) -> None:
    add(
        run, "bundle", ["checkpoints/stage1.safetensors"], [], {}, status=REFUSED, reason="stage1 was damaged"
    )
    add(run, "report", [], [], {}, status=REFUSED, reason="the model was damaged")
    said = "tried again since, and refused at 2026-11-29 10:09:10Z (exit status 65): stage1 was damaged"
    assert said in call("results/final/ctm.onnx", "--directory", run)[1]
    assert said not in call("results/checkpoints/stage1.safetensors", "--directory", run)[1]
    code, shown = call("results/report.html", "--directory", run)
    assert code == 2 and "report was refused at 2026-11-29 10:10:10Z (exit status 65): the model was" in shown
    add(run, "bundle", ["checkpoints/stage1.safetensors"], ["final/ctm.onnx"], {})
    assert said not in call("results/final/ctm.onnx", "--directory", run)[1], "it has been made since"


def test_pinned_sums_of_a_changed_list_are_not_believed(run: Path) -> None:
    (run.parent / "checkout/config/corpus.csv").write_text("name,version,sha256,file\n")
    shown = call("results/clean/snippets.parquet", "--directory", run)[1]
    assert "config/corpus.csv has changed since the run" in shown and "kit 1.2, no pinned sum" in shown


def test_every_altered_byte_is_named(run: Path) -> None:
    records = read_records(run)
    assert call("--verify", "--directory", run) == (0, "9 files hashed, all as in the ledger\n")
    for name in records.files:
        path = run / name
        content = path.read_bytes()
        path.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        code, shown = call("--verify", "--directory", run)
        assert code == 1 and f"✗ {name} differs" in shown and "9 files hashed, 1 fault." in shown
        code, shown = call(name, "--verify", "--directory", run)
        assert code == 1 and f"✗ {name} differs" in shown
        path.write_bytes(content)


def test_a_damaged_dump_is_traced_and_named(run: Path) -> None:
    (run / "results/raw/packages/01-of-01.parquet").write_bytes(b"PAR1 no more")
    code, shown = call("results/final/ctm.onnx", "--verify", "--directory", run)
    assert (
        code == 1
        and "sources not known" in shown
        and "✗ results/raw/packages/01-of-01.parquet differs" in shown
    )


def test_what_lies_above_a_fault_does_not_hide_it(run: Path) -> None:
    (run / "results/mutants/01-of-01.parquet").unlink()
    code, shown = call("results/final/ctm.onnx", "--verify", "--directory", run)
    assert code == 1 and "✗ results/mutants/01-of-01.parquet is missing (made by mutate" in shown
    assert call("results/raw/releases/01-of-01.parquet", "--verify", "--directory", run)[0] == 0


def test_an_input_made_again_since_and_files_of_no_job_are_named(run: Path) -> None:
    (run / "results/pairs/train.parquet").write_text("others")
    (run / "results/pairs/left.parquet").write_text("of nobody")
    add(run, "build_pairs", [], ["pairs/train.parquet", "pairs/test.parquet"], {})
    for target in ([], ["results/final/ctm.onnx"]):
        code, shown = call(*target, "--verify", "--directory", run)
        assert code == 1 and "✗ results/pairs/train.parquet was made again since" in shown
        assert ("✗ results/pairs/left.parquet is not in the ledger" in shown) is not bool(target)


def test_an_input_that_no_job_made_is_named(run: Path) -> None:
    lines = (run / LEDGER).read_text().splitlines(keepends=True)
    (run / LEDGER).write_text("".join(line for line in lines if '"mutate"' not in line))
    code, shown = call("results/final/ctm.onnx", "--verify", "--directory", run)
    assert code == 1 and "✗ results/mutants/01-of-01.parquet is not in the ledger" in shown


def test_a_mutant_leads_to_its_snippet_its_mutator_and_its_package(run: Path) -> None:
    code, shown = call("--pair", mutant().pair_id[:9], "--directory", run)
    assert code == 0, shown
    for part in (
        "results/pairs/train.parquet",
        "mutant of kind missing_colon",
        "ctm/bugs/syntax/blocks.py",
        f"clean snippet {snippet().snippet_id}",
        "is the fixed side as it stands",
        "results/raw/packages/01-of-01.parquet",
        "kit, kit/mean.py:7",
        f"kit 1.2, sha256 {KIT_SUM}",
        "MIT (from METADATA License)",
        "https://pypi.org/project/kit/1.2/",
    ):
        assert part in shown, part


def test_fixes_lead_to_their_commit_and_to_both_releases(run: Path) -> None:
    shown = call("--pair", commit().pair_id, "--directory", run)[1]
    for part in ("some/kit.py:12 in ffffffffffff", f"{COMMIT}, parent {'e' * 40}", "Apache-2.0 (from LICENSE)",
                 f"https://example.org/some-kit/commit/{COMMIT}", "2021-03-04", "not on record"):  # fmt: skip
        assert part in shown, part
    shown = call("--pair", release().pair_id, "--directory", run)[1]
    assert f"release before flask 2.0.0, sha256 {FLASK_OLD}" in shown
    assert f"release        flask 2.0.1, sha256 {FLASK_NEW}" in shown


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "--pair ID"),
        (["results/final/ctm.onnx", "--pair", "ab"], "--pair ID"),
        (["results/final/ctm.onx"], "is it results/final/ctm.onnx?"),
        (["--pair", "zz"], "no pair"),
        (["--pair", ""], "3 pairs begin with that"),
    ],
)
def test_what_is_not_asked_well_is_one_line(run: Path, arguments: list[str], said: str) -> None:
    code, shown = call(*arguments, "--directory", run)
    assert code == 2 and said in shown and shown.count("\n") == 1


def test_a_folder_without_a_ledger_is_refused(tmp_path: Path) -> None:
    code, shown = call("results/final/ctm.onnx", "--directory", tmp_path)
    assert code == 2 and "no results/provenance/ledger.jsonl" in shown
