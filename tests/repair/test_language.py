"""A text that is no Python is named in one line and refused; broken Python is not, however odd it looks."""

from __future__ import annotations

import ast
import random
import sysconfig
from pathlib import Path

import pytest

from ctm.repair.admit import refuse_or_skip
from ctm.repair.file_repair import first_error
from ctm.repair.language import other_language
from ctm.repair.named_kinds import language_by_name
from ctm.repair.source import FileError, parse_source
from ctm.repair.whole_file import TOO_MANY_FINALLY_EXITS, whole_file_error

SHELL = 'set -eu\nfor name in a b; do\n    echo "$name"\n    if [ -f $name ]; then\n        rm $name\n    fi\ndone\n'
MAKE = ".PHONY: all\nall: build\n\nbuild: main.o\n\t$(CC) -o $@ $^\n\nclean:\n\trm -f *.o\n"
LETTER = (
    "Dear Anna,\n\nthe bridge is closed until Monday, so please take the ferry at noon.\nSee you soon,\nBen\n"
)
SQL = """CREATE TABLE boats (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL
);
SELECT name FROM boats WHERE id > 3;
"""
PATCH = """diff --git a/x.py b/x.py
--- a/x.py
+++ b/x.py
@@ -1,2 +1,2 @@
-def f(a)
+def f(a):
     return a
"""
YAML = """name: tides
on:
  push:
    branches: main
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: checkout@v4
"""
MARKDOWN = """# Tides

This page says when the water is high.

- see [the table](table.md)
- ask the harbour master

It is wrong in winter, so do not trust it.
"""
C = """#include <stdio.h>

int main(void)
{
    int n = 3;
    printf("%d\\n", n);
    return 0;
}
"""
PAGE = "\n\n<!DOCTYPE html>\n<html>\n<body><pre>import sys\nprint(sys.argv)\n</pre></body>\n</html>\n"
OTHERS = {
    "a web page (HTML)": PAGE,
    "XML": '<?xml version="1.0"?>\n<a><b/></a>\n',
    "a PHP script": "<?php\necho 'x';\n",
    "a patch": PATCH,
    "a shell script": SHELL,
    "a Makefile": MAKE,
    "a Dockerfile": 'FROM debian:12\nRUN apt-get update\nCOPY . /app\nCMD ["run", "-x"]\n',
    "SQL": SQL,
    "YAML": YAML,
    "a file of settings (INI, TOML)": "[server]\nhost = 10.0.0.1\n\n[log file]\npath = /var/log/x y\n",
    "Markdown": MARKDOWN,
    "prose": LETTER,
    "C, Java, JavaScript or the like": C,
}
BROKEN = {
    "semicolons and braces": "def f(a) {\n    if (a > 1) {\n        print(a);\n    }\n}\n",
    "prompts": ">>> x = 1\n>>> print x\n1\n>>> for i in range(3)\n...     print i\n",
    "fences": "```python\ndef f(a):\n    return a\n```\n",
    "conflict": "x = 1\n<<<<<<< HEAD\ny = f(x)\n=======\ny = g(x)\n>>>>>>> other\n",
    "line numbers": "1 def f(a):\n2     return a\n3 print(f(1))\n",
    "magics": "%matplotlib inline\n!pip install numpy\nimport numpy as np\nx = np.ones(3)\n",
    "traceback": 'Traceback (most recent call last):\n  File "a.py", line 1, in <module>\nNameError: x\n',
    "prose without #": "This script prints the tides\nimport sys\nprint(sys.argv)\n",
    "commands in front": "cd tides\npython a.py\nimport sys\nprint(sys.argv)\n",
    "a dictionary": "prices = {\n    'tea': 3,\n    'milk': 2\n    'bread': 4,\n}\n",
    "comments": "# first the names\n# then the numbers of all the boats\nnames = ['a' 'b'\n",
    "only a header": "def\n",
}


@pytest.mark.parametrize(("kind", "text"), OTHERS.items())
def test_another_language_is_named(kind: str, text: str):
    assert other_language(text) == kind
    with pytest.raises(FileError, match="not Python: it looks like"):
        refuse_or_skip(parse_source(text.encode()), "")
    with pytest.raises(FileError, match="not Python: it looks like"):
        refuse_or_skip(parse_source(text.encode()), "tool.py")


@pytest.mark.parametrize("text", BROKEN.values(), ids=BROKEN)
def test_broken_python_is_not_refused(text: str):
    assert refuse_or_skip(parse_source(text.encode()), "") is None


def test_no_module_of_the_library_reads_as_another_language():
    """Nor does any that lost a colon, a quote or a bracket somewhere."""
    rng = random.Random(0)
    folder = Path(sysconfig.get_paths()["stdlib"])
    for path in sorted(folder.glob("*.py"))[::3]:
        text = path.read_text(encoding="utf-8")
        assert other_language(text) == "", path
        places = [place for place, sign in enumerate(text) if sign in ":\"'()"]
        if places:
            place = rng.choice(places)
            assert other_language(text[:place] + text[place + 1 :]) == "", path


@pytest.mark.parametrize(
    ("path", "first", "kind"),
    [
        ("letter.txt", "Dear Anna", "a text"),
        ("Makefile", "all:", "a Makefile"),
        ("a/README", "Tides", "a text"),
        ("x.JSON", "{", "JSON"),
        ("run.sh", "set -e", "a shell script"),
        ("run", "#!/bin/bash -e", "a shell script"),
        ("run", "#!/usr/bin/env -S node --x", "a script for node"),
        ("run.py", "#!/bin/sh", "a shell script"),
        ("run.py", "#!/bin/sh\n'''exec' python3 \"$0\" \"$@\"", ""),
        ("run.txt", "#!/usr/bin/env python3", ""),
        ("run", "#!/usr/bin/env -S uv run --script", ""),
        ("run", "import sys", ""),
        ("stub.pyi", "x: int", ""),
        ("tool.v2", "x = 1", ""),
    ],
)
def test_names_and_first_lines(path: str, first: str, kind: str):
    assert language_by_name(path, first.split("\n")) == kind


def test_a_name_counts_only_for_what_does_not_compile():
    assert refuse_or_skip(parse_source(b"x = 1\n"), "notes.txt") is None
    with pytest.raises(FileError, match="its name or first line says a text"):
        refuse_or_skip(parse_source(b"def f(a)\n    return a\n"), "notes.txt")
    assert refuse_or_skip(parse_source(b"def f(a)\n    return a\n"), "") is None, "stdin has no name"


@pytest.mark.parametrize("path", ["a.ipynb", "a.py", ""])
def test_a_notebook_is_no_text_of_python(path: str):
    raw = b'{"cells": [{"source": ["def f(a)"]}], "metadata": {}, "nbformat": 4}'
    ast.parse(raw)  # it even compiles
    with pytest.raises(FileError, match=r"notebook.*name its file"):
        refuse_or_skip(parse_source(raw), path)


@pytest.mark.parametrize("raw", ["print(1)\n".encode("utf-16"), "print(1)\n".encode("utf-32")])
def test_utf_16_is_named(raw: bytes):
    with pytest.raises(FileError, match=r"UTF-16.*save it as UTF-8"):
        parse_source(raw)


@pytest.mark.parametrize("raw", [b"", b" \n\t\n", b"\r\n", b"# nothing\n"])
def test_an_empty_file_has_nothing_to_repair(raw: bytes):
    assert first_error(parse_source(raw).text) is None and refuse_or_skip(parse_source(raw), "a.py") is None


@pytest.mark.parametrize(
    ("end", "message"),
    [
        ("return 5\n", "'return' outside function"),
        ("def f(a, a): pass\n", "duplicate argument"),
        ("x = = 1\n", "invalid syntax"),
    ],
)
def test_a_file_beyond_100_kB_is_compiled(end: str, message: str):
    text = "x = 1\n" * 20_000 + end
    error = first_error(text)
    assert error is not None and message in error.msg and error.lineno == 20_001
    assert first_error("x = 1\n" * 20_000) is None


def nested(levels: int, body: int, indent: int = 0) -> str:
    pad = " " * indent
    inner = nested(levels - 1, body, indent + 1) if levels > 1 else f"{pad} x = 1\n" * body
    return f"{pad}try:\n{pad} pass\n{pad}finally:\n{inner}"


@pytest.mark.parametrize(
    "text",
    [
        nested(15, 20_000),
        "def f(x):\n try:\n" + "  if x: return 1\n" * 3000 + " finally:\n" + "  x = g(x, 1)\n" * 3000,
    ],
    ids=["nested finally", "many ways out"],
)
def test_what_the_compiler_copies_without_end_is_refused_at_once(text: str):
    error = whole_file_error(text)
    assert error is not None and error.msg == TOO_MANY_FINALLY_EXITS
    with pytest.raises(FileError, match="cannot be checked"):
        first_error(text)


def test_many_finally_are_no_reason_to_refuse():
    text = "".join(
        f"def f{n}(x):\n    try:\n        return x\n    finally:\n        g(x)\n\n\n" for n in range(3000)
    )
    assert whole_file_error(text) is None
