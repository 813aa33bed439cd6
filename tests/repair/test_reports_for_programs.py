"""Reports that programs read, format by format: editors, code hosts, build servers."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

from click.testing import CliRunner

from ctm.repair import cli
from helpers.broken_files import BROKEN


def test_json_is_what_the_option_of_its_own_prints(files: Path, report, colon_bundle: Path):
    """One name for one thing: --json is older, and programs use it."""
    other = CliRunner().invoke(cli.app, ["fix", "src", "--json", "--bundle", str(colon_bundle)])
    assert report("json", "src") == other.stdout and json.loads(other.stdout)["format_version"] == 1


def test_json_lines_are_the_files_of_json_one_by_one(files: Path, report):
    """A program can begin before the last file is done."""
    rows = [json.loads(line) for line in report("json-lines", "src").splitlines()]
    assert rows == json.loads(report("json", "src"))["files"] and len(rows) == 7


def test_a_json_line_is_out_before_the_next_file_is_looked_at(files: Path, monkeypatch, colon_bundle: Path):
    """Flushed, not left in a buffer until the end."""
    seen: list[int] = []
    printed: list[str] = []
    real = cli.repair_source
    monkeypatch.setattr("ctm.repair.reporting.print_raw", lambda text, *_: printed.append(text))
    monkeypatch.setattr(
        cli,
        "repair_source",
        lambda *a, **b: (seen.append(len("".join(printed).splitlines())), real(*a, **b))[1],
    )
    words = [
        "fix",
        "src/clean.py",
        "src/crlf.py",
        "--output-format",
        "json-lines",
        "--bundle",
        str(colon_bundle),
    ]
    CliRunner().invoke(cli.app, words)
    assert seen == [0, 1]


def test_concise_is_one_line_a_finding(files: Path, report):
    """The form that editors make links of."""
    assert report("concise", "src").splitlines() == [
        "src/a b.py:2:14: expected ':' -> insert `:` [P]",
        "src/a b.py:4:8: expected ':' -> insert `:` [P]",
        "src/crlf.py:1:14: expected ':' -> insert `:` [P]",
        "src/half.py:1:14: expected ':' -> insert `:` [P]",
        "src/half.py:3:5: invalid syntax -> no repair found",
        "src/hopeless.py:1:5: invalid syntax -> no repair found",
        "src/odd \\x1b[31m\\udcff,:% .py:1:14: expected ':' -> insert `:` [P]",
    ]


def test_github_commands_cannot_be_forged(files: Path, report):
    """A name with a line end must not begin a command of its own, one with a comma no property."""
    lines = report("github", "src").splitlines()
    assert len(lines) == 8 and all(line.startswith("::error file=src/") for line in lines)
    assert "file=src/odd \\x1b[31m\\udcff%2C%3A%25%0A.py,line=1,col=14,endColumn=14,endLine=1," in lines[-1]
    assert lines[0].endswith(",title=ctm-repair%3A syntax-error::expected ':' -> insert `:` [P]")
    assert lines[2] == "::error file=src/binary.py,title=ctm-repair::binary: a null byte at offset 4"


def test_gitlab_entries_have_what_it_asks_for(files: Path, report):
    """description, check_name, fingerprint, severity, location.path, location.lines.begin; fingerprints differ."""
    (files / "src" / "more.py").write_bytes(BROKEN * 2)
    entries = json.loads(report("gitlab", "src"))
    assert len({entry["fingerprint"] for entry in entries}) == len(entries) == 10
    assert {entry["severity"] for entry in entries} <= {"info", "minor", "major", "critical", "blocker"}
    assert entries[0] == {
        "description": "expected ':' -> insert `:` [P]",
        "check_name": "syntax-error",
        "fingerprint": entries[0]["fingerprint"],
        "severity": "major",
        "location": {"path": "src/a b.py", "lines": {"begin": 2, "end": 2}},
    }


def test_junit_is_xml_with_a_case_for_each_file(files: Path, report):
    """A build server shows as many cases as there are files, and reads every one of them."""
    suites = ElementTree.fromstring(report("junit", "src"))
    (suite,) = suites
    cases = {case.get("name"): case for case in suite}
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("7", "5", "1")
    kinds = {name: [child.tag for child in case] for name, case in cases.items()}
    assert kinds["src/clean.py"] == [] and kinds["src/binary.py"] == ["error"]
    assert kinds["src/hopeless.py"] == kinds["src/a b.py"] == ["failure"]
    assert "src/odd \\x1b[31m\\udcff,:%\n.py" in cases, "what XML cannot hold is escaped, a line end is kept"
    assert cases["src/a b.py"][0].text == "\n".join(
        f"{place}: expected ':' -> insert `:` [P]" for place in ("2:14", "4:8")
    )
