"""Copies and forks of a project are one group with it, whatever split their names alone would give them."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ctm.pairs.clean import clean_snippets
from ctm.pairs.near_duplicates import NearSettings
from ctm.pairs.project_groups import KeyOwners, merge_fix_groups, merge_groups, name_key
from ctm.pairs.record import (
    Origin,
    Pair,
    Snippet,
    make_pair,
    make_snippet,
    read_snippets,
    write_pairs,
    write_snippets,
)
from ctm.pairs.snippets import snippets_of
from ctm.pairs.splits import SplitSettings, split_of

SPLITS = SplitSettings(seed=0, train=34, validation=33, test=33)
PROJECT = {split_of(name, SPLITS): name for name in map("p{}".format, range(50))}
NOTHING = KeyOwners(np.zeros(0, np.uint64), np.zeros(0, np.int32))
WORDS = [f"{a}_{b}" for a in ("read", "send", "close", "parse", "build", "merge") for b in "abcdefgh"]


def owned(keys: list[int], owners: list[int]) -> KeyOwners:
    return KeyOwners(np.array(keys, np.uint64), np.array(owners, np.int32))


def body(rng: random.Random) -> str:
    return "\n".join(
        f"    v{rng.randrange(9)} = f{rng.randrange(10**6)}({rng.randrange(10**6)})" for _ in range(9)
    )


def package(top: str, rng: random.Random, names: list[str]) -> list[Snippet]:
    """A package of modules with eight functions each, whose bodies are random."""
    found = []
    for start in range(0, len(names), 8):
        source = "\n\n".join(f"def {name}(v0):\n{body(rng)}" for name in names[start : start + 8])
        path = f"{top}/_module{start}.py"
        for text, shape, qualname, line in snippets_of(source):
            origin = Origin(project=top, path=path, qualname=qualname, line=line, license="MIT")
            found.append(make_snippet(text, shape, top, origin))
    return found


def cleaned(raw: list[Snippet], folder: Path) -> tuple[dict, list[Snippet]]:
    write_snippets(folder / "raw.parquet", raw)
    out = folder / "out.parquet"
    counts = clean_snippets([folder / "raw.parquet"], SPLITS, out, folder / "rejects.parquet")
    return counts, list(read_snippets(out))


def test_a_copy_of_a_project_joins_it() -> None:
    texts = owned(
        [*range(1, 101), *range(1, 31), 500, 501, *range(101, 111)], [0] * 100 + [1] * 32 + [2] * 10
    )
    groups = ["big", "copy", "other"]
    joined = merge_groups(texts, NOTHING, groups, NearSettings())
    assert joined == {"big": "big", "copy": "big"}
    assert merge_groups(texts, NOTHING, groups, NearSettings(), first=("copy",)) == {
        "big": "copy",
        "copy": "copy",
    }
    assert not merge_groups(texts, NOTHING, groups, NearSettings(joined_share=0))
    assert merge_groups(NOTHING, texts, groups, NearSettings()).keys() == {"big", "copy"}, (
        "names join as texts do"
    )
    assert not merge_groups(NOTHING, NOTHING, groups, NearSettings())


def test_names_that_everybody_has_join_nobody() -> None:
    common = owned([*range(1, 41)] * 20, [number for number in range(20) for _ in range(40)])
    assert not merge_groups(NOTHING, common, [f"p{n}" for n in range(20)], NearSettings())


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("httpx2/_client.py", True),
        ("src/httpx2/_client.py", True),
        ("httpx2/_client/__init__.py", True),
        ("httpx2/_clients.py", False),
        ("httpx2/inner/_client.py", False),
    ],
)
def test_a_name_is_that_below_the_top_package(path: str, same: bool) -> None:
    assert (name_key(path, "Client.get") == name_key("httpx/_client.py", "Client.get")) == same
    assert name_key(path, "") == 0, "statements of a module have no name"


def test_a_copy_inside_a_project_is_left_out_and_an_adapter_stays(tmp_path: Path) -> None:
    rng = random.Random(6)
    origin = package("urltool", rng, WORDS)

    def moved(items: list[Snippet], group: str, folder: str) -> list[Snippet]:
        return [
            replace(
                item,
                group=group,
                origin=replace(item.origin, project=group, path=f"{folder}/{item.origin.path}"),
            )
            for item in items
        ]

    copy = moved(package("urltool", rng, WORDS[:40]), "browser", "browser/inner")
    adapter = moved(package("urltool", rng, [f"own_{n}" for n in range(40)]), "tracer", "tracer/contrib")
    own = package("browser", rng, [f"page_{n}" for n in range(16)])
    counts, kept = cleaned([*origin, *own, *copy, *adapter], tmp_path)
    assert counts["rejects"]["vendored copy"] == len(copy)
    assert {item.origin.path for item in kept if item.group == "browser"} == {
        item.origin.path for item in own
    }
    assert {item.origin.path for item in kept if item.group == "tracer"} == {
        item.origin.path for item in adapter
    }
    assert counts["joined"] == {}, "what is left out joins nobody"


def test_a_fork_whose_texts_have_changed_is_one_group(tmp_path: Path) -> None:
    rng = random.Random(4)
    train, test, validation = (PROJECT[name] for name in ("train", "test", "validation"))
    origin = package(train, rng, WORDS)
    fork = package(test, rng, [*WORDS[:40], *(f"own_{n}" for n in range(8))])  # as httpx2: 40 of 48 names
    other = package(validation, rng, [*WORDS[:8], *(f"other_{n}" for n in range(40))])
    counts, kept = cleaned([*origin, *fork, *other], tmp_path)
    assert not {item.text for item in origin} & {item.text for item in fork}, "no text is shared"
    assert counts["joined"].keys() == {train, test}
    assert len({item.split for item in kept if item.origin.project in (train, test)}) == 1
    assert {item.group for item in kept if item.origin.project == validation} == {validation}


def test_a_vendored_copy_stays_on_its_side_of_the_splits(tmp_path: Path) -> None:
    rng = random.Random(9)
    texts = [f"def f_{n}(v0):\n{body(rng)}" for n in range(30)]
    groups = PROJECT["train"], PROJECT["test"]
    raw = [
        make_snippet(text, "function", group, Origin(project=group, license="MIT"))
        for group in groups
        for text in texts
    ]
    only = make_snippet("only = here", "statements", groups[1], Origin(project=groups[1], license="MIT"))
    counts, kept = cleaned([*raw, only], tmp_path)
    assert counts["joined"] == dict.fromkeys(groups, PROJECT["test"])
    assert {item.split for item in kept} == {"test"}
    assert {item.group for item in kept} == {PROJECT["test"]}


def test_fixes_of_a_fork_come_to_the_group_of_its_origin(tmp_path: Path) -> None:
    rng = random.Random(5)

    def pairs(top: str, names: list[str]) -> list[Pair]:
        return [
            make_pair(
                f"{item.text}\n",
                item.text,
                category="logic",
                kind="commit",
                source="commit",
                split="",
                group=top,
                origin=item.origin,
            )
            for item in package(top, rng, names)
        ]

    origin, fork, second = (pairs(top, WORDS) for top in ("origin", "fork", "second"))
    other = pairs("other", [f"other_{n}" for n in range(48)])
    write_pairs(tmp_path / "mutants.parquet", origin)
    write_pairs(tmp_path / "fixes.parquet", [*fork, *second, *other, *origin[:3]])
    mutants, fixes = [tmp_path / "mutants.parquet"], [tmp_path / "fixes.parquet"]
    joined = merge_fix_groups(mutants, fixes, {"vendor": "origin", "origin": "origin"}, NearSettings())
    assert joined == {"vendor": "origin", "origin": "origin", "fork": "origin", "second": "origin"}
    alone = merge_fix_groups([], fixes, {}, NearSettings())
    assert alone["fork"] == alone["second"] and "other" not in alone
