"""How a security kind makes its pairs: from secure code found, from insecure code made secure, or written in.

Three sources, in this order: a secure call of the snippet becomes insecure; an insecure call of the snippet, where its
repair is beyond doubt, is the buggy side of a pair whose fixed side is the repaired snippet (both are the host "own");
and in a snippet with neither, a statement of a shape that people write is put where it fits ("fit",
ctm.bugs.security_hosts). Where a set has neither, it stands between any two statements, about variables that are bound
there ("unfit", ctm.bugs.security_names). How many pairs come from which:
docs/log/2026-11-bug-mix.md.

Contract: one buggy text has one repair, whichever kind and source it came from. So a secure pattern has no hole that
its insecure one lacks (nobody can guess a lost `$timeout`), and no two secure texts become the same insecure one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from random import Random

from ctm.bugs.registry import HOSTS, Candidate, Mutator, Splice, register, shuffled
from ctm.bugs.rewrite import Element, Match, Rewrite, filled, found, holes_of, pattern, splices, words_of
from ctm.bugs.security_hosts import clashes, hosted
from ctm.bugs.security_names import NAMES, Filler, examples
from ctm.bugs.source import BLOCK_WORDS, Source

Finder = Callable[[Source], Iterator[Candidate]]

_NO_GAP = frozenset(
    ("else", "elif", "except", "finally", "case", "@", "import", "from", "global", "nonlocal")
)
_KINDS_OF: dict[str, set[str]] = {}  # kinds that may have a place of their own, by a word that they need
SHAPES: dict[str, tuple[tuple[tuple[str, str], ...], tuple[Rewrite, ...]]] = {}
"""Of each kind: the statements that it writes in and its patterns, for those who check them."""


def security(
    name: str,
    cwe: str,
    bandit: str,
    doc: str,
    written: Sequence[tuple[str, str]],
    rewrites: Sequence[Rewrite] = (),
    finder: Finder | None = None,
    finds: frozenset[str] = frozenset(),
    contract: str = "",
    suits: Callable[[Source], bool] | None = None,
) -> Mutator:
    """Register a security kind: statements (secure, insecure) to write in, patterns and a finder of secure code.

    finds: words, or parts of names, one of which a snippet with a place has; empty where any may have one.
    `contract` becomes the mutator's docstring; `suits` says which snippets may be a place at all, None for each.
    """
    SHAPES[name] = tuple(written), tuple(rewrites)
    example = examples(holes_of(*written[0]), Random(0))

    def own(source: Source) -> Iterator[Candidate]:
        if suits and not suits(source):
            return
        yield from _found(source, rewrites)
        if finder:
            yield from finder(source)

    def found(source: Source, rng: Random) -> Iterator[Candidate]:
        yield from shuffled(list(own(source)), rng)

    def fit(source: Source, rng: Random) -> Iterator[Candidate]:
        if not suits or suits(source):
            yield from hosted(source, rng, name, written, _gaps)

    def unfit(source: Source, rng: Random) -> Iterator[Candidate]:
        if not suits or suits(source):
            yield from _written(source, rng, written)

    by_host = dict(zip(HOSTS, (found, fit, unfit), strict=True))

    def mutator(source: Source, rng: Random) -> Iterator[Candidate]:
        for make in by_host.values():
            candidates = make(source, rng)
            if (first := next(candidates, None)) is not None:
                yield from chain((first,), candidates)
                return

    mutator.__doc__ = f"Contract: {contract}" if contract else None
    words = [words_of(rewrite.secure) for rewrite in rewrites]
    words += [words_of(rewrite.insecure) for rewrite in rewrites if rewrite.back]

    longest = frozenset(max(sorted(needed), key=len) for needed in words)  # most snippets have none of them

    for word in longest | finds:
        _KINDS_OF.setdefault(word, set()).add(name)
    if finder and not finds:
        _KINDS_OF.setdefault("", set()).add(name)

    def has_own(source: Source) -> bool:
        if finder and finds and finds.isdisjoint(source.words) and finds.isdisjoint(source.parts):
            return False
        may = finder or not longest.isdisjoint(source.words)
        if not may or not (finder or any(needed <= source.words for needed in words)):
            return False
        return next(own(source), None) is not None

    before, after = (filled(text, example) for text in written[0])
    return register(
        name, "security", doc, before, after, cwe=cwe, bandit=bandit, own=has_own, hosts=by_host,
    )(mutator)  # fmt: skip


def with_own(source: Source) -> set[str]:
    """Names of the kinds that may have a place in the snippet's own code, by one look at each of its words."""
    found = set(_KINDS_OF.get("", ()))
    for word in source.words | source.parts:
        if word in _KINDS_OF:
            found |= _KINDS_OF[word]
    return found


def _found(source: Source, rewrites: Sequence[Rewrite]) -> Iterator[Candidate]:
    for rewrite in rewrites:
        secure, insecure = pattern(rewrite.secure), pattern(rewrite.insecure)
        if words_of(rewrite.secure) <= source.words:
            for match in _shown(source, rewrite, secure):
                yield Candidate(tuple(_varied(source, splice) for splice in splices(match, secure, insecure)))
        if rewrite.back and words_of(rewrite.insecure) <= source.words:
            matches = list(_shown(source, rewrite, insecure))
            if len(matches) == 1:  # of several alike, which one is the defect?
                yield Candidate((), splices(matches[0], insecure, secure))


def _shown(source: Source, rewrite: Rewrite, wanted: tuple[Element, ...]) -> Iterator[Match]:
    for match in found(source, wanted):
        if rewrite.shown is None or rewrite.shown(source, match):
            yield match


def _varied(source: Source, splice: Splice) -> Splice:
    """The same password in every place would be all that a model learns of them."""
    if '"secret"' not in splice.text:
        return splice
    literals = NAMES["literal"]
    around = source.text[max(0, splice.start - 60) : splice.start]
    return splice._replace(
        text=splice.text.replace(
            "secret", literals[zlib.crc32(around.encode("utf-8", "replace")) % len(literals)]
        )
    )


def _written(source: Source, rng: Random, written: Sequence[tuple[str, str]]) -> Iterator[Candidate]:
    shapes = [pair for pair in written if "self" in source.words or not any("self." in text for text in pair)]
    shapes = [pair for pair in shapes if not clashes(source, *pair)]
    for line, start, indent in shuffled(_gaps(source), rng) if shapes else ():
        pair = rng.choice(shapes)
        filler = Filler(source, rng, line)
        values = filler.values(*pair)
        secure, insecure = (
            "".join(indent + part + "\n" for part in filled(text, values).split("\n")) for text in pair
        )
        added = filler.parameters()
        yield Candidate((*added, Splice(start, start, insecure)), (*added, Splice(start, start, secure)))


@lru_cache(maxsize=8)
def _gaps(source: Source) -> list[tuple[int, int, str]]:
    """Logical lines before which a statement can stand, where it would begin, and its indentation.

    None in the body of a class, before a line of imports, or outside the function that the snippet is.
    """
    gaps, headers = [], [(-1, "")]  # of the blocks that a line stands in: indentation and first word
    for number, line in enumerate(source.lines):
        first = source.tokens[line.first]
        while headers[-1][0] >= line.indent:
            headers.pop()
        around = headers[-1][1]
        headers.append((line.indent, first.text))
        if first.text in _NO_GAP or first.kind == "STRING":
            continue
        before = source.lines[number - 1] if number else None
        if first.text in BLOCK_WORDS and before and source.tokens[before.first].text == "@":
            continue
        last = source.tokens[before.first].text if before else ""
        follows = before is not None and before.indent == line.indent
        if around != "class" and not (follows and last in ("return", "raise", "break", "continue")):
            start = _above_comments(source.text, line.start)
            gaps.append((number, start, source.text[line.start : line.start + line.indent]))
    inner = [gap for gap in gaps if gap[2]]
    whole = source.tokens[0].text in ("def", "class", "async", "@")
    return inner if inner and whole else gaps


def _above_comments(text: str, start: int) -> int:
    """Where the comments begin that stand right above a line, so that nothing comes between them and what they say."""
    while start:
        before = text.rfind("\n", 0, start - 1) + 1
        if not text[before:start].lstrip().startswith("#") or text[before : start - 1].count("\n"):
            return start
        start = before
    return start
