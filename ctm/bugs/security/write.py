"""How a security kind makes its pairs: from a snippet's secure code, or from its insecure code made secure.

A secure call of the snippet becomes insecure; or an insecure call of the snippet, where its repair is beyond doubt, is
the buggy side of a pair whose fixed side is the repaired snippet. Nothing is written in: of statements put where they
seemed to fit, two readers found one in ten both right and such as a person would write.

Contract: one buggy text has one repair, whichever kind and source it came from. So a secure pattern has no hole that
its insecure one lacks (nobody can guess a lost `$timeout`), and no two secure texts become the same insecure one.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Sequence
from random import Random

from ctm.bugs.registry import Mutation, Mutator, Splice, register, shuffled
from ctm.bugs.security.names import NAMES, examples
from ctm.bugs.security.rewrite import (
    Element,
    Match,
    SecurityPattern,
    filled,
    found,
    holes_of,
    pattern,
    splices,
    words_of,
)
from ctm.bugs.static_analysis.source import ParsedCode

Finder = Callable[[ParsedCode], Iterator[Mutation]]

_KINDS_OF: dict[str, set[str]] = {}  # kinds that may have a place of their own, by a word that they need
SHAPES: dict[str, tuple[tuple[tuple[str, str], ...], tuple[SecurityPattern, ...]]] = {}
"""Of each kind: statements of its shape (secure, insecure) and its patterns, for those who check them."""


def security(
    name: str,
    cwe: str,
    bandit: str,
    doc: str,
    written: Sequence[tuple[str, str]],
    rewrites: Sequence[SecurityPattern] = (),
    finder: Finder | None = None,
    finds: frozenset[str] = frozenset(),
    contract: str = "",
    suits: Callable[[ParsedCode], bool] | None = None,
) -> Mutator:
    """Register a security kind: statements (secure, insecure) of its shape, patterns and a finder of secure code.

    finds: words, or parts of names, one of which a snippet with a place has; empty where any may have one.
    `contract` becomes the mutator's docstring; `suits` says which snippets may be a place at all, None for each.
    """
    SHAPES[name] = tuple(written), tuple(rewrites)
    example = examples(holes_of(*written[0]), Random(0))

    def own(source: ParsedCode) -> Iterator[Mutation]:
        if suits and not suits(source):
            return
        yield from _found(source, rewrites)
        if finder:
            yield from finder(source)

    def mutator(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
        yield from shuffled(list(own(source)), rng)

    mutator.__doc__ = f"Contract: {contract}" if contract else None
    words = [words_of(rewrite.secure) for rewrite in rewrites]
    words += [words_of(rewrite.insecure) for rewrite in rewrites if rewrite.reversible]

    longest = frozenset(max(sorted(needed), key=len) for needed in words)  # most snippets have none of them

    for word in longest | finds:
        _KINDS_OF.setdefault(word, set()).add(name)
    if finder and not finds:
        _KINDS_OF.setdefault("", set()).add(name)

    def has_own(source: ParsedCode) -> bool:
        if finder and finds and finds.isdisjoint(source.words) and finds.isdisjoint(source.parts):
            return False
        may = finder or not longest.isdisjoint(source.words)
        if not may or not (finder or any(needed <= source.words for needed in words)):
            return False
        return next(own(source), None) is not None

    correct, buggy = (filled(text, example) for text in written[0])
    return register(
        name, "security", doc, correct, buggy, cwe=cwe, bandit=bandit, own=has_own,
    )(mutator)  # fmt: skip


def with_own(source: ParsedCode) -> set[str]:
    """Names of the kinds that may have a place in the snippet's own code, by one look at each of its words."""
    found = set(_KINDS_OF.get("", ()))
    for word in source.words | source.parts:
        if word in _KINDS_OF:
            found |= _KINDS_OF[word]
    return found


def _found(source: ParsedCode, rewrites: Sequence[SecurityPattern]) -> Iterator[Mutation]:
    for rewrite in rewrites:
        secure, insecure = pattern(rewrite.secure), pattern(rewrite.insecure)
        if words_of(rewrite.secure) <= source.words:
            for match in _shown(source, rewrite, secure):
                yield Mutation(tuple(_varied(source, splice) for splice in splices(match, secure, insecure)))
        if rewrite.reversible and words_of(rewrite.insecure) <= source.words:
            matches = list(_shown(source, rewrite, insecure))
            if len(matches) == 1:  # of several alike, which one is the defect?
                yield Mutation((), splices(matches[0], insecure, secure))


def _shown(source: ParsedCode, rewrite: SecurityPattern, wanted: tuple[Element, ...]) -> Iterator[Match]:
    for match in found(source, wanted):
        if rewrite.condition is None or rewrite.condition(source, match):
            yield match


def _varied(source: ParsedCode, splice: Splice) -> Splice:
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
