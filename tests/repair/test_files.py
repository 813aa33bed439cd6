"""Files: bytes in, the same bytes out but for the repair; windows around errors; function by function."""

from __future__ import annotations

import ast
import subprocess
import textwrap
from pathlib import Path

import pytest

from ctm.python.compiling import compiles
from ctm.repair.diff import unified_diff
from ctm.repair.file_repair import first_error
from ctm.repair.files import fix_source
from ctm.repair.passes import Repairer
from ctm.repair.source import MAX_BYTES, FileError, parse_source, read_source
from ctm.repair.windows import MAX_LINES, Window, functions_of, windows_around
from ctm.repair.write import write_source

FILES = [Path(module.__file__) for module in (ast, textwrap)]


# --- source ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"x = 1",
        b"x = 1\n",
        b"x = 1\r\ny = 2\r\n",
        b"x = 1\r\ny = 2\nz\r",
        b"\xef\xbb\xbfx = '\xc3\xa9'\n",
        b"# -*- coding: latin-1 -*-\nx = '\xe9'\n",
        b"#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n",
        b"a\x0cb\x0b\x1c\xc2\x85\xe2\x80\xa8c\n\n\n",
        b"# coding: utf-16-oops\n"[:9] + b"\n",
    ],
)
def test_bytes_survive(raw: bytes):
    assert parse_source(raw).encode() == raw


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (b"\x7fELF\0\0", "binary: a null byte"),
        (b"x = '\xff\xfe'\n", "not utf-8|cannot be decoded|invalid or missing"),
        (b"\n\n\nx = '\xff'\n", "not utf-8: byte 0xff"),
        (b"# coding: no-such\n", "unknown encoding"),
        (b"\xef\xbb\xbf# coding: latin-1\n", "cannot be decoded"),
        (b"x" * (MAX_BYTES + 1), "too large"),
    ],
)
def test_what_is_no_source_is_refused_with_the_reason(raw: bytes, why: str):
    with pytest.raises(FileError, match=why):
        parse_source(raw)


def test_added_lines_get_the_usual_line_end_and_the_last_line_none():
    source = parse_source(b"a\r\nb\r\nc")
    assert source.splice(1, 2, ["x", "y"]).encode() == b"a\r\nx\r\ny\r\nc"
    assert source.splice(2, 3, ["x", "y"]).encode() == b"a\r\nb\r\nx\r\ny"
    assert source.splice(1, 3, []).encode() == b"a"
    assert parse_source(b"a\r\nb\n").splice(1, 2, ["c"]).encode() == b"a\r\nc\n"


def test_what_the_encoding_lacks_is_not_written(tmp_path: Path):
    path = tmp_path / "a.py"
    path.write_bytes(b"# coding: latin-1\nx = 1\n")
    with pytest.raises(FileError, match=r"latin-1|iso-8859-1"):
        write_source(path, read_source(path), read_source(path).splice(1, 2, ["x = '\N{SNOWMAN}'"]))
    assert path.read_bytes() == b"# coding: latin-1\nx = 1\n"


# --- windows --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_windows_restore_unrepaired_text_exactly(path: Path):
    lines = path.read_text().split("\n")
    windows = functions_of(path.read_text()) + [
        w for at in range(0, len(lines), 7) for w in windows_around(lines, at)
    ]
    assert len(windows) > 50
    for window in windows:
        assert window.restore(window.text(lines), lines) == lines[window.begin : window.end]


def test_functions_of_a_file_cover_its_functions_and_module_code():
    text = textwrap.dedent(
        '''\
        """Doc."""
        import os

        A = 1
        B = 2

        @decorated
        def f():
            def inner(): pass
            return """
        text
            """

        class C:
            x = 1
            async def m(self):
                return 1

        if A:
            def g(): pass
        '''
    )
    lines = text.split("\n")
    shown = [window.text(lines).split("\n")[0] for window in functions_of(text)]
    assert shown == ["A = 1", "@decorated", "async def m(self):", "if A:", "def g(): pass"]
    assert all(compiles(window.text(lines)) for window in functions_of(text))


def test_restore_gives_the_indentation_back_to_what_changed_only():
    lines = ["    def f():", '        """', "  odd", '        """', "        return a", ""]
    window = Window(0, 5, "    ")
    text = window.text(lines)
    assert text.startswith("def f():\n    ")
    assert window.restore(text.replace("return a", "x = 1\n\n    return b"), lines) == [
        *lines[:4],
        "        x = 1",
        "",
        "        return b",
    ]


def test_a_repair_that_touches_the_header_is_refused():
    lines = ["def f(a):", "    x = 1", "    return (x"]
    window = Window(2, 3, "", ("def f(a):",))
    assert window.text(lines) == "def f(a):\n    return (x"
    assert window.restore("def f(b):\n    return (x)", lines) is None
    assert window.restore("def f(a):\n    return (x)", lines) == ["    return (x)"]


@pytest.mark.parametrize("damage", ["        retrn = = 1", "        x = (1", "      y = 1", "        if x"])
def test_windows_around_an_error_hold_it_and_fit(damage: str):
    lines = FILES[0].read_text().split("\n")
    long = [
        "class K:",
        "    def long(self):",
        *[f"        a{i} = {i}" for i in range(300)],
        "        return a1",
    ]
    lines = [*lines[:300], "", *long, "", *lines[300:]]
    at = 300 + 150
    lines[at] = damage
    error = first_error("\n".join(lines))
    assert error is not None
    windows = windows_around(lines, error.lineno - 1)
    assert windows and all(window.end - window.begin <= MAX_LINES for window in windows)
    holding = [window for window in windows if window.begin <= at < window.end]
    assert any(window.header == ("    def long(self):",) for window in holding)
    assert len(holding) >= len(windows) - 1


# --- files ----------------------------------------------------------------------------------------------------------


def fix(text: str, proposer, tokenizer, threshold: float = 0.5):
    return fix_source(parse_source(text.encode()), Repairer(proposer, tokenizer, threshold))


def colons(state):
    """Appends a colon to the first line that lacks one; knows nothing else."""
    lines = state.text.split("\n")
    for index, line in enumerate(lines):
        if line.strip().startswith(("def ", "if ", "class ", "while ")) and not line.endswith(":"):
            lines[index] += ":"
            break
    return [("\n".join(lines), -0.1)]


def test_every_error_of_a_long_file_is_repaired_in_its_place(fake, tokenizer):
    text = FILES[0].read_text()
    broken = text.replace("def visit_If(self, node):", "def visit_If(self, node)")
    broken = broken.replace("    def generic_visit(self, node):", "    def generic_visit(self, node)")
    assert broken.count("\n") > 1000 and broken != text
    proposer = fake(colons)
    fixed = fix(broken, proposer, tokenizer)
    assert fixed.status == "repaired" and fixed.compiles and not fixed.compiled
    assert fixed.after.text == text
    assert len(fixed.changes) == 3, "one for each error"


def test_windows_line_ends_and_encoding_stay(fake, tokenizer):
    raw = b"# coding: latin-1\r\ndef f()\r\n    return '\xe9'\r\n"
    fixed = fix_source(parse_source(raw), Repairer(fake(colons), tokenizer, 0.5))
    assert fixed.after.encode() == raw.replace(b"f()", b"f():")


def test_partial_progress_is_proposed_and_what_is_left_is_named(fake, tokenizer):
    text = "def f()\n    return 1\n" + "\n" * 70 + "x = = = 1\n"
    fixed = fix(text, fake(colons), tokenizer)
    assert fixed.status == "unrepaired" and not fixed.compiles
    assert [change.line for change in fixed.changes] == [1]
    assert fixed.error.startswith("line 73: ")
    assert fixed.after.text == text.replace("f()", "f():")


def test_an_edit_that_only_moves_the_error_up_is_no_repair(fake, tokenizer):
    proposer = fake(lambda state: [("(" + state.text, -0.1)])
    fixed = fix("a = 1\nb = 2\nc = = = 3\n", proposer, tokenizer)
    assert fixed.status == "unrepaired" and not fixed.changes
    assert fixed.after == fixed.before and fixed.error.startswith("line 3: ")


def test_deleting_what_follows_is_no_progress(fake, tokenizer):
    proposer = fake(lambda state: [(state.text.split("\n")[0], -0.1)])
    fixed = fix("x = = = 1\n" + "y = 2\n" * 5, proposer, tokenizer)
    assert fixed.status == "unrepaired"


def test_other_answers_are_tried_where_the_first_does_not_help_the_file(fake, tokenizer):
    def suggest(state):
        if not state.text.startswith("def g()\n"):
            return [(state.text, -0.1)]
        return [("g()", -0.1), ("def g():\n    return 1", -0.2)]

    text = "def h():\n    pass\n" * 40 + "def g()\n    return 1\n"
    fixed = fix(text, fake(suggest), tokenizer)
    assert fixed.compiles and fixed.after.text == text.replace("g()", "g():")


def test_nesting_that_the_compiler_refuses_is_an_error(fake, tokenizer):
    with pytest.raises(FileError, match="cannot be checked: nested brackets"):
        fix("x = " + "(" * 500 + ")" * 500, fake(colons), tokenizer)


@pytest.mark.parametrize(
    "text", ["def f()\n    return 1\n", "def f()\n    return 1", "\n\ndef f()\n    pass\n\nx = 1\n"]
)
def test_the_diff_is_one_that_patch_applies(text: str, fake, tokenizer, tmp_path: Path):
    fixed = fix(text, fake(colons), tokenizer)
    path = tmp_path / "a.py"
    path.write_text(text)
    diff = unified_diff(fixed, "a.py")
    subprocess.run(["git", "apply", "-p0", "-"], cwd=tmp_path, input=diff, text=True, check=True)
    assert path.read_text() == fixed.after.text == text.replace("f()", "f():")
