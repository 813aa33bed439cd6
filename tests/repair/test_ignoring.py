"""`# ctm: ignore` and `# ctm: ignore-file`: what is a mark, and that nothing is changed where one stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair.cli import app
from ctm.repair.files import fix_source
from ctm.repair.ignoring import FIRST_LINES, IGNORED, ignored_lines, ignores_file, keeps_lines
from ctm.repair.passes import Repairer
from ctm.repair.source import parse_source


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("x = 1  # ctm: ignore\ny = 2\n", [0]),
        ("x = 1\ny = 2  # noqa  # ctm:ignore\n", [1]),
        ("x = 1  #ctm: ignore  (a table)\n", [0]),
        ("x = 1  # ctm: ignored\n# ctm: ignore-file\n", []),
        ('x = "# ctm: ignore"\n', []),
        ('x = """\n# ctm: ignore\n"""\ny = 1 # ctm: ignore\n', [3]),
        ("def f(a  # ctm: ignore\nx = '''\n", [0]),
        ("x = 'open  # ctm: ignore\n", [0]),
    ],
)
def test_a_mark_is_a_comment_in_broken_code_too(text: str, lines: list[int]):
    """In a string it is somebody's text; behind an error the standard tokenizer would find nothing."""
    assert ignored_lines(text) == lines


def test_the_mark_of_a_file_stands_in_its_first_lines():
    mark = "# ctm: ignore-file\n"
    assert ignores_file("#!/usr/bin/python\n" + mark + "def f(\n")
    assert not ignores_file("x = 1\n" * FIRST_LINES + mark)
    assert not ignores_file(f'"""How to:\n{mark}"""\n')
    assert not ignores_file("# ctm: ignore\n")


def test_lines_are_kept_where_each_is_still_there_in_order():
    before = ["a", "b", "a", "c"]
    assert keeps_lines(before, [0, 2], ["a", "x", "a"])
    assert not keeps_lines(before, [0, 2], ["a", "x"])
    assert not keeps_lines(before, [1, 2], ["a", "b"])


def colons(state):
    """Appends a colon to the last line that lacks one, or else to the first."""
    lines = state.text.split("\n")
    for index, line in reversed(list(enumerate(lines))):
        if line.startswith(("def ", "if ")) and ":" not in line.partition("#")[0]:
            code, hash_, comment = line.partition("  #")
            lines[index] = f"{code}:{hash_}{comment}"
            break
    return [("\n".join(lines), -0.1)]


def fix(text: str, proposer, tokenizer, **options):
    return fix_source(parse_source(text.encode()), Repairer(proposer, tokenizer, 0.5), **options)


def test_a_repair_of_an_ignored_line_is_refused_and_said(fake, tokenizer):
    """The author's word counts more than a file that compiles."""
    text = "def f()  # ctm: ignore\n    return 1\n"
    fixed = fix(text, fake(colons), tokenizer)
    assert fixed.status == "unrepaired" and fixed.after == fixed.before and not fixed.changes
    assert "line 1, which has # ctm: ignore" in fixed.refused and fixed.skipped == {IGNORED: 1}
    assert fix(text.replace("ctm", "cmt"), fake(colons), tokenizer).status == "repaired"


def test_other_lines_of_the_file_are_repaired(fake, tokenizer):
    text = "x = 1  # ctm: ignore\ndef f()\n    return 1\n"
    fixed = fix(text, fake(colons), tokenizer)
    assert fixed.after.text == text.replace("f()", "f():") and not fixed.refused


def test_no_suggestion_changes_an_ignored_line(oracle, tokenizer):
    """The next candidate would be looked at; the oracle has none."""
    text = "def f(a, b):\n    x = a\n    return x - b{}\n"
    for mark, is_made in (("", True), ("  # ctm: ignore", False)):
        buggy = text.format(mark)
        proposer = oracle({buggy: buggy.replace("- b", "+ b")})
        fixed = fix(buggy, proposer, tokenizer, suggesting=True)
        assert bool(fixed.changes) is is_made
        assert fixed.skipped == ({} if is_made else {IGNORED: 1})


def test_the_command_leaves_a_file_out_and_counts_it(colon_bundle: Path, tmp_path: Path):
    """Named or found in a folder; of stdin nothing is changed either."""
    (tmp_path / "a.py").write_text("# ctm: ignore-file\ndef f()\n    pass\n")
    (tmp_path / "c.py").write_bytes(b"\r\n" * 8 + b"# ctm: ignore-file\r\ndef f(\r\n")  # line 9, not 17
    (tmp_path / "b.py").write_bytes(b"#!/usr/bin/python\r# ctm: ignore-file\rdef f(\xff)\r")
    for paths in ([str(tmp_path)], [str(tmp_path / f"{name}.py") for name in "abc"]):
        done = CliRunner().invoke(app, ["fix", *paths, "--bundle", str(colon_bundle), "-v"])
        assert done.exit_code == 0 and done.stdout == ""
        assert done.stderr.splitlines()[-1] == "ctm-repair: skipped 3: files with # ctm: ignore-file"
    given = (tmp_path / "a.py").read_text()
    done = CliRunner().invoke(app, ["fix", "-", "--bundle", str(colon_bundle)], input=given)
    assert done.exit_code == 0 and done.stdout in ("", given), "a filter gives it back"
