"""The project's file of settings: which one counts, what may stand in it, and that the command line wins."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair.cli import app
from ctm.repair.settings import KEYS, Settings, SettingsError, find_settings, load_settings, oldest_python

BROKEN = "def add(a, b)\n    return a + b\n"


def write(path: Path, text: str = BROKEN) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def test_the_nearest_file_above_the_first_path_counts(tmp_path: Path, monkeypatch):
    """As with ruff: a pyproject.toml without our table is passed by, and in one folder our own files come first."""
    write(tmp_path / "pyproject.toml", "[tool.ctm-repair]\nconfidence = 0.1\n")
    write(tmp_path / "a/pyproject.toml", "this is = not = toml\n")
    write(tmp_path / "a/b/pyproject.toml", "[tool.ruff]\n")
    file = write(tmp_path / "a/b/c.py")
    for first in (file, file.parent, tmp_path / "a/b/none.py"):
        assert find_settings(str(first)).values == {"confidence": 0.1}
    write(tmp_path / "a/pyproject.toml", "[tool.ctm-repair]\nconfidence = 0.2\n")
    assert find_settings(str(file)).values == {"confidence": 0.2}
    write(tmp_path / "a/ctm-repair.toml", "confidence = 0.3\n")
    assert find_settings(str(file)).values == {"confidence": 0.3}
    write(tmp_path / "a/.ctm-repair.toml", "confidence = 0.4\n")
    assert find_settings(str(file)).values == {"confidence": 0.4}
    monkeypatch.chdir(tmp_path / "a/b")
    assert find_settings("-").folder == tmp_path / "a"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('bundle = "evil"', ["bundle = 'evil'", "no such key", "extend-exclude"]),
        ("write = true", ["write = True", "no such key"]),
        ('output-file = "/etc/passwd"', ["output-file", "no such key"]),
        ("confidence = true", ["confidence = True", "a number from 0 to 1"]),
        ("confidence = nan", ["confidence = nan", "a number from 0 to 1"]),
        ("confidence = 1.5", ["a number from 0 to 1"]),
        ('exclude = "gen"', ["exclude = 'gen'", "a list"]),
        ("exclude = [1]", ["a list"]),
        ('exclude = [""]', ["a list"]),
        ("force-exclude = 1", ["true or false"]),
        ("target-version = 3.12", ["target-version = 3.12", 'such as "3.12"']),
        ('target-version = "3.7"', ["from 3.8 on"]),
        ('select = ["logic"]', ["syntax and suggestions"]),
        ('output-format = "xml"', ["sarif"]),
        ("output-format = []", ["sarif"]),
        ("a = " + "[" * 2000 + "]" * 2000, ["not TOML"]),
        ("x = \udcff", ["not TOML"]),
        ("confidence = " + "9" * 600, ["a number from 0 to 1"]),
        ("confidence = " + "9" * 6000, ["not TOML"]),
        ("confidence = 0x" + "f" * 6000, ["too long", "a number from 0 to 1"]),
        ("k" * 5000 + " = 1", ["no such key"]),
        ("a." * 4000 + "a = 1", ["nested too deeply", "no such key"]),
        ("a." * 400_000 + "a = 1", ["too many dots", "--isolated"]),
        ("[" + "a." * 9000 + "a]\n" + "b = 1\n" * 9000, ["too many dots", "--isolated"]),
    ],
)
def test_what_may_not_stand_in_it_is_one_error(tmp_path: Path, text: str, words: list[str]):
    """Whoever mistypes a key must learn of it, and a stranger's file may name no bundle and write nothing."""
    path = tmp_path / "ctm-repair.toml"
    path.write_bytes(os.fsencode(text))
    with pytest.raises(SettingsError) as caught:
        find_settings(str(tmp_path))
    message = str(caught.value)
    assert message.startswith(f"{path}: ") and all(word in message for word in words), message
    assert len(message) < 700 + len(str(path))


def test_the_table_itself_and_the_file_may_be_wrong(tmp_path: Path):
    path = write(tmp_path / "pyproject.toml", '[tool]\nctm-repair = "yes"\n')
    with pytest.raises(SettingsError, match=r"tool.ctm-repair = 'yes': allowed is a table"):
        find_settings(str(tmp_path))
    path.unlink()
    os.mkfifo(path)
    assert find_settings(str(tmp_path)) == Settings(), "it is none of ours, and nobody waits for it"
    os.mkfifo(tmp_path / "ctm-repair.toml")
    with pytest.raises(SettingsError, match="not a regular file"):
        find_settings(str(tmp_path))
    with pytest.raises(SettingsError, match="no such file"):
        load_settings(tmp_path / "none.toml")
    write(tmp_path / "other/pyproject.toml", "[tool.ruff]\n")
    with pytest.raises(SettingsError, match=r"no table \[tool.ctm-repair\]"):
        load_settings(tmp_path / "other/pyproject.toml")


def test_a_file_has_no_key_that_harms():
    """The list is short on purpose; a new key must be thought of as one that an attacker sets."""
    assert KEYS.keys().isdisjoint({"bundle", "output-file", "write", "config", "threads", "watch"})


@pytest.mark.parametrize(
    ("requires", "oldest"),
    [
        (">=3.9", "3.9"),
        (">= 3.10, <4", "3.10"),
        ("~=3.11", "3.11"),
        ("==3.12.*", "3.12"),
        (">=3.9.2,!=3.9.7", "3.9"),
        (">=3.6", "3.8"),
        (">=3", None),
        (">3.8", None),
        ("<4", None),
        (">=3.8,>=3.9", None),
        (">=2.7", None),
        ("", None),
        ("===3.9", None),
    ],
)
def test_the_oldest_python_is_taken_where_it_is_clear(requires: str, oldest: str | None):
    assert oldest_python(requires) == oldest


def test_requires_python_is_the_target_of_a_project_with_our_table(tmp_path: Path):
    path = write(tmp_path / "pyproject.toml", '[project]\nrequires-python = ">=3.9"\n[tool.ctm-repair]\n')
    assert find_settings(str(path)).values == {"target-version": "3.9"}
    path.write_text(path.read_text() + 'target-version = "3.10"\n')
    assert find_settings(str(path)).values == {"target-version": "3.10"}


def test_the_command_takes_its_defaults_from_the_file_and_the_command_line_wins(
    colon_bundle: Path, tmp_path: Path
):
    """`target-version` shows it: a match statement is too new for 3.9, and fine for 3.10."""
    write(tmp_path / "ctm-repair.toml", 'target-version = "3.9"\n')
    file = str(write(tmp_path / "a.py", "match x:\n    case 1:\n        pass\n"))

    def status(*options: str) -> int:
        return CliRunner().invoke(app, ["fix", file, "--bundle", str(colon_bundle), *options]).exit_code

    assert status() == 2
    assert status("--target-version", "3.10") == 0
    assert status("--isolated") == 0
    other = write(tmp_path / "other.toml", 'target-version = "3.10"\n')
    assert status("--config", str(other)) == 0
    for both in (["--isolated", "--config", str(other)], ["--config", str(other), "--isolated"]):
        assert status(*both) == 2, "one or the other"
    write(tmp_path / "ctm-repair.toml", "colour = 1\n")
    done = CliRunner().invoke(app, ["fix", file, "--bundle", str(colon_bundle)])
    assert done.exit_code == 2 and len(done.stderr.splitlines()) == 1 and "colour = 1" in done.stderr


def test_patterns_of_a_file_are_relative_to_it_and_typed_ones_to_the_working_folder(
    colon_bundle: Path, tmp_path: Path, monkeypatch
):
    """`extend-exclude` of both holds; `--exclude` takes the place of the file's `exclude`."""
    for name in ("src/gen/a.py", "src/b.py", "gen/c.py", "src/src/d.py"):
        write(tmp_path / name)
    write(tmp_path / "ctm-repair.toml", 'exclude = ["/src/b.py"]\nextend-exclude = ["/gen/"]\n')
    monkeypatch.chdir(tmp_path / "src")

    def shown(*options: str) -> set[str]:
        done = CliRunner().invoke(app, ["fix", "..", "--bundle", str(colon_bundle), *options])
        lines = [line[4:] for line in done.stdout.splitlines() if line.startswith("+++ ")]
        return {os.path.relpath(line, tmp_path) if line[0] == "/" else f"src/{line}" for line in lines}

    assert shown() == {"src/gen/a.py", "src/src/d.py"}
    assert shown("--extend-exclude", "/src/") == {"src/gen/a.py"}
    assert shown("--exclude", "d.py") == {"src/gen/a.py", "src/b.py"}
    assert shown("--isolated") == {"src/gen/a.py", "src/src/d.py", "src/b.py", "gen/c.py"}
