"""How a security kind makes its pairs: from secure code found, from insecure code made secure, or written in.

Three sources, in this order: a secure call of the snippet becomes insecure; an insecure call of the snippet, where its
repair is beyond doubt, is the buggy side of a pair whose fixed side is the repaired snippet; and in a snippet with
neither, a statement of a shape that people write is put between its statements, with names of the snippet among those
that such code usually has. The first two are rare in installed code (docs/bug_figures.md), so that most pairs are of
the third sort.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Sequence
from random import Random

from ctm.bugs.registry import Candidate, Mutator, Splice, register, shuffled
from ctm.bugs.rewrite import Rewrite, chosen, filled, found, holes_of, pattern, splices, words_of
from ctm.bugs.source import BLOCK_WORDS, Source

Finder = Callable[[Source], Iterator[Candidate]]

NAMES: dict[str, tuple[str, ...]] = {
    "url": ("url", "endpoint", "self.url", "link", "base_url"),
    "cmd": ("command", "cmd", "args", "self.command"),
    "user": ("username", "user_id", "name", "user", "email"),
    "value": ("value", "data", "item", "text", "key"),
    "file": ("filename", "path", "name", "file_name"),
    "out": ("result", "output", "response", "data", "value"),
    "folder": ("base_dir", "root", "upload_dir", "self.root", "directory"),
    "cursor": ("cursor", "cur", "self.cursor", "conn", "db"),
    "table": ("users", "orders", "items", "products", "sessions", "events"),
    "column": ("name", "id", "email", "user_id", "status", "title"),
    "data": ("data", "payload", "body", "raw", "content"),
    "secret": ("password", "api_key", "secret", "token", "self.secret"),
    "key": ("key", "secret_key", "self.key"),
    "log": ("logger", "log", "logging", "self.logger", "LOG"),
    "event": ("login failed for", "unknown user", "request from", "cannot open", "rejected", "deleted"),
    "tag": ("p", "b", "h1", "li", "td", "span", "div"),
    "env": ("PASSWORD", "DB_PASSWORD", "SECRET_KEY", "API_KEY", "ADMIN_PASSWORD"),
    "literal": ("secret", "hunter2", "admin123", "changeme", "s3cr3t", "letmein", "password1"),
    "app": ("app", "application", "server"),
    "pool": ("alphabet", "string.ascii_letters", "chars", "string.digits"),
    "size": ("32", "16", "8", "length", "64"),
    "program": ("ls", "grep", "tar", "convert", "ping", "git", "rm"),
    "do": ("cursor.execute", "cur.execute", "conn.execute", "db.execute", "session.execute"),
}
"""Words for the holes of what is written in, the usual ones of such code."""

SHAPES: dict[str, tuple[tuple[tuple[str, str], ...], tuple[Rewrite, ...]]] = {}
"""Of each kind: the statements that it writes in and its patterns, for those who check them."""

_OWN = {"user", "value", "file", "data", "url", "cmd"}  # holes for which names of the snippet serve
_NEVER = frozenset((*dir(builtins), "self", "cls"))


def security(
    name: str,
    cwe: str,
    bandit: str,
    doc: str,
    written: Sequence[tuple[str, str]],
    rewrites: Sequence[Rewrite] = (),
    finder: Finder | None = None,
) -> Mutator:
    """Register a security kind: statements (secure, insecure) to write in, patterns and a finder of secure code."""
    SHAPES[name] = tuple(written), tuple(rewrites)
    example = {hole: chosen(hole, NAMES.get(hole, (hole,)), Random(0)) for hole in holes_of(*written[0])}

    def own(source: Source) -> Iterator[Candidate]:
        yield from _found(source, rewrites)
        if finder:
            yield from finder(source)

    def mutator(source: Source, rng: Random) -> Iterator[Candidate]:
        places = list(own(source))
        yield from shuffled(places, rng) if places else _written(source, rng, written)

    def has_own(source: Source) -> bool:
        return next(own(source), None) is not None

    before, after = (filled(text, example) for text in written[0])
    return register(name, "security", doc, before, after, cwe=cwe, bandit=bandit, own=has_own)(mutator)


def _found(source: Source, rewrites: Sequence[Rewrite]) -> Iterator[Candidate]:
    for rewrite in rewrites:
        secure, insecure = pattern(rewrite.secure), pattern(rewrite.insecure)
        if words_of(rewrite.secure) <= source.words:
            for match in found(source, secure):
                yield Candidate(splices(match, secure, insecure))
        if rewrite.back and words_of(rewrite.insecure) <= source.words:
            for match in found(source, insecure):
                yield Candidate((), splices(match, insecure, secure))


def _written(source: Source, rng: Random, written: Sequence[tuple[str, str]]) -> Iterator[Candidate]:
    own = [name for name in source.names if name not in _NEVER and name[0].islower() and len(name) <= 16]
    for at, indent in shuffled(_gaps(source), rng):
        pair = rng.choice(written)
        values = {}
        for hole in holes_of(*pair):
            use_own = own and hole in _OWN and rng.random() < 0.4
            values[hole] = rng.choice(own) if use_own else chosen(hole, NAMES.get(hole, (hole,)), rng)
        secure, insecure = (
            "".join(indent + line + "\n" for line in filled(text, values).split("\n")) for text in pair
        )
        yield Candidate((Splice(at, at, insecure),), (Splice(at, at, secure),))


def _gaps(source: Source) -> list[tuple[int, str]]:
    """Starts of lines before which a statement can stand, with their indentation: none in the body of a class."""
    gaps, headers = [], [(line.indent, source.tokens[line.first].text) for line in source.lines]
    for number, line in enumerate(source.lines):
        first = source.tokens[line.first]
        if first.text in ("else", "elif", "except", "finally", "case", "@") or first.kind == "STRING":
            continue
        if first.text in BLOCK_WORDS and number and source.tokens[source.lines[number - 1].first].text == "@":
            continue
        around = next((word for indent, word in reversed(headers[:number]) if indent < line.indent), "")
        last = source.tokens[source.lines[number - 1].first].text if number else ""
        follows = number and source.lines[number - 1].indent == line.indent
        if around != "class" and not (follows and last in ("return", "raise", "break", "continue")):
            gaps.append((line.start, source.text[line.start : line.start + line.indent]))
    return gaps
