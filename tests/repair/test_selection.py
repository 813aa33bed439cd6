"""`--select`: what is proposed, on the command line and in a file of settings."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair.cli import app
from ctm.repair.input_options import _as_defaults
from ctm.repair.selection import NOT_SELECTED, Selection, parse_kinds, select
from ctm.repair.settings import KEYS, Settings

BROKEN = "def add(a, b)\n    return a + b\n"


def test_kinds_are_named_once_or_with_commas():
    assert parse_kinds(["syntax", "suggestions, syntax"]) == ["syntax", "suggestions", "syntax"]
    assert select(None, False) == Selection(True, False)
    assert select(["suggestions"], False) == Selection(False, True)
    assert select(["syntax"], True) == Selection(True, True)


@pytest.mark.parametrize(
    ("kind", "words"),
    [("logic", "cannot be told apart"), ("security", "select suggestions"), ("all", "none of syntax, sug")],
)
def test_what_cannot_be_selected_is_said(colon_bundle: Path, kind: str, words: str):
    """The model does not say which kind of bug it saw; to take the word and do something else would be a lie."""
    done = CliRunner().invoke(app, ["fix", "-", "--select", kind, "--bundle", str(colon_bundle)])
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1 and words in done.stderr


def test_without_syntax_broken_code_is_named_and_left(colon_bundle: Path, tmp_path: Path):
    """It still does not compile: status 3, not 0."""
    path = tmp_path / "a.py"
    path.write_text(BROKEN)
    given = ["fix", str(path), "--bundle", str(colon_bundle)]
    done = CliRunner().invoke(app, [*given, "--select", "suggestions"])
    assert done.exit_code == 3 and done.stdout == "" and NOT_SELECTED in done.stderr
    assert CliRunner().invoke(app, [*given, "--select", "suggestions,syntax"]).exit_code == 1


def test_the_command_line_wins_over_select_and_suggest_of_a_file(
    colon_bundle: Path, tmp_path: Path, monkeypatch
):
    from ctm.repair import cli

    seen: list[Selection] = []
    monkeypatch.setattr(
        cli, "make_selection", lambda context, real=cli.make_selection: seen.append(real(context)) or seen[-1]
    )
    (tmp_path / "a.py").write_text("x = 1\n")

    def chosen(settings: str, *options: str) -> Selection:
        (tmp_path / "ctm-repair.toml").write_text(settings)
        given = ["fix", str(tmp_path / "a.py"), "--bundle", str(colon_bundle), *options]
        assert CliRunner().invoke(app, given).exit_code == 0
        return seen[-1]

    assert chosen("suggest = true") == Selection(True, True)
    assert chosen("suggest = true", "--select", "syntax") == Selection(True, False)
    assert chosen('select = ["suggestions"]') == Selection(False, True)
    assert chosen('select = ["syntax"]', "--suggest") == Selection(True, True)


def test_every_key_of_a_file_is_the_default_of_an_option():
    """A key that no option reads would be taken and do nothing."""
    known = {parameter.name for parameter in app.commands["fix"].params}
    defaults = _as_defaults(Settings(values=dict.fromkeys(KEYS)))
    assert defaults.keys() <= known
