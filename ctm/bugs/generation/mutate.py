"""Mutants of a shard of the snippets, made in killable workers and written as pairs, with everything that was dropped.

The result depends on the snippets, the settings and the quotas (`ctm.bugs.generation.quotas`) only: not on the number
of shards, workers or batches.
"""

from __future__ import annotations

import logging
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from ctm.bugs.generation.draw import Mutant, SnippetMutants, mutate_text, nothing, snippet_rng
from ctm.bugs.generation.mix import BugMix, load_mix
from ctm.bugs.generation.quotas import drawing_mix, read_quotas
from ctm.bugs.generation.rates import DUPLICATES, Tally, figures_of
from ctm.bugs.generation.worker import mutate_in_workers
from ctm.bugs.settings import MutationSettings, Shares
from ctm.pairs.milestones import Milestones
from ctm.pairs.record import (
    PAIR_SCHEMA,
    REJECT_SCHEMA,
    Pair,
    Reject,
    Snippet,
    Writer,
    make_pair,
    read_snippets,
)

__all__ = [
    "BugMix",
    "Mutant",
    "MutationSettings",
    "Shares",
    "SnippetMutants",
    "load_mix",
    "mutate_shard",
    "mutate_text",
    "snippet_rng",
]

log = logging.getLogger(__name__)
STEP = "mutate"
FILTERS = "bugs 2"
"""Version of the mutators and their checks, kept with each pair."""


def mutate_shard(
    snippets: Path,
    shard: int,
    shards: int,
    settings: MutationSettings,
    quotas: Path,
    out: Path,
    rejects: Path,
    counts: Path,
) -> dict[str, dict[str, int]]:
    """Write the pairs and rejects of the snippets that hash to `shard` (from 0) of `shards`, in their order.

    `quotas` is what `balance_mix` wrote. `counts` is a JSON file of the milestones, of what was asked for and of what
    each kind gave (`ctm.bugs.generation.rates`). Returns "rejects" by reason and "totals" of snippets, pairs and lost
    workers. Raises ValueError for quotas of another format, RuntimeError where a worker cannot start.
    """
    asked = read_quotas(quotas)
    tally = Tally()
    known: set[int] = set()
    reasons: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    milestones = Milestones()

    def own(columns: Sequence[str] | None = None) -> Iterator[Snippet]:
        found = read_snippets(snippets, columns)
        return (s for s in found if zlib.crc32(s.snippet_id.encode()) % shards == shard)

    number = sum(1 for _ in own(["snippet_id"]))
    with Writer(out, PAIR_SCHEMA) as pairs, Writer(rejects, REJECT_SCHEMA) as refused:
        for snippet, result in mutate_in_workers(own(), settings, drawing_mix(asked), totals):
            totals["snippets"] += 1
            if isinstance(result, str):
                result = nothing(result)
            tally.add(result.tally)
            for mutant in result.kept:
                pair = _pair(snippet, mutant)
                pairs.write(pair)
                key = int(pair.pair_id[:16], 16)  # 64 bits tell the pairs of a shard apart
                tally.of(mutant.kind)[DUPLICATES] += key in known
                known.add(key)
            for reason, kind in result.dropped:
                refused.write(Reject(STEP, reason, snippet.snippet_id, snippet.group, kind))
                reasons[reason] += 1
            milestones.record(totals["snippets"] / number, pairs.rows, snippets=totals["snippets"])
    totals["pairs"] = pairs.rows
    log.info(
        "%d snippets gave %d pairs; dropped candidates: %s", totals["snippets"], pairs.rows, dict(reasons)
    )
    made = {"rejects": dict(sorted(reasons.items())), "totals": dict(totals)}
    figures = {**figures_of(tally), "quotas": {name: asdict(quota) for name, quota in asked.items()}, **made}
    milestones.write(counts, pairs.rows, figures)
    return made


def _pair(snippet: Snippet, mutant: Mutant) -> Pair:
    return make_pair(
        mutant.buggy,
        mutant.fixed,
        category=mutant.category,
        kind=mutant.kind,
        source="mutation",
        split=snippet.split,
        group=snippet.group,
        origin=snippet.origin,
        filters=FILTERS,
    )
