"""The change of a file as a unified diff that `patch -p0` and `git apply -p0` turn into the very bytes of the repair.

Only "\\n" ends a line of a diff, so other line ends are part of the line, and a file without any is one line;
names are quoted as git quotes them, so that no name can pass for a line of the diff.
"""

from __future__ import annotations

import difflib
import os
import re
from itertools import takewhile
from typing import Any

from ctm.repair.file_repair import FileRepair
from ctm.repair.source import PythonFile

CONTEXT = 3
"""Lines around a change, as diff and git have them."""
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}


def unified_diff(fixed: FileRepair, name: str) -> str:
    """The change in the file's own encoding, "" without one; `name` goes into the header (see header_name)."""
    old, new = _lines(fixed.before), _lines(fixed.after)
    out = [f"--- {quoted(name)}\n", f"+++ {quoted(name)}\n"]
    for group in _Matcher(old, new).get_grouped_opcodes(CONTEXT):
        (_, old_begin, _, new_begin, _), (_, _, old_end, _, new_end) = group[0], group[-1]
        out.append(f"@@ -{_range(old_begin, old_end)} +{_range(new_begin, new_end)} @@\n")
        for tag, i, i_end, j, j_end in group:
            if tag == "equal":
                out += [" " + line for line in old[i:i_end]]
            else:
                out += ["-" + line for line in old[i:i_end]] + ["+" + line for line in new[j:j_end]]
    ended = (line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in out)
    return "".join(ended) if len(out) > 2 else ""


def header_name(path: str) -> str:
    """What a diff calls a file: its real place from the working folder, or an absolute one if it is outside of that.

    Both tools refuse names with ".." and files behind links. What is outside applies with `patch -d / -p1`.
    """
    real, here = os.path.realpath(path), os.path.realpath(".")
    return os.path.relpath(real, here) if os.path.commonpath([real, here]) == here else real


def quoted(name: str) -> str:
    """A name in the header of a diff: in git's C style where it has more than plain ASCII, else as it is.

    A tab behind a name with spaces tells where it ends.
    """
    raw = os.fsencode(name)
    if all(0x20 <= byte < 0x7F and byte not in _ESCAPES for byte in raw) and raw == raw.strip():
        return name + "\t" * (" " in name)
    return '"' + "".join(_escaped(byte) for byte in raw) + '"'


def _escaped(byte: int) -> str:
    if byte in _ESCAPES:
        return "\\" + _ESCAPES[byte]
    return chr(byte) if 0x20 <= byte < 0x7F else f"\\{byte:03o}"


def _lines(source: PythonFile) -> list[str]:
    """Lines as a diff has them, each with its "\\n"; the byte order mark is part of the first."""
    return re.findall(r"[^\n]*\n|[^\n]+", source.exact_text)


class _Matcher(difflib.SequenceMatcher[str]):
    """Compares only what is between the lines that both texts begin and end with.

    difflib takes the frequent lines of a long text for noise, and would replace the whole of a table for one change.
    """

    def __init__(self, old: list[str], new: list[str]) -> None:
        self.head = _common(old, new)
        self.tail = _common(old[self.head :][::-1], new[self.head :][::-1])
        self.lengths = len(old), len(new)
        super().__init__(None, old[self.head : len(old) - self.tail], new[self.head : len(new) - self.tail])

    def get_opcodes(self) -> list[tuple[Any, int, int, int, int]]:
        head, tail, (old, new) = self.head, self.tail, self.lengths
        inner = [
            (tag, i + head, i_end + head, j + head, j_end + head)
            for tag, i, i_end, j, j_end in super().get_opcodes()
        ]
        begin, end = ("equal", 0, head, 0, head), ("equal", old - tail, old, new - tail, new)
        return [code for code in (begin, *inner, end) if code[1] < code[2] or code[3] < code[4]]


def _common(old: list[str], new: list[str]) -> int:
    """How many lines two texts have in common from their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _range(begin: int, end: int) -> str:
    """Lines [begin, end) as a hunk names them; of none, the line before."""
    length = end - begin
    return f"{begin + 1}" if length == 1 else f"{begin + (length > 0)},{length}"
