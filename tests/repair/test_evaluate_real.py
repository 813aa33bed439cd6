"""`make evaluate-real` on projects made here: wheels are data, files are compared, what no longer works is said."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import zipfile
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

CHECKOUT = Path(__file__).parents[2]
REAL = CHECKOUT / "benchmarks" / "real"
LIST = CHECKOUT / "config" / "working.csv"
GOOD = "def double(x):\n    return 2 * x\n"
CHECK = "import tiny\n\nassert tiny.double(2) == 4\n"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, REAL / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


working = load("working")
program = load("run")


def wheel(folder: Path, files: dict[str, str]) -> str:
    """A wheel under its SHA-256, as what was brought before lies on disk; returns the digest."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "new.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.rename(folder / digest)
    return digest


def listed(path: Path, *rows: tuple[str, str, str]) -> Path:
    lines = [f"{name},1.0,{digest},{use}" for name, digest, use in rows]
    path.write_text("\n".join(["name,version,sha256,use", *lines]) + "\n")
    return path


@pytest.fixture
def checks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of smoke tests of projects made here."""
    (tmp_path / "real" / "checks").mkdir(parents=True)
    (tmp_path / "real" / "smoke.py").write_text((REAL / "smoke.py").read_text())
    monkeypatch.setattr(working, "HERE", tmp_path / "real")
    (tmp_path / "real" / "checks" / "tiny.py").write_text(CHECK)
    return tmp_path / "real" / "checks"


# --- the list -------------------------------------------------------------------------------------------------------


def test_the_list_is_large_enough_and_nothing_of_it_trains() -> None:
    projects = working.read_projects(LIST)
    assert sum(working.SMOKE in project.uses for project in projects) >= 6
    assert sum(working.SUGGEST in project.uses for project in projects) >= 3
    names = {project.name for project in projects}
    trained = {
        line.split(",")[0]
        for kind in ("corpus", "releases")
        for pins in (CHECKOUT / "config").glob(f"{kind}*.csv")
        for line in pins.read_text().splitlines()[1:]
    }
    assert not names & trained, "these train"
    config = yaml.safe_load((CHECKOUT / "config/config.yaml").read_text())
    assert names == set(config["quality"]["decontamination"]["repositories"]["working"])


def test_every_smoke_test_has_its_check() -> None:
    smoked = {project.name for project in working.read_projects(LIST) if working.SMOKE in project.uses}
    assert {path.stem for path in (REAL / "checks").glob("*.py")} == smoked


def test_an_unknown_use_is_named(tmp_path: Path) -> None:
    path = listed(tmp_path / "list.csv", ("a", "0" * 64, "smoke"), ("b", "1" * 64, "smok"))
    with pytest.raises(ValueError, match=r"list\.csv:3: no use 'smok'; there are smoke, suggest"):
        working.read_projects(path)


def test_projects_that_train_are_known_from_the_pairs_beside_the_bundle(tmp_path: Path) -> None:
    assert working.trained_on(tmp_path / "final") is None
    (tmp_path / "pairs").mkdir()
    table = pa.table({"project": ["click", "https://x/y/Some_Thing.git"], "group": ["click", "joined"]})
    pq.write_table(table, tmp_path / "pairs" / "train.parquet")
    assert working.trained_on(tmp_path / "final") == {"click", "some-thing", "joined"}


# --- one project ----------------------------------------------------------------------------------------------------


def test_a_project_that_works_and_one_that_no_longer_does(tmp_path: Path, checks: Path) -> None:
    (tmp_path / "p" / "tiny").mkdir(parents=True)
    (tmp_path / "p" / "tiny" / "__init__.py").write_text("from tiny.code import double\n")
    (tmp_path / "p" / "tiny" / "code.py").write_text(GOOD)
    (tmp_path / "p" / "tiny" / "needs.py").write_text("import something_that_is_not_here\n")
    (tmp_path / "p" / "tiny" / "__main__.py").write_text("raise SystemExit('not to be run')\n")
    before = working.smoke(tmp_path / "p", "tiny")
    assert before.imported == ("tiny", "tiny.code") and before.error == ""
    assert working.smoke(tmp_path / "p", "tiny").is_worse_than(before) == ""
    (tmp_path / "p" / "tiny" / "code.py").write_text(GOOD.replace("2 *", "3 *"))
    assert working.smoke(tmp_path / "p", "tiny").is_worse_than(before) == "AssertionError: "
    (tmp_path / "p" / "tiny" / "code.py").write_text(GOOD.replace(":", ""))
    assert "2 modules no longer import, tiny first" in working.smoke(tmp_path / "p", "tiny").is_worse_than(
        before
    )
    (tmp_path / "p" / "tiny" / "code.py").write_text("import os\nos._exit(3)\n")
    assert "did not end well" in working.smoke(tmp_path / "p", "tiny").error


def test_a_project_without_check_is_refused(tmp_path: Path, checks: Path) -> None:
    with pytest.raises(ValueError, match="other is used for smoke tests and has no check"):
        working.smoke(tmp_path, "other")


def test_files_are_compared_by_their_bytes(tmp_path: Path, colon_bundle: Path) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    (tmp_path / "broken.py").write_text("def f(x)\n    return x\n")
    (tmp_path / "binary.py").write_bytes(b"\0\1")
    (tmp_path / "data.txt").write_text("x")
    (tmp_path / ".hidden").mkdir()
    (tmp_path / ".hidden" / "b.py").write_text(GOOD)
    written = working.fix_and_write(tmp_path, colon_bundle)
    assert written.files == 4 and written.changed == ["broken.py"]
    assert list(written.errors) == ["binary.py"] and "null byte" in written.errors["binary.py"]
    assert written.unseen == 1 and not written.crashed
    assert written.statuses == {"clean": 1, "error": 1, "repaired": 1}


def test_a_run_that_ends_in_a_traceback_is_a_crash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.py").write_text(GOOD)
    monkeypatch.setattr(working.sys, "executable", "/bin/false")
    assert working.fix_and_write(tmp_path, tmp_path).crashed
    monkeypatch.undo()
    script = tmp_path / "python"
    script.write_text(
        "#!/bin/sh\necho 'Traceback (most recent call last)' >&2\necho 'ValueError: x' >&2\nexit 1\n"
    )
    script.chmod(0o755)
    monkeypatch.setattr(working.sys, "executable", str(script))
    assert working.fix_and_write(tmp_path, tmp_path).crashed == "ValueError: x (status 1)"


# --- the program ----------------------------------------------------------------------------------------------------


def test_one_table_of_suite_and_projects(tmp_path: Path, colon_bundle: Path, checks: Path, capsys) -> None:
    wheels = tmp_path / "out" / "wheels"
    good = wheel(wheels, {"tiny/__init__.py": GOOD, "tiny/data.txt": "x", "tiny-1.0.dist-info/METADATA": ""})
    other = wheel(
        wheels, {"other.py": GOOD + GOOD.replace("double", "again"), "broken.py": "def f(x)\n    pass\n"}
    )
    projects = listed(tmp_path / "list.csv", ("tiny", good, "smoke"), ("other", other, "suggest"))
    suite = tmp_path / "pairs.jsonl"
    suite.write_text(
        json.dumps({"id": 1, "buggy": "def f(x)\n    pass\n", "fixed": "def f(x):\n    pass\n"}) + "\n"
    )
    given = ["--bundle", str(colon_bundle), "--suite", str(suite), "--projects", str(projects)]
    status = program.main([*given, "--out", str(tmp_path / "out")])
    text = (tmp_path / "out" / "table.md").read_text()
    assert status == 0 and text in capsys.readouterr().out
    for line in (
        "| pairs.jsonl | model | deletion |",
        "| exact at 1 | 100.0 % | 0.0 % |",
        "| guarded BIFI | 100.0 % | 0.0 % |",
        "| working projects (1, 2 functions): proposals per 1,000 functions | 0.0 | |",
        "| working projects (2): files that `fix --write` changed | 1 of 3 | |",
        "| crashes | 0 | |",
        "| projects that still work after it | 1 of 1 | |",
        "| tiny 1.0 | not known |  |  |  | 1 | 0 | 0 | yes, 1 modules |",
    ):
        assert line in text, text
    figures = json.loads((tmp_path / "out" / "real.json").read_text())
    assert figures["suite"]["model"]["n"] == 1 and figures["projects"]["other"]["written"]["changed"] == [
        "broken.py"
    ]
    assert (tmp_path / "out" / "proposals.jsonl").read_text() == ""


def test_proposals_are_counted_and_kept_for_judging(
    tmp_path: Path, colon_bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    digest = wheel(tmp_path / "out" / "wheels", {"a.py": GOOD, "b.py": "x = 1\n", "broken.py": "x = = 1\n"})
    projects = listed(tmp_path / "list.csv", ("some", digest, "suggest"))
    change = SimpleNamespace(line=1, before=GOOD, after=GOOD.replace("2", "3"), confidence=0.9)
    monkeypatch.setattr(
        working, "propose", lambda source, model: (change,) if "double" in source.text else ()
    )
    assert (
        program.main(
            ["--bundle", str(colon_bundle), "--projects", str(projects), "--out", str(tmp_path / "out")]
        )
        == 0
    )
    said = capsys.readouterr()
    assert "no suite" in said.err
    assert "| working projects (1, 2 functions): proposals per 1,000 functions | 500.0 | |" in said.out
    (line,) = (tmp_path / "out" / "proposals.jsonl").read_text().splitlines()
    kept = json.loads(line)
    assert (kept["project"], kept["path"], kept["line"]) == ("some", "a.py", 1) and "3 * x" in kept["after"]


def test_what_must_not_be_is_said_and_is_status_1() -> None:
    written = {"files": 1, "changed": [], "statuses": {}, "errors": {}, "unseen": 0, "crashed": ""}
    fine = {"version": "1", "trained": False, "written": written}
    projects = {
        "fine": fine,
        "seen": {**fine, "trained": True},
        "crash": {**fine, "written": {**written, "crashed": "ValueError: x (status 1)"}},
        "worse": {
            **fine,
            "smoke": {"modules": 3, "before": "", "after": "2 modules no longer import, a first"},
        },
        "odd": {**fine, "smoke": {"modules": 3, "before": "ImportError: b", "after": ""}},
    }
    results = {"projects": projects, "missing": {"gone": "no answer"}}
    assert [line.split(":")[0] for line in program.wrong(results)] == [
        "gone",
        "seen",
        "crash",
        "worse",
        "odd",
    ]
    text = program.table(results)
    assert "**crashed**: ValueError: x (status 1)" in text and "not to be had: no answer" in text
    assert "| projects that still work after it | 0 of 2 | |" in text


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--suite", "none.jsonl"], "none.jsonl: no such file; SUITE names JSON lines"),
        (["--bundle", "nowhere"], "run `make demo` first"),
    ],
)
def test_what_is_missing_is_named_with_the_remedy(arguments: list[str], words: str, capsys) -> None:
    with pytest.raises(SystemExit) as ended:
        program.main(arguments)
    assert ended.value.code == 2 and words in capsys.readouterr().err
