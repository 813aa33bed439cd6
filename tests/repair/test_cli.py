"""The command as a user meets it: output, exit status, one clear line for what is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ctm.repair.bundle import Bundle, BundleError, find_bundle, load_bundle
from ctm.repair.cli import app
from ctm.repair.odds import StrengthCurve

BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"
HOPELESS = "x = = = 1\n"


def run(
    *arguments: str | Path, given: str | bytes = b"", **environment: str
) -> subprocess.CompletedProcess[str]:
    raw = given.encode() if isinstance(given, str) else given
    done = subprocess.run(
        [sys.executable, "-m", "ctm.repair.cli", *map(str, arguments)],
        input=raw,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        timeout=60,
    )
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def one_line(done: subprocess.CompletedProcess[str], *words: str) -> None:
    lines = done.stderr.splitlines()
    assert len(lines) == 1 and lines[0].startswith("ctm-repair: "), done.stderr
    assert all(word in lines[0] for word in words), lines[0]


HEAVY = {
    "pyarrow", "pandas", "zarr", "numcodecs", "torch", "onnx", "snakemake", "matplotlib", "requests",
    "libcst", "git", "psutil", "safetensors", "typer", "pydantic",
}  # fmt: skip
"""What only the pipeline needs."""


def test_a_repair_imports_nothing_that_it_does_not_use(colon_bundle: Path, tmp_path: Path):
    """Who only repairs need not have the pipeline's libraries, nor wait for them, or for the table of `evaluate`."""
    (tmp_path / "a.py").write_text(BROKEN)
    given = ["fix", str(tmp_path / "a.py"), "--bundle", str(colon_bundle), "--suggest"]
    code = f"""
import sys
from ctm.repair.cli import app
try:
    app(args={given!r})
except SystemExit as end:
    assert end.code == 1, end.code
def imported(names):
    return sorted(names & {{name.partition(".")[0] for name in sys.modules}})
fix = imported({HEAVY!r} | {{"rich"}})
import ctm.repair.measuring
print("fix:", *fix, "evaluate:", *imported({HEAVY!r}), file=sys.stderr)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0 and "+def add(a, b):" in done.stdout, done.stderr
    assert done.stderr == "fix: evaluate:\n"


def test_stdin_is_repaired_as_a_diff(colon_bundle: Path):
    done = run("fix", "-", "--diff", "--bundle", colon_bundle, given=BROKEN)
    assert done.returncode == 1 and done.stderr == ""
    assert done.stdout == (
        "--- <stdin>\n+++ <stdin>\n@@ -1,2 +1,2 @@\n-def add(a, b)\n+def add(a, b):\n     return a + b\n"
    )


def test_clean_code_prints_nothing(colon_bundle: Path):
    done = run("fix", "-", "--diff", given=FIXED, CTM_BUNDLE=str(colon_bundle))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_broken_beyond_the_model_is_status_3(colon_bundle: Path):
    done = run("fix", "-", "--diff", "--bundle", colon_bundle, given=HOPELESS)
    assert done.returncode == 3 and done.stdout == ""
    one_line(done, "<stdin>: no repair found, line 1: invalid syntax")


def test_files_folders_and_the_gravest_status(colon_bundle: Path, tmp_path: Path):
    (tmp_path / "pack" / ".hidden").mkdir(parents=True)
    (tmp_path / "pack" / "a.py").write_text(BROKEN)
    (tmp_path / "pack" / "b.py").write_text(FIXED)
    (tmp_path / "pack" / "c.txt").write_text(HOPELESS)
    (tmp_path / "pack" / ".hidden" / "d.py").write_text(HOPELESS)
    done = run("fix", tmp_path / "pack", "--bundle", colon_bundle)
    assert done.returncode == 1 and done.stdout.count("\n+++ ") == 1
    (tmp_path / "pack" / "e.py").write_text(HOPELESS)
    assert run("fix", tmp_path / "pack", "--bundle", colon_bundle).returncode == 3
    done = run("fix", tmp_path / "none.py", tmp_path / "pack", "--bundle", colon_bundle)
    assert done.returncode == 2 and "+def add(a, b):" in done.stdout, "the others are still handled"
    assert f"ctm-repair: {tmp_path / 'none.py'}: no such file or directory" in done.stderr


def test_write_keeps_mode_and_line_ends(colon_bundle: Path, tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_bytes(BROKEN.replace("\n", "\r\n").encode())
    path.chmod(0o640)
    done = run("fix", path, "--write", "--bundle", colon_bundle)
    assert done.returncode == 1 and done.stdout == ""
    assert path.read_bytes() == FIXED.replace("\n", "\r\n").encode()
    assert path.stat().st_mode & 0o777 == 0o640
    assert run("fix", path, "--write", "--bundle", colon_bundle).returncode == 0


def test_write_refuses_stdin(colon_bundle: Path):
    done = run("fix", "-", "--write", "--bundle", colon_bundle, given=BROKEN)
    assert done.returncode == 2
    one_line(done, "--write needs files")


def test_json(colon_bundle: Path, tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_text(BROKEN)
    done = run("fix", path, tmp_path / "b.py", "--json", "--bundle", colon_bundle)
    content = json.loads(done.stdout)
    assert done.returncode == content["status"] == 2 and content["format_version"] == 1
    first, second = content["files"]
    assert first["status"] == "repaired" and first["compiles"] and not first["compiled"]
    assert first["changes"][0]["line"] == 1 and first["changes"][0]["after"] == FIXED.split("\n")[0]
    assert "+def add(a, b):" in first["diff"]
    assert second["status"] == "error" and second["error"] == "no such file or directory"


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b"\x7fELF\x01\0\0", ["binary", "null byte"]),
        (b"x = 1" + b"0" * 10_000_000, ["too large"]),
        (b"\n\n\nx = '\xff'\n", ["0xff"]),
        (b"x = " + b"(" * 300 + b")" * 300, ["nested brackets"]),
    ],
    ids=["binary", "10 MB line", "encoding", "nesting"],
)
def test_what_cannot_be_handled_is_one_line_and_status_2(
    colon_bundle: Path, tmp_path: Path, raw: bytes, words
):
    path = tmp_path / "a.py"
    path.write_bytes(raw)
    for arguments, given in ((path, b""), ("-", raw)):
        done = run("fix", arguments, "--bundle", colon_bundle, given=given)
        assert done.returncode == 2 and done.stdout == ""
        one_line(done, *words)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_folder_without_permission(colon_bundle: Path, tmp_path: Path):
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o000)
    done = run("fix", tmp_path, "--bundle", colon_bundle)
    closed.chmod(0o755)
    assert done.returncode == 2
    one_line(done, "closed: permission denied")


# --- bundles --------------------------------------------------------------------------------------------------------


def test_a_missing_bundle_is_one_line(tmp_path: Path):
    done = run("fix", "-", "--bundle", tmp_path / "none", given=BROKEN)
    assert done.returncode == 2 and done.stdout == ""
    one_line(done, "none: no such bundle")


def test_where_a_bundle_is_looked_for(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CTM_BUNDLE", raising=False)
    monkeypatch.setattr("ctm.repair.bundle.PRETRAINED", tmp_path / "none")
    with pytest.raises(BundleError, match=r"no bundle: .*--bundle"):
        find_bundle()
    monkeypatch.setenv("CTM_BUNDLE", "elsewhere")
    assert find_bundle() == Path("elsewhere")
    assert find_bundle(Path("given")) == Path("given")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("tokenizer.json", None, "has no tokenizer.json"),
        ("ctm.onnx", "nonsense", "onnxruntime cannot load it"),
        ("tokenizer.json", "{}", "not a tokenizer of this project"),
        ("final_config.yaml", "- 1", "not a mapping"),
        ("final_config.yaml", "{a: [", "cannot be read"),
        (
            "final_config.yaml",
            "model: {ticks: 3}\nthresholds: {tick: 0.9}",
            "thresholds.edit must be a number",
        ),
    ],
)
def test_a_damaged_bundle_is_named(
    colon_bundle: Path, tmp_path: Path, name: str, content: str | None, message: str
):
    for path in colon_bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    if content is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_text(content)
    with pytest.raises(BundleError, match=message):
        load_bundle(tmp_path)


def test_a_bundle_says_what_further_edits_must_exceed_or_is_from_before(colon_bundle: Path, tmp_path: Path):
    assert load_bundle(colon_bundle).repairer().further == 0.7
    assert load_bundle(colon_bundle).with_threshold(0.9).repairer().further == 0.9, "the higher of both"
    for path in colon_bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = yaml.safe_load((tmp_path / "final_config.yaml").read_text())
    del config["thresholds"]["further"]
    (tmp_path / "final_config.yaml").write_text(yaml.safe_dump(config))
    before = load_bundle(tmp_path).repairer()
    assert before.threshold == before.further == 0.5, "as it was then: one threshold for all edits"


def test_a_tokenizer_of_another_run_is_refused(colon_bundle: Path, tmp_path: Path):
    for path in colon_bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = yaml.safe_load((tmp_path / "final_config.yaml").read_text())
    config["model"]["vocabulary"] += 1
    (tmp_path / "final_config.yaml").write_text(yaml.safe_dump(config))
    with pytest.raises(BundleError, match="not from the same run"):
        load_bundle(tmp_path)


# --- suggestions ------------------------------------------------------------------------------------------------------


WRONG, RIGHT = "def less(a, b):\n    return a > b\n", "def less(a, b):\n    return a < b\n"


@pytest.fixture
def inverting(fake, tokenizer, monkeypatch: pytest.MonkeyPatch):
    """The command, with a model that turns `>` and, less surely, `<=` round; returns status, stdout, stderr."""

    def suggested(state):
        for sign, other, score in ((" > ", " < ", -0.1), (" <= ", " >= ", -0.3)):
            if sign in state.text:
                return [(state.text.replace(sign, other), score)]
        return [(state.text, -0.1)]

    odds = StrengthCurve(0.01, ((0.0, 0.0), (1.0, 0.5)))
    model = Bundle(Path("nowhere"), tokenizer, fake(suggested), 0.2, 0.5, odds)
    monkeypatch.setattr("ctm.repair.model_on_demand.load_model", lambda *_, **__: model)

    def command(*arguments: str | Path):
        done = CliRunner().invoke(app, ["fix", *map(str, arguments)])
        return done.exit_code, done.stdout, done.stderr

    return command


def test_working_files_are_left_alone_whatever_the_model_says(inverting, tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_text(WRONG)
    assert inverting(path) == inverting(path, "--write") == (0, "", "")
    assert path.read_text() == WRONG
    status, out, _ = inverting(path, "--json")
    assert status == 0 and json.loads(out)["files"][0]["status"] == "clean"


def test_suggestions_are_a_diff_and_are_written_only_if_both_are_said(inverting, tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_text(WRONG)
    status, out, _ = inverting(path, "--suggest")
    assert status == 1 and "-    return a > b\n+    return a < b\n" in out and path.read_text() == WRONG
    assert inverting(path, "--suggest", "--write")[0] == 1 and path.read_text() == RIGHT
    assert inverting(path, "--suggest")[0] == 0
    path.write_text(WRONG)
    assert inverting(path, "--suggest", "--confidence", "0.95") == (0, "", "")


def test_suggestions_in_json_are_ranked_with_their_probability(inverting, tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_text("def most(a, b):\n    return a <= b\n\n" + WRONG)
    status, out, _ = inverting(path, "--suggest", "--json")
    changes = json.loads(out)["files"][0]["changes"]
    assert status == 1 and [change["line"] for change in changes] == [4, 1]
    assert 0.5 > changes[0]["probability"] > changes[1]["probability"] > 0


def test_a_suggestion_is_explained_by_what_else_the_model_saw(inverting, tmp_path: Path):
    """Of code that compiles, no edit at all is the answer to compare with; concise gives the probability."""
    path = tmp_path / "a.py"
    path.write_text(WRONG)
    status, out, _ = inverting(path, "--suggest", "--explain")
    assert status == 1 and out.splitlines()[:2] == [f"{path}:2:14: suggestion", out.splitlines()[1]]
    assert "`>` -> `<`, confidence 0." in out and "considered: nothing else that compiles" in out
    status, out, _ = inverting(path, "--suggest", "--output-format", "concise")
    assert re.fullmatch(rf"{path}:2:14: suggestion -> `>` -> `<` \[0\.\d\d\]\n", out)
    results = json.loads(inverting(path, "--suggest", "--output-format", "sarif")[1])["runs"][0]["results"]
    assert [(item["ruleId"], item["level"]) for item in results] == [("suspicious-code", "note")]


def test_a_file_with_more_parts_than_are_looked_at_says_so(inverting, tmp_path: Path, monkeypatch):
    monkeypatch.setattr("ctm.repair.suggest.LIMIT", 1)
    path = tmp_path / "a.py"
    path.write_text(RIGHT + "\n\n" + WRONG)
    status, out, said = inverting(path, "--suggest")
    assert (status, out) == (0, "") and "skipped 1 of its parts: beyond the first" in said


def test_odds_that_are_none_make_the_bundle_one_that_cannot_be_used(colon_bundle: Path, tmp_path: Path):
    for path in colon_bundle.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    config = yaml.safe_load((tmp_path / "final_config.yaml").read_text())
    assert load_bundle(tmp_path).odds is None, "as from before there were any"
    for odds in ({"prior": 0.01, "points": [[0.5, 0.3], [0.6, 0.2]]}, [1], {"prior": "x", "points": []}):
        (tmp_path / "final_config.yaml").write_text(yaml.safe_dump({**config, "suggestions": odds}))
        with pytest.raises(BundleError, match=r"final_config\.yaml: suggestions: "):
            load_bundle(tmp_path)


# --- evaluate -------------------------------------------------------------------------------------------------------


def test_evaluate_writes_measures_and_items(colon_bundle: Path, tmp_path: Path):
    rows = [
        {"id": "a", "buggy": BROKEN, "fixed": FIXED, "category": "syntax"},
        {"id": "b", "buggy": HOPELESS, "fixed": "x = 1\n", "category": "syntax"},
        {"id": "c", "buggy": FIXED, "fixed": FIXED},
        {"id": "d", "buggy": HOPELESS, "fixed": "def f(\n", "category": "syntax"},
        {"id": "e", "buggy": "x\n" * 70, "fixed": "y\n" * 70, "category": "logic"},
    ]
    pairs, out, items = tmp_path / "p.jsonl", tmp_path / "out.json", tmp_path / "items.jsonl"
    pairs.write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = run("evaluate", pairs, "--bundle", colon_bundle, "--json", out, "--items", items, COLUMNS="120")
    assert done.returncode == 0, done.stderr
    assert "5 items in" in done.stdout and "syntax" in done.stdout
    said = "2 of 5 items (40.0%) cannot be solved: 1 out of scope, 1 whose fixed side does not compile"
    assert said in done.stdout
    measures = json.loads(out.read_text())
    assert measures["unreachable"] == {"out_of_scope": 1, "fixed_does_not_compile": 1, "share": 2 / 5}
    low, high = measures["intervals"]["all"]["exact_at_1"]
    assert low < measures["all"]["exact_at_1"] == 2 / 5 < high and measures["intervals"]["projects"] == 0
    assert "95%" in done.stdout and f"{100 * low:.1f}-{100 * high:.1f}" in done.stdout
    assert measures["all"]["guarded_bifi"] == 1 / 3
    beside = measures["baselines"]["deletion"]
    assert beside["n"] == 5 and beside["exact_at_1"] == 2 / 5, "two '=' too many, and the clean one"
    assert "deletion" in done.stdout and "guarded bifi" in done.stdout
    assert measures["by_category"]["syntax"]["bifi"] == 1 / 3
    assert measures["all"]["ticks_mean"] == 7.0
    written = [json.loads(line) for line in items.read_text().splitlines()]
    assert [row["id"] for row in written] == ["a", "b", "c", "d", "e"]
    assert [row["edit_precision"] for row in written][:3:2] == [1.0, None], (
        "nothing was changed in the clean one"
    )


def test_evaluate_names_a_bad_line(colon_bundle: Path, tmp_path: Path):
    pairs = tmp_path / "p.jsonl"
    pairs.write_text('{"id": "a", "buggy": "x"}\n')
    done = run("evaluate", pairs, "--bundle", colon_bundle, "--json", tmp_path / "out.json")
    assert done.returncode == 2 and not (tmp_path / "out.json").exists()
    one_line(done, 'p.jsonl:1: "fixed" is missing')
    done = run("evaluate", tmp_path / "none", "--bundle", colon_bundle, "--json", tmp_path / "out.json")
    assert done.returncode == 2
    one_line(done, "none: no such file")
