"""Names and texts for what a security kind writes into a snippet: variables bound at the place, words of the snippet.

A template with a handful of names would be learned by heart. So inputs are variables that are bound there and whose
name fits; where there is none, the function gets a parameter for it; results, tables, columns, messages, files and
passwords are made of the words of which the snippet's own names are made.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterable
from functools import lru_cache
from random import Random

from ctm.bugs.registry import Splice
from ctm.bugs.security.rewrite import CHOICES, chosen, holes_of
from ctm.bugs.static_analysis.lazy import lazy
from ctm.bugs.static_analysis.source import Source

NAMES: dict[str, tuple[str, ...]] = {
    "url": ("url", "endpoint", "link", "base_url", "uri"),
    "cmd": ("command", "cmd", "command_line"),
    "user": ("username", "user_id", "name", "user", "email"),
    "value": ("value", "item", "text", "comment", "title"),
    "file": ("filename", "path", "file_name", "target"),
    "folder": ("base_dir", "root", "upload_dir", "directory", "folder"),
    "data": ("data", "payload", "body", "raw", "content"),
    "secret": ("password", "secret", "token", "passphrase"),
    "key": ("key", "secret_key", "aes_key"),
    "host": ("host", "hostname", "server"),
    "port": ("port", "server_port"),
    "out": ("result", "output", "response", "loaded", "found"),
    "number": ("count", "port", "age", "size", "limit", "index"),
    "real": ("ratio", "price", "weight", "rate", "scale"),
    "table": ("users", "orders", "items", "products", "sessions", "events"),
    "column": ("name", "email", "owner", "status", "title", "code"),
    "log": ("logger", "log", "logging", "LOG"),
    "event": ("login failed for", "unknown user", "request from", "cannot open", "rejected", "deleted"),
    "failure": ("request failed", "cannot load settings", "upload failed", "invalid input"),
    "call": ("handle", "process", "load", "dispatch", "run_job"),
    "tag": ("p", "b", "h1", "h2", "li", "td", "span", "div", "em", "label"),
    "holder": ("password", "db_password", "api_key", "secret_key", "smtp_password", "access_token"),
    "literal": ("hunter2", "admin123", "changeme", "s3cr3t", "letmein", "password1", "qwerty", "root1234"),
    "app": ("app", "application"),
    "pool": ("string.ascii_letters", "string.digits", "string.ascii_lowercase", "string.hexdigits"),
    "size": ("32", "16", "8", "12", "24", "64"),
    "program": (
        "ls",
        "grep",
        "tar",
        "convert",
        "ping",
        "git",
        "rm",
        "cat",
        "gzip",
        "ffmpeg",
        "unzip",
        "file",
    ),
    "driver": ("cursor.execute", "cur.execute"),  # drivers of servers, which write %s
    "sqlite": ("conn.execute", "db.execute", "connection.execute"),  # sqlite3, which writes ?
    "tar": ("tar", "tf", "tarball"),
    "stem": ("output", "data", "cache", "work", "report"),
}
"""Words for the holes of what is written in, the usual ones of such code; `env` follows `holder`."""

_FITS = {
    "url": "url|uri|link|endpoint|address",
    "cmd": "cmd|command|argv",
    "user": "user|name|login|email|owner|title|label|ident",
    "value": "value|text|title|label|comment|message|msg|item|name|key|line|word|val|string",
    "file": "file|path|fname|fn|name|src|dst|target|source",
    "folder": "dir|root|folder|base|prefix|cwd|home|parent",
    "data": "data|body|buf|content|payload|raw|text|bytes|string|source|stream|msg|message|line|doc|blob",
    "secret": "pass|secret|token|pwd",
    "key": "key",
    "host": "host|server|addr",
    "port": "port",
}  # inputs, and of which variables of the snippet each may be
_FITTING = {
    hole: re.compile(rf"(?:^|_)(?:{words})s?(?:$|_|\d)", re.IGNORECASE) for hole, words in _FITS.items()
}
_SURE = {
    **_FITS,
    "user": "user|name|login|email|owner|username|userid|user_id",
    "value": "value|text|title|label|comment|message|msg|name|query|term",
    "file": "file|path|fname|filename|filepath|fullpath|archive|tarball|script",
    "folder": "dir|root|folder|directory|dirname|base_dir|cwd",
    "data": "data|body|content|contents|payload|raw|bytes|blob|buf|text",
}  # the same for a statement that has to fit: of no doubt, and one thing alone
_SURELY = {hole: re.compile(rf"(?:^|_)(?:{words})$", re.IGNORECASE) for hole, words in _SURE.items()}
INPUTS = frozenset(_FITS)
"""Holes that stand for a variable of the snippet."""
OWNERS = {
    "driver": ("cursor", "cur", "c"),
    "sqlite": ("conn", "db", "connection", "con", "cursor"),
    "log": ("logger", "log", "logging", "LOG", "_logger", "_LOGGER", "LOGGER"),
    "app": ("app", "application"),
    "tar": ("tar", "tf", "tarball", "archive"),
}
"""Holes that stand for an object of the snippet, and its usual names."""
_NEVER = frozenset((*dir(builtins), "self", "cls"))
_WORD = re.compile(r"[a-z]{3,10}")
_PLAIN = frozenset(("self", "cls", "none", "true", "false", "def", "return", "import", "args", "kwargs", "the",
                    "select", "insert", "update", "delete", "from", "where", "table", "order", "group", "into",
                    "values", "password", "secret", "token"))  # fmt: skip
_FIXED = frozenset(("property", "cached_property", "getter", "setter", "deleter"))
_VERBS = (
    "cannot open",
    "cannot read",
    "no such",
    "unknown",
    "rejected",
    "invalid",
    "bad",
    "loading",
    "missing",
)
_FAILED = ("cannot load", "cannot read", "cannot update", "cannot parse", "cannot find", "invalid")


@lru_cache(maxsize=65536)
def surely(hole: str, name: str) -> bool:
    """Whether a variable is, by its name, what a hole stands for."""
    return _SURELY[hole].search(name) is not None


def examples(holes: Iterable[str], rng: Random) -> dict[str, str]:
    """A usual word for each hole, without a snippet."""
    values = {hole: chosen(hole, NAMES.get(hole, (hole,)), rng) for hole in holes}
    if "env" in values:
        values["env"] = values.get("holder", values.get("secret", "password")).upper()
    return values


class Filler:
    """Fills the holes of one statement that is to stand before a logical line of a snippet."""

    def __init__(self, source: Source, rng: Random, line: int) -> None:
        self.source, self.rng, self.line = source, rng, line
        number = source.text.count("\n", 0, source.tokens[source.lines[line].first].start) + 1
        self.bound = [
            name
            for name in source.variables.bound.get(number, ())
            if name not in _NEVER and name[0].islower() and len(name) <= 20
        ]
        self.new: list[str] = []
        self.taken: set[str] = set()

    def values(self, *texts: str) -> dict[str, str]:
        """A text for each hole of the texts, the same for both."""
        values: dict[str, str] = {}
        for hole in holes_of(*texts):
            values[hole] = self._input(hole) if hole in _FITS else self.made(hole)
        if "env" in values:
            values["env"] = values.get("holder", values.get("secret", "password")).upper()
        return values

    def _input(self, hole: str) -> str:
        fitting = [name for name in self.bound if name not in self.taken and _FITTING[hole].search(name)]
        if fitting:
            name = self.rng.choice(fitting)
        else:
            words = [word for word in NAMES[hole] if word not in self.source.words and word not in self.taken]
            name = self.rng.choice(words or NAMES[hole])
            if self.words and (not words or self.rng.random() < 0.5):
                name = f"{self.rng.choice(self.words)}_{name}"
            self.new.append(name)
        self.taken.add(name)
        return name

    def fitting(self, hole: str, names: Iterable[str]) -> list[str]:
        """Those of the names that an input surely is."""
        return [
            name for name in dict.fromkeys(names) if name not in self.taken and _SURELY[hole].search(name)
        ]

    def owners(self, hole: str) -> list[str]:
        """Names that the snippet has for an object, with `self.` where it is an attribute."""
        tokens = self.source.tokens
        found: dict[str, None] = {}
        if hole in ("driver", "sqlite") and self.source.words.isdisjoint(("execute", "cursor", "cur")):
            return []
        for name in OWNERS[hole]:
            for at in (
                (n for n, token in enumerate(tokens) if token.text == name)
                if name in self.source.words
                else ()
            ):
                owner = tokens[at - 2].text if at > 1 and tokens[at - 1].text == "." else ""
                if owner in ("", "self", "cls"):
                    found[f"{owner}.{name}" if owner else name] = None
                    break
        return [f"{name}.execute" for name in found] if hole in ("driver", "sqlite") else list(found)

    def made(self, hole: str) -> str:
        rng, words = self.rng, self.words
        usual = chosen(hole, NAMES.get(hole, (hole,)), rng)
        if hole in CHOICES or not words or rng.random() < 0.25:
            return self._fresh(usual) if hole == "out" else usual
        word = rng.choice(words)
        match hole:
            case "out" | "number" | "real":
                return self._fresh(f"{word}_{usual}")
            case "table":
                return word if word.endswith("s") else word + "s"
            case "column" | "stem":
                return word
            case "event":
                return f"{rng.choice(_VERBS)} {word}"
            case "failure":
                return f"{rng.choice(_FAILED)} {word}"
            case "holder":
                return usual if "_" in usual else f"{word}_{usual}"
            case "literal":
                return f"{word}{rng.choice(('', '_', '-', '!'))}{rng.randrange(1, 9999)}"
            case "call":
                return rng.choice(self.callees or [f"{usual.split('_')[0]}_{word}"])
        return usual

    def _fresh(self, name: str) -> str:
        """A name that hides none of the snippet's."""
        while name in self.source.words or name in self.taken:
            name = "new_" + name
        self.taken.add(name)
        return name

    @lazy
    def words(self) -> list[str]:
        """Words of which the snippet's identifiers are made."""
        found = dict.fromkeys(
            word
            for name in self.source.names
            if name not in _NEVER
            for word in _WORD.findall(re.sub(r"([A-Z])", r"_\1", name).lower())
        )
        return [word for word in found if word not in _PLAIN]

    @lazy
    def callees(self) -> list[str]:
        """Functions that the snippet calls by a plain name."""
        tokens = self.source.tokens
        found = (
            tokens[call.open - 1].text
            for call in self.source.calls
            if call.open < 2 or tokens[call.open - 2].text != "."
        )
        return [
            n
            for n in dict.fromkeys(found)
            if n.isidentifier() and n not in _NEVER and n[0].islower() and len(n) < 24
        ]

    def parameters(self) -> tuple[Splice, ...]:
        """What makes the new inputs parameters of the function around the line; nothing outside of one."""
        source, tokens = self.source, self.source.tokens
        indent = source.lines[self.line].indent
        for line in reversed(source.lines[: self.line]):
            if line.indent >= indent:
                continue
            indent = line.indent
            first = line.first + (tokens[line.first].text == "async")
            if tokens[first].text == "def" and self.new:
                if tokens[line.first - 1].text in _FIXED and tokens[line.first - 2].text in ("@", "."):
                    break  # nobody can give it an argument
                return self._parameters(first + 2)
            if tokens[first].text == "class":
                break
        return ()

    def _parameters(self, opening: int) -> tuple[Splice, ...]:
        tokens, new = self.source.tokens, ", ".join(dict.fromkeys(self.new))
        if tokens[opening].text != "(":
            return ()  # a generic function: `def f[T](x)`
        first = tokens[opening + 1]
        if first.text in ("self", "cls", "mcs"):
            return (Splice(first.end, first.end, ", " + new),)
        return (Splice(first.start, first.start, new if first.text == ")" else new + ", "),)
