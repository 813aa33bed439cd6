"""Keys under which two texts are duplicates: equal but for spacing, or equal but for the names in them.

Keys are 64-bit integers, so that a few million fit in memory. Indentation always counts: it is where many errors are.
"""

from __future__ import annotations

import builtins
import keyword
import re

from ctm.pairs.keys import key_of

_KEPT = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins)) | {"self", "cls"}
"""Names that keep their meaning wherever they stand: these are never renamed."""

_STRING = (
    r"(?:\"\"\"[^\"\\]*(?:(?:\\.|\"(?!\"\"))[^\"\\]*)*\"\"\"|'''[^'\\]*(?:(?:\\.|'(?!''))[^'\\]*)*'''"
    r"|\"[^\"\\\n]*(?:\\.[^\"\\\n]*)*\"|'[^'\\\n]*(?:\\.[^'\\\n]*)*')"
)
# a name; what stands between; a string; a number; a comment; a letter before a quote, which is no name; a quote
_TOKEN = re.compile(
    rf"""[^\W\d]\w*(?!["'])|[^\w\#"']+|[rRbBuUfF]{{0,2}}{_STRING}|\d\w*|\#[^\n]*|[^\W\d](?:{_STRING}|["'])|["']""",
    re.DOTALL,
)
_INNER_SPACE = re.compile(r"(?<=\S)[ \t]+")


def exact_key(text: str) -> int:
    """Key of a text without blank lines, with its spacing within lines normalized."""
    lines = (_INNER_SPACE.sub(" ", line.rstrip()) for line in text.split("\n"))
    return key_of("\n".join(line for line in lines if line))


def renamed_key(*texts: str) -> int:
    """Key of texts whose identifiers are numbered in order of first use, comments left out; spacing does not count.

    Keywords, builtins, `self`, strings and numbers stay. Several texts (both sides of a pair) are numbered as one.
    """
    found = [_TOKEN.findall(text) for text in texts]
    written = {token: token for tokens in found for token in tokens}
    names = 0
    for token in written:
        first = token[0]
        if first == "#":
            written[token] = ""
        elif (first.isalnum() or first == "_") and not (
            token in _KEPT or first.isdecimal() or token[-1] in "\"'" or (token[:2] == token[-2:] == "__")
        ):
            written[token] = f"${names}"
            names += 1
    renamed = []
    for tokens in found:
        lines = map(str.rstrip, "".join(map(written.__getitem__, tokens)).split("\n"))
        renamed.append("\n".join([_indented(line) for line in lines if line]))
    return key_of("\0".join(renamed))


def _indented(line: str) -> str:
    body = line.lstrip()
    if "  " not in body and "\t" not in body:
        return line
    return line[: len(line) - len(body)] + _INNER_SPACE.sub(" ", body)


class DuplicateFilter:
    """Lets the first text of each key pass."""

    def __init__(self) -> None:
        self._exact: set[int] = set()
        self._renamed: set[int] = set()

    def refuse(self, text: str) -> str:
        """Why `text` is a duplicate of one that passed before, or "" (and it has passed)."""
        return self.refuse_keys(exact_key(text), renamed_key(text))

    def refuse_keys(self, exact: int, renamed: int) -> str:
        """The same for a text whose keys are known."""
        if exact in self._exact:
            return "duplicate"
        if renamed in self._renamed:
            return "duplicate but for names"
        self._exact.add(exact)
        self._renamed.add(renamed)
        return ""
