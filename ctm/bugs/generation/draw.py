"""Mutants of one snippet: kinds drawn by weight, candidates spliced, each checked by the compiler before it is kept.

A snippet is lexed once and parsed at most once, however many mutants are drawn from it; everything random
comes from one generator, seeded by (seed, snippet) so that shards, workers and their order change nothing.
"""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections import Counter
from collections.abc import Iterator
from functools import partial
from itertools import accumulate
from random import Random
from typing import NamedTuple

from ctm.bugs.checks.changes import apart, changed_lines, leaves_trace, one_place
from ctm.bugs.checks.validity import ChangedLines, breaks_rule, code_of, mutant_reject_reason, quiet
from ctm.bugs.generation.clean import Clean, clean
from ctm.bugs.generation.mix import SORTS, BugMix
from ctm.bugs.generation.rates import CHECKED, DRAWN, DUPLICATES, MUTANTS, PASSED, SITES, TRAINING, Tally
from ctm.bugs.generation.security import SecurityPlaces
from ctm.bugs.generation.shapes import reshaped
from ctm.bugs.registry import CLEAN, MULTI_ERROR_SYNTAX, Kind, Mutation, apply
from ctm.bugs.settings import MutationSettings
from ctm.pairs.categories import categorize

TRIES = 3  # candidates of one kind looked at before another kind is drawn
_DRAWS = 12  # kinds tried for one mutant of several errors, half of them before one error is enough
_HELDOUT_DRAWS = 50  # the same held out, where rare kinds are tried often; in training all are tried
_REDRAWS = 4  # before all kinds are gone through for what is left


class Mutant(NamedTuple):
    """A checked mutant; a clean sample has both texts equal."""

    buggy: str
    fixed: str
    kind: str
    category: str


class SnippetMutants(NamedTuple):
    """What one snippet gave, (reason, kind) of each candidate that was dropped, and the counts of each kind."""

    kept: list[Mutant]
    dropped: list[tuple[str, str]]
    tally: Tally


def snippet_rng(seed: int, snippet_id: str) -> Random:
    """The generator of a snippet: the same for the same seed and snippet, whatever else is mutated."""
    return Random(
        int.from_bytes(hashlib.blake2b(f"{seed}:{snippet_id}".encode(), digest_size=16).digest(), "big")
    )


def mutate_text(
    text: str,
    rng: Random,
    mix: BugMix,
    count: int,
    settings: MutationSettings | None = None,
    held_out: bool = False,
) -> SnippetMutants:
    """Up to `count` samples of one snippet, all different.

    `held_out` draws all kinds alike (validation and test) instead of by weight. A text that does not compile gives
    nothing and one drop, "fixed side does not compile".
    """
    with quiet():
        original = clean(text)
        if original is None or not original.source.tokens:
            return nothing("fixed side does not compile" if original is None else "no code")
        return _SnippetSampler(original, rng, mix, settings or MutationSettings(), held_out).samples(count)


def survey_text(text: str, rng: Random, mix: BugMix, settings: MutationSettings) -> SnippetMutants:
    """Try every kind of the mix once on a snippet, or on a reshaped one as often as training does.

    The result keeps no mutants: its tally has 1 under "mutants" for a kind that gave one, and the categories that were
    tried under `asked`.
    """
    with quiet():
        original = clean(text)
        if original is None or not original.source.tokens:
            return nothing("fixed side does not compile" if original is None else "no code")
        return _SnippetSampler(original, rng, mix, settings, False).survey()


def nothing(reason: str) -> SnippetMutants:
    """What a snippet gave that no sample was asked of."""
    return SnippetMutants([], [(reason, "")], Tally())


def _lacks(base: Clean, kind: Kind) -> bool:
    """Whether a snippet surely has no place for a kind."""
    return bool(kind.needs) and kind.needs.isdisjoint(base.source.words)


class _SnippetSampler:
    """The samples of one snippet."""

    def __init__(
        self, original: Clean, rng: Random, mix: BugMix, settings: MutationSettings, held_out: bool
    ) -> None:
        self.original, self.rng, self.mix = original, rng, mix
        self.settings, self.held_out = settings, held_out
        shares = settings.heldout_shares if held_out else settings.shares
        self.security = shares.security > 0  # else a set without security samples would get a few by chance
        self.kept: list[Mutant] = []
        self.dropped: list[tuple[str, str]] = []
        self.seen: set[tuple[str, str]] = set()
        self.given: Counter[str] = Counter()  # samples with one error of each kind
        self.tally = Tally()
        self.security_places = SecurityPlaces(original.source, mix, settings, held_out)

    def samples(self, count: int) -> SnippetMutants:
        shares = self.settings.heldout_shares if self.held_out else self.settings.shares
        weights = self.security_places.weights(shares)
        sums = list(accumulate(weights))
        for seed in [self.rng.getrandbits(64) for _ in range(count)]:
            self.rng = Random(seed)  # what one sample draws does not move the next one's draws
            sort = SORTS[bisect(sums, self.rng.random() * sums[-1])]
            if sort == "security" and self.mix.hosting is not None:
                if self._security():
                    self.tally.sample(sort, True)
                    continue
                others = [
                    0.0 if name == sort else weight for name, weight in zip(SORTS, weights, strict=True)
                ]
                sums = list(accumulate(others))  # its places are used up
                if not sums[-1]:
                    self.dropped.append(("no mutation site", sort))
                    break
                sort = SORTS[bisect(sums, self.rng.random() * sums[-1])]
            if sort == "clean":
                self.tally.of(CLEAN)[DRAWN] += 1
                made = self._add_mutant("", self._clean_text(), CLEAN, "clean")
            else:
                made = self._mutant(sort)
            self.tally.sample(sort, made)
        return SnippetMutants(self.kept, self.dropped, self.tally)

    def survey(self) -> SnippetMutants:
        gave = Tally()
        for category in SORTS:
            kinds = self.mix.kinds(category)
            if category == "clean" or not kinds:
                continue
            gave.sample(category, True)
            if category == "security":
                for kind in self.security_places.kinds:
                    gave.of(kind.name)[MUTANTS] = int(self._single(self.original, kind))
                continue
            base = self._base(category, False)
            for kind in kinds:
                at = self._printing(base, kind)
                if not _lacks(at, kind):
                    self.seen.clear()
                    gave.of(kind.name)[MUTANTS] = int(self._single(at, kind))
        return SnippetMutants([], [], gave)

    def _security(self) -> bool:
        """One security sample of the snippet's own code."""
        return self.security_places.sample(
            self.rng, self.tally, lambda kind: self._single(self.original, kind)
        )

    def _clean_text(self) -> str:
        """Held out, the snippet as somebody wrote it; in training as often reshaped as broken code is."""
        if self.held_out:
            return self.original.text
        return self._base("syntax", False).text

    def _add_mutant(self, buggy: str, fixed: str, kind: str, category: str) -> bool:
        buggy = buggy or fixed
        counts = self.tally.of(kind)
        if (buggy, fixed) in self.seen:
            counts[DUPLICATES] += 1
            return False
        counts[MUTANTS] += 1
        counts[TRAINING] += not self.held_out
        self.seen.add((buggy, fixed))
        self.kept.append(Mutant(buggy, fixed, kind, category))
        return True

    def _base(self, category: str, prints: bool) -> Clean:
        """The snippet itself or a reshaped one."""
        share = self.settings.reshape if category == "syntax" else self.settings.reshape_logic
        if not prints and self.rng.random() >= share:
            return self.original
        for _ in range(3):
            # held out, the snippet stays whole: shapes alone would repeat between the splits
            text = reshaped(self.original.source, self.rng, prints, self.held_out)
            new = None if text is None else clean(text)
            if new is not None and not new.is_empty:
                return new
        return self.original

    def _printing(self, base: Clean, kind: Kind) -> Clean:
        """The base, or for the kind about prints one with a print."""
        if kind.name != "print_statement" or self.original.source.prints or base.source.prints:
            return base
        return self._base("syntax", True)

    def _another(self, category: str, base: Clean | None, failed: set[str]) -> Kind | None:
        """By weight, a kind that has not been tried and that the base may have a place for; None without any."""
        for _ in range(_REDRAWS):
            kind = self.mix.draw(category, False, self.rng)
            if kind is None or kind.name not in failed:
                return kind
        left = [
            kind
            for kind in self.mix.kinds(category)
            if kind.name not in failed
            and (base is None or kind.name == "print_statement" or not _lacks(base, kind))
        ]
        return self.mix.draw(category, False, self.rng, left) if left else None

    def _mutant(self, category: str) -> bool:
        several = 0
        if category == "syntax":
            two, three = self.settings.two_errors, self.settings.three_errors
            if self.held_out:
                two, three = self.settings.heldout_several * 0.75, self.settings.heldout_several * 0.25
            draw = self.rng.random()
            several = 2 if draw < two else 3 if draw < two + three else 0
        if category == "security":
            made = self._security()
            self.dropped += [] if made else [("no mutation site", category)]
            return made
        base: Clean | None = None
        draws = 0  # held out, also those of kinds that have failed: a kind is drawn as evenly as places allow
        failed: set[str] = set()
        for _ in range(_HELDOUT_DRAWS if self.held_out else 2 * len(self.mix.kinds(category))):
            if several and draws == _DRAWS // 2:  # a snippet of one line may have no room for two errors
                several = 0
                failed.clear()
            kind = self.mix.draw(category, self.held_out, self.rng)
            if kind is None:
                return False
            if kind.name in failed:
                kind = self._another(category, base, failed)
                if kind is None:
                    if several:
                        draws = _DRAWS // 2
                        continue
                    break
            draws += 1
            if not self.held_out:
                if not several and self.given[kind.name] >= self.settings.kind_per_snippet:
                    failed.add(kind.name)
                    continue
                failed.add(kind.name)
            self.tally.of(MULTI_ERROR_SYNTAX if several else kind.name)[DRAWN] += 1
            prints = kind.name == "print_statement" and not self.original.source.prints
            base = self._printing(base or self._base(category, prints), kind)
            if _lacks(base, kind):
                continue
            if several:
                if self._multiple_errors(base, kind, several):
                    return True
            elif self._single(base, kind):
                self.given[kind.name] += 1
                return True
        self.dropped.append(("no mutation site", category))
        return False

    def _single(self, base: Clean, kind: Kind) -> bool:
        candidates = kind.mutator(base.source, self.rng)
        if kind.traced and not self.held_out:  # held out, all places count: real bugs are no kinder
            candidates = (item for item in candidates if leaves_trace(base.source, item))
        for tried, candidate in enumerate(candidates):
            self.tally.of(kind.name)[SITES] += not tried
            made = self._made(base, candidate, kind)
            if made is not None:
                buggy, fixed, where = made
                category = kind.category
                if category == "logic" and self.security and breaks_rule(buggy, fixed, where):
                    category = "security"
                elif category == "logic" and (candidate.fixed or not one_place(base.source, candidate)):
                    category = categorize(buggy, fixed)
                if self._add_mutant(buggy, fixed, kind.name, category):
                    return True
            if tried + 1 >= TRIES:
                return False
        return False

    def _made(self, base: Clean, candidate: Mutation, kind: Kind) -> tuple[str, str, ChangedLines] | None:
        """(buggy, fixed, where) of a candidate that is what its kind says; else None, the reason noted."""
        buggy = apply(base.text, candidate.buggy)
        fixed = apply(base.text, candidate.fixed) if candidate.fixed else base.text
        where = partial(changed_lines, base.source, candidate, buggy, fixed)
        code = code_of(fixed) if candidate.fixed else base.code
        reason = mutant_reject_reason(buggy, fixed, code, kind.category, where)
        return (buggy, fixed, where) if self._passed(reason, kind.name) else None

    def _passed(self, reason: str, kind: str) -> bool:
        """Note a candidate that was checked; `reason` says why it was refused, "" that it passed."""
        counts = self.tally.of(kind)
        counts[CHECKED] += 1
        counts[PASSED] += not reason
        if reason:
            self.dropped.append((reason, kind))
        return not reason

    def _multiple_errors(self, base: Clean, kind: Kind, count: int) -> bool:
        """Two, three or (of one kind) up to four errors in one text."""
        same = self.rng.random() < self.settings.same_kind
        chosen: list[Mutation] = []
        for of, candidate in self._stream(base, kind, same):
            if all(apart(candidate, other) for other in chosen) and self._made(base, candidate, of):
                chosen.append(candidate)
                if len(chosen) == count + (same and count == 3):
                    break
        if len(chosen) < 2:
            return False
        self.tally.of(MULTI_ERROR_SYNTAX)[SITES] += 1
        fixed = apply(base.text, [splice for c in chosen for splice in (c.fixed or ())])
        buggy = apply(base.text, [splice for c in chosen for splice in c.buggy])
        passed = self._passed(
            mutant_reject_reason(buggy, fixed, code_of(fixed), "syntax"), MULTI_ERROR_SYNTAX
        )
        return passed and self._add_mutant(buggy, fixed, MULTI_ERROR_SYNTAX, "syntax")

    def _stream(self, base: Clean, kind: Kind, same: bool) -> Iterator[tuple[Kind, Mutation]]:
        """Candidates for several errors: of one kind, or the first or second of each of several kinds."""
        if same:
            for number, candidate in enumerate(kind.mutator(base.source, self.rng)):
                yield kind, candidate
                if number >= 7:
                    return
            return
        for _ in range(8):
            for number, candidate in enumerate(kind.mutator(base.source, self.rng)):
                yield kind, candidate
                if number or self.rng.random() < 0.7:
                    break
            for _ in range(_DRAWS):
                other = self.mix.draw("syntax", self.held_out, self.rng)
                if other is not None and not (other.needs and other.needs.isdisjoint(base.source.words)):
                    kind = other
                    break
