"""Near duplicates: what MinHash says is what a plain Jaccard similarity says, and no copy is left across splits."""

from __future__ import annotations

import itertools
import json
import random
import tokenize
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from ctm.pairs.build import PairSettings, build_pairs
from ctm.pairs.clean import clean_snippets
from ctm.pairs.near_duplicates import MinHasher, NearDuplicateFilter, NearSettings, chunks
from ctm.pairs.quality import QualitySettings
from ctm.pairs.record import (
    Origin,
    Pair,
    Snippet,
    make_pair,
    make_snippet,
    read_pairs,
    read_snippets,
    write_pairs,
    write_snippets,
)
from ctm.pairs.splits import SplitSettings, split_of

SPLITS = SplitSettings(seed=0, train=34, validation=33, test=33)
PROJECT = {split_of(name, SPLITS): name for name in map("p{}".format, range(50))}


def runs(text: str) -> set[tuple[str, ...]]:
    """Runs of five of the tokens that Python's own tokenizer finds, layout aside."""
    tokens = [token.string for token in tokenize.generate_tokens(StringIO(text).readline)]
    tokens = [token for token in tokens if token.strip()]
    return set(zip(*(tokens[i:] for i in range(5)), strict=False)) or {tuple(tokens)}


def jaccard(a: str, b: str) -> float:
    return len(runs(a) & runs(b)) / len(runs(a) | runs(b))


def function(rng: random.Random, lines: int = 24) -> str:
    names = [
        f"{word}_{rng.randrange(1000)}" for word in ("alpha", "beta", "gamma", "delta", "width", "total")
    ]
    body = [
        f"    {rng.choice(names)} = {rng.choice(names)} {rng.choice('+-*/%')} {rng.choice(names)}({rng.randrange(99)})"
        for _ in range(lines)
    ]
    return "\n".join([f"def {names[0]}({names[1]}, {names[2]}):", *body])


def changed(text: str, rng: random.Random) -> str:
    """The text with one line of its own."""
    lines = text.split("\n")
    lines[rng.randrange(1, len(lines))] = f"    log({rng.randrange(10**6)})"
    return "\n".join(lines)


def test_the_estimate_is_the_jaccard_similarity() -> None:
    rng = random.Random(3)
    sketcher = MinHasher(NearSettings())
    errors = []
    for _ in range(60):
        a = b = function(rng)
        for _ in range(rng.randrange(4)):
            b = changed(b, rng)
        first, second = sketcher.signatures([a, b])
        errors.append(float(np.mean(first == second)) - jaccard(a, b))
    assert abs(float(np.mean(errors))) < 0.02, "the estimate leans to no side"
    assert max(map(abs, errors)) < 0.16, "four standard errors at its widest"


def test_signatures_do_not_depend_on_their_neighbors_or_on_spacing() -> None:
    rng = random.Random(5)
    sketcher = MinHasher(NearSettings())
    texts = [function(rng), "", "x", "x = 1", "ä = 'ö\udc80'", "a\0b"]
    together = sketcher.signatures(texts)
    assert np.array_equal(together, np.concatenate([sketcher.signatures([text]) for text in texts]))
    spaced, tight = sketcher.signatures(["f( a,b )\n\n", "f(a, b)"])
    assert np.array_equal(spaced, tight)
    assert not np.array_equal(*sketcher.signatures(["ab c", "a bc"]))


def test_the_first_of_near_texts_passes_and_other_changes_stay_apart() -> None:
    rng = random.Random(7)
    text = function(rng)
    near, far = changed(text, rng), function(rng)
    first = NearDuplicateFilter(MinHasher(NearSettings()))
    assert jaccard(text, near) > 0.85 > jaccard(text, far)
    assert first.add([text, near, far], ["train"] * 3) == [None, "train", None]
    assert first.find([near]) == ["train"]
    apart = NearDuplicateFilter(MinHasher(NearSettings()))
    assert apart.add([text, near, near], ["train"] * 3, [1, 2, 1]) == [None, None, "train"]


def snippet(text: str, group: str) -> Snippet:
    return make_snippet(text, "function", group, Origin(project=group, license="MIT"))


def fix(text: str, split: str, rng: random.Random) -> Pair:
    buggy = text.replace(" = ", " -= ", 1 + rng.randrange(2))
    origin = Origin(project=PROJECT[split], license="MIT")
    return make_pair(
        buggy,
        text,
        category="",
        kind="release",
        source="release",
        split="",
        group=PROJECT[split],
        origin=origin,
    )


@pytest.mark.parametrize("near", [False, True])
def test_no_copy_is_left_across_splits(tmp_path: Path, near: bool) -> None:
    rng = random.Random(11)
    bases = [function(rng) for _ in range(45)]
    shared = {split: bases[10 * i : 10 * i + 15] for i, split in enumerate(("train", "validation", "test"))}
    raw = [
        snippet(changed(text, rng) if rng.random() < 0.7 else text, PROJECT[split])
        for split, texts in shared.items()
        for text in texts
    ]
    quality = QualitySettings(duplicates=NearSettings(near=near, joined_share=0))
    write_snippets(tmp_path / "raw.parquet", raw)
    clean = tmp_path / "clean.parquet"
    clean_snippets([tmp_path / "raw.parquet"], SPLITS, clean, tmp_path / "rejects.parquet", quality)
    mutants = [
        make_pair(
            item.text[:-1],
            item.text,
            category="syntax",
            kind="bracket",
            source="mutation",
            split=item.split,
            group=item.group,
            origin=item.origin,
        )
        for item in read_snippets(clean)
    ]
    fixes = [fix(changed(rng.choice(bases), rng), rng.choice(tuple(shared)), rng) for _ in range(30)]
    write_pairs(tmp_path / "mutants.parquet", mutants)
    write_pairs(tmp_path / "fixes.parquet", fixes)
    out = {name: tmp_path / f"{name}.parquet" for name in ("train", "validation", "test", "real")}
    rejects, counts = tmp_path / "pair_rejects.parquet", tmp_path / "counts.json"
    settings = PairSettings(per_kind=1000)
    build_pairs(
        [tmp_path / "mutants.parquet"],
        [tmp_path / "fixes.parquet"],
        SPLITS,
        settings,
        out,
        rejects,
        counts,
        quality=quality,
    )
    sides: dict[str, list[str]] = {split: [] for split in shared}
    for path in out.values():
        for pair in read_pairs(path):
            sides[pair.split] += [pair.fixed] if pair.source == "mutation" else [pair.fixed, pair.buggy]
    assert all(len(texts) >= 10 for texts in sides.values())
    overlap = [
        (a, b)
        for one, other in itertools.combinations(sides, 2)
        for a, b in itertools.product(sides[one], sides[other])
        if jaccard(a, b) >= 0.85
    ]
    assert bool(overlap) != near, f"{len(overlap)} copies across splits"
    if near:
        dropped = sum(row["n"] for row in json.loads(counts.read_text())["rejects"])
        kept = sum(1 for path in out.values() for _ in read_pairs(path))
        assert dropped + kept == len(mutants) + len(fixes), "nothing is dropped uncounted"


def test_chunks_hold_everything_once() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
