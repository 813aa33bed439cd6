"""Reports, format by format: what other programs read of them, and what no path or text may do to them."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner

from ctm.repair import cli
from ctm.repair.reports.base import DIFF, FORMATS, TEXT, Format, Style, make_format

BROKEN, FIXED = b"def add(a, b)\n    return a + b\n", b"def add(a, b):\n    return a + b\n"
HOPELESS = b"x = = = 1\n"
ODD = os.fsdecode(b"odd \x1b[31m\xff,:%\n.py")
"""A name with a color code, a byte that is no UTF-8, a line end and what is special to GitHub."""


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one file of each status."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    for name, raw in {
        "a b.py": b"# one\n" + BROKEN + b"class C\n    pass\n",
        "binary.py": b"\x7fELF\0",
        "clean.py": FIXED,
        "crlf.py": b"\xef\xbb\xbf" + BROKEN.replace(b"\n", b"\r\n"),
        "half.py": BROKEN + HOPELESS,
        "hopeless.py": HOPELESS,
        ODD: BROKEN,
    }.items():
        (tmp_path / "src" / name).write_bytes(raw)
    return tmp_path


@pytest.fixture
def report(colon_bundle: Path) -> Callable[..., str]:
    """stdout of the command, which must end with the status of an error unless another is given.

    Confidences, which depend on where an error is, are P in what people read.
    """

    def command(format_name: str, *arguments: str, status: int = 2) -> str:
        words = ["fix", *arguments, "--output-format", format_name, "--bundle", str(colon_bundle)]
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == status, done.stderr
        people = format_name not in ("json", "json-lines", "sarif")
        return re.sub(r"\b[01]\.\d\d\b", "P", done.stdout) if people else done.stdout

    return command


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


# --- for programs -----------------------------------------------------------------------------------------------------


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


# --- SARIF ------------------------------------------------------------------------------------------------------------

NUMBER = {"type": "integer", "minimum": 1}
TEXT_OF = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
REGION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["startLine", "startColumn", "endLine", "endColumn"],
    "properties": {"startLine": NUMBER, "startColumn": NUMBER, "endLine": NUMBER, "endColumn": NUMBER},
}
ARTIFACT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "pattern": "^[!-~]+$"}, "uriBaseId": {"const": "%SRCROOT%"}},
}
REPLACEMENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["deletedRegion"],
    "properties": {"deletedRegion": REGION, "insertedContent": {**TEXT_OF, "additionalProperties": False}},
}
ARTIFACT_CHANGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["artifactLocation", "replacements"],
    "properties": {
        "artifactLocation": ARTIFACT,
        "replacements": {"type": "array", "minItems": 1, "items": REPLACEMENT},
    },
}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation"],
            "properties": {"artifactLocation": ARTIFACT, "region": REGION},
        }
    },
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message", "ruleId", "locations", "partialFingerprints"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT_OF,
        "locations": {"type": "array", "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"},
        "fixes": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["artifactChanges"],
                "properties": {
                    "description": TEXT_OF,
                    "artifactChanges": {"type": "array", "minItems": 1, "items": ARTIFACT_CHANGE},
                },
            },
        },
    },
}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT_OF,
        "defaultConfiguration": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"level": LEVEL},
        },
    },
}
INVOCATION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["executionSuccessful"],
    "properties": {
        "executionSuccessful": {"type": "boolean"},
        "exitCode": {"type": "integer"},
        "toolExecutionNotifications": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["message"],
                "properties": {"message": TEXT_OF, "level": LEVEL, "locations": {"items": LOCATION}},
            },
        },
    },
}
SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "newlineSequences": {"type": "array", "items": {"type": "string"}},
                    "invocations": {"type": "array", "items": INVOCATION},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""The parts of SARIF 2.1.0's schema (OASIS) that a log of ours uses, in our words: what it requires and allows."""


def test_sarif_is_valid(files: Path, report):
    """Code scanning refuses a whole log for one property too many."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(report("sarif", "src")), SARIF)


def sarif_of(report: Callable[..., str], *paths: str, status: int = 1) -> list[dict[str, Any]]:
    (run,) = json.loads(report("sarif", *paths, status=status))["runs"]
    assert run["invocations"][0]["exitCode"] == status
    return run["results"]


@pytest.mark.parametrize("name", ["a b.py", "crlf.py", ODD])
def test_a_sarif_fix_makes_the_repaired_file(files: Path, report, colon_bundle: Path, name: str):
    """Whoever applies all fixes has the bytes that --write leaves, line ends and byte order mark too."""
    path = files / "src" / name
    results = sarif_of(report, f"src/{name}")
    text = path.read_bytes().decode("utf-8-sig")
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)
    parts = []
    for change in (change for item in results for fix in item["fixes"] for change in fix["artifactChanges"]):
        assert unquote_to_bytes(change["artifactLocation"]["uri"]) == b"src/" + os.fsencode(name)
        for part in change["replacements"]:
            region = part["deletedRegion"]
            begin = sum(map(len, lines[: region["startLine"] - 1])) + region["startColumn"] - 1
            end = sum(map(len, lines[: region["endLine"] - 1])) + region["endColumn"] - 1
            parts.append((begin, end, part.get("insertedContent", {"text": ""})["text"]))
    for begin, end, new in sorted(parts, reverse=True):
        text = text[:begin] + new + text[end:]
    CliRunner().invoke(cli.app, ["fix", str(path), "--write", "--bundle", str(colon_bundle)])
    assert path.read_bytes().decode("utf-8-sig") == text


def test_a_finding_is_the_same_one_where_a_line_was_inserted_above(files: Path, report):
    """Otherwise code scanning closes it and opens another one with each commit."""
    path = files / "src" / "a b.py"

    def fingerprints() -> list[str]:
        return [
            item["partialFingerprints"]["primaryLocationLineHash"] for item in sarif_of(report, str(path))
        ]

    before = fingerprints()
    path.write_bytes(b"import os\n\n" + path.read_bytes())
    assert fingerprints() == before and len(set(before)) == 2
    path.write_bytes(BROKEN * 2)
    first, second = fingerprints()
    assert first.split(":")[0] == second.split(":")[0] and first != second, "equal lines are told apart"


# --- for people -------------------------------------------------------------------------------------------------------


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


# --- files ------------------------------------------------------------------------------------------------------------


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
