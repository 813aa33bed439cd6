"""What git leaves out of a repository: the patterns of `.gitignore` files and `.git/info/exclude`.

After gitignore(5) and git's dir.c and wildmatch.c: the last pattern of the nearest file that matches decides, and what
lies in a folder that is left out stays out. pathspec's GitIgnoreSpec was tried and judges files only; asked
about folders, which a walk must ask, it leaves out `data/` for `data/**` and loses the file that `!data/keep.py` brings
back. Not read: the user's own `core.excludesFile`. Names and patterns are bytes, as the file system has them.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from dataclasses import dataclass

_SPECIAL = re.compile(rb"[*?\[\\]")
_TRAILING = re.compile(rb"((?<!\\)(?:\\\\)*\\ )? *\Z")
"""Spaces at the end, and before them the one that a backslash keeps."""
_SLASH = ord("/")
MAX_BYTES = 1 << 18
"""Of a `.gitignore`: the largest of real projects have some thousands; 600 kB took four seconds to read."""
_STAR = b"[^/]*"
_DEEP = b"(?:.*/)?"
_CLASSES = {
    b"alnum": rb"0-9A-Za-z",
    b"alpha": rb"A-Za-z",
    b"blank": rb" \t",
    b"cntrl": rb"\x00-\x1f\x7f",
    b"digit": rb"0-9",
    b"graph": rb"!-~",
    b"lower": rb"a-z",
    b"print": rb" -~",
    b"punct": rb"!-/:-@\[-`{-~",
    b"space": rb"\t-\r ",
    b"upper": rb"A-Z",
    b"xdigit": rb"0-9A-Fa-f",
}


@dataclass(frozen=True, slots=True)
class Pattern:
    regex: re.Pattern[bytes]
    of_name: bool
    """Whether it is held against the last part of a path only."""
    folders_only: bool
    leaves_out: bool
    """False for a pattern with "!"."""


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The patterns that hold in one folder, as pairs of the folder that they are relative to and a file's patterns."""

    levels: tuple[tuple[bytes, tuple[Pattern, ...]], ...] = ()

    def below(self, folder: bytes) -> IgnoreRules:
        """The rules inside a folder (an absolute path). Raises OSError for a `.gitignore` that cannot be read."""
        levels = self.levels
        if os.path.lexists(os.path.join(folder, b".git")):  # a repository knows nothing of the one around it
            levels = ((folder, read_patterns(os.path.join(_git_folder(folder), b"info", b"exclude"))),)
        patterns = read_patterns(os.path.join(folder, b".gitignore"))
        return IgnoreRules((*levels, (folder, patterns)) if patterns else levels)

    def leave_out(self, path: bytes, is_folder: bool) -> bool:
        """Whether git leaves out this absolute path, given that it does not leave out the folder that holds it."""
        name = os.path.basename(path)
        for folder, patterns in reversed(self.levels):
            relative = os.path.relpath(path, folder) if len(folder) <= 1 else path[len(folder) + 1 :]
            for pattern in reversed(patterns):
                if pattern.folders_only and not is_folder:
                    continue
                if pattern.regex.fullmatch(name if pattern.of_name else relative):
                    return pattern.leaves_out
        return False


def rules_above(folder: bytes) -> IgnoreRules:
    """What the repository around a folder (an absolute path without links) says of what is inside the folder.

    Nothing where there is no repository, or where it leaves out the folder itself: who names that one means it.
    """
    above = [folder]
    while not os.path.lexists(os.path.join(above[-1], b".git")):
        parent = os.path.dirname(above[-1])
        if parent == above[-1]:
            return IgnoreRules()
        above.append(parent)
    rules = IgnoreRules()
    for outer, inner in zip(reversed(above[1:]), reversed(above[:-1]), strict=True):
        rules = rules.below(outer)
        if rules.leave_out(inner, True):
            return IgnoreRules()
    return rules


def _git_folder(folder: bytes) -> bytes:
    """The folder with `info/exclude`: `.git`, or what a `.git` file (worktree, submodule) leads to."""
    git = os.path.join(folder, b".git")
    if os.path.isfile(git):
        git = os.path.join(folder, _read(git).removeprefix(b"gitdir:").strip())
        common = _read(os.path.join(git, b"commondir")).strip()
        git = os.path.join(git, common) if common else git
    return git


def _read(path: bytes) -> bytes:
    """A regular file's bytes, b"" where there is none: git follows no link here either. Raises OSError."""
    try:
        if not stat.S_ISREG(os.lstat(path).st_mode):
            return b""
        with open(path, "rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise OSError(errno.EFBIG, f"more than {MAX_BYTES:,} bytes of patterns", path)
        return content
    except (
        FileNotFoundError,
        NotADirectoryError,
        ValueError,
    ):  # ValueError: `.git` leads to a name with a null byte
        return b""


def read_patterns(path: bytes) -> tuple[Pattern, ...]:
    """The patterns of a file in their order, without those that can match nothing. Raises OSError."""
    lines = _read(path).removeprefix(b"\xef\xbb\xbf").split(b"\n")
    found = (parse_pattern(line.removesuffix(b"\r")) for line in lines)
    return tuple(pattern for pattern in found if pattern is not None)


def parse_pattern(line: bytes) -> Pattern | None:
    """One line of a `.gitignore`; None for a comment, an empty line, and a pattern that can match nothing."""
    if line.startswith(b"#"):
        return None
    line = _TRAILING.sub(rb"\1", line)
    leaves_out = not line.startswith(b"!")
    text = line if leaves_out else line[1:]
    folders_only = text.endswith(b"/")
    text = text[:-1] if folders_only else text
    of_name = b"/" not in text
    regex = _regex(text.removeprefix(b"/"), of_name)
    return None if not text or regex is None else Pattern(regex, of_name, folders_only, leaves_out)


def _regex(text: bytes, of_name: bool) -> re.Pattern[bytes] | None:
    """A pattern as a regular expression for a whole relative path (or a name); None for a malformed one."""
    first = special.start() if (special := _SPECIAL.search(text)) else len(text)
    out = [re.escape(text[:first])]
    at = first
    while at < len(text):
        char = text[at : at + 1]
        if char == b"*":
            end = at + 1
            while text[end : end + 1] == b"*":
                end += 1
            # git cuts off what precedes the first special character, so `ab**/c` counts as one that begins with `**`
            begins = at == first or text[at - 1] == _SLASH
            if of_name or end - at == 1 or not begins or text[end : end + 1] not in (b"", b"/"):
                out.append(_STAR)
            elif end == len(text):
                out.append(b".*")
            else:
                out.append(_DEEP)
                end += 1
            at = end
        elif char == b"?":
            out.append(b"[^/]")
            at += 1
        elif char == b"[":
            found = _set(text, at + 1)
            if found is None:
                return None
            part, at = found
            out.append(part)
        else:
            at += char == b"\\"
            if at == len(text):
                return None
            out.append(re.escape(text[at : at + 1]))
            at += 1
    return re.compile(_deep_sections(out), re.DOTALL)


def _deep_sections(parts: list[bytes]) -> bytes:
    """The parts of a pattern as one expression that never tries a place twice.

    Where `**/` or `*` is followed by another one, the first place where what is between them matches is as good as any
    later one, so it is kept (an atomic group). Otherwise a pattern such as `*a*a*a*b` takes years for a name of many a.
    """
    first, *others = _split(parts, _DEEP)
    found = [_components(first)]
    found += [b"(?>(?:[^/]*/)*?" + _components(section) + b")" for section in others[:-1]]
    found += [_DEEP + _components(section) for section in others[-1:]]
    return b"".join(found)


def _components(parts: list[bytes]) -> bytes:
    return b"/".join(_stars(component) for component in _split(parts, b"/"))


def _stars(parts: list[bytes]) -> bytes:
    first, *others = (b"".join(part) for part in _split(parts, _STAR))
    found = [
        first,
        *(b"(?>[^/]*?" + part + b")" for part in others[:-1]),
        *(_STAR + part for part in others[-1:]),
    ]
    return b"".join(found)


def _split(parts: list[bytes], at: bytes) -> list[list[bytes]]:
    found: list[list[bytes]] = [[]]
    for part in parts:
        if part == at:
            found.append([])
        else:
            found[-1].append(part)
    return found


def _set(text: bytes, at: int) -> tuple[bytes, int] | None:
    """The set that begins behind a "[", and where the text goes on; None where it is not closed."""
    negated = text[at : at + 1] in (b"!", b"^")
    at += negated
    parts: list[bytes] = []
    before: int | None = None  # a character that a "-" may continue
    begin = at
    while at == begin or text[at : at + 1] != b"]":
        if at >= len(text):
            return None
        if text[at : at + 2] == b"[:" and (end := text.find(b"]", at + 2)) >= 0 and text[end - 1] == ord(":"):
            name = text[at + 2 : end - 1]
            if name not in _CLASSES:
                return None
            parts.append(_CLASSES[name])
            before, at = None, end + 1
            continue
        is_range = text[at] == ord("-") and before is not None and text[at + 1 : at + 2] not in (b"", b"]")
        at += is_range
        at += text[at : at + 1] == b"\\"
        if at >= len(text):
            return None
        if is_range and before is not None:
            if before <= text[at]:
                parts.append(re.escape(bytes([before])) + b"-" + re.escape(text[at : at + 1]))
            before = None
        else:
            before = text[at]
            parts.append(re.escape(text[at : at + 1]))
        at += 1
    inside = b"".join(parts)
    if not inside:
        return (b"[^/]" if negated else b"(?!)"), at + 1
    return b"(?!/)[" + b"^" * negated + inside + b"]", at + 1
