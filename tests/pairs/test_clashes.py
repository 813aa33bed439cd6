import random
from pathlib import Path

import pytest

from ctm.pairs import clashes
from ctm.pairs.clashes import PairConflicts
from ctm.pairs.record import Origin, Pair, make_pair

NAMES = ("train", "validation", "test")
ONCE = (("validation", "test"), ("train",))


def drawn(number: int, split: str, rng: random.Random) -> Pair:
    buggy, fixed = (f"{side}{rng.randrange(number)}" for side in ("buggy", "fixed"))
    return make_pair(
        buggy, fixed, category="logic", kind="k", source="mutation", split=split, group="g", origin=Origin()
    )


def expected(mutants: list[Pair], real: list[Pair]) -> dict[str, list[str]]:
    """The same with dictionaries of everything."""
    fixes: dict[str, set[str]] = {}
    for pair in (*mutants, *real):
        fixes.setdefault(pair.buggy, set()).add(pair.fixed)
    seen: set[tuple[bool, str]] = set()
    reasons: dict[str, list[str]] = {name: [] for name in (*NAMES, "real")}
    for pair in (*mutants, *real):
        key = pair.split == "train", pair.pair_id
        again = key in seen and pair.split != ""
        reasons[pair.split or "real"].append(
            "same buggy text, other fix" if len(fixes[pair.buggy]) > 1 else "duplicate" if again else ""
        )
        seen.add(key)
    return reasons


@pytest.mark.parametrize("distinct", [20, 300, 5000])
def test_verdicts_are_those_of_dictionaries(
    tmp_path: Path, distinct: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clashes, "_BUFFER", 100)  # many parts, written in many pieces
    rng = random.Random(distinct)
    mutants = [drawn(distinct, rng.choice(NAMES), rng) for _ in range(900)]
    mutants += rng.sample(mutants, 90)
    real = [drawn(distinct, "", rng) for _ in range(50)]
    pairs = ((pair.pair_id, pair.buggy, pair.split or "real") for pair in (*mutants, *real))
    found = PairConflicts(pairs, ONCE, tmp_path)
    assert {name: list(found.reasons(name)) for name in (*NAMES, "real")} == expected(mutants, real)
    assert not list(tmp_path.iterdir()), "scratch files are gone"


def test_nothing_to_read(tmp_path: Path) -> None:
    assert list(PairConflicts([], ONCE, tmp_path).reasons("train")) == []
