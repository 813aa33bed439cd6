"""The change of a file as a unified diff that `patch -p0` and `git apply -p0` turn into the very bytes of the repair.

Notable: only "\\n" ends a line of a diff, so other line ends are part of the line, and a file without any is one line;
names are quoted as git quotes them, so that no name can pass for a line of the diff.
"""

from __future__ import annotations

import difflib
import os
import re
from itertools import takewhile

from ctm.repair.fixed import Fixed
from ctm.repair.source import Source

CONTEXT = 3
"""Lines around a change, as diff and git have them."""
_ESCAPES = {7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: '"', 92: "\\"}
_HUNK = re.compile(r"@@ -(\d+)((?:,\d+)?) \+(\d+)((?:,\d+)?) @@")


def unified_diff(fixed: Fixed, name: str) -> str:
    """The change in the file's own encoding, "" without one; `name` goes into the header (see header_name)."""
    old, new = _lines(fixed.before), _lines(fixed.after)
    # difflib replaces the whole of a long file whose lines are much the same: it sees only what is near the change
    same = _common(old, new)
    tail = _common(old[same:][::-1], new[same:][::-1])
    begin, rest = max(0, same - CONTEXT), max(0, tail - CONTEXT)
    changed = difflib.unified_diff(old[begin : len(old) - rest], new[begin : len(new) - rest], n=CONTEXT)
    out = [f"--- {quoted(name)}\n", f"+++ {quoted(name)}\n"]
    for line in list(changed)[2:]:
        out.append(_HUNK.sub(lambda match: _moved(match, begin), line, count=1) if line[0] == "@" else line)
        if not line.endswith("\n"):
            out.append("\n\\ No newline at end of file\n")
    return "".join(out) if len(out) > 2 else ""


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


def _lines(source: Source) -> list[str]:
    """Lines as a diff has them, each with its "\\n"; the byte order mark is part of the first."""
    text = "\ufeff" * source.has_bom + "".join(
        line + end for line, end in zip(source.lines, source.ends, strict=True)
    )
    return re.findall(r"[^\n]*\n|[^\n]+", text)


def _common(old: list[str], new: list[str]) -> int:
    """How many lines two texts have in common from their beginning."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(old, new, strict=False)))


def _moved(match: re.Match[str], by: int) -> str:
    return f"@@ -{int(match[1]) + by}{match[2]} +{int(match[3]) + by}{match[4]} @@"
