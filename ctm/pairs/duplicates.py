"""Keys under which two texts are duplicates: equal but for spacing, or equal but for the names in them.

Keys are 64-bit integers, so that a few million fit in memory. Indentation always counts: it is where many errors are.
"""

from __future__ import annotations

import builtins
import hashlib
import keyword
import re

_KEPT = frozenset(keyword.kwlist) | frozenset(keyword.softkwlist) | frozenset(dir(builtins)) | {"self", "cls"}
"""Names that keep their meaning wherever they stand: these are never renamed."""

_TOKEN = re.compile(
    r"""(?P<name>[^\W\d]\w*)(?!["'])
      | (?P<comment>\#[^\n]*)
      | (?P<string>[rRbBuUfF]{0,2}(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
                                   |\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*'))
      | \w+
    """,
    re.VERBOSE | re.DOTALL,
)
_INNER_SPACE = re.compile(r"(?<=\S)[ \t]+")


def exact_key(text: str) -> int:
    """Key of a text without blank lines, with its spacing within lines normalised."""
    lines = (_INNER_SPACE.sub(" ", line.rstrip()) for line in text.split("\n"))
    return _hash("\n".join(line for line in lines if line))


def renamed_key(*texts: str) -> int:
    """Key of texts whose identifiers are numbered in order of first use, comments left out; spacing does not count.

    Keywords, builtins, `self`, strings and numbers stay. Several texts (both sides of a pair) are numbered as one.
    """
    numbers: dict[str, str] = {}

    def rename(match: re.Match[str]) -> str:
        name = match["name"]
        if name is None:
            return "" if match["comment"] is not None else match.group()
        if name in _KEPT or (name.startswith("__") and name.endswith("__")):
            return name
        return numbers.setdefault(name, f"${len(numbers)}")

    renamed = []
    for text in texts:
        lines = (line.rstrip() for line in _TOKEN.sub(rename, text).split("\n"))
        # Spaces go altogether but for the indentation: names and numbers are apart by what stands between them.
        renamed.append("\n".join(_indented(line) for line in lines if line))
    return _hash("\0".join(renamed))


def _indented(line: str) -> str:
    body = line.lstrip()
    return line[: len(line) - len(body)] + _INNER_SPACE.sub(" ", body)


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")


class FirstCome:
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
