"""What `fix` prints by option: a filter that loses nothing, a check, and options that contradict each other."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ctm.repair import cli
from ctm.repair.about import model_of
from ctm.repair.progress import FEWEST
from ctm.repair.reporting import Color, wants_color

BROKEN, FIXED = b"def add(a, b)\n    return a + b\n", b"def add(a, b):\n    return a + b\n"
HOPELESS = b"x = = = 1\n"
HALF = b"def f()\n    pass\n" + HOPELESS
"""Its first error has a repair, its second none."""


@pytest.fixture
def fix(colon_bundle: Path):
    """Runs the command; returns status, stdout as bytes, stderr."""

    def command(*arguments: str | Path, given: bytes = b"") -> tuple[int, bytes, str]:
        words = ["fix", *map(str, arguments), "--bundle", str(colon_bundle)]
        done = CliRunner().invoke(cli.app, words, input=given)
        return done.exit_code, done.stdout_bytes, done.stderr

    return command


# --- a filter -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw,
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: raw.replace(b"\n", b"\r"),
        lambda raw: b"\xef\xbb\xbf" + raw,
        lambda raw: b"# coding: latin-1\n" + raw.replace(b"a + b", b"a + b  # \xe9"),
        lambda raw: raw.rstrip(b"\n"),
        lambda raw: raw + b"\x0c\n# \x1b[31m\n",
    ],
    ids=["LF", "CRLF", "CR", "byte order mark", "latin-1", "no end", "controls"],
)
def test_a_filter_gives_the_bytes_that_write_would_leave(fix, change):
    """An editor puts what comes back in place of what it gave: it must be that text, not a cleaned one."""
    assert fix("-", given=change(BROKEN)) == (0, change(FIXED), "")
    assert fix("-", given=change(FIXED)) == (0, change(FIXED), "")


@pytest.mark.parametrize("raw", [HOPELESS, HALF], ids=["no repair", "half repaired"])
def test_a_filter_gives_back_what_it_cannot_repair(fix, raw: bytes):
    """Nothing is ever lost, and nothing that does not compile replaces what the author wrote."""
    status, out, said = fix("-", given=raw)
    assert (status, out) == (3, raw) and len(said.splitlines()) == 1
    assert ("given back as it was" in said) == (raw == HALF), (
        "part of it was repaired, and is not in the text"
    )


@pytest.mark.parametrize("raw", [b"\x7fELF\0", b"#!/bin/sh\necho 'a\n", b"x = '\xff'\n"])
def test_a_filter_prints_nothing_on_an_error(fix, raw: bytes):
    """Status 2 tells that stdout is no text."""
    status, out, said = fix("-", "--stdin-filename", "a.py", given=raw)
    assert (status, out) == (2, b"") and said.startswith("ctm-repair: a.py: ")


def test_a_filter_has_the_name_that_it_is_given(fix, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    name = ("--stdin-filename", "src/a.py")
    assert fix("-", "--diff", *name, given=BROKEN)[:2] == (
        1,
        b"--- src/a.py\n+++ src/a.py\n@@ -1,2 +1,2 @@\n-def add(a, b)\n+def add(a, b):\n     return a + b\n",
    )
    assert fix("-", *name, given=HOPELESS)[2].startswith("ctm-repair: src/a.py: no repair found")
    status, out, said = fix("-", "--stdin-filename", "a.js", given=BROKEN)
    assert (status, out) == (2, b"") and "JavaScript" in said, "the rules on names hold for it, too"


def test_stdin_beside_files_is_one_of_the_files(fix, tmp_path: Path):
    (tmp_path / "a.py").write_bytes(BROKEN)
    status, out, _ = fix("-", tmp_path / "a.py", given=BROKEN)
    assert status == 1 and out.count(b"+def add(a, b):") == 2 and b"--- <stdin>\n" in out


# --- a check --------------------------------------------------------------------------------------------------------


def test_a_check_changes_and_prints_nothing(fix, tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_bytes(BROKEN)
    assert fix(path, "--check") == (1, b"", f"ctm-repair: would repair {path}: 1 change\n")
    assert fix(path, "--check", "--quiet") == (1, b"", "")
    assert fix(path, "--check", "--diff")[:2] == fix(path)[:2], (
        "as with black, --diff shows what a check found"
    )
    assert path.read_bytes() == BROKEN
    assert fix("-", "--check", given=FIXED) == (0, b"", "")
    status, out, said = fix("-", "--check", given=HALF)
    assert (status, out) == (3, b"") and "still broken after 1 repairs" in said


# --- contradictions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["-", "--write"], "--write needs files"),
        (["a.py", "--write", "--diff"], "--write and --diff"),
        (["a.py", "--write", "--check"], "--write and --check"),
        (["a.py", "--diff", "--json"], "--diff and --json"),
        (["a.py", "--stdin-filename", "b.py"], "give - as a path"),
        (["a.py", "--explain", "--diff"], "--explain and --diff"),
        (["a.py", "--explain", "--output-format", "sarif"], "--explain and --output-format sarif"),
    ],
)
def test_options_that_contradict_each_other_are_one_line(fix, arguments: list[str], words: str):
    """Said before a model is loaded or a file is touched."""
    status, out, said = fix(*arguments)
    assert (status, out) == (2, b"") and len(said.splitlines()) == 1 and words in said


# --- status and silence -----------------------------------------------------------------------------------------------


def test_exit_zero_hides_what_was_found_but_no_error(fix, tmp_path: Path):
    """A build that only reports must not fail for what it reports, but must where nothing could be reported."""
    for raw in (BROKEN, HOPELESS):
        assert fix("-", "--diff", "--exit-zero", given=raw)[0] == 0
        assert '"status": 0' not in fix("-", "--json", "--exit-zero", given=raw)[1].decode()
    assert fix(tmp_path / "none.py", "--exit-zero")[0] == 2


def test_quiet_leaves_errors_and_reports(fix, tmp_path: Path):
    """Of an editor that shows all that stderr has."""
    path = tmp_path / "a.py"
    path.write_bytes(BROKEN)
    (tmp_path / "empty").mkdir()
    status, out, said = fix(path, tmp_path / "empty", "--quiet")
    assert status == 1 and b"+def add(a, b):" in out and said == ""
    status, _, said = fix(path, tmp_path / "none.py", "--quiet", "--write")
    assert status == 2 and said.splitlines() == [
        f"ctm-repair: {tmp_path / 'none.py'}: no such file or directory"
    ]


# --- colors -----------------------------------------------------------------------------------------------------------


def test_colors_come_only_when_somebody_looks(fix, monkeypatch):
    """A diff in a pipe has to apply."""
    assert b"\x1b" not in fix("-", "--diff", given=BROKEN)[1]
    out = fix("-", "--diff", "--color", "always", given=BROKEN)[1].decode()
    assert "\x1b[31m-def add(a, b)\x1b[0m\n\x1b[32m+def add(a, b):\x1b[0m\n" in out
    assert fix("-", "--color", "always", given=BROKEN)[1] == FIXED, "a text is never colored"

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr(sys, "stdout", Terminal())
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    assert wants_color(Color.auto, None) and not wants_color(Color.auto, Path("out"))
    monkeypatch.setenv("NO_COLOR", "1")
    assert not wants_color(Color.auto, None) and wants_color(Color.always, None)


@pytest.mark.parametrize("shown", ["--diff", "--output-format=full"])
def test_a_colored_report_has_no_codes_but_its_own(fix, shown: str):
    """A file can hold what clears a screen, and a colored report is for screens."""
    given = BROKEN + b"# \x1b[2J\x07\n"
    out = fix("-", shown, "--color", "always", given=given)[1].decode()
    assert set(re.findall(r"\x1b\[[0-9;]*.", out)) <= {f"\x1b[{code}m" for code in (0, 1, 31, 32, 36)}
    assert "\x07" not in out


# --- why --------------------------------------------------------------------------------------------------------------


def test_an_explanation_names_error_and_what_else_there_was(fix):
    """What a reader who doubts an edit asks first, the likelier one that was not taken before all."""
    status, out, _ = fix("-", "--explain", given=b"f((1, 2)\ny = 2\n")
    lines = [line.strip() for line in out.decode().splitlines()]
    assert status == 1 and lines[2] == "why: the compiler stops at line 1: '(' was never closed"
    others = [line for line in lines if line.startswith("considered: ")]
    assert len(others) == len(set(others)) == 3 and others[0].endswith(", led nowhere")
    assert all(re.search(r"^considered: .*, confidence [01]\.\d\d", line) for line in others)
    _, out, _ = fix("-", "--explain", "--json", given=b"print 'a'\n")
    (change,) = json.loads(out)["files"][0]["changes"]
    assert change["considered"] == [] and change["error_line"] == 1 and "print" in change["error"]


# --- versions, completion, progress -----------------------------------------------------------------------------------


def test_versions_of_code_and_model_are_told_apart(colon_bundle: Path, tmp_path: Path, monkeypatch):
    """A report of a fault needs both; a model that cannot be found or read is said, and is no error."""
    monkeypatch.setenv("CTM_BUNDLE", str(colon_bundle))
    done = CliRunner().invoke(cli.app, ["--version"])
    first, second, third = done.stdout.splitlines()
    assert done.exit_code == 0 and first == f"ctm-repair {metadata.version('ctm-code-repair')}"
    assert second == f"model: without a name ({colon_bundle})"
    assert third.endswith(f"onnxruntime {metadata.version('onnxruntime')}")
    (tmp_path / "final_config.yaml").write_text(
        yaml.safe_dump({"release": {"name": "small", "version": "2", "cutoff": "2026-11-28"}})
    )
    assert model_of(tmp_path) == "small 2, data until 2026-11-28"
    monkeypatch.setenv("CTM_BUNDLE", str(tmp_path / "none"))
    done = CliRunner().invoke(cli.app, ["--version"])
    assert done.exit_code == 0 and "\nmodel: none (" in done.stdout


def test_a_shell_is_told_what_could_come_next():
    """The boundary runs the command itself, so it has to answer shells, too."""
    asked = {
        "_CTM_REPAIR_COMPLETE": "bash_complete",
        "COMP_WORDS": "ctm-repair fix --output-format gi",
        "COMP_CWORD": "3",
    }
    environment = {**os.environ, **asked, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "ctm.repair.cli"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.split(), done.stderr) == (0, ["plain,github", "plain,gitlab"], "")


@pytest.mark.skipif(sys.platform == "win32", reason="no pseudo-terminals")
@pytest.mark.parametrize(
    ("files", "option", "has_bar"), [(FEWEST, "-v", True), (FEWEST, "-q", False), (20, "-v", False)]
)
def test_a_bar_is_for_a_terminal_and_many_files(
    colon_bundle: Path, tmp_path: Path, files: int, option: str, has_bar: bool
):
    """stdout is the same with it and without."""
    import pty

    for number in range(files):
        (tmp_path / f"{number}.py").write_bytes(FIXED if number else BROKEN)
    ours, theirs = pty.openpty()
    words = ["fix", str(tmp_path), option, "--bundle", str(colon_bundle)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm"}
    command = [sys.executable, "-m", "ctm.repair.cli", *words]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=theirs, timeout=60)
    os.write(theirs, b".")
    said = os.read(ours, 100_000).decode()
    os.close(ours)
    os.close(theirs)
    assert done.returncode == 1 and b"\x1b" not in done.stdout and b"+def add(a, b):" in done.stdout
    assert (f"/{files}" in said) == has_bar, said


@pytest.mark.parametrize("name", ["book.ipynb", "ignored.py", "last.py"])
def test_no_file_that_is_looked_at_is_replaced_by_the_report(fix, tmp_path: Path, monkeypatch, name: str):
    """A notebook, or a file that asks not to be read, was once overwritten; and --write must not begin before that."""
    monkeypatch.chdir(tmp_path)
    cell = {
        "cell_type": "code",
        "metadata": {},
        "source": [BROKEN.decode()],
        "outputs": [],
        "execution_count": None,
    }
    book = {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    files = {
        "book.ipynb": json.dumps(book).encode(), "first.py": BROKEN, "ignored.py": b"# ctm: ignore-file\n" + BROKEN,
        "last.py": BROKEN,
    }  # fmt: skip
    for place, content in files.items():
        Path(place).write_bytes(content)
    status, _, error = fix(".", "--write", "--output-format", "json", "--output-file", name)
    assert status == 2 and f"{name}: it is also an input" in error
    assert {place: Path(place).read_bytes() for place in files} == files, "nothing was written"


@pytest.mark.parametrize("option", ["--output-file", "--config", "--bundle"])
def test_an_empty_name_is_told_as_that(option: str):
    """A script's variable that is not set; it was taken for the working folder."""
    done = CliRunner().invoke(cli.app, ["fix", "a.py", option, ""])
    assert done.exit_code == 2 and option in done.stderr and "the name is empty" in done.stderr
