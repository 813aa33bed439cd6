"""Classifies a real fix: which kind of bug does it remove?

The mutators make a bug only where the snippet shows what is right, which few real fixes do. So what counts here is what
changed: one place, at most three lexical tokens on either side, of a shape that a kind makes the other way round. Four
kinds are longer by nature: two arguments, operands or statements swapped, a statement at another level, a guard before
what it guards, a mutable default; and a security fix is what the taxonomy's rules say, up to `LONGEST` tokens.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from ctm.bugs.fixes.defaults import mutable_default
from ctm.bugs.fixes.edit import FixEdit, made, only_edit, rotations
from ctm.bugs.fixes.shapes import LONGEST, File, shape
from ctm.bugs.fixes.tables import SAYING
from ctm.bugs.security.rules import repaired_rules

SECURITY_KINDS = {
    "sql": "sql_fields", "shell": "shell_true", "path": "unchecked_name", "html": "unescaped_html",
    "deserialization": "pickle_load", "cipher": "weak_cipher", "hash": "md5_hash", "random": "random_token",
    "certificate": "unverified_request", "password": "password_literal", "temporary": "fixed_temporary_name",
    "mode": "world_writable", "eval": "eval_input", "xml": "xml_parser", "timeout": "request_without_timeout",
    "exposure": "bind_all", "log": "log_raw_value", "leak": "error_to_client", "regex": "regex_nested_repeat",
}  # fmt: skip
"""Rules of the taxonomy, and the kind that stands for each."""
TELLTALE = {
    "sha1": "sha1_hash", "SHA1": "sha1_hash", "mktemp": "mktemp", "extractall": "unchecked_archive",
    "extract": "unchecked_archive", "system": "os_system", "choice": "random_choice", "yaml": "yaml_load",
    "mark_safe": "mark_safe", "Markup": "mark_safe", "autoescape": "autoescape_off", "debug": "debug_server",
    "exec": "exec_text", "marshal": "marshal_load", "format_exc": "traceback_to_client",
    "urlopen": "connection_without_timeout", "_create_unverified_context": "unverified_context",
    "check_hostname": "unverified_context", "MODE_ECB": "ecb_mode", "makedirs": "wide_creation_mode",
}  # fmt: skip
"""Words of the fixed line by which another kind of the same rule is known."""

_WORD = re.compile(r"[^\W\d]\w*")
_OUTERMOST = re.compile(
    r"^(?:(?:async def|def|class)[ \t]+\w+|\w+(?=[ \t]*[:=])|(?:from|import)\b(?:[^(\n]*\([^)]*\)|[^\n]*))",
    re.MULTILINE,
)
"""What binds names at column 0; of an import also the names that it only passes through."""
_VERSION = re.compile(r"(?i)version|deprecat|hexversion|copyright")


@dataclass(frozen=True, slots=True)
class ClassifiedFix:
    """What a fix undoes, and the two texts that differ in nothing else."""

    kind: str
    category: str
    """"logic" or "security"."""
    buggy: str
    fixed: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    """Lexical tokens that the fix takes away, and those that it puts there."""


class UnclassifiedFix(ValueError):
    """The change undoes no kind; the message is the reason that is counted."""


def classify_fix(
    before: str, after: str, old_words: Mapping[str, int], new_words: Mapping[str, int]
) -> ClassifiedFix:
    """What the change of a function undoes; both texts compile. Raises UnclassifiedFix.

    old_words, new_words: how often each name stands in the whole file, before and after. The fixed side is `before`
    with the one edit made, so that a comment or docstring that changed as well says nothing.
    """
    if (pair := mutable_default(before, after)) is not None:
        return ClassifiedFix("mutable_default", "logic", before, after, *pair)
    edit = only_edit(before, after)
    if edit is None:
        raise UnclassifiedFix("more than one edit")
    if not edit.old and not edit.new:
        raise UnclassifiedFix("comments and docstrings only")
    fixed = made(before, after, edit)
    kind, category = _kind(edit, before, fixed, File(old_words, new_words))
    return ClassifiedFix(kind, category, before, fixed, edit.old, edit.new)


def words_of(text: str) -> Counter[str]:
    """How often each word stands in a file; with a colon behind it, how often its outermost level binds it."""
    words = Counter(_WORD.findall(text))
    for match in _OUTERMOST.finditer(text):
        words.update(f"{name}:" for name in _WORD.findall(match[0]))
    return words


def _kind(edit: FixEdit, before: str, fixed: str, file: File) -> tuple[str, str]:
    """(kind, category). Raises UnclassifiedFix."""
    header = _header(edit)
    if _is_self_parameter(edit, header):
        return "missing_self_parameter", "logic"
    if edit.at <= header:
        raise UnclassifiedFix("decorator, parameter or default changed")
    line = edit.line()
    if _VERSION.search(" ".join(line)):
        raise UnclassifiedFix("about versions")
    is_short = max(len(edit.old), len(edit.new)) <= LONGEST
    if is_short and (rules := repaired_rules(before, fixed)) and not repaired_rules(fixed, before):
        return _security_kind(rules[0], line), "security"
    if _says(line):
        raise UnclassifiedFix("message or log")
    for same in rotations(edit):
        if kind := shape(same, before, file):
            return kind, "logic"
    raise UnclassifiedFix("no shape of a kind")


def _header(edit: FixEdit) -> int:
    """Index of the last token of the function's header in `before`, its colon."""
    depth, seen = 0, False
    for place, token in enumerate(edit.before):
        seen = seen or token.text == "def"
        depth += token.text in ("(", "[", "{")
        depth -= token.text in (")", "]", "}")
        if seen and not depth and token.text == ":":
            return place
    return 0


def _is_self_parameter(edit: FixEdit, header: int) -> bool:
    if edit.at > header or edit.old or edit.new not in (("self", ","), ("self",)):
        return False
    return edit.at > 2 and edit.previous == "(" and edit.before[edit.at - 3].text == "def"


def _says(line: list[str]) -> bool:
    """Whether a line raises, asserts, warns, logs or prints."""
    if line[:1] and line[0] in ("raise", "assert"):
        return True
    place = line.index("(") if "(" in line else 0
    return bool(place) and line[place - 1] in SAYING


def _security_kind(rule: str, line: list[str]) -> str:
    return next((TELLTALE[word] for word in line if word in TELLTALE), SECURITY_KINDS[rule])
