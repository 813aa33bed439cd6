"""Whatever happens, `ctm-repair` says it in one line on stderr and ends with 2: 1 means 'repairs proposed'."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from ctm.repair import cli, files
from ctm.repair.boundary import Guarded
from ctm.repair.terminal import MAX_THREADS, visible

BROKEN, FIXED = "def add(a, b)\n    return a + b\n", "def add(a, b):\n    return a + b\n"
COMMAND = [sys.executable, "-m", "ctm.repair.cli"]


def run(*arguments: str | Path, **options: Any) -> subprocess.CompletedProcess[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **options.pop("env", {})}
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "timeout": 120, **options}
    return subprocess.run([*COMMAND, *map(str, arguments)], env=environment, **options)


def said_in_one_line(done: subprocess.CompletedProcess[bytes], *words: str) -> None:
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 1 and lines[0].startswith("ctm-repair: "), done.stderr.decode()
    assert all(word in lines[0] for word in words), lines[0]
    assert done.returncode == 2


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    path = tmp_path / "broken.py"
    path.write_text(BROKEN)
    return path


# --- stdout, stderr and stdin that are no use -----------------------------------------------------------------------


@pytest.mark.parametrize("json_too", [(), ("--json",)], ids=["diff", "json"])
def test_a_full_stdout(colon_bundle: Path, broken: Path, json_too: tuple[str, ...]):
    with Path("/dev/full").open("wb") as full:
        done = run("fix", broken, "--bundle", colon_bundle, *json_too, stdout=full)
    said_in_one_line(done, "stdout: no space left on device")


def test_a_reader_that_has_gone(colon_bundle: Path, broken: Path):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        said_in_one_line(run("fix", broken, "--bundle", colon_bundle, stdout=writing), "stdout: broken pipe")
        done = run("--help", stdout=writing)
        assert done.returncode == 2 and b"broken pipe" in done.stderr
    finally:
        os.close(writing)


def test_a_closed_stdout_is_an_error_only_where_something_is_to_be_said(colon_bundle: Path, broken: Path):
    def close() -> None:
        os.close(1)

    done = run("fix", broken, "--bundle", colon_bundle, stdout=None, preexec_fn=close)
    said_in_one_line(done, "stdout: closed")
    broken.write_text(FIXED)
    done = run("fix", broken, "--bundle", colon_bundle, stdout=None, preexec_fn=close)
    assert (done.returncode, done.stderr) == (0, b"")


def test_nothing_is_written_into_a_file_that_got_the_number_of_stdout(colon_bundle: Path, broken: Path):
    """With 0 to 2 closed the next file that is opened would be taken for one of them."""
    before = {path: path.read_bytes() for path in colon_bundle.iterdir()}

    def close() -> None:
        os.closerange(0, 3)

    done = run("fix", broken, "none.py", "--bundle", colon_bundle, stdout=None, stderr=None, preexec_fn=close)
    assert done.returncode == 2 and broken.read_text() == BROKEN
    assert {path: path.read_bytes() for path in colon_bundle.iterdir()} == before


def test_a_closed_stdin(colon_bundle: Path):
    done = run("fix", "-", "--bundle", colon_bundle, preexec_fn=lambda: os.close(0))
    said_in_one_line(done, "<stdin>: stdin is closed")


def test_a_full_stderr_changes_neither_output_nor_status(colon_bundle: Path, broken: Path):
    with Path("/dev/full").open("wb") as full:
        done = run("fix", "none.py", broken, "--bundle", colon_bundle, stderr=full)
    assert done.returncode == 2 and b"+def add(a, b):" in done.stdout


@pytest.mark.parametrize(
    ("options", "environment"),
    [
        (["-X", "utf8=0"], {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"}),
        ([], {"PYTHONIOENCODING": "ascii:strict"}),
        ([], {"NO_COLOR": "1", "TERM": "xterm-256color"}),
        ([], {"TERM": "dumb", "COLUMNS": "1"}),
    ],
    ids=["C locale", "ASCII", "NO_COLOR", "dumb"],
)
def test_output_does_not_depend_on_locale_or_terminal(
    colon_bundle: Path, tmp_path: Path, options: list[str], environment: dict[str, str]
):
    text = "def größe(a, b)\n    return 'ü€'\n"
    path = tmp_path / "größe.py"
    path.write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *options, "-m", "ctm.repair.cli", "fix", str(path), str(tmp_path / "weg€.py"),
         "--bundle", str(colon_bundle)],
        capture_output=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
    )  # fmt: skip
    assert "+def größe(a, b):\n     return 'ü€'\n" in done.stdout.decode("utf-8"), "the bytes of the file"
    assert b"\x1b" not in done.stdout + done.stderr, "no colors outside a terminal"
    said_in_one_line(done, "no such file or directory")


def test_a_name_cannot_steer_the_terminal():
    assert visible("a\x1b[2Jb\nc\x07\r\u202e\udcff.py") == "a\\x1b[2Jb c\\x07 \\u202e\\udcff.py"
    assert visible("größe – 説明") == "größe – 説明"


# --- options --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fix"], ["Missing argument", "see ctm-repair fix --help"]),
        (["fix", "a.py", "--nonsense"], ["--nonsense"]),
        (["mend", "a.py"], ["mend", "see ctm-repair --help"]),
        (["fix", "a.py", "--threads", "100000"], ["--threads", str(MAX_THREADS)]),
        (["fix", "a.py", "--threads", "0"], ["--threads"]),
        (["fix", "a.py", "--threads", "9" * 5000], ["--threads"]),
        (["fix", "a.py", "--confidence", "nan"], ["--confidence"]),
        (["fix", "a.py", "--confidence", "1e400"], ["--confidence"]),
        (["fix", "a.py", "--confidence", "-0.1"], ["--confidence"]),
        (["evaluate", "a.jsonl", "--json", "b", "--limit", "0"], ["--limit"]),
        (["evaluate", "a.jsonl", "--json", "b", "--limit", "x"], ["--limit"]),
        (["evaluate", "a.jsonl", "--json", "b", "--threads", "65536"], ["--threads"]),
    ],
)
def test_arguments_that_cannot_be(arguments: list[str], words: list[str]):
    done = CliRunner().invoke(cli.app, arguments)
    lines = done.stderr.splitlines()
    assert done.exit_code == 2 and done.stdout == ""
    assert len(lines) == 1 and lines[0].startswith("ctm-repair: ") and all(w in lines[0] for w in words), (
        lines
    )


def test_help_is_help_and_not_an_error():
    done = CliRunner().invoke(cli.app, ["fix", "--help"])
    assert done.exit_code == 0 and "--confidence" in done.stdout and done.stderr == ""


def test_without_arguments_there_is_help_and_nothing_was_done():
    """Releases of click differ in it: 8.1 ends with 0, later ones say all of the help on stderr."""
    done = CliRunner().invoke(cli.app, [])
    assert done.exit_code == 2 and "Propose repairs" in done.stdout and done.stderr == ""


# --- files ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "codec",
    ["undefined", "punycode", "hex", "rot13", "zlib", "base64", "mbcs", "oem", "nope", "x" * 500],
)  # fmt: skip
def test_odd_codecs_end_their_file_and_not_the_command(
    colon_bundle: Path, tmp_path: Path, broken: Path, codec: str
):
    odd = tmp_path / "odd.py"
    odd.write_bytes(f"# coding: {codec}\nx = \x81)\n".encode("latin-1"))
    done = CliRunner().invoke(cli.app, ["fix", str(odd), str(broken), "--bundle", str(colon_bundle)])
    lines = done.stderr.splitlines()
    assert done.exit_code == 2 and len(lines) == 1 and "odd.py: " in lines[0], done.stderr
    assert "unexpected" not in lines[0] and "+def add(a, b):" in done.stdout


def test_a_path_that_is_too_long_ends_itself(colon_bundle: Path, broken: Path):
    done = run("fix", "a" * 300, broken, "--bundle", colon_bundle)
    said_in_one_line(done, "file name too long")
    assert b"+def add(a, b):" in done.stdout


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (MemoryError(), "out of memory"),
        (RecursionError("maximum recursion depth exceeded"), "nested too deeply"),
        (OSError(5, "Input/output error", "there"), "there: input/output error"),
        (KeyError("[/red]"), "unexpected KeyError: '[/red]'; CTM_DEBUG=1 shows where"),
        (UnicodeEncodeError("ascii", "é", 0, 1, "two\nlines"), "unexpected UnicodeEncodeError"),
    ],
)
def test_what_nobody_foresaw_ends_its_file_and_not_the_command(
    colon_bundle: Path, tmp_path: Path, broken: Path, monkeypatch, error: Exception, words: str
):
    real = files.fix_source

    def fix(source: Any, *rest: Any, **named: Any) -> Any:
        if source.text.startswith("bad"):
            raise error
        return real(source, *rest, **named)

    monkeypatch.setattr(files, "fix_source", fix)
    bad = tmp_path / "bad.py"
    bad.write_text("bad bad\n")
    arguments = ["fix", str(bad), str(broken), "--bundle", str(colon_bundle)]
    done = CliRunner().invoke(cli.app, arguments)
    assert done.exit_code == 2 and "+def add(a, b):" in done.stdout
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"ctm-repair: {bad}: {words}")
    done = CliRunner().invoke(cli.app, [*arguments, "--json"])
    first, second = json.loads(done.stdout)["files"]
    assert first["status"] == "error" and words.split(":")[0] in first["error"]
    assert second["status"] == "repaired"
    shown = CliRunner().invoke(cli.app, arguments, env={"CTM_DEBUG": "1"})
    assert "Traceback" in shown.stderr and shown.exit_code == 2


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (KeyboardInterrupt(), 130, "interrupted"),
        (RuntimeError("a\nb"), 2, "unexpected RuntimeError: a b"),
        (SystemExit(1), 2, "broken pipe"),
        (BrokenPipeError(32, "Broken pipe"), 2, "broken pipe"),
    ],
)
def test_the_boundary_itself(error: BaseException, status: int, words: str):
    app = Guarded()

    @app.command()
    def one() -> None:
        raise error

    done = CliRunner().invoke(app, ["one"])
    (line,) = done.stderr.splitlines()
    assert done.exit_code == status and words in line and line.startswith("ctm-repair: ")


def test_control_c_is_130_and_one_line(colon_bundle: Path):
    """While stdin is waited for, so that it is known where the command is."""
    process = subprocess.Popen(
        [*COMMAND, "fix", "-", "--bundle", str(colon_bundle)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a job in the background ignores it
    )  # fmt: skip
    waits = Path(f"/proc/{process.pid}/syscall")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not waits.read_text().startswith("0 0x0 "):  # read(0, …)
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"ctm-repair: interrupted\n")


# --- evaluate -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("[" * 100_000, "not JSON"),
        ('{"id": ' + "9" * 5000 + ', "buggy": "", "fixed": ""}', "not JSON"),
        ('{"id": ' + "[" * 900 + "]" * 900 + ', "buggy": "", "fixed": ""}', '"id" must be text or a number'),
        ('{"id": 1, "buggy": 1e400, "fixed": ""}', '"buggy" must be text, not float'),
        ("\xff", "not JSON"),
    ],
)
def test_pairs_that_cannot_be_read(colon_bundle: Path, tmp_path: Path, line: str, words: str):
    pairs = tmp_path / "pairs.jsonl"
    pairs.write_text(line, encoding="latin-1")
    done = run("evaluate", pairs, "--bundle", colon_bundle, "--json", tmp_path / "out.json")
    said_in_one_line(done, f"{pairs}:1: ", words)


def test_markup_in_a_category_is_text(colon_bundle: Path, tmp_path: Path):
    pairs, out = tmp_path / "pairs.jsonl", tmp_path / "[red]out[.json"
    row = {"id": "[/red]", "buggy": BROKEN, "fixed": FIXED, "category": "[/red]\x1b[31m", "kind": "[/kind]"}
    pairs.write_text(json.dumps(row) + "\n")
    done = run("evaluate", pairs, "--bundle", colon_bundle, "--json", out, env={"COLUMNS": "200"})
    assert done.returncode == 0, done.stderr
    shown = done.stdout.decode()
    assert "[/red]\\x1b[31m" in shown and "[red]out[.json" in shown and "\x1b" not in shown
    with Path("/dev/full").open("wb") as full:
        done = run("evaluate", pairs, "--bundle", colon_bundle, "--json", out, stdout=full)
    said_in_one_line(done, "stdout: no space left on device")
