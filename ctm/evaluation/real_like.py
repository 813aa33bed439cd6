"""Makes realistic broken code from held-out projects, to tune the search and the confidence on.

Kinds and numbers of errors come as in the training set, which follows real syntax errors in both; frozen test sets have
every kind alike. Nobody's real errors are used: those are for the report.
"""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from ctm.bugs.generation.draw import mutate_text
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.settings import MutationSettings, Shares
from ctm.repair.evaluate import Item

LINES = ((1, 0.22), (5, 0.45), (15, 0.31), (64, 0.02))
"""Longest text of each class of length, lines, and its share among the same."""


def real_like(texts: Mapping[str, str], mix: BugMix, count: int, seed: int) -> list[Item]:
    """Up to `count` syntax errors in `texts` (code that compiles), with the lengths and numbers of real ones.

    texts: with the project of each. mix: weights to draw by (`ctm.bugs.generation.quotas.drawing_mix`). What a class
        of length lacks the others do not make up.
    """
    rng = Random(seed)
    settings = MutationSettings(shares=Shares(syntax=1, logic=0, security=0, complex=0, clean=0))
    left = [round(count * share) for _, share in LINES]
    items: list[Item] = []
    seen: set[str] = set()
    order = sorted(texts)
    for _ in range(4):
        rng.shuffle(order)
        for text in order:
            if not any(left):
                return items
            for mutant in mutate_text(text, rng, mix, 1, settings).kept:
                lines = mutant.buggy.count("\n") + 1
                place = next((n for n, (most, _) in enumerate(LINES) if lines <= most), None)
                if place is None or not left[place] or mutant.buggy in seen:
                    continue
                left[place] -= 1
                seen.add(mutant.buggy)
                items.append(
                    Item(
                        str(len(items)),
                        mutant.buggy,
                        mutant.fixed,
                        "syntax",
                        mutant.kind,
                        project=texts[text],
                    )
                )
    return items
