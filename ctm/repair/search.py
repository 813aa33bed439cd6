"""Best-first search for repairs of code that does not compile.

Of all texts that edits have led to so far, the most probable is looked at next. A text's score is the sum over the
edits that lead to it, of their log-probabilities less what their size costs: two likely edits win over one far-fetched
edit that happens to compile, and of two texts that compile the one nearer to the author's wins. Rewrites that need no
model (rewrites.py) are texts to go on from like any other.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

import numpy as np

from ctm.repair.candidates import AppliedEdit, Proposal
from ctm.repair.plausible import Costs
from ctm.repair.rewrites.registry import Rewritten
from ctm.repair.text_loss import TextLoss, text_loss

NEARBY = "single token"
"""What an edit of nearby.py is called."""


@dataclass(frozen=True, slots=True)
class RepairSearchSettings:
    """How broken code is searched; docs/log/2026-11-search.md has the table that these come from."""

    deletion: float = 0.8
    """Cost of a deleted cell, nats."""
    insertion: float = 0.8
    """Cost of an inserted cell, nats."""
    expanded: int = 8
    """States of a text that the model is asked about; then the best of what compiles is taken."""
    expanded_more: int = 4
    """Further states where several answers are wanted."""
    split: float = 1.5
    """Cost of a line that an edit of the model makes of another's end; nats."""
    has_budget: bool = True
    """Whether texts that lose more of the author's words than the budget of text_loss.py are refused."""
    nearby: bool = True
    """Whether single-token edits near the error are tried where nothing else compiles."""
    rewrites: bool = True
    """Whether rewrites that need no model are tried."""
    rewrite: float = 1.4
    """Cost of a rewrite, besides its own score; nats."""
    checked: int = 200
    """Texts of one search that the compiler is asked about."""
    floor: float = -16.0
    """Score below which a text is not followed, nats."""
    costs: Costs = Costs()
    """What speaks against a text that compiles."""
    broken: float = 4.0
    """Held against a text that was looked at and does not compile, nats: it owes a further edit. Of two
    texts as likely, the one that compiles is taken before the model is asked about the other."""
    unlikely: float = 1.5
    """What is held against a text that nobody has looked at when shares are worked out, nats: most do not compile."""


@dataclass(frozen=True, slots=True)
class SearchNode:
    """A text and the edits that lead to it."""

    text: str
    path: tuple[AppliedEdit, ...]
    score: float
    """Log-probability of all the edits together, less their cost; nats."""
    certainty: float = 1.0
    """Lowest certainty of the answers that led here."""
    loss: TextLoss | None = None
    """What it loses of the first text, and costs for it, once that was looked at."""
    broken_penalty: float | None = None
    """Where it was looked at and does not compile: what is held against it for that, nats."""

    @property
    def is_known(self) -> bool:
        """Whether the compiler was asked about it."""
        return self.loss is not None or self.broken_penalty is not None or not self.path

    @property
    def rank(self) -> float:
        """What it is compared with others by."""
        return self.score - (self.broken_penalty or 0.0)


class Frontier:
    """Texts that have not been looked at, the one with the highest score first; of equals the one that came first.

    A text is in it once, by the best way that led to it.
    """

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, SearchNode]] = []
        self._open: dict[str, SearchNode] = {}
        self._pushed = 0

    def push(self, leaf: SearchNode) -> None:
        """Add a text, unless it is there with as good a score."""
        known = self._open.get(leaf.text)
        if known is None or leaf.rank > known.rank:
            self._pushed += 1
            self._open[leaf.text] = leaf
            heapq.heappush(self._heap, (-leaf.rank, self._pushed, leaf))

    def pop(self) -> SearchNode | None:
        """Take out the best text; None where there is none left."""
        while self._heap:
            leaf = heapq.heappop(self._heap)[2]
            if self._open.get(leaf.text) is leaf:
                return self._open.pop(leaf.text)
        return None

    def share(self, leaf: SearchNode, found: Iterable[SearchNode] = (), unlikely: float = 0.0) -> float:
        """Probability of a text that was taken out, given that it, one of those still here or of `found` is right.

        unlikely: what is held against those here that were not looked at, nats.
        """
        others = 0.0
        for other in (*self._open.values(), *found):
            score = other.rank - (0.0 if other.is_known else unlikely)
            others += math.exp(min(score - leaf.score, 700.0))
        return 1.0 / (1.0 + others)


@dataclass(frozen=True, slots=True)
class FoundRepair:
    """A text that compiles."""

    leaf: SearchNode
    share: float
    """Its probability, given that it or one of the texts open at the time is right."""


class RepairSearch:
    """The search for one broken text.

    Who runs it asks the model about `next_text()` and gives the answer to `expand`.
    """

    def __init__(
        self,
        text: str,
        settings: RepairSearchSettings,
        passes: int,
        max_found: int,
        is_valid: Callable[[str], bool],
        fits: Callable[[str], bool],
    ) -> None:
        """passes: edits that may lead to a text. max_found: texts that compile which are looked for, at most.

        is_valid: whether a text is an answer. fits: whether the model can be asked about it.
        """
        self.settings, self.passes, self.max_found = settings, passes, max_found
        self.text = text
        self.found: list[FoundRepair] = []
        self.refused: SearchNode | None = None
        """The best text that compiles and loses too much of the author's."""
        self.proposals: list[Proposal] = []
        self._is_valid, self._fits = is_valid, fits
        self._frontier = Frontier()
        self._looked_at: set[str] = set()
        self._checked = 0
        self._current: SearchNode | None = None
        self._frontier.push(SearchNode(text, (), 0.0))

    @property
    def min_log_probability(self) -> float:
        """Log-probability from which an edit of the text that the model was asked about can matter."""
        return self.settings.floor - (self._current.score if self._current else 0.0)

    @property
    def is_used_up(self) -> bool:
        """Whether it ended because of a limit, not for want of candidates."""
        return len(self.proposals) >= self._limit or self._checked >= self.settings.checked

    @property
    def _limit(self) -> int:
        more = self.settings.expanded_more if self.max_found > 1 and self.found else 0
        return self.settings.expanded + more

    def push(self, leaves: Iterable[SearchNode]) -> None:
        """Add texts to go on from, those that were looked at left out."""
        for leaf in leaves:
            if leaf.text not in self._looked_at and leaf.score > self.settings.floor:
                self._frontier.push(leaf)

    def next_text(self) -> str | None:
        """The text to ask the model about; None at the end."""
        while self._checked < self.settings.checked and (leaf := self._frontier.pop()):
            self._looked_at.add(leaf.text)
            if not leaf.is_known:
                self._checked += 1
                if self._is_valid(leaf.text):
                    self._consider(leaf)
                elif self._may_ask(leaf):
                    self._frontier.push(replace(leaf, broken_penalty=self._further(leaf)))
                continue
            if leaf.loss is not None:
                before = [found.leaf for found in self.found]
                self.found.append(
                    FoundRepair(leaf, self._frontier.share(leaf, before, self.settings.unlikely))
                )
                if len(self.found) == self.max_found:
                    break
                continue
            if self._may_ask(leaf) and self._fits(leaf.text):
                self._current = leaf
                return leaf.text
        return None

    def _may_ask(self, leaf: SearchNode) -> bool:
        return len(leaf.path) < self.passes and len(self.proposals) < self._limit

    def _further(self, leaf: SearchNode) -> float:
        """What is held against a broken text: that it owes a further edit, and what further edits cost."""
        return self.settings.broken + self.settings.costs.further_edit * len(leaf.path)

    def _consider(self, leaf: SearchNode) -> None:
        """Put a text that compiles back with what its loss costs, or refuse it."""
        found = text_loss(self.text, leaf.text)
        if self.settings.has_budget and not self._unasked(leaf, found).is_within_budget:
            self.refused = self.refused or replace(leaf, loss=found)
            return
        cost = self.settings.costs(self.text, leaf.text, len(leaf.path), found)
        self._frontier.push(replace(leaf, score=leaf.score - cost, loss=found))

    def _unasked(self, leaf: SearchNode, found: TextLoss) -> TextLoss:
        """Of what a text loses, what the model took away: what a rewrite takes away is no code of the author's.

        That nothing is left at all counts whoever did it.
        """
        if not any(option.rewrite for option in leaf.path):
            return found
        words: list[str] = []
        before = self.text
        for option in leaf.path:
            words += () if option.rewrite else text_loss(before, option.text).words
            before = option.text
        return replace(found, words=tuple(words))

    def add_single_token_repairs(self, texts: Iterable[tuple[str, float]]) -> None:
        """End a search that found nothing with texts that compile and their scores."""
        for text, score in sorted(texts, key=lambda item: -item[1])[: self.max_found]:
            option = AppliedEdit.of_rewrite(NEARBY, text, score)
            leaf = SearchNode(text, (option,), score, loss=text_loss(self.text, text))
            self.found.append(FoundRepair(leaf, math.exp(score)))

    def expand(
        self, answer: Proposal, found: Iterable[AppliedEdit], rewrites: Iterable[Rewritten] = ()
    ) -> None:
        """Note the model's answer to `next_text()` and where its options and the rewrites of that text lead."""
        assert self._current is not None, "expand follows next_text"
        self.proposals.append(answer)
        edits = (option for option in found if option.is_edit)
        ways = {leaf.text: leaf for leaf in successors(self._current, answer, edits, self.settings)}
        for item in rewrites:
            leaf = _rewritten(self._current, item, self.settings)
            ways[leaf.text] = _either(leaf, ways.get(leaf.text))
        self.push(ways.values())
        self._current = None


def _rewritten(leaf: SearchNode, item: Rewritten, settings: RepairSearchSettings) -> SearchNode:
    """The text that a rewrite leads to from a leaf."""
    option = AppliedEdit.of_rewrite(*item)
    return SearchNode(
        item.text, (*leaf.path, option), leaf.score + item.score - settings.rewrite, leaf.certainty
    )


def _either(rewrite: SearchNode, edit: SearchNode | None) -> SearchNode:
    """A rewrite and an edit of the model that lead to one text are one way, with both probabilities.

    It counts as the rewrite: what that takes away is no code of the author's, whoever else proposes it.
    """
    return rewrite if edit is None else replace(rewrite, score=float(np.logaddexp(rewrite.score, edit.score)))


def _cost(text: str, option: AppliedEdit, settings: RepairSearchSettings) -> float:
    """What the size of an edit costs."""
    lines = option.text.count("\n") > text.count("\n")
    return settings.deletion * option.deleted + settings.insertion * option.inserted + settings.split * lines


def successors(
    leaf: SearchNode, answer: Proposal, found: Iterable[AppliedEdit], settings: RepairSearchSettings
) -> list[SearchNode]:
    """The texts that an answer's options lead to from a leaf; equal texts are one, with both probabilities."""
    best: dict[str, tuple[float, AppliedEdit]] = {}
    for option in found:
        score = option.candidate.log_probability
        known = best.get(option.text)
        if known is None:
            best[option.text] = score, option
        else:
            best[option.text] = float(np.logaddexp(score, known[0])), known[1]
    certainty = min(leaf.certainty, answer.certainty)
    return [
        SearchNode(
            text,
            (*leaf.path, option),
            leaf.score + score - _cost(leaf.text, option, settings),
            certainty,
        )
        for text, (score, option) in best.items()
    ]
