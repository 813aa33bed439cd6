"""Mutants of a shard of the snippets, made in killable workers and written as pairs, with everything that was dropped.

The result depends on the snippets, the settings and the mix only: not on the number of shards, workers or batches.
"""

from __future__ import annotations

import logging
import zlib
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from queue import SimpleQueue

import yaml

from ctm.bugs.draw import Mix, Mutant, Mutants, generator, mutate_text, nothing
from ctm.bugs.rates import DUPLICATES, Tally, figures_of
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.worker import Worker
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
    "Mix",
    "Mutant",
    "Mutants",
    "MutationSettings",
    "Shares",
    "generator",
    "load_mix",
    "mutate_shard",
    "mutate_text",
]

log = logging.getLogger(__name__)
STEP = "mutate"
FILTERS = "bugs 2"
"""Version of the mutators and their checks, kept with each pair."""


def load_mix(path: Path) -> Mix:
    """The mix of a YAML file `kind: weight`. Raises ValueError with the file's name for anything else."""
    weights = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    if not isinstance(weights, dict) or not all(
        isinstance(weight, (int, float)) for weight in weights.values()
    ):
        raise ValueError(f"{path}: a bug mix is a mapping of kinds to weights, like `missing_colon: 7`")
    try:
        return Mix(weights)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None


def mutate_shard(
    snippets: Path,
    shard: int,
    shards: int,
    settings: MutationSettings,
    mix: Path,
    out: Path,
    rejects: Path,
    counts: Path,
) -> dict[str, dict[str, int]]:
    """Write the pairs and rejects of the snippets that hash to `shard` (from 0) of `shards`, in their order.

    `counts` is a JSON file of the milestones, of what was asked for and of what each kind gave (`ctm.bugs.rates`).
    Returns "rejects" by reason and "totals" of snippets, pairs and lost workers. Raises ValueError for a mix that is
    none, RuntimeError where a worker cannot start.
    """
    weights = load_mix(mix)
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
        for snippet, result in _mutated(own(), settings, weights, totals):
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
            milestones.at(totals["snippets"] / number, pairs.rows, snippets=totals["snippets"])
    totals["pairs"] = pairs.rows
    log.info(
        "%d snippets gave %d pairs; dropped candidates: %s", totals["snippets"], pairs.rows, dict(reasons)
    )
    made = {"rejects": dict(sorted(reasons.items())), "totals": dict(totals)}
    milestones.write(counts, pairs.rows, {**figures_of(tally), **made})
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


def _mutated(
    snippets: Iterable[Snippet], settings: MutationSettings, mix: Mix, totals: Counter[str]
) -> Iterator[tuple[Snippet, Mutants | str]]:
    """Each snippet with its mutants, in order; a few batches are under way at a time."""
    workers = [Worker(settings, mix) for _ in range(max(1, settings.workers))]
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def run(batch: list[Snippet]) -> list[Mutants | str]:
        worker = free.get()
        try:
            return worker.run([(s.snippet_id, s.text, s.split in ("validation", "test")) for s in batch])
        finally:
            free.put(worker)

    under_way: deque[tuple[list[Snippet], Future[list[Mutants | str]]]] = deque()
    stream = iter(snippets)
    try:
        with ThreadPoolExecutor(len(workers)) as pool:
            while True:
                while len(under_way) < 2 * len(workers) and (batch := list(islice(stream, settings.batch))):
                    under_way.append((batch, pool.submit(run, batch)))
                if not under_way:
                    break
                batch, future = under_way.popleft()
                yield from zip(batch, future.result(), strict=True)
    finally:
        totals["lost workers"] = sum(worker.replaced for worker in workers)
        for worker in workers:
            worker.stop()
