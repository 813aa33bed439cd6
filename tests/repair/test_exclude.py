"""Patterns of the user: what they leave out of folders and, if they must, of what was named."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from click.testing import CliRunner

from ctm.repair.cli import app
from ctm.repair.discover import Discovery
from ctm.repair.exclude import default_excludes, excludes_of

BROKEN = "def add(a, b)\n    return a + b\n"


@pytest.fixture
def tree(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name in ("a.py", "src/b.py", "src/gen/c.py", "gen/d.py", "build/e.py", "x_pb2.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_text(BROKEN)
    return tmp_path


def found(*paths: str, **options) -> tuple[list[str], dict[str, int]]:
    discovery = Discovery(**options)
    return [path for path, _ in discovery.files(paths)], dict(+discovery.left_out)


def test_a_pattern_replaces_the_default_folders_and_is_counted_by_itself(tree: Path):
    """Whoever writes `--exclude` says the whole list, as with ruff; the count says which pattern did it."""
    files, left_out = found(".", excludes=excludes_of(["gen/", "*_pb2.py"], "."))
    assert files == ["a.py", "build/e.py", "src/b.py"]
    assert left_out == {"excluded by gen/": 2, "excluded by *_pb2.py": 1}
    files, left_out = found(".", excludes=default_excludes() + excludes_of(["/gen"], "."))
    assert files == ["a.py", "x_pb2.py", "src/b.py", "src/gen/c.py"]
    assert left_out == {"excluded by /gen": 1, "folders named build": 1}


def test_a_pattern_that_begins_with_a_dot_and_a_slash_is_a_place(tree: Path):
    """Who types ./gen means that folder; as a name it would leave out src/gen as well."""
    assert (
        found(".", excludes=excludes_of(["./gen"], "."))[0]
        == found(".", excludes=excludes_of(["/gen"], "."))[0]
    )
    assert "src/gen/c.py" in found(".", excludes=excludes_of(["./gen/"], "."))[0]


def test_a_later_pattern_brings_back(tree: Path):
    assert found("src", excludes=excludes_of(["*.py", "!b.py"], "."))[0] == ["src/b.py"]
    assert found(".", excludes=default_excludes() + excludes_of(["!build/"], "."))[0][-1] != "build/d.py"
    assert "build/e.py" in found(".", excludes=default_excludes() + excludes_of(["!build/"], "."))[0]


def test_what_is_named_is_looked_at_unless_patterns_are_forced(tree: Path):
    """pre-commit names every file of a commit, so that without force its generated files would be repaired too."""
    excludes = default_excludes() + excludes_of(["src/gen"], ".")
    named = ["src/gen/c.py", "build/e.py", "build", "a.py", "-"]
    assert found(*named, excludes=excludes)[0] == ["src/gen/c.py", "build/e.py", "a.py", "-"]
    files, left_out = found(*named, excludes=excludes, force_exclude=True)
    assert files == ["a.py", "-"]
    assert left_out == {"excluded by src/gen": 1, "folders named build": 2}


def test_the_place_of_the_project_does_not_matter(tree: Path, monkeypatch):
    """A project that lies in a folder named build is not left out with it."""
    monkeypatch.chdir(tree / "build")
    assert found("e.py", force_exclude=True)[0] == ["e.py"]
    outside = str(tree / "gen/d.py")
    assert found(outside, force_exclude=True)[0] == [outside]
    assert found(outside, force_exclude=True, excludes=excludes_of(["d.py"], "."))[0] == []


def test_what_git_leaves_out_can_be_looked_at(tree: Path):
    (tree / ".gitignore").write_text("gen/\n")
    assert found("src", ".")[0] == ["src/b.py", "src/gen/c.py", "a.py", "x_pb2.py"]
    os.mkdir(tree / ".git")
    assert found("src")[0] == ["src/b.py"]
    assert found("src", respect_gitignore=False)[0] == ["src/b.py", "src/gen/c.py"]


def test_the_command_has_the_options(colon_bundle: Path, tree: Path):
    def run(*options: str) -> tuple[int, int, str]:
        done = CliRunner().invoke(app, ["fix", "--bundle", str(colon_bundle), "-v", *options])
        said = [line for line in done.stderr.splitlines() if "skipped" in line]
        return done.exit_code, done.stdout.count("+++ "), "\n".join(said)

    assert run(".", "--exclude", "src", "--exclude", "gen")[1:] == (
        3,
        "ctm-repair: skipped 1: excluded by gen\nctm-repair: skipped 1: excluded by src",
    )
    assert run("a.py", "--extend-exclude", "a.py")[:2] == (1, 1)
    assert run("a.py", "--extend-exclude", "a.py", "--force-exclude") == (
        0,
        0,
        "ctm-repair: skipped 1: excluded by a.py",
    )


def test_a_nested_project_says_nothing_about_the_others(tree: Path):
    """Else the first file that pre-commit names would switch the hook off for all."""
    excludes = excludes_of(["*.py"], "src", is_local=True)
    assert found("src/b.py", "a.py", excludes=excludes, force_exclude=True)[0] == ["a.py"]


def test_an_absolute_pattern_is_one_of_its_folder(tree: Path):
    """As ruff has it; a pattern that matches nothing is a file that is edited against its owner's word."""
    assert "src/gen/c.py" not in found("src", excludes=excludes_of([f"{tree}/src/gen"], "."))[0]
