"""What `fix` prints by option: a filter that loses nothing, a check, and options that contradict each other."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctm.repair import cli

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
    ],
)
def test_options_that_contradict_each_other_are_one_line(fix, arguments: list[str], words: str):
    """Said before a model is loaded or a file is touched."""
    status, out, said = fix(*arguments)
    assert (status, out) == (2, b"") and len(said.splitlines()) == 1 and words in said
