"""Tells broken Python from other languages and prose.

A false refusal is the worse mistake: whoever asks has nearly always broken Python. A language is named only
where its own kinds of line outnumber Python's four to one and make up most of the text, or where a text begins as
nothing but that language does. So C's semicolons, prompts, conflict markers, pasted line numbers, notebook magics,
tracebacks and Markdown fences in Python stay broken Python. Figures: docs/log/2026-11-not-python.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from ctm.repair.text_kinds import BEGINNINGS, HASH, HUNK, LANGUAGES, PATCHED, PYTHON, Language

MAX_LINES = 500
"""Lines that are looked at: more tell nothing new."""
MAX_WIDTH = 200
"""Characters of a line that are looked at."""
ODDS = 4
"""Lines of another language for each line that only Python has."""
PROSE_ODDS = 20
"""Of sentences, which docstrings and long texts in quotes have too."""
PROSE_SHARE = 0.7
"""Of the characters, that are in sentences."""

ONE_SENTENCE = 8
"""Words of the only line that reads as a sentence."""

_WORD = re.compile(r"[(“‘*_]*[^\W\d_](?:[\w'’-]*\w)?[)”’*_]*[,.;:!?…]*[)”’*]*")
_STOPS = (".", ",", "!", "?", ";", ":")
_CODE = re.compile(
    r"[=(){}\[\]<>\\]|\w\.\w+\(| #|^\s*(?:if|for|while|with|def|class|import|from|return|print)\b.*[:(]"
    r"|^\s*([\"']).*\1[,:]?\s*$"
)


def other_language(text: str) -> str:
    """What a text that does not compile is if it is no Python ("a shell script", "prose"), "" for broken Python."""
    for name, beginning in BEGINNINGS.items():
        if beginning.match(text):
            return name
    lines = [line[:MAX_WIDTH] for line in islice(_filled(text), MAX_LINES)]
    if _is_patch(lines):
        return "a patch"
    python = sum(PYTHON.match(line) is not None for line in lines)
    prose = [_is_prose(line) for line in lines]
    for language in LANGUAGES:
        if _is_in(language, lines, prose, python):
            return language.name
    return "prose" if _is_all_prose(lines, prose, python) else ""


def _filled(text: str) -> Iterator[str]:
    return (line for line in text.splitlines() if line.strip())


def _is_patch(lines: list[str]) -> bool:
    """Whether a hunk begins in it and nearly all that follows is context, added or removed."""
    first = next((i for i, line in enumerate(lines) if HUNK.match(line)), None)
    if first is None or not any(map(PATCHED.match, lines[max(0, first - 3) : first])):
        return False
    rest = lines[first:]
    return sum(line[0] in " +-@\\\t!*" or bool(PATCHED.match(line)) for line in rest) >= 0.9 * len(rest)


def _is_in(language: Language, lines: list[str], prose: list[bool], python: int) -> bool:
    told = own = 0
    for line, is_prose in zip(lines, prose, strict=True):
        if not language.comment.match(line):
            told += 1
            own += bool(language.line.match(line)) or (language.has_prose and is_prose)
    odds = PROSE_ODDS if language.has_prose else ODDS
    if own < max(language.min_lines, language.share * told, odds * python):
        return False
    return any(map(language.sure.match, lines))


def _is_prose(line: str) -> bool:
    """Whether a line reads as part of a sentence: words and stops, no signs of code."""
    if _CODE.search(line):
        return False
    words = line.split()
    return len(words) >= 4 and sum(map(bool, map(_WORD.fullmatch, words))) >= 0.75 * len(words)


def _is_all_prose(lines: list[str], prose: list[bool], python: int) -> bool:
    sentences = [
        line for line, is_prose in zip(lines, prose, strict=True) if is_prose and not HASH.match(line)
    ]
    if not sentences or len(sentences) < PROSE_ODDS * python:
        return False
    if len(sentences) == 1 and (
        len(sentences[0].split()) < ONE_SENTENCE or not sentences[0].rstrip().endswith(_STOPS)
    ):
        return False
    size = sum(map(len, lines))
    greetings = [line for line in lines if line not in sentences and _is_words(line)]  # "Dear Anna,"
    return sum(map(len, sentences + greetings)) >= PROSE_SHARE * size


def _is_words(line: str) -> bool:
    return not _CODE.search(line) and not HASH.match(line) and all(map(_WORD.fullmatch, line.split()))
