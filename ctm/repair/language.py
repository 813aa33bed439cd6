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
from pathlib import PurePath

from ctm.repair.text_kinds import BEGINNINGS, HASH, HUNK, LANGUAGES, NOTEBOOK, PATCHED, PYTHON, Language

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

NOTEBOOK_NAME = "a notebook (Jupyter)"

_SUFFIXES = {
    "a text": ".txt .text .log .csv .tsv",
    "Markdown": ".md .markdown .mkd",
    "reStructuredText": ".rst",
    "a shell script": ".sh .bash .zsh .ksh .fish .csh",
    "a script for Windows": ".bat .cmd .ps1",
    "C or C++": ".c .h .cc .cpp .cxx .hh .hpp .hxx .ino .m .mm .cu",
    "Java, Kotlin or Scala": ".java .kt .kts .scala .groovy",
    "C#": ".cs",
    "JavaScript or TypeScript": ".js .mjs .cjs .jsx .ts .tsx .vue",
    "Go": ".go",
    "Rust": ".rs",
    "Ruby": ".rb",
    "Perl": ".pl .pm",
    "PHP": ".php",
    "Lua": ".lua",
    "R": ".r .rmd",
    "Swift": ".swift",
    "Fortran": ".f .f90 .f95 .for",
    "Cython": ".pyx .pxd .pxi",
    "compiled Python": ".pyc .pyo .pyd",
    "JSON": ".json .jsonl .json5 .geojson",
    NOTEBOOK_NAME: ".ipynb",
    "YAML": ".yaml .yml",
    "a file of settings (INI, TOML)": ".toml .ini .cfg .conf .properties .env",
    "a web page (HTML)": ".html .htm .xhtml",
    "XML": ".xml .svg .xsd .xsl",
    "a style sheet": ".css .scss .sass .less",
    "SQL": ".sql",
    "a patch": ".patch .diff .rej",
    "a Makefile": ".mk .mak .make",
    "CMake": ".cmake",
    "LaTeX": ".tex .sty .bib",
}
_SUFFIX = {suffix: kind for kind, suffixes in _SUFFIXES.items() for suffix in suffixes.split()}
_NAMES = {
    "a Makefile": "makefile gnumakefile",
    "a Dockerfile": "dockerfile containerfile",
    "CMake": "cmakelists.txt",
    "a text": "license licence copying readme changelog changes news authors contributors copyright notice todo",
}
_NAME = {name: kind for kind, names in _NAMES.items() for name in names.split()}

_PYTHONS = re.compile(
    r"python|pypy|ipython|jython|\buv\b|\bpipx\b|\bsage\b|micropython|graalpy", re.IGNORECASE
)
_SHELLS = re.compile(r"(?:ba|da|z|k|mk|c|tc|fi|a)?sh(?:\.exe)?")
_OTHERS = re.compile(
    r"perl|ruby|node|nodejs|deno|bun|php|lua|luajit|Rscript|[gmn]?awk|sed|make|tclsh|wish|expect|pwsh|osascript|groovy"
    r"|scala|runhaskell|ocaml|guile|racket|julia|elixir|escript|swift"
)
_POLYGLOT = re.compile(
    r"[ \t]*(?:'''|\"\"\"|\"true\"|'true'|\"exec\"|'exec'|\"\"[:\"]|''[:'])|.*python", re.IGNORECASE
)
"""The second line of a Python script that a shell starts: `'''exec' python "$0" "$@"`."""

_WORD = re.compile(r"[(“‘*_]*[^\W\d_](?:[\w'’-]*\w)?[)”’*_]*[,.;:!?…]*[)”’*]*")
_STOPS = (".", ",", "!", "?", ";", ":")
_CODE = re.compile(
    r"[=(){}\[\]<>\\]|\w\.\w+\(| #|^\s*(?:if|for|while|with|def|class|import|from|return|print)\b.*[:(]"
    r"|^\s*([\"']).*\1[,:]?\s*$"
)


def language_by_name(path: str, first_lines: list[str]) -> str:
    """What a file that does not compile is by its name and its first line, "" where they leave Python open.

    A first line `#!…python` outweighs the name; a name that ends in .py outweighs nothing: `#!/bin/sh` makes it a shell
    script, unless the next line starts Python from the shell.
    """
    if first_lines and first_lines[0].startswith("#!"):
        command = first_lines[0][2:]
        if _PYTHONS.search(command) or _POLYGLOT.match("".join(first_lines[1:2])):
            return ""
        programs = [PurePath(word).name for word in command.split() if not word.startswith("-")]
        program = next((name for name in programs if name != "env"), "")
        if _SHELLS.fullmatch(program):
            return "a shell script"
        if _OTHERS.fullmatch(program):
            return f"a script for {program}"
    name = PurePath(path).name.lower()
    return _NAME.get(name) or _SUFFIX.get(PurePath(name).suffix, "")


def is_notebook(text: str) -> bool:
    """Whether it is a notebook's JSON, which may compile as Python: {"cells": [...], "nbformat": 4}."""
    return NOTEBOOK.match(text) is not None and '"nbformat"' in text


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
