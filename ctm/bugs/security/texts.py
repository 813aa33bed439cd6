"""What the security rules ask of texts inside code: does it look like SQL, HTML or a path, can a pattern run away.

Only shapes that are wrong beyond doubt count for regular expressions: a repeated group that ends in a repetition of
its own, or whose alternatives begin alike. Both take exponential time on an input that almost matches.
"""

from __future__ import annotations

import re
from functools import lru_cache

_SQL = re.compile(
    r"^\s*\(?\s*(?:select\s.+\sfrom\s|insert\s+into\s|update\s+\S+\s+set\b|delete\s+from\s|replace\s+into\s"
    r"|drop\s+table\s|create\s+table\s|alter\s+table\s)",
    re.IGNORECASE | re.DOTALL,
)
_HTML = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*[\s/>]")
_PASSWORD = re.compile(
    r"(?:^|_)(?:pass(?:word|wd|phrase)?|pwd|secret|secret_?key|api_?key|(?:access|auth|api)_token)$",
    re.IGNORECASE,
)
_SECRET = re.compile(r"\S{3,}")
_ATOM = r"(?:\[[^\]]+\]|\\.|[^\s()|\\\[])"
_NESTED = re.compile(rf"\((?:\?:|\?P<\w+>)?({_ATOM}*?)({_ATOM})[+*](\\s[?*]|\\?.\?)?\)[+*]")
_GROUP = re.compile(r"\((?:\?:|\?P<\w+>)?([^()]*\|[^()]*)\)[+*]")
_DIGITS, _LETTERS = "0123456789", "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"
_CLASSES = {r"\w": _LETTERS + _DIGITS, r"\d": _DIGITS, r"\s": " ", r"\S": _LETTERS + _DIGITS + ".,-:"}
_RANGE = re.compile(r"\\.|(.)-(.)|.", re.DOTALL)


def looks_like_sql(text: str) -> bool:
    """Whether a string literal begins like an SQL statement."""
    return _SQL.match(text) is not None


def looks_like_html(text: str) -> bool:
    """Whether a string literal has an HTML tag in it."""
    return _HTML.search(text) is not None


@lru_cache(maxsize=4096)
def names_secret(name: str) -> bool:
    """Whether a variable, parameter or key of this name holds a password or key."""
    return _PASSWORD.search(name) is not None


def is_secret(value: str) -> bool:
    """Whether a literal could be a password: three signs or more, no white space, no placeholder."""
    return _SECRET.fullmatch(value) is not None and not value.startswith(("<", "{", "$", "*", "%"))


def runs_away(pattern: str) -> bool:
    """Whether a regular expression takes exponential time: `(a+)+`, `(\\w+\\s?)*`, `(a|a+)*`."""
    if any(not _separates(match) for match in _NESTED.finditer(pattern)):
        return True
    return any(_overlap(match.group(1).split("|")) for match in _GROUP.finditer(pattern))


def _separates(match: re.Match[str]) -> bool:
    """Whether something that the repeated sign cannot be stands before it in each round: `(,\\w+)*` is harmless."""
    before, repeated = match.group(1), match.group(2)
    return any(
        atom[2] not in ("?", "*") and not _overlap([atom[1], repeated])
        for atom in re.finditer(rf"({_ATOM})([?*+]?)", before)
    )


def _overlap(alternatives: list[str]) -> bool:
    """Whether two alternatives may begin with the same sign."""
    signs: set[str] = set()
    for alternative in alternatives:
        first = re.match(_ATOM, alternative)
        mine = _signs(first.group()) if first else set()
        if signs & mine:
            return True
        signs |= mine
    return False


def _signs(atom: str) -> set[str]:
    """Signs that an atom stands for, among the common ones; none for a class of all but some."""
    if atom == ".":
        return {*_LETTERS, *_DIGITS, *" .,-:"}
    if not atom.startswith("["):
        return set(_CLASSES.get(atom, atom[-1:]))
    signs: set[str] = set()
    for part in _RANGE.finditer(atom[1:-1]) if atom[1] != "^" else ():
        low, high = part.groups()
        signs |= (
            set(map(chr, range(ord(low), ord(high) + 1))) if low else set(_CLASSES.get(part[0], part[0][-1]))
        )
    return signs
