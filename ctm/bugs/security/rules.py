"""The security taxonomy as rules on syntax trees: is a pair the repair of a weakness that has a CWE?

A rule looks at the places where its weakness can be (every call that parses XML, every file mode) and tells broken
from safe ones. A pair repairs it when fewer places are broken in `fixed` and no place went missing: to delete the call
is not to repair it. Nothing is resolved: `hashlib.md5` is taken for what its name says.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections import Counter
from functools import lru_cache

from ctm.bugs.security.calls import call_places
from ctm.bugs.security.places import other_places
from ctm.bugs.static_analysis.trees import nodes_of
from ctm.python.compiling import compile_limit_reason

CWES = {
    "sql": "CWE-89",
    "shell": "CWE-78",
    "path": "CWE-22",
    "html": "CWE-79",
    "deserialization": "CWE-502",
    "cipher": "CWE-327",
    "hash": "CWE-328",
    "random": "CWE-330",
    "certificate": "CWE-295",
    "password": "CWE-798",
    "temporary": "CWE-377",
    "mode": "CWE-732",
    "eval": "CWE-94",
    "xml": "CWE-611",
    "timeout": "CWE-400",
    "exposure": "CWE-605",
    "log": "CWE-117",
    "leak": "CWE-209",
    "regex": "CWE-1333",
}
"""Rules and the weakness that each is about."""

_GRAVE = frozenset(
    (
        "sql",
        "shell",
        "html",
        "deserialization",
        "cipher",
        "hash",
        "certificate",
        "password",
        "eval",
        "exposure",
    )
)
"""Rules whose breach a reader would name first, whatever else is wrong."""

_VISITED = frozenset((ast.Call, ast.JoinedStr, ast.BinOp, ast.Constant, ast.Attribute, ast.Assign, ast.AnnAssign,
                      ast.Compare, ast.arguments, ast.Import, ast.ImportFrom))  # fmt: skip
_WORDS = ("shell", "system", "getoutput", "exec", "eval", "popen", "path.join", "extract", "mark_safe", "Markup",
          "SafeString", "SafeText", "Environment", "pickle", "load", "marshal", "shelve", "decode", "DES", "ARC",
          "IDEA", "Blowfish", "CAST5", "ECB", "ssl", "md4", "md5", "sha1", "MD4", "MD5", "SHA", "random", "uuid1",
          "verify", "CERT", "check_hostname", "tempnam", "tmpnam", "mktemp", "/tmp/", "chmod", "mkdir", "makedirs",
          "mkfifo", "umask", "os.open", "xml", "etree", "requests", "ession", "urlopen", "create_connection",
          "SMTP", "FTP", "Telnet", "communicate", "debug", "DEBUG", "0.0.0.0", "::", "bind", "log", "Log", "LOG",
          "abort", "jsonify", "esponse", "HTTPException", "send_error")  # fmt: skip
_HINT = re.compile(
    r"</?\w|\bre\.|(?:path|dir|folder|root|base|directory)\)?\s*/|(?i:pass|pwd|secret|_key|apikey|token"
    r"|\b(?:select|insert|update|delete|drop|create|alter|replace)\s)"
)


def _may_break(text: str) -> bool:
    """Whether anything can be broken: without one of these words nothing is, and most code need not be parsed."""
    return any(map(text.__contains__, _WORDS)) or _HINT.search(text) is not None


@lru_cache(maxsize=256)  # mutants of a snippet share their fixed side
def places(text: str) -> tuple[Counter[str], Counter[str]]:
    """(broken, safe): how many places of each rule; nothing for code that does not parse. Inside `quiet()`."""
    broken: Counter[str] = Counter()
    safe: Counter[str] = Counter()
    tree = _tree(text)
    if tree is None:
        return broken, safe
    done: set[int] = set()  # nodes that a node above them has spoken for
    attributes: set[str] = set()
    for node in nodes_of(tree, _VISITED):
        if isinstance(node, ast.Attribute):
            attributes.add(node.attr)
        for rule, wrong in (*call_places(node, done), *other_places(node, done)):
            (broken if wrong else safe)[rule] += 1
    if broken["path"] and _path_guard(attributes):
        safe["path"] += broken.pop("path")
    return +broken, safe


@lru_cache(maxsize=4)
def _tree(text: str) -> ast.Module | None:
    if compile_limit_reason(text):
        return None
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return None


def has_grave_weakness(text: str) -> bool:
    """Whether a text breaks a rule that a reader would name before any other. Inside `quiet()`."""
    return _may_break(text) and not _GRAVE.isdisjoint(places(text)[0])


def repaired_rules(buggy: str, fixed: str) -> list[str]:
    """Rules that are broken in `buggy` and, at a place that is still there, no longer in `fixed`."""
    if not _may_break(buggy):
        return []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return _repaired(buggy, fixed)


def _repaired(buggy: str, fixed: str) -> list[str]:
    before, before_safe = places(buggy)
    if not before:
        return []
    after, after_safe = places(fixed)
    return [
        rule
        for rule, count in before.items()
        if after[rule] < count and after[rule] + after_safe[rule] >= count + before_safe[rule]
    ]


def security_rule(buggy: str, fixed: str) -> bool:
    """Whether a rule of the taxonomy is broken in `buggy` and not in `fixed` (a `ctm.pairs` SecurityRule).

    A pair that repairs one rule and breaks another is none.
    """
    return bool(repaired_rules(buggy, fixed)) and not repaired_rules(fixed, buggy)


def security_rule_of_lines(buggy: str, fixed: str, buggy_lines: str, fixed_lines: str) -> bool:
    """`security_rule` of two texts that compile and differ in these whole logical lines only; inside `quiet()`.

    A place lies in one line, so that what the others have is the same on both sides and need not be read; but for the
    guard of paths, which may stand anywhere.
    """
    if not (_may_break(buggy_lines) or _may_guard(buggy_lines) or _may_guard(fixed_lines)):
        return False
    sides = _standing(buggy_lines), _standing(fixed_lines)
    if _may_guard(buggy) or _may_guard(fixed) or _tree(sides[0]) is None or _tree(sides[1]) is None:
        return security_rule(buggy, fixed)
    return bool(_repaired(*sides)) and not _repaired(*reversed(sides))


def _standing(lines: str) -> str:
    """Logical lines as a text of their own, which parses if they are whole statements."""
    if lines.rstrip().endswith(":"):
        lines = lines.rstrip() + " pass"
    return "if 1:\n" + lines if lines[:1] in (" ", "\t") else lines


_RESOLVED = ("realpath", "abspath", "resolve")
_GUARDS = frozenset(("is_relative_to", "commonpath", "safe_join"))


_GUARDING = (*_RESOLVED, *_GUARDS)


def _may_guard(text: str) -> bool:
    """Whether `_path_guard` may hold for a text with these lines."""
    return any(map(text.__contains__, _GUARDING))


def _path_guard(names: set[str]) -> bool:
    """Whether code with these attributes compares a resolved path with the folder that it must lie in."""
    resolved = not names.isdisjoint(_RESOLVED)
    return not names.isdisjoint(_GUARDS) or (
        resolved and not names.isdisjoint(("startswith", "relative_to", "parents"))
    )
