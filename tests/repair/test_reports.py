"""Reports: the table of formats, what no path may do to a terminal, what people read, and where a report goes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair import cli
from ctm.repair.reports.base import DIFF, FORMATS, TEXT, Format, Style, make_format
from helpers.broken_files import FIXED


@pytest.mark.parametrize("name", [*FORMATS, DIFF, TEXT, ""])
def test_each_format_is_one_of_the_table(name: str):
    """A format that cannot be made would only show in use, since it is imported then."""
    assert isinstance(make_format(name, Style()), Format)


@pytest.mark.parametrize(
    "name", [name for name in FORMATS if name not in ("json", "json-lines", "sarif", "gitlab")]
)
def test_no_path_reaches_a_terminal_as_it_is(files: Path, report, name: str):
    """A file's name could clear the screen, or pass for a line of the report."""
    out = report(name, "src")
    assert "\x1b" not in out and "\\x1b[31m" in out and not re.search(r"^[.]py", out, re.MULTILINE)


def test_full_shows_the_change_in_its_surroundings(files: Path, report):
    """What was there, what would be, what the compiler said and how sure the answer is."""
    assert report("full", "src/a b.py", status=1).split("\n\n")[0].splitlines() == [
        "src/a b.py:2:14: expected ':'",
        "  insert `:` (colon of a block), confidence P",
        "    1 | # one",
        "  - 2 | def add(a, b)",
        "  + 2 | def add(a, b):",
        "    3 |     return a + b",
    ]


def test_a_report_goes_to_a_file_whole(files: Path, report, colon_bundle: Path):
    """stdout stays empty; a diff keeps the bytes of the file that it is of."""
    assert report("json", "src", "--output-file", "out.json") == ""
    assert len(json.loads((files / "out.json").read_text())["files"]) == 7
    (files / "latin.py").write_bytes(b"# coding: latin-1\ndef f()\n    return '\xe9'\n")
    words = ["fix", "latin.py", "--output-file", "out.diff", "--bundle", str(colon_bundle)]
    assert CliRunner().invoke(cli.app, words).exit_code == 1
    assert b"return '\xe9'" in (files / "out.diff").read_bytes()


@pytest.mark.parametrize("out", ["src/clean.py", "./src/../src/clean.py"])
@pytest.mark.parametrize("named", ["src", "src/clean.py"])
def test_a_report_never_replaces_what_is_looked_at(files: Path, report, out: str, named: str):
    """Whether it was named or found in a folder."""
    assert report("json", named, "--output-file", out) == ""
    assert (files / "src/clean.py").read_bytes() == FIXED


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--json", "--output-format", "sarif"], "--json and --output-format sarif"),
        (["--diff", "--output-format", "full"], "--diff and --output-format full"),
        (["--write", "--output-file", "out"], "--write alone has nothing for --output-file"),
        (["--check", "--output-file", "out"], "--check alone has nothing for --output-file"),
        (["--output-file", "none/out"], "its folder does not exist"),
        (["--output-format", "xml"], "xml"),
    ],
)
def test_formats_that_contradict_each_other_are_one_line(
    files: Path, colon_bundle: Path, arguments, words: str
):
    """Before anything is read."""
    done = CliRunner().invoke(cli.app, ["fix", "src", *arguments, "--bundle", str(colon_bundle)])
    assert done.exit_code == 2 and done.stdout == "" and not (files / "out").exists()
    assert len(done.stderr.splitlines()) == 1 and words in done.stderr
