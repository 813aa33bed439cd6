"""Reshapes a clean snippet towards the code that people ask about: a few lines, with prints, inputs and small loops.

Installed code has few `print` calls and long functions; questions have many and short ones. A reshaped snippet is a
clean text of its own (it has to compile): lines cut out of the snippet, statements of common shapes put between
them, made from the snippet's own names and texts. Its mutants have it as their fixed side.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

from ctm.bugs.static_analysis.source import ParsedCode

_NAMES = ("x", "y", "i", "n", "a", "b", "name", "count", "total", "data", "result", "value", "number",
          "line", "lines", "words", "age", "choice", "guess", "answer", "user", "score", "text", "numbers",
          "items", "key", "row", "list1", "my_list", "player", "num1", "num2", "temp", "url",
          "filename")  # fmt: skip
_TEXTS = ("Hello", "Enter a number: ", "What is your name? ", "yes", "no", "Done", "Invalid input",
          "Total: ", "The answer is", "You win!", "a", "b", "quit", "Please try again", "Result:", "%s",
          "Name", "\\n", "Error", "Please enter your age: ", "Welcome to the game", ", ", "data.txt", "r",
          "w", "Goodbye", "%d items", "Value is %s", "Your score is {}", "Your name is ", "test", "id", "1",
          "You have {} left")  # fmt: skip


_IMPORTS = ("import random", "import os", "import sys", "import re", "import time", "import math",
            "import json", "from random import randint", "from math import sqrt", "from os import path",
            "from time import sleep", "import random, time", "import numpy as np")  # fmt: skip
_JUMP = re.compile(r"(?:return|break|continue)\b")
_NOT_VARIABLES = frozenset((*dir(builtins), "self", "cls"))


@lru_cache(maxsize=1)  # a snippet is reshaped several times
def _own(source: ParsedCode) -> tuple[Sequence[str], Sequence[str]]:
    """Names and texts of the snippet, at most twelve each."""
    own = [
        name for name in source.names if len(name) <= 16 and name[0].islower() and name not in _NOT_VARIABLES
    ]
    strings = [
        t.text for t in source.tokens if t.kind == "STRING" and t.text[0] in "'\"" and 3 <= len(t.text) <= 42
    ]
    texts = [text for text in strings if text[:3] not in ("'''", '"""') and "\n" not in text]
    return own[:12] or _NAMES, texts[:12]


class _Shaper:
    """Draws statements; `names` and `texts` come half from the snippet, half from what beginners write."""

    def __init__(self, source: ParsedCode, rng: Random) -> None:
        self.rng = rng
        self.names, self.texts = _own(source)
        self.quote = rng.choice("'\"")

    def name(self) -> str:
        return self.rng.choice(self.names if self.rng.random() < 0.6 else _NAMES)

    def text(self) -> str:
        if self.texts and self.rng.random() < 0.5:
            return self.rng.choice(self.texts)
        return f"{self.quote}{self.rng.choice(_TEXTS)}{self.quote}"

    def quoted(self, *texts: str) -> str:
        return f"{self.quote}{self.rng.choice(texts)}{self.quote}"

    def number(self) -> str:
        return self.rng.choice(("0", "1", "1", "2", "3", "5", "10", "10", "100", "7", "20", "0.5", "3.14"))

    def value(self, deep: int = 1) -> str:
        """An expression as short programs have them."""
        rng, name = self.rng, self.name
        choice = rng.randrange(25 if deep else 6)
        if choice < 3:
            return name()
        if choice < 4:
            return self.text()
        if choice < 6:
            return self.number()
        if choice < 8:
            return f"{name()} {rng.choice('+-*/%')} {self.value(0)}"
        if choice == 8:
            return f"{name()}[{rng.choice((self.number(), name(), self.text()))}]"
        if choice == 9:
            return f"{name()}.{rng.choice(('split', 'strip', 'lower', 'upper', 'keys', 'read', name()))}()"
        if choice == 10:
            function = rng.choice(("len", "str", "int", "float", "sum", "max", "sorted", "list", name()))
            return f"{function}({self.value(0)})"
        if choice == 11:
            return f"int(input({self.text()}))"
        if choice == 12:
            return f"input({self.text()})"
        if choice == 13:
            return "[" + ", ".join(self.value(0) for _ in range(rng.randrange(1, 5))) + "]"
        if choice == 14:
            items = [f"{self.text()}: {self.value(0)}" for _ in range(rng.randrange(1, 4))]
            return "{" + ", ".join(items) + "}"
        if choice == 15:
            return f"{name()}({self.value(0)}, {self.value(0)})"
        if choice == 16:
            return f"{self.text()} + str({name()})"
        if choice in (17, 22, 23):
            over = rng.choice(("x", "i", name()))
            test = (
                f" if {over} {rng.choice(('!=', '>', 'not in'))} {self.value(0)}"
                if rng.random() < 0.4
                else ""
            )
            return f"[{rng.choice((over, f'{name()}({over})', f'{over}[0]'))} for {over} in {name()}{test}]"
        if choice == 24:
            return f"{{{(key := rng.choice(('k', 'x')))}: {self.value(0)} for {key} in {name()}}}"
        if choice == 18:
            outer, inner = (
                rng.choice(("len", "sum", "list", "sorted", name())),
                rng.choice(("set", "map", name())),
            )
            return f"{outer}({inner}({self.value(0)}, {name()}))"
        if choice == 19:
            table = name()
            return f"{table}[({table}[{self.text()}] == {self.value(0)}) & ({table}[{self.text()}] > {self.number()})]"
        if choice == 20:
            key = rng.choice(("x", "x", "i", "k", name()))
            body = rng.choice((f"{key}[0]", f"{key}[1]", f"{key}[1]", f"{key} + 1", f"len({key})"))
            return f"{rng.choice(('sorted', 'max', name()))}({name()}, key=lambda {key}: {body})"
        return f"{name()}.{name()}({self.value(0)}, {name()}={self.value(0)})"

    def literal(self) -> list[str]:
        """Data as people paste them: a list, dictionary or call of many items, in one line or with a line for each."""
        rng = self.rng
        sort = rng.choice((0, 1, 1, 2, 3, 3, 4))
        items = list(dict.fromkeys(self._item(sort) for _ in range(rng.randrange(3, 9))))
        if sort == 4:  # a keyword once
            items = list({item.split("=")[0]: item for item in items}.values())
        opening, closing = ("[]", "{}", "[]", "{}", "()")[sort]
        start = f"{self.name()} = "
        if sort == 4:
            start += self.name()
        elif rng.random() < 0.3:
            start += f"{self.name()}("
            closing += ")"
        if rng.random() < 0.45:
            return [f"{start}{opening}{', '.join(items)}{closing}"]
        lines = [f"    {item}," for item in items]
        lines[-1] = lines[-1].removesuffix(",")
        return [start + opening, *lines, closing]

    def _item(self, sort: int) -> str:
        """An item of the sorts of `literal`: value, pair, list, pair with a list or dictionary, keyword argument."""
        value = self.value(0)
        several = ", ".join(self.value(0) for _ in range(self.rng.randrange(2, 5)))
        if sort == 0:
            return value
        if sort == 1:
            return f"{self.text()}: {value}"
        pairs = ", ".join(f"{self.text()}: {self.value(0)}" for _ in range(self.rng.randrange(1, 4)))
        nested = self.rng.choice((f"[{several}]", f"[{several}]", f"({several})", f"{{{pairs}}}"))
        if sort == 2:
            return nested
        return (
            f"{self.text()}: {nested}" if sort == 3 else f"{self.name()}={self.rng.choice((value, nested))}"
        )

    def print(self) -> str:
        """A `print` call of one of the forms that Python 2 code has."""
        rng = self.rng
        choice = rng.randrange(27) // 2
        if choice < 3:
            inside = self.text()
        elif choice < 6:
            inside = self.value()
        elif choice < 8:
            inside = f"{self.text()}, {self.value()}"
        elif choice == 8:
            inside = f"{self.text()}, {self.name()}, {self.text()}"
        elif choice == 9:
            inside = f"{self.quoted('%s', 'Value: %s', '%d items', 'Hello %s', '%s is here', '%.2f')} % {self.name()}"
        elif choice == 10:
            inside = f"{self.quoted('%s %s', '%s: %d', '%d + %d', 'from %s to %s')} % ({self.name()}, {self.value(0)})"
        elif choice == 11:
            inside = f"{self.quoted('{}', 'Hi {}', '{} points', '{0}!')}.format({self.name()})"
        elif choice == 12:
            inside = f"{self.text()} + {self.name()}"
        elif rng.random() < 0.5:
            inside = f"{self.value(0)}, end={self.quote} {self.quote}"
        else:
            inside = f"{self.text()}, file=sys.stderr"
        return f"print({inside})"

    def condition(self) -> str:
        rng = self.rng
        if rng.random() < 0.2:
            one = f"{self.name()} {rng.choice(('in', 'in', 'not in'))} {self.name()}"
        else:
            sign = rng.choice(("==", "==", "==", "!=", "<", ">", "<=", ">="))
            one = f"{self.name()} {sign} {self.value(0)}"
        if rng.random() < 0.25:
            return f"{one} {rng.choice(('and', 'or'))} {self.name()} {rng.choice(('==', '>', '<'))} {self.value(0)}"
        return one if rng.random() < 0.85 else rng.choice((self.name(), f"not {self.name()}", "True"))

    def simple(self) -> str:
        choice = self.rng.randrange(11)
        if choice in (0, 10):
            return self.rng.choice(_IMPORTS)
        if choice < 4:
            return self.print()
        if choice < 7:
            return f"{self.name()} = {self.value()}"
        if choice == 7:
            return f"{self.name()} {self.rng.choice(('+=', '+=', '-='))} 1"
        if choice == 8:
            return f"{self.name()}.append({self.value(0)})"
        rng = self.rng
        if rng.random() < 0.3:
            return f"{self.name()} = open({self.text()}, 'r')"
        return rng.choice(_IMPORTS) if rng.random() < 0.6 else f"{self.name()}({self.value(0)})"

    def type(self) -> list[str]:
        """A small class: its head, and what it is made with or a value."""
        rng, name = self.rng, self.name()
        base = rng.choice(("", "", "()", "(object)", "(Exception)", f"({self.name()}.Model)"))
        lines = [f"class {rng.choice(('Car', 'Person', 'MyClass', 'Player', name.capitalize()))}{base}:"]
        if rng.random() < 0.4:
            return [*lines, f"    {name} = {self.value(0)}"]
        other = self.name()
        given = name if name == other else f"{name}, {other}"
        return [*lines, f"    def __init__(self, {given}):", f"        self.{name} = {name}",
                f"        self.{other} = {self.value(0)}"]  # fmt: skip

    def alone(self) -> list[str]:
        """A statement that is a whole snippet."""
        return self.literal() if self.rng.random() < 0.25 else [self.simple()]

    def statement(self) -> list[str]:
        """One statement as lines at column 0: simple, data, or a block of one to three simple ones."""
        rng = self.rng
        choice = rng.randrange(21)
        if choice >= 19:
            return self.type()
        if choice >= 16:
            return self.literal()
        if choice < 8:
            return [self.simple()]
        body = ["    " + self.simple() for _ in range(rng.choice((1, 1, 2, 3)))]
        if choice < 10:
            lines = [f"if {self.condition()}:", *body]
            if rng.random() < 0.4:
                lines += [f"elif {self.condition()}:", "    " + self.simple()]
            if rng.random() < 0.5:
                lines += ["else:", "    " + self.simple()]
            return lines
        if choice < 12:
            over = self.name()
            if rng.random() < 0.6:
                over = f"range({rng.choice((over, f'len({over})', '10', '5', '1, 11', f'0, {over}'))})"
            return [f"for {rng.choice(('i', 'x', 'line', 'item'))} in {over}:", *body]
        if choice < 14:
            return [f"while {self.condition()}:", *body, f"    {self.name()} += 1"]
        if choice < 15:
            function = rng.choice(("main", "func", "test", "add", "run", "get_input"))
            parameter = rng.choice(("", self.name()))
            return [f"def {function}({parameter}):", *body, f"    return {self.value(0)}"]
        caught = rng.choice(("ValueError", "KeyError", "IOError", "Exception")) + rng.choice(("", " as e"))
        return ["try:", *body, f"except {caught}:", "    " + self.simple()]


def reshaped(source: ParsedCode, rng: Random, prints: bool = False, whole: bool = False) -> str | None:
    """A clean text like the snippet with statements of common shapes in it, mostly short; the caller compiles it.

    None for one that surely does not compile: with a `return` outside of any function.
    `prints` asks for at least one statement `print(...)`, `whole` keeps all lines of the snippet.
    """
    shaper = _Shaper(source, rng)
    lines = _logical(source, 0, len(source.lines)) if whole else _cut(source, rng)
    choice = rng.random()
    if not whole and choice < 0.12:  # one statement alone: a question in five has one line
        return "\n".join([shaper.print()] if prints else shaper.alone())
    if not whole and choice < 0.35:
        lines = []
    added = [shaper.statement() for _ in range(rng.choice((1, 1, 2, 3) if lines else (1, 2, 2, 3, 3, 4)))]
    if prints:
        added[rng.randrange(len(added))] = [shaper.print()]
    for statement in added:
        _put(lines, statement, rng)
    return None if any(map(_JUMP.match, lines)) else "\n".join(lines)


def _cut(source: ParsedCode, rng: Random) -> list[str]:
    """One to six logical lines of the snippet that follow each other, dedented to the first."""
    lines = source.lines
    first = rng.randrange(len(lines))
    last = min(len(lines), first + rng.choice((1, 1, 2, 3, 4, 6)))
    indent = lines[first].indent
    kept = first + 1
    while kept < last and lines[kept].indent >= indent:
        kept += 1
    blank = source.text[lines[first].start : lines[first].start + indent]
    return [_dedented(line, blank) for line in _logical(source, first, kept)]


def _logical(source: ParsedCode, first: int, last: int) -> list[str]:
    """Text of the logical lines first..last - 1, each with the comments and blank lines after it."""
    starts = [line.start for line in source.lines[first:last]]
    if first == 0:
        starts[0] = 0
    ends = [*starts[1:], source.lines[last].start if last < len(source.lines) else len(source.text)]
    texts = [source.text[start:end] for start, end in zip(starts, ends, strict=True)]
    return [*(text.removesuffix("\n") for text in texts[:-1]), texts[-1].rstrip()]


def _dedented(line: str, blank: str) -> str:
    return "\n".join(part.removeprefix(blank) for part in line.split("\n")) if blank else line


def _put(lines: list[str], statement: list[str], rng: Random) -> None:
    """Insert the statement before a random line with that line's indentation, or at the end of the text."""
    at = rng.randrange(len(lines) + 1)
    indent = ""
    if at < len(lines):
        indent = lines[at][: len(lines[at]) - len(lines[at].lstrip())]
    lines[at:at] = ["\n".join(indent + part for part in statement)]
