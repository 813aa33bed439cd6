"""Which commits claim to fix a bug: keywords as whole words, a list of what such words also stand for, and bots.

Strict on purpose: of the functions that a commit passing here changes, most are true fixes; "prefix" is none.
"""

from __future__ import annotations

import re

VERSION = "messages/2"
MAX_CHARACTERS = 10_000

_FIX = re.compile(
    r"(?i)\b(?:fix|fixes|fixed|fixing|bugs?|bugfix(?:es)?|hotfix|regressions?|crash(?:es|ed|ing)?|"
    r"(?:off[- ]by[- ]one|race condition|memory leak|deadlock)|incorrect(?:ly)?|wrong(?:ly)?|"
    r"broken|breakage|vulnerability|repair(?:s|ed)?|resolves? #\d+|closes #\d+)\b"
)
_NOT = re.compile(
    r"(?i)\b(?:typos?|spelling|grammar|wording|doc|docs|documentation|docstrings?|comments?|readme|changelogs?|"
    r"release|releases|version|bump(?:s|ed)?|changes\.\w+|"
    r"tests?|testing|unittests?|pytest|tox|ci|travis|appveyor|coverage|benchmarks?|examples?|"
    r"lint|linting|linter|flake8|pep ?8|pep8|pylint|pyflakes|black|isort|ruff|mypy|pyright|typing|type hints?|"
    r"annotations?|style|styling|format|formatting|whitespace|indentation|imports?|"
    r"refactor(?:s|ed|ing)?|rename[sd]?|renaming|clean[- ]?ups?|cleaned|tidy|simplif(?:y|ies|ied)|"
    r"deprecat(?:e|ed|es|ion)|warnings?|copyright|licen[cs]e|merge[sd]?|revert(?:s|ed)?|cherry[- ]?pick(?:ed)?|"
    r"setup\.py|packaging|build|dependenc(?:y|ies)|requirements)\b"
)
_BOT = re.compile(
    r"(?i)\[bot\]|\bbot\b|dependabot|renovate|pre-commit-ci|github-actions|pyup|greenkeeper|transifex|weblate"
)
_REVERTS = re.compile(r"(?i)\bthis reverts commit ([0-9a-f]{7,40})\b")


def reverted_commits(message: str) -> list[str]:
    """Names of the commits, whole or abbreviated, that a commit says it reverts, as `git revert` writes them."""
    return [name.lower() for name in _REVERTS.findall(message)]


def refuse_message(message: str, author: str, bots: bool = False) -> str:
    """Why a commit is not read ("" where it is), by its message and its author's name and address.

    `bots`: whether commits by bots are read.
    """
    if _FIX.search(message) is None:
        return "message names no fix"
    if not 5 <= len(message) <= MAX_CHARACTERS:
        return "message too short or too long"
    subject = message.lstrip().split("\n", 1)[0]
    if _FIX.search(subject) is None and "#" not in message:
        return "message names no fix"
    if _NOT.search(subject):
        return "message names another change"
    return "bot" if not bots and _BOT.search(author) else ""
