import json
from collections import Counter
from pathlib import Path

import pytest

from ctm.pairs.build import PairSettings, _equal_share, build_pairs
from ctm.pairs.record import Origin, Pair, make_pair, read_pairs, read_rejects, write_pairs
from ctm.pairs.splits import SplitSettings, split_of

SPLITS = SplitSettings(seed=0, train=34, validation=33, test=33)
PROJECT = {split_of(name, SPLITS): name for name in map("p{}".format, range(50))}
SETS = ("train", "validation", "test", "real")


def mutant(buggy: str, fixed: str, kind: str, category: str, split: str = "train") -> Pair:
    return make_pair(
        buggy,
        fixed,
        category=category,
        kind=kind,
        source="mutation",
        split=split,
        group=PROJECT[split],
        origin=Origin(project=PROJECT[split], license="MIT"),
    )


def fix(buggy: str, fixed: str, split: str, license: str = "MIT") -> Pair:
    return make_pair(
        buggy,
        fixed,
        category="",
        kind="release",
        source="release",
        split="",
        group=PROJECT[split],
        origin=Origin(project=PROJECT[split], license=license),
    )


def build(
    folder: Path,
    mutants: list[Pair],
    real: list[Pair],
    settings: PairSettings = PairSettings(),  # noqa: B008
) -> tuple[dict[str, list[Pair]], Counter[str], dict[str, object]]:
    write_pairs(folder / "mutants.parquet", mutants)
    write_pairs(folder / "fixes.parquet", real)
    out = {name: folder / f"{name}.parquet" for name in SETS}
    rejects, counts = folder / "rejects.parquet", folder / "counts.json"
    build_pairs(
        [folder / "mutants.parquet"], [folder / "fixes.parquet"], SPLITS, settings, out, rejects, counts
    )
    sets = {name: list(read_pairs(path)) for name, path in out.items()}
    reasons = Counter(item.reason for item in read_rejects(rejects))
    assert sum(map(len, sets.values())) + reasons.total() == len(mutants) + len(real), (
        "something left uncounted"
    )
    return sets, reasons, json.loads(counts.read_text())


def test_the_same_buggy_text_with_two_fixes_leaves_the_set(tmp_path: Path) -> None:
    mutants = [
        mutant("f(x", "f(x)", "bracket", "syntax"),
        mutant("f(x", "f(x, 1)", "noise", "syntax"),
        mutant("g(x", "g(x)", "bracket", "syntax"),
        mutant("g(x", "g(x)", "bracket", "syntax"),
    ]
    sets, reasons, counts = build(tmp_path, mutants, [])
    assert [pair.buggy for pair in sets["train"]] == ["g(x"]
    assert reasons == {"same buggy text, other fix": 2, "duplicate": 1}
    assert counts["by_kind"] == {"bracket": 1}


def test_real_fixes_of_projects_that_do_not_train_are_a_suite(tmp_path: Path) -> None:
    real = [
        fix("def f(a):\n    return a < 1", "def f(a):\n    return a <= 1", "train"),
        fix("def g(a):\n    return a > 2", "def g(a):\n    return a >= 2", "test"),
        fix("def h(a):\n    return a > 3", "def h(a):\n    return a >= 3", "train", license=""),
        fix("def i(b):\n    return b < 1", "def i(b):\n    return b <= 1", "train"),
        fix("def j(b):\n    return b", "def j(b):\n    return b  # done", "train"),
    ]
    sets, reasons, counts = build(tmp_path, [], real)
    assert [(pair.split, pair.category) for pair in sets["train"]] == [("train", "logic")]
    assert [(pair.split, pair.category) for pair in sets["real"]] == [("test", "logic")]
    assert reasons == {"no license stated": 1, "duplicate but for names": 1, "no lexical change": 1}
    assert counts["by_source"] == {"release": 2}


def test_frozen_sets_take_kinds_in_equal_shares(tmp_path: Path) -> None:
    sizes = {
        ("syntax", "common"): 400,
        ("syntax", "usual"): 300,
        ("syntax", "rare"): 10,
        ("logic", "other"): 200,
    }
    mutants = [
        mutant(f"{kind}({i}", f"{kind}({i})", kind, category, "test")
        for (category, kind), size in sizes.items()
        for i in range(size)
    ]
    mutants += [mutant(f"c({i})", f"c({i})", "clean", "clean", "test") for i in range(500)]
    settings = PairSettings(per_category=100, per_kind=40, clean_share=0.2)
    sets, reasons, _ = build(tmp_path, mutants, [], settings)
    kinds = Counter(pair.kind for pair in sets["test"])
    # 100 clean samples are a fifth of 500: the other two categories grow to 200 each
    assert kinds == {"common": 95, "usual": 95, "rare": 10, "other": 200, "clean": 100}
    assert reasons == {"not drawn for the frozen set": len(mutants) - 500}
    again, _, _ = build(tmp_path, mutants[::-1], [], settings)
    assert {pair.pair_id for pair in again["test"]} == {pair.pair_id for pair in sets["test"]}


def test_a_frozen_set_of_many_kinds_keeps_its_share_of_clean_samples(tmp_path: Path) -> None:
    mutants = [
        mutant(f"k{k}({i}", f"k{k}({i})", f"k{k}", "syntax", "test") for k in range(20) for i in range(50)
    ]
    mutants += [mutant(f"c({i})", f"c({i})", "clean", "clean", "test") for i in range(500)]
    sets, _, _ = build(tmp_path, mutants, [], PairSettings(per_category=30, per_kind=40))
    counts = Counter(pair.category for pair in sets["test"])
    assert counts["syntax"] == 800
    assert counts["clean"] == pytest.approx(0.1 * len(sets["test"]), abs=1)


def test_nothing_of_the_test_set_is_trained_on(tmp_path: Path) -> None:
    mutants = [
        mutant("f(x", "f(x)", "bracket", "syntax", "test"),
        mutant("f(y))", "f(y)", "bracket", "syntax", "train"),  # the same but for a name
        mutant("f(y, 1", "f(y, 1)", "bracket", "syntax", "train"),
    ]
    sets, reasons, counts = build(tmp_path, mutants, [fix("f(z) + 1", "f(z)", "train")])
    assert [pair.fixed for pair in sets["train"]] == ["f(y, 1)"]
    assert reasons == {"copy of a test item": 2}
    assert counts["leaks"]["texts"] == {"train": 1, "test": 1}
    assert not any(row[way] for row in counts["leaks"]["table"] for way in ("exact", "but for names", "near"))


def test_mutants_without_a_split_are_refused(tmp_path: Path) -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match="unknown split ''; expected one of train"):
        build(tmp_path, [replace(mutant("f(", "f()", "bracket", "syntax"), split="")], [])


@pytest.mark.parametrize(
    ("sizes", "wanted", "share"),
    [([10, 300, 400], 200, 95), ([5, 5], 100, 5), ([100], 30, 30), ([], 10, 0), ([50, 50], 20, 10)],
)
def test_equal_share(sizes: list[int], wanted: int, share: int) -> None:
    assert _equal_share(sizes, wanted) == share
