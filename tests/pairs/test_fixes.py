"""Real fixes are sorted by split in one reading, each as a set would have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctm.pairs import fixes as module
from ctm.pairs.fixes import KEPT, Fixes
from ctm.pairs.quality import LicenseSettings
from ctm.pairs.record import SPLITS, Origin, Pair, make_pair, write_pairs
from ctm.pairs.splits import SplitSettings, split_of

SETTINGS = SplitSettings()
MASKED = "a" + "@b.co"


def fix(number: int, buggy: str = "", license: str = "MIT") -> Pair:
    buggy = buggy or f"a = f({number}"
    return make_pair(
        buggy, f"a = f({number})", category="", kind="release", source="release", split="", group=f"g{number}",
        origin=Origin(license=license),
    )  # fmt: skip


def test_each_fix_is_read_once_and_stamped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading is what a pass costs: the files are opened once, and later readings are of the scratch files."""
    given = [fix(number) for number in range(40)]
    write_pairs(tmp_path / "fixes.parquet", given)
    opened: list[Path] = []
    real = module.read_pairs
    monkeypatch.setattr(module, "read_pairs", lambda path: opened.append(path) or real(path))
    joined = {"g1": "g0"}
    fixes = Fixes(tmp_path / "scratch", SETTINGS, joined, LicenseSettings(), 64, None)
    came = list(fixes.sort_in([tmp_path / "fixes.parquet"]))
    assert [(pair.pair_id, pair.buggy) for pair in given] == [(pair, buggy) for pair, buggy, _ in came]
    found = {split: list(fixes.of(split)) for split in SPLITS}
    assert opened.count(tmp_path / "fixes.parquet") == 1
    for split, pairs in found.items():
        assert [pair.pair_id for pair, _ in pairs] == [pair for pair, _, of in came if of == split], (
            "in order"
        )
        for pair, reason in pairs:
            assert (pair.split, pair.category, reason) == (split, "syntax", KEPT)
            assert pair.group == joined.get(pair.group, pair.group)
            assert split == split_of(pair.group, SETTINGS)


def test_what_has_to_go_for_its_own_sake_says_why(tmp_path: Path) -> None:
    given = [
        fix(1, license=""),
        fix(2, license="GPL-3.0-only"),
        fix(3, buggy="a = 1\n" * 70),
        fix(4, buggy=f"a = '{MASKED}'"),
    ]
    write_pairs(tmp_path / "fixes.parquet", given)
    fixes = Fixes(tmp_path / "scratch", SETTINGS, {}, LicenseSettings(), 64, None)
    came = list(fixes.sort_in([tmp_path / "fixes.parquet"]))
    found = {pair.group: (pair, reason) for split in SPLITS for pair, reason in fixes.of(split)}
    assert [found[f"g{number}"][1] for number in (1, 2, 3, 4)] == [
        ("no license stated", ""),
        ("license not allowed", "GPL-3.0-only"),
        ("too many lines", ""),
        KEPT,
    ]
    masked = found["g4"][0]
    assert MASKED not in masked.buggy and masked.pair_id != given[3].pair_id
    assert came[3][:2] == (given[3].pair_id, given[3].buggy), "clashes are judged by the texts as they came"
    assert sum(fixes.masked.values()) == 1
