"""A shard end to end: the same pairs however it is cut, workers that are killed lose nothing, losses are counted."""

from __future__ import annotations

import inspect
import json
import os
import signal
import textwrap
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from ctm.bugs.generation.mix import BugMix
from ctm.bugs.generation.mutate import MutationSettings, mutate_shard
from ctm.bugs.generation.quotas import balance_mix
from ctm.bugs.generation.rates import (
    CHECKED,
    DUPLICATES,
    MIN_PASS_RATE,
    MIN_SUCCESS_RATE,
    MUTANTS,
    PASSED,
    TRAINING,
    read_rates,
)
from ctm.bugs.generation.worker import Worker
from ctm.bugs.registry import registry
from ctm.pairs.record import Origin, make_snippet, read_pairs, read_rejects, write_snippets

MIX_FILE = Path(__file__).resolve().parents[3] / "config" / "bug_mix.yaml"
TEXTS = [
    textwrap.dedent(inspect.getsource(member))
    for _, member in inspect.getmembers(textwrap.TextWrapper, inspect.isfunction)
] + [f"total = {n}\nfor item in items:\n    total += item.price({n})\nreport(total)" for n in range(12)]


@pytest.fixture(scope="module")
def snippets(tmp_path_factory):
    path = tmp_path_factory.mktemp("snippets") / "snippets.parquet"
    splits = ("train", "train", "test")
    write_snippets(
        path,
        [
            make_snippet(t, "function", "g", Origin(project="g", license="MIT"), splits[i % 3])
            for i, t in enumerate(TEXTS)
        ],
    )
    return path


def shard(snippets, folder, number, shards, settings):
    out, rejects = folder / f"{number}-{shards}.parquet", folder / f"{number}-{shards}.rejects.parquet"
    file = out.with_suffix(".counts.json")
    quotas = folder / "quotas.json"
    balance_mix(snippets, settings, MIX_FILE, quotas)
    made = mutate_shard(snippets, number, shards, settings, quotas, out, rejects, file)
    written = json.loads(file.read_text())
    assert written["items"] == made["totals"]["pairs"] and written["milestones"][-1]["milestone"] == "100%"
    return list(read_pairs(out)), list(read_rejects(rejects)), made


def test_result_does_not_depend_on_shards_workers_or_batches(snippets, tmp_path):
    whole, rejects, counts = shard(snippets, tmp_path, 0, 1, MutationSettings())
    parts = [shard(snippets, tmp_path, n, 2, MutationSettings(workers=2, batch=3)) for n in range(2)]
    key = lambda pair: (pair.pair_id, pair.kind)  # noqa: E731
    assert sorted(map(key, whole)) == sorted(key(pair) for part in parts for pair in part[0])
    assert len(rejects) == sum(len(part[1]) for part in parts) == sum(counts["rejects"].values())
    assert counts["totals"]["pairs"] == len(whole)
    assert {p.source for p in whole} == {"mutation"} and {p.origin.license for p in whole} == {"MIT"}
    assert {p.split for p in whole} == {"train", "test"}
    assert all((p.buggy == p.fixed) == (p.kind == "clean") for p in whole)
    of = lambda split: sum(p.split == split for p in whole)  # noqa: E731
    assert of("train") > 2 * of("train") / 3 and of("test") > of("train") / 2, "held-out snippets give more"


def test_counts_of_each_kind_lie_beside_the_shard_and_add_up(snippets, tmp_path):
    whole, rejects, _ = shard(snippets, tmp_path, 0, 1, MutationSettings())
    parts = [shard(snippets, tmp_path, n, 2, MutationSettings())[0] for n in range(2)]
    one = read_rates([tmp_path / "0-1.counts.json"])
    two = read_rates([tmp_path / "0-2.counts.json", tmp_path / "1-2.counts.json"])
    written = Counter(pair.kind for pair in whole)
    assert {kind: c[MUTANTS] for kind, c in one.kinds.items() if c[MUTANTS]} == written
    assert two.asked == one.asked and len(whole) == sum(map(len, parts))
    assert {k: [*c[:DUPLICATES], c[TRAINING]] for k, c in two.kinds.items()} == {
        k: [*c[:DUPLICATES], c[TRAINING]] for k, c in one.kinds.items()
    }
    refused = Counter(reject.reason == "no mutation site" for reject in rejects)
    asked = [counts for sort, counts in one.asked.items() if sort != "clean"]
    assert sum(a - made for a, made in asked) == refused[True], "a sample that failed is a reject"
    assert sum(c[CHECKED] - c[PASSED] for c in one.kinds.values()) == refused[False], (
        "so is a refused candidate"
    )
    assert (
        one.success_rate
        and one.success_rate > MIN_SUCCESS_RATE
        and one.pass_rate
        and one.pass_rate > MIN_PASS_RATE
    )
    repeated = len(whole) - len({pair.pair_id for pair in whole})
    assert sum(c[DUPLICATES] for c in one.kinds.values()) >= repeated


def test_counts_of_another_format_are_refused_with_the_file(tmp_path):
    (tmp_path / "a.json").write_text('{"format_version": 0}')
    with pytest.raises(ValueError, match=r"a\.json: expected counts of format 1"):
        read_rates([tmp_path / "a.json"])


def test_worker_that_is_killed_loses_nothing():
    settings = MutationSettings()
    mix = BugMix(dict.fromkeys(registry(), 1))
    tasks = [(str(n), text, False) for n, text in enumerate(TEXTS)]
    with Worker(settings, mix) as worker:
        first = worker.run(tasks)
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        assert worker.run(tasks) == first
        assert worker.replaced == 1


def test_snippet_that_takes_too_long_is_lost_alone_and_counted(snippets, tmp_path):
    _, rejects, counts = shard(
        snippets, tmp_path, 0, 4, replace(MutationSettings(), batch_seconds=1e-9, per_snippet=500)
    )
    assert (
        counts["rejects"].get("worker timed out", 0)
        == len([r for r in rejects if r.reason == "worker timed out"])
        > 0
    )
    assert counts["totals"]["lost workers"] > 0


def test_worker_without_memory_says_so():
    """Where Python starts at all in what it already has, a snippet of some megabytes is what does not fit."""
    worker = Worker(MutationSettings(worker_mb=1), BugMix({"missing_colon": 1}))
    try:
        assert worker.run([("id", "x = " + "1 + " * 2_000_000 + "1", False)]) == ["worker died"]
    except RuntimeError as error:
        assert "raise bugs.worker_mb (now 1 MB)" in str(error), error
