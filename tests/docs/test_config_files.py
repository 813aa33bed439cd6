"""Files that other programs read: they parse, and name what is there. A slip in them is seen by nobody here."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
YAML = [
    ".pre-commit-config.yaml",
    "action.yml",
    "CITATION.cff",
    *(str(path.relative_to(ROOT)) for path in sorted((ROOT / ".github").rglob("*.yml"))),
]


def targets() -> set[str]:
    """The targets of the Makefile."""
    return set(re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@pytest.mark.parametrize("name", YAML)
def test_yaml_parses(name):
    """GitHub shows nothing at all of an issue form that does not parse."""
    assert isinstance(yaml.safe_load((ROOT / name).read_text(encoding="utf-8")), dict)


def test_the_workflow_runs_targets_that_exist():
    """A target that was renamed would fail every pull request."""
    text = (ROOT / ".github/workflows/test.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"run: make (\w+)", text))
    assert "test" in named and named <= targets()


def test_hooks_are_the_programs_of_make_check():
    """A commit must not be judged otherwise than CI will judge it."""
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    check = (ROOT / "Makefile").read_text(encoding="utf-8")
    for hook in hooks:
        program = Path(hook["entry"].split()[0]).name
        assert hook["entry"].startswith(".venv/bin/") and hook["language"] == "system"
        assert f"$(BIN)/{program}" in check, f"{program} is no part of make check"
        re.compile(hook.get("files", ""))


def test_editorconfig_parses():
    """Editors skip a file that they cannot read, without a word."""
    parser = configparser.ConfigParser()
    parser.read_string("[root]\n" + (ROOT / ".editorconfig").read_text(encoding="utf-8"))
    assert parser["Makefile"]["indent_style"] == "tab", "make takes tabs alone"


def test_the_package_brings_its_types_mark():
    """Without it, type checkers treat everything imported from ctm as Any."""
    assert (ROOT / "ctm/py.typed").is_file()
    assert 'ctm = ["py.typed", "pretrained/*"]' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "docs/tutorial.md", "docs/troubleshooting.md"]
)
def test_pages_name_targets_that_exist(name):
    """A command that a page promises must be there."""
    text = (ROOT / name).read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^ {4}|`)make ([a-z][\w-]*)", text, re.MULTILINE))
    assert named <= targets(), f"{name} names targets that the Makefile lacks"
