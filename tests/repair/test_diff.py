"""A diff makes the file the very bytes of the repair, with `patch` and with `git apply`, whatever its name and ends."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair import cli
from ctm.repair.diff import header_name, quoted, unified_diff
from ctm.repair.file_repair import FileRepair
from ctm.repair.source import PythonFile, parse_source

BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"
TOOLS = [
    pytest.param(
        command,
        marks=pytest.mark.skipif(not shutil.which(command[0]), reason=f"no {command[0]} here"),
        id=command[0],
    )
    for command in (["patch", "-p0", "-s"], ["git", "apply", "-p0", "-"])
]
NAMES = {
    "plain": b"a.py",
    "spaces": b"a  b.py",
    "spaces around": b" a.py ",
    "a date behind a space": b"a 2020-01-01 00:00:00.000000000 +0000.py",
    "tab": b"a\tb.py",
    "newline that would be a header": b"a\n+++ b.py",
    "newline that would be a hunk": b"a\n@@ -1,1 +1,1 @@\n-x\n+y.py",
    "carriage return": b"a\rb.py",
    "escape sequence": b"a\x1b[31m.py",
    "quotes and backslash": b'"a\\"b.py',
    "UTF-8": "caf\xe9 \u4e2d.py".encode(),
    "not UTF-8": b"\xff\xfe.py",
    "dash": b"-p1.py",
    "folder with spaces": b"one two/three four.py",
}
CONTENTS = {  # with "f()" for what is repaired to "f():"
    "LF": b"def f()\n    return 1\n",
    "CRLF": b"def f()\r\n    return 1\r\n",
    "CR": b"def f()\r    return 1\r",
    "CR, no end": b"def f()\r    return 1",
    "mixed": b"x = 1\r\ny = 2\rdef f()\n    return 1\r",
    "mixed, last line": b"x = 1\r\n\n\ndef f()\r    return 1",
    "byte order mark": b"\xef\xbb\xbfdef f()\n    return '\xc3\xa9'\n",
    "latin-1": b"# coding: latin-1\ndef f()\n    return '\xe9\x85'\n",
    "what ends no line": "def f()\n    return '\x0b\x0c\x1c\x85\u2028'\n\x0c\n".encode(),
}


def change(old: bytes, new: bytes) -> FileRepair:
    return FileRepair(parse_source(old), parse_source(new), compiled=False, compiles=True)


def apply(command: list[str], folder: Path, diff: bytes) -> None:
    done = subprocess.run(command, cwd=folder, input=diff, capture_output=True, timeout=20)
    assert done.returncode == 0, done.stdout + done.stderr


def make(folder: Path, name: bytes, content: bytes) -> Path:
    path = folder / os.fsdecode(name)
    path.parent.mkdir(exist_ok=True)
    try:
        path.write_bytes(content)
    except OSError as error:
        pytest.skip(f"no such name here: {error}")
    return path


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_any_name(tmp_path: Path, tool: list[str], name: bytes):
    path = make(tmp_path, name, BROKEN.encode())
    diff = unified_diff(change(BROKEN.encode(), FIXED.encode()), os.fsdecode(name)).encode()
    assert len(diff.splitlines()) == 6, "no name adds a line"
    apply(tool, tmp_path, diff)
    assert path.read_text() == FIXED
    assert [item for item in tmp_path.rglob("*") if item.is_file()] == [path]


@pytest.mark.parametrize("tool", TOOLS)
@pytest.mark.parametrize("old", CONTENTS.values(), ids=CONTENTS)
def test_any_line_ends_and_encoding(tmp_path: Path, tool: list[str], old: bytes):
    path, new = make(tmp_path, b"a.py", old), old.replace(b"f()", b"f():")
    fixed = change(old, new)
    apply(tool, tmp_path, unified_diff(fixed, "a.py").encode(fixed.before.encoding))
    assert path.read_bytes() == new


@pytest.mark.parametrize("tool", TOOLS)
def test_several_changes_of_a_long_file_whose_lines_are_alike(tmp_path: Path, tool: list[str]):
    old = [b"x = 1\n"] * 1000
    new = [*old[:400], b"y = 1\n", *old[401:600], *old[601:]]
    path = make(tmp_path, b"a.py", b"".join(old))
    diff = unified_diff(change(b"".join(old), b"".join(new)), "a.py")
    assert diff.count("\n") < 2 * 200 + 20, "not the whole file"
    apply(tool, tmp_path, diff.encode())
    assert path.read_bytes() == b"".join(new)


def test_a_change_in_a_very_long_file_is_a_short_diff():
    old = b"x = 1\n" * 200_000
    new = old[: 6 * 100_000] + b"y = 1\n" + old[6 * 100_000 + 6 :]
    lines = unified_diff(change(old, new), "a.py").splitlines()
    assert lines[2] == "@@ -99998,7 +99998,7 @@" and len(lines) == 3 + 8
    assert lines[6:8] == ["-x = 1", "+y = 1"]


@pytest.mark.parametrize("tool", TOOLS)
def test_random_changes(tmp_path: Path, tool: list[str]):
    """Few kinds of lines, so that a hunk in the wrong place would fit there too."""
    draw = random.Random(0)
    diffs, wanted = [], {}
    for case in range(40):
        old = [draw.choice([b"a\n", b"b\r\n", b"c\r"]) for _ in range(draw.randint(1, 40))]
        new = list(old)
        for _ in range(draw.randint(1, 4)):
            at = draw.randrange(len(new) + 1)
            new[at : at + draw.randint(0, 2)] = [draw.choice([b"a\n", b"d\n", b"\r"])] * draw.randint(0, 2)
        before, after = b"".join(old), b"".join(new) or b"\n"
        wanted[make(tmp_path, b"%d.py" % case, before)] = after
        diffs.append(unified_diff(change(before, after), f"{case}.py"))
    apply(tool, tmp_path, "".join(diffs).encode())
    assert {path: path.read_bytes() for path in wanted} == wanted


def test_no_change_is_no_diff():
    assert unified_diff(change(b"x = 1\n", b"x = 1\n"), "a.py") == ""


def test_names_are_quoted_as_git_does(tmp_path: Path):
    assert quoted("a/b.py") == "a/b.py"
    assert quoted("a b.py") == "a b.py\t"
    assert quoted('\xe9\n"\\.py') == '"\\303\\251\\n\\"\\\\.py"'


def test_the_name_in_a_diff_is_the_real_place_from_here(tmp_path: Path, monkeypatch):
    (tmp_path / "here" / "sub").mkdir(parents=True)
    (tmp_path / "here" / "link").symlink_to("sub")
    monkeypatch.chdir(tmp_path / "here")
    assert header_name("sub/../a.py") == header_name(str(tmp_path / "here" / "a.py")) == "a.py"
    assert header_name("../here/link/a.py") == "sub/a.py"
    assert header_name("../a.py") == os.path.realpath(tmp_path / "a.py"), "neither tool takes a name with .."
    assert header_name("../heretoo/a.py").startswith("/")


# --- the command ----------------------------------------------------------------------------------------------------


def fix(*arguments: str | Path, given: bytes = b""):
    return CliRunner().invoke(cli.app, ["fix", *map(str, arguments)], input=given)


@pytest.mark.parametrize("tool", TOOLS)
def test_a_diff_of_many_files_applies_from_the_working_folder(
    colon_bundle: Path, tmp_path: Path, monkeypatch, tool: list[str]
):
    here = tmp_path / "here"
    here.mkdir()
    for name in NAMES.values():
        make(here, name + b".py", BROKEN.encode())  # the walk takes *.py only
    make(here, b"cr.py", BROKEN.replace("\n", "\r").encode())
    monkeypatch.chdir(here)
    done = fix("../here", "--bundle", colon_bundle)
    assert done.exit_code == 1 and done.stderr == ""
    apply(tool, here, done.stdout_bytes)
    texts = [path.read_bytes().replace(b"\r", b"\n").decode() for path in here.rglob("*.py")]
    assert texts == [FIXED] * (len(NAMES) + 1)


def test_what_is_outside_of_the_working_folder_applies_from_the_root(
    colon_bundle: Path, tmp_path: Path, monkeypatch
):
    if not shutil.which("patch"):
        pytest.skip("no patch here")
    path = make(tmp_path, b"a b.py", BROKEN.encode())
    (tmp_path / "sub").mkdir()
    monkeypatch.chdir(tmp_path / "sub")
    done = fix("../a b.py", "--bundle", colon_bundle)
    apply(["patch", "-d", "/", "-p1", "-s"], tmp_path, done.stdout_bytes)
    assert path.read_text() == FIXED


def test_a_diff_in_json_says_its_encoding(colon_bundle: Path, tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    raw = b"# coding: latin-1\ndef f()\n    return '\xe9'\n"
    make(tmp_path, b"a.py", raw)
    row = json.loads(fix("a.py", "--json", "--bundle", colon_bundle).stdout)["files"][0]
    assert row["encoding"] == "iso-8859-1"
    assert row["diff"].encode(row["encoding"]) == fix("a.py", "--bundle", colon_bundle).stdout_bytes


def test_stdin_gives_a_diff(colon_bundle: Path):
    done = fix("-", "--diff", "--bundle", colon_bundle, given=BROKEN.replace("\n", "\r").encode())
    assert done.exit_code == 1
    assert done.stdout_bytes == (
        b"--- <stdin>\n+++ <stdin>\n@@ -1 +1 @@\n"
        b"-def add(a, b)\r    return a + b\r\n\\ No newline at end of file\n"
        b"+def add(a, b):\r    return a + b\r\n\\ No newline at end of file\n"
    )


def test_the_byte_order_mark_is_part_of_the_first_line():
    source = PythonFile(("x", ""), ("\n", ""), has_bom=True)
    assert unified_diff(FileRepair(source, source.splice(0, 1, ["y"]), False, True), "a").splitlines()[
        3:
    ] == [
        "-\ufeffx",
        "+\ufeffy",
    ]
