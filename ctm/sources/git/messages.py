"""Which commits claim to fix a bug: keywords as whole words, lists of what such words also stand for, and bots.

Strict on purpose: of the functions that a commit passing here changes, most are true fixes; "prefix" is none. Each word
is a regular expression, and stands in the settings: whoever wants more pairs of a lower quality can take some out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

VERSION = "messages/4"
MAX_CHARACTERS = 10_000

FIX = (
    "fix", "fixes", "fixed", "fixing", "bugs?", "bugfix(?:es)?", "hotfix", "regressions?", "crash(?:es|ed|ing)?",
    "off[- ]by[- ]one", "race condition", "memory leak", "deadlock", "incorrect(?:ly)?", "wrong(?:ly)?", "broken",
    "breakage", "vulnerability", "repair(?:s|ed)?",
)  # fmt: skip
OTHER = (
    "release", "releases", "version", "bump(?:s|ed)?", r"changes\.\w+", "benchmarks?", "examples?", "lint",
    "linting", "linter", "flake8", "pep ?8", "pylint", "pyflakes", "black", "isort", "ruff", "mypy", "pyright",
    "typing", "type hints?", "annotations?", "style", "styling",
    "format", "formatting", "whitespace", "indentation", "warnings?", r"setup\.py", "packaging", "build",
    "dependenc(?:y|ies)", "requirements",
    "refactor(?:s|ed|ing)?", "rename[sd]?", "renaming", "clean[- ]?ups?", "cleaned", "tidy",
    "simplif(?:y|ies|ied)", "deprecat(?:e|ed|es|ion)", "copyright", "licen[cs]e", "merge[sd]?",
    "revert(?:s|ed)?", "cherry[- ]?pick(?:ed)?", "feat(?:ure)?s?", "moderni[sz]e[sd]?", "2to3", "configurable",
    "todos?", "performance", "quadratic", r"speed\w*", "slow(?:er|ness)?", "by default",
    r"(?:a few|some|several|various|more|misc\w*|minor|small)(?: [\w.]+){0,2} fix(?:es)?", "improvements?",
)  # fmt: skip
DOUBTFUL = (
    "typos?", "spelling", "grammar", "wording", "doc", "docs", "documentation", "docstrings?", "comments?", "readme",
    "changelogs?", "tests?", "testing", "unittests?", "pytest", "tox", "ci", "travis", "appveyor", "coverage",
    "imports?", "document(?:s|ed)?",
)  # fmt: skip
NEW = (
    "add(?:s|ed|ing)?", "allow(?:s|ed|ing)?", "automat(?:ed|ic)", "convert(?:s|ed|ing)?", "drop(?:s|ped|ping)?",
    "enable[sd]?", "extend(?:s|ed)?", "extract(?:s|ed)?", "faster", "implement(?:s|ed|ing)?", "improve[sd]?",
    "introduc(?:e|es|ed|ing)", "make it possible", "mov(?:e|es|ed|ing)", "new",
    r"optimi[sz]\w*", "remov(?:e|es|ed|ing)", "replac(?:e|es|ed|ing)",
    "rewrit(?:e|es|ten|ing)", "rewrote", "rework(?:s|ed)?", "split(?:s|ting)?", "support(?:s|ed|ing)?",
    "switch(?:es|ed)?", "updat(?:e|es|ed|ing)", "upgrad(?:e|es|ed|ing)",
)  # fmt: skip
BOTS = (
    r"\w*\[bot\]", "bot", "dependabot", "renovate", "pre-commit-ci", "github-actions", "pyup", "greenkeeper",
    "transifex", "weblate",
)  # fmt: skip

_REVERTS = re.compile(r"(?i)\bthis reverts commit ([0-9a-f]{7,40})\b")
_FIXES_ISSUE = re.compile(
    r"(?i)\bfix(?:es|ed)?\b:?\s+(?:(?:issues?|bugs?|tickets?|pr)\s*:?\s*)?(?:#|gh-|https?://\S+/)\d+"
)
_REFERENCE = r"(?:(?:bug)?(?:fix(?:es|ed)?)?(?: for)?(?: issue| bug)? ?(?:#|gh-)\d+\W+)?"
_FIX_FOLLOWS = r"(?!(?: \w+){0,2} (?:bug)?fix(?:es)?\b)"


@dataclass(frozen=True)
class MessageRules:
    """What a commit must say, and must not, to be read. Words are regular expressions, of whole words, without case."""

    fix_words: tuple[str, ...] = FIX
    """Words that claim a fix; one must stand in the subject: a squashed feature lists fixes of its own in the body, and
    what closes an issue is a feature in half of the cases."""
    body: bool = False
    """Whether "fixes #12" in the body is enough."""
    other_words: tuple[str, ...] = OTHER
    """Words of a subject that name another kind of change."""
    doubtful_words: tuple[str, ...] = DOUBTFUL
    """Words of a subject that name wording, documentation, tests or imports; what the commit changes of the code
    decides."""
    new_words: tuple[str, ...] = NEW
    """Words that a subject must not begin with, since they announce something new; "Add a fix" may pass."""
    bot_words: tuple[str, ...] = BOTS
    """Words in the name or the address of an author that is a bot."""

    def __post_init__(self) -> None:
        for name in ("fix_words", "other_words", "doubtful_words", "new_words", "bot_words"):
            for word in getattr(self, name):
                try:
                    re.compile(word)
                except re.error as error:
                    raise ValueError(
                        f"{name}: {word!r} is not a valid regular expression ({error})"
                    ) from None


class MessageFilter:
    """The rules, compiled once; `bots`: whether commits by bots are read."""

    def __init__(self, rules: MessageRules, bots: bool = False) -> None:
        self._bots, self._body = bots, rules.body
        self._fix = _any(rules.fix_words)
        self._other = _any(rules.other_words)
        self._doubtful = _any(rules.doubtful_words)
        self._new = _any(rules.new_words, rf"\A\W*{_REFERENCE}{{}}{_FIX_FOLLOWS}")
        self._bot = _any(rules.bot_words, r"(?<!\w){}(?!\w)")

    def refuse(self, message: str, author: str) -> str:
        """Why a commit is not read ("" where it is), by its message and its author's name and address."""
        if self._fix.search(message) is None:
            return "message names no fix"
        if not 5 <= len(message) <= MAX_CHARACTERS:
            return "message too short or too long"
        subject = _subject(message)
        if not self._fix.search(subject) and not (self._body and _FIXES_ISSUE.search(message)):
            return "subject names no fix"
        if self._other.search(subject):
            return "message names another change"
        if self._new.search(subject):
            return "subject announces something new"
        return "bot" if not self._bots and self._bot.search(author) else ""

    def doubts(self, message: str) -> bool:
        """Whether the subject of a commit that is not refused names what may be no fix: its change has to show it."""
        return self._doubtful.search(_subject(message)) is not None


def reverted_commits(message: str) -> list[str]:
    """Names of the commits, whole or abbreviated, that a commit says it reverts, as `git revert` writes them."""
    return [name.lower() for name in _REVERTS.findall(message)]


def _subject(message: str) -> str:
    return message.lstrip().split("\n", 1)[0]


def _any(words: Iterable[str], frame: str = r"\b{}\b") -> re.Pattern[str]:
    """One expression for whole words; it matches nothing where there are none."""
    joined = "|".join(words)
    return re.compile("(?i)" + frame.replace("{}", f"(?:{joined})")) if joined else re.compile(r"(?!)")
