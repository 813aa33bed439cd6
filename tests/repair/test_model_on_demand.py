"""The model is loaded for the first text that needs it, and a bundle that cannot be is told before anything is done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.bundle_names import CONFIG, MODEL, TOKENIZER
from ctm.repair.cli import app

BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"
OF_THE_MODEL = {"numpy", "onnxruntime", "tokenizers", "rapidfuzz", "tree_sitter", "yaml"}


@pytest.fixture
def bundle(colon_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy, which a test may damage."""
    return shutil.copytree(colon_bundle, tmp_path_factory.mktemp("of_its_own") / "bundle")


def imported(*arguments: str | Path) -> tuple[int, set[str]]:
    """Exit status of the command in a process of its own, and the packages that it had imported at its end."""
    code = f"""
import sys
from ctm.repair.cli import app
try:
    app(args={list(map(str, arguments))!r})
finally:
    print(*sorted({{name.partition(".")[0] for name in sys.modules}}), file=sys.stderr)
"""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
    return done.returncode, set(done.stderr.split())


@pytest.mark.parametrize("option", ["--diff", "--write", "--check", "--verbose"])
def test_a_file_that_compiles_waits_for_no_library_of_the_model(
    colon_bundle: Path, tmp_path: Path, option: str
):
    """A hook runs on files that compile, nearly always, and a commit waits for it."""
    (tmp_path / "a.py").write_text(FIXED)
    status, packages = imported("fix", tmp_path / "a.py", option, "--bundle", colon_bundle)
    assert status == 0 and not packages & OF_THE_MODEL


def test_a_broken_file_or_suggestions_load_it(colon_bundle: Path, tmp_path: Path):
    """So that the test above cannot pass because nothing is ever loaded."""
    (tmp_path / "a.py").write_text(BROKEN)
    (tmp_path / "b.py").write_text(FIXED)
    for name, options in (("a.py", ()), ("b.py", ("--suggest",))):
        _, packages = imported("fix", tmp_path / name, *options, "--bundle", colon_bundle)
        assert packages >= {"numpy", "onnxruntime"}


def test_it_is_loaded_once(colon_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Not again for each broken file."""
    from ctm.repair import model_on_demand

    loaded: list[Path] = []
    real = model_on_demand.load_model
    monkeypatch.setattr(model_on_demand, "load_model", lambda *a: (loaded.append(a[0]), real(*a))[1])
    for name, text in (("a", FIXED), ("b", BROKEN), ("c", BROKEN)):
        (tmp_path / f"{name}.py").write_text(text)
    done = CliRunner().invoke(app, ["fix", str(tmp_path), "--bundle", str(colon_bundle)])
    assert done.exit_code == 1 and done.stdout.count("+def add(a, b):") == 2 and len(loaded) == 1


@pytest.mark.parametrize(
    ("missing", "words"),
    [(None, "no such bundle"), *((name, f"the bundle has no {name}") for name in (MODEL, TOKENIZER, CONFIG))],
)
@pytest.mark.parametrize("by_variable", [False, True])
def test_a_bundle_that_cannot_be_is_an_error_though_nothing_needs_it(
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    missing: str | None,
    words: str,
    by_variable: bool,
):
    """A wrong --bundle in a hook would else be found out weeks later, with the first file that does not compile."""
    source = tmp_path / "a.py"
    source.write_text(FIXED)
    folder = bundle if missing else tmp_path / "none"
    if missing:
        (bundle / missing).unlink()
    arguments = ["fix", str(source)]
    if by_variable:
        monkeypatch.setenv("CTM_BUNDLE", str(folder))
    else:
        arguments += ["--bundle", str(folder)]
    done = CliRunner().invoke(app, arguments)
    (line,) = done.stderr.splitlines()
    assert done.exit_code == 2 and done.stdout == "" and words in line


def test_a_damaged_bundle_ends_the_command_with_the_first_file_that_needs_it(bundle: Path, tmp_path: Path):
    """One line for all broken files, nothing written, and no error for files that compile."""
    (bundle / CONFIG).write_text("no: config\n")
    good, bad = tmp_path / "a.py", tmp_path / "b.py"
    good.write_text(FIXED)
    bad.write_text(BROKEN)
    (tmp_path / "c.py").write_text(BROKEN)
    words = ["--write", "--bundle", str(bundle)]
    assert CliRunner().invoke(app, ["fix", str(good), *words]).exit_code == 0
    done = CliRunner().invoke(app, ["fix", str(tmp_path), *words])
    (line,) = done.stderr.splitlines()
    assert done.exit_code == 2 and CONFIG in line and bad.read_text() == BROKEN
    suggested = CliRunner().invoke(app, ["fix", str(good), "--suggest", *words])
    assert suggested.exit_code == 2 and suggested.stderr == done.stderr


def test_an_older_bundle_is_told_of_once_it_is_used(colon_bundle: Path, tmp_path: Path):
    """-v says that it could not be verified; where nothing is loaded there is nothing to say."""
    (tmp_path / "a.py").write_text(FIXED)
    arguments = ["fix", str(tmp_path / "a.py"), "-v", "--bundle", str(colon_bundle)]
    assert "checksums" not in CliRunner().invoke(app, arguments).stderr
    (tmp_path / "a.py").write_text(BROKEN)
    assert CliRunner().invoke(app, arguments).stderr.count("without checksums") == 1
