"""Masks secrets and e-mail addresses in code, the same on both sides of a pair.

One combined expression finds them, and only inside strings and comments: `a @ b.T` is code. What was found is replaced
wherever it stands on either side, so a side with an unclosed quote is masked too. A secret keeps its length and prefix,
an address becomes one of example.com, and code compiles as before. The second address or secret of a sort gets the
number 2, so that two stay two.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from ctm.python.compiling import compiles

SORTS = ("email", "key", "token", "private_key", "url_password", "assigned")
"""E-mail address; key or token of a known form; private key; password in a URL; random value assigned to a secret."""

_FOUND = re.compile(
    r"""
      (?P<private_key>-----BEGIN\ [A-Z ]*PRIVATE\ KEY-----[\\\w\s+/=:,.\-"']{16,8000}?(?=-----END|\Z))
    | (?P<key>\b(?:(?:AKIA|ASIA)[0-9A-Z]{16}|AIza[\w-]{35}|[sr]k_live_[0-9A-Za-z]{16,})\b)
    | (?P<token>\b(?:gh[pousr]_[0-9A-Za-z]{30,}|github_pat_\w{22,}|glpat-[\w-]{20,}|xox[abeoprs]-[\w-]{10,}
          |sk-(?:proj-|ant-)?[\w-]{20,}|pypi-Ag[\w-]{40,}|hf_[0-9A-Za-z]{30,}|npm_[0-9A-Za-z]{36}
          |eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}))
    | ://[^\s/:@"'{}<>%$]{1,64}:(?P<url_password>[^\s/:@"'{}<>%$]{3,64})@
    | (?P<email>(?<![\w.+%-])[A-Za-z0-9][\w.+-]{0,63}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}\b)
    """,
    re.VERBOSE,
)
_ASSIGNED = re.compile(
    r"""(?:passw(?:or)?d|secret|token|api_?key|access_?key|auth_?key)\w*["'\]]*\s*(?:=|:|,)\s*
        [bru]?(?P<quote>["'])(?P<assigned>(?=[^"']*\d)(?=[^"']*[A-Za-z])[0-9A-Za-z+/=_-]{20,200})(?P=quote)""",
    re.VERBOSE | re.IGNORECASE,
)
_HINTS = (
    *(
        "@",
        "PRIVATE KEY",
        "AKIA",
        "ASIA",
        "AIza",
        "k_live_",
        "ghp_",
        "gho_",
        "ghu_",
        "ghs_",
        "ghr_",
        "github_pat_",
    ),
    *("glpat-", "xox", "sk-", "pypi-Ag", "hf_", "npm_", "eyJ"),
)
_NAMES = ("passw", "secret", "token", "api_key", "apikey", "access_key", "accesskey", "auth_key", "authkey")
_TEXTUAL = re.compile(
    r"""\"\"\"(?:[^\\]|\\.)*?\"\"\" | '''(?:[^\\]|\\.)*?''' | \"(?:[^\\\"\n]|\\.)*\" | '(?:[^\\'\n]|\\.)*'
      | \#[^\n]*""",
    re.VERBOSE | re.DOTALL,
)
_HARMLESS = re.compile(
    r"(?i)@(?:[\w-]+\.)*(?:example\.(?:com|org|net)|[\w-]+\.(?:example|invalid|test|localhost))\Z"
)
_ESCAPE = re.compile(r"(?:\\\\)*\\\Z")
_HEAD = re.compile(
    r"(?:AKIA|ASIA|AIza|[sr]k_live_|gh[pousr]_|github_pat_|glpat-|xox[a-z]-|sk-|pypi-Ag|hf_|npm_|eyJ"
    r"|-----BEGIN [A-Z ]*-----)?"
)
_SOLID = re.compile(r"[^\s\\\"']")


def mask(*texts: str) -> tuple[list[str], Counter[str]]:
    """The texts (one snippet, or both sides of a pair) masked alike, and how many different values of each sort.

    Texts without any come back as they are. Raises ValueError where a text that compiled no longer does.
    """
    values: dict[str, str] = {}
    for text in texts:
        for value, sort in _values(text):
            values.setdefault(value, sort)
    if not values:
        return list(texts), Counter()
    masks: dict[str, str] = {}
    counts: Counter[str] = Counter()
    for value, sort in values.items():
        counts[sort] += 1
        masks[value] = _mask(value, sort, counts[sort])
    pattern = re.compile("|".join(re.escape(value) for value in sorted(masks, key=len, reverse=True)))
    masked = [pattern.sub(lambda match: masks[match.group()], text) for text in texts]
    for before, after in zip(texts, masked, strict=True):
        if compiles(before) and not compiles(after):
            raise ValueError("masking breaks it")
    return masked, counts


def _values(text: str) -> Iterator[tuple[str, str]]:
    """(value, sort) of what is to be masked, in order."""
    if any(hint in text for hint in _HINTS):
        for part in _TEXTUAL.finditer(text):
            for match in _FOUND.finditer(part.group()):
                sort = str(match.lastgroup)
                value = match[sort]
                if sort == "email":
                    if _ESCAPE.search(part.group(), 0, match.start()):
                        value = _after_escape(value)  # the n of "\nme@..." is no part of the address
                    if not value or _HARMLESS.search(value):
                        continue
                if not _is_masked(value):
                    yield value, sort
    lowered = text.lower()
    if any(name in lowered for name in _NAMES):
        for match in _ASSIGNED.finditer(text):
            if not _is_masked(match["assigned"]):
                yield match["assigned"], "assigned"


def _after_escape(value: str) -> str:
    rest = value[1:]
    return rest if rest and rest[0].isalnum() and "@" in rest else ""


def _is_masked(value: str) -> bool:
    body = value[_end_of_head(value) :]
    return set(_SOLID.findall(body)) <= set("X0123456789") and "XXX" in body


def _mask(value: str, sort: str, number: int) -> str:
    if sort == "email":
        return f"user{number if number > 1 else ''}@example.com"
    at = _end_of_head(value)
    body = _SOLID.sub("X", value[at:])
    if number > 1:
        body = body[: -len(str(number))] + str(number)
    return value[:at] + body


def _end_of_head(value: str) -> int:
    match = _HEAD.match(value)
    return match.end() if match else 0
