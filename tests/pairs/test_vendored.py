"""Copies and forks of a project are one group with it, whatever split their names alone would give them."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest

from ctm.pairs.clean import clean_snippets
from ctm.pairs.near import NearSettings
from ctm.pairs.record import Origin, Snippet, make_snippet, read_snippets, write_snippets
from ctm.pairs.snippets import snippets_of
from ctm.pairs.splits import SplitSettings, split_of
from ctm.pairs.vendored import Owned, joined_groups, name_key

SPLITS = SplitSettings(seed=0, train=34, validation=33, test=33)
PROJECT = {split_of(name, SPLITS): name for name in map("p{}".format, range(50))}
NOTHING = Owned(np.zeros(0, np.uint64), np.zeros(0, np.int32))
WORDS = [f"{a}_{b}" for a in ("read", "send", "close", "parse", "build", "merge") for b in "abcdefgh"]


def owned(keys: list[int], owners: list[int]) -> Owned:
    return Owned(np.array(keys, np.uint64), np.array(owners, np.int32))


def body(rng: random.Random) -> str:
    return "\n".join(
        f"    v{rng.randrange(9)} = f{rng.randrange(10**6)}(v{rng.randrange(9)})" for _ in range(9)
    )


def package(top: str, rng: random.Random, names: list[str]) -> list[Snippet]:
    """A package of modules with eight functions each, whose bodies are random."""
    found = []
    for start in range(0, len(names), 8):
        source = "\n\n".join(f"def {name}(v0):\n{body(rng)}" for name in names[start : start + 8])
        path = f"{top}/_module{start}.py"
        for text, shape, qualname, line in snippets_of(source):
            origin = Origin(project=top, path=path, qualname=qualname, line=line, licence="MIT")
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
    joined = joined_groups(texts, NOTHING, groups, NearSettings())
    assert joined == {"big": "big", "copy": "big"}
    assert joined_groups(texts, NOTHING, groups, NearSettings(), first=("copy",)) == {
        "big": "copy",
        "copy": "copy",
    }
    assert not joined_groups(texts, NOTHING, groups, NearSettings(joined_share=0))
    assert joined_groups(NOTHING, texts, groups, NearSettings()).keys() == {"big", "copy"}, (
        "names join as texts do"
    )
    assert not joined_groups(NOTHING, NOTHING, groups, NearSettings())


def test_names_that_everybody_has_join_nobody() -> None:
    common = owned([*range(1, 41)] * 20, [number for number in range(20) for _ in range(40)])
    assert not joined_groups(NOTHING, common, [f"p{n}" for n in range(20)], NearSettings())


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
        make_snippet(text, "function", group, Origin(project=group, licence="MIT"))
        for group in groups
        for text in texts
    ]
    only = make_snippet("only = here", "statements", groups[1], Origin(project=groups[1], licence="MIT"))
    counts, kept = cleaned([*raw, only], tmp_path)
    assert counts["joined"] == dict.fromkeys(groups, PROJECT["test"])
    assert {item.split for item in kept} == {"test"}
    assert {item.group for item in kept} == {PROJECT["test"]}
