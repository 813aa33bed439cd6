"""What a file is by its name and first line, and whether it is a notebook: what every file is asked.

Apart from language.py, whose patterns for the contents take 7 ms: only text that does not compile waits for them.
"""

from __future__ import annotations

import re
from pathlib import PurePath

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
_NOTEBOOK = re.compile(r'\s*\{\s*"(?:cells|metadata|nbformat|nbformat_minor)"\s*:')


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
    return _NOTEBOOK.match(text) is not None and '"nbformat"' in text
