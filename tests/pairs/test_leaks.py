"""The recount finds copies that are there, each by the way it is one, and none in what build_pairs writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctm.pairs.leaks import count_leaks
from ctm.pairs.record import Origin, Pair, make_pair, write_pairs

LONG = "\n".join(f"    v{n} = f{n}(v{n - 1}, {n}) + g(v{n})" for n in range(1, 30))
TEXTS = {
    "exact": f"def same(v0):\n{LONG}",
    "but for names": f"def one(v0):\n{LONG}\n    return v3",
    "near": f"def near(v0):\n{LONG}\n    return h(v0)",
}
COPIES = {
    "exact": TEXTS["exact"],
    "but for names": TEXTS["but for names"].replace("one(v0)", "other( v0 )").replace("f3", "k3")
    + "  # copied",
    "near": TEXTS["near"].replace("f7(v6, 7)", "f7(v6, 8)"),
}


def mutant(fixed: str, split: str) -> Pair:
    return make_pair(
        fixed[:-1],
        fixed,
        category="syntax",
        kind="bracket",
        source="mutation",
        split=split,
        group="p",
        origin=Origin(project="p", license="MIT"),
    )


def found(folder: Path, copies: list[str], sample: int = 10**6) -> dict:
    paths = [folder / "train.parquet", folder / "test.parquet"]
    write_pairs(paths[0], [mutant(text, "train") for text in copies])
    write_pairs(paths[1], [mutant(f"t{n} = {n}", "test") for n in range(5)])
    suite = folder / "suite.jsonl"
    suite.write_text("".join(json.dumps({"buggy": "x = (", "fixed": text}) + "\n" for text in TEXTS.values()))
    return count_leaks(paths, {"mini": suite}, sample)


@pytest.mark.parametrize("way", COPIES)
def test_a_copy_is_counted_once_by_the_first_way_that_holds(tmp_path: Path, way: str) -> None:
    leaks = found(tmp_path, [COPIES[way], "own = 1", "t9 = 10"])
    rows = {(row["split"], row["copies in"]): row for row in leaks["table"]}
    assert rows.keys() == {
        ("train", "validation"), ("train", "test"), ("validation", "test"),
        *((split, "suite mini") for split in ("train", "validation", "test")),
    }  # fmt: skip
    suite = rows["train", "suite mini"]
    assert suite == {"split": "train", "copies in": "suite mini"} | {
        name: int(name == way) for name in COPIES
    }
    assert rows["train", "test"]["exact"] == rows["train", "test"]["near"] == 0
    assert leaks["texts"] == {"train": 3, "test": 5}


def test_short_texts_that_are_alike_but_for_a_number_are_none(tmp_path: Path) -> None:
    leaks = found(tmp_path, ["t9 = 10"])
    assert all(row[way] == 0 for row in leaks["table"] for way in COPIES)


def test_of_training_a_sample_is_compared_and_equal_texts_are_found_in_all(tmp_path: Path) -> None:
    leaks = found(tmp_path, [*COPIES.values(), *(f"own = {n}" for n in range(400))], sample=40)
    assert leaks["texts"]["train"] == 403 and 15 < leaks["compared"]["train"] < 80
    assert leaks["compared"]["test"] == leaks["texts"]["test"]
    assert next(row for row in leaks["table"] if row["copies in"] == "suite mini")["exact"] == 1
