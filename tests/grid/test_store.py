"""Shards on disk: what is written is read; what was changed, lost or left out on the way is refused by name."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import zarr

from ctm.grid.edits import Edit, apply_edit
from ctm.grid.layout import from_grid, to_grids
from ctm.grid.store import (
    _write_zarr,
    encode_pair,
    packed_rows,
    read_split,
    sidecar_of,
    write_manifest,
    write_shard,
)
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.record import Origin, Pair, make_pair, read_rejects, write_pairs

SHARDS = 2


@pytest.fixture(scope="module")
def pairs(functions: list[str]) -> list[Pair]:
    """Functions without their first colon, clean ones, and two that cannot be encoded."""
    short = [f for f in functions if f.count("\n") < 25][:150]
    made = [(f.replace(":", "", 1), f, "syntax", "missing_colon") for f in short[:120]]
    made += [(f, f, "clean", "clean") for f in short[120:]]
    made += [("x = 1\n" * 70, "x = 1\n", "complex", "long")]
    made += [("", "\n".join(f"n{n} = {n}" for n in range(60)), "complex", "far")]
    return [
        make_pair(
            b, f, category=c, kind=k, source="mutation", split="train", group=f"g{n % 5}", origin=Origin()
        )
        for n, (b, f, c, k) in enumerate(made)
    ]


@pytest.fixture(scope="module")
def written(pairs: list[Pair], tokenizer: CodeTokenizer, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grids")
    tokenizer.save(folder / "tokenizer.json")
    write_pairs(folder / "pairs.parquet", pairs)
    shards = []
    for shard in range(SHARDS):
        out = folder / f"0{shard}-of-02.zarr.zip"
        rejects = folder / f"0{shard}.rejects.parquet"
        write_shard(
            folder / "pairs.parquet", folder / "tokenizer.json", shard, SHARDS, out, sidecar_of(out), rejects
        )
        shards.append(out)
    write_manifest(shards, folder / "manifest.json")
    return folder


@pytest.fixture
def copied(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "copy"))


def read(folder: Path) -> int:
    return sum(len(grids) for grids, _ in read_split(folder / "manifest.json"))


def test_every_pair_is_read_as_it_was_written(
    written: Path, pairs: list[Pair], tokenizer: CodeTokenizer
) -> None:
    wanted = {p.pair_id: p for p in pairs[:-2]}
    order = []
    for grids, table in read_split(written / "manifest.json"):
        assert grids.dtype == np.uint16 and grids.shape[1:] == (2, 64, 48)
        for (buggy, fixed), row in zip(grids, table.to_pylist(), strict=True):
            pair = wanted.pop(row["pair_id"])
            order.append(pair.pair_id)
            assert tokenizer.decode(from_grid(buggy)) == pair.buggy
            assert tokenizer.decode(from_grid(fixed)) == pair.fixed
            assert (row["category"], row["kind"], row["group"]) == (pair.category, pair.kind, pair.group)
            state, flat = from_grid(buggy), row["edits"]
            while flat:
                start, end, count, *flat = flat
                state, flat = apply_edit(state, Edit(start, end, tuple(flat[:count]))), flat[count:]
            assert state == from_grid(fixed)
            states = 2 if pair.category == "syntax" else 1
            assert len(row["diagnoses"]) == 2 * states
            assert row["diagnoses"][-2:] == [-1, 0], "the last state compiles"
            assert (row["diagnoses"][0] >= 0) == (pair.category == "syntax")
        flat_ids, counts = packed_rows(grids[:, 0])
        assert len(flat_ids) == counts.sum()
    assert not wanted, "every pair is in one shard"
    assert order != [p.pair_id for p in pairs[: len(order)]], "rows are shuffled"


def test_what_cannot_be_encoded_is_counted_with_its_reason(written: Path, pairs: list[Pair]) -> None:
    rejects = [r for shard in range(SHARDS) for r in read_rejects(written / f"0{shard}.rejects.parquet")]
    assert {(r.item, r.reason) for r in rejects} == {
        (pairs[-2].pair_id, "more than 64 rows"),
        (pairs[-1].pair_id, "more than 8 edits"),
    }
    assert {(r.step, r.group, r.detail) for r in rejects} == {
        ("encode", "g0", "long"),
        ("encode", "g1", "far"),
    }
    assert len(rejects) == 2
    content = json.loads((written / "manifest.json").read_text())
    assert sum(s["rows"] for s in content["shards"]) + len(rejects) == len(pairs)


def test_a_shard_is_written_the_same_twice(
    written: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Years later, too: a shard that is made again has its sum in the manifest again, and nothing trains again."""
    monkeypatch.setattr("time.localtime", lambda *_: time.struct_time((2040, 2, 3, 4, 5, 6, 0, 1, 0)))
    out = tmp_path / "00-of-02.zarr.zip"
    write_shard(
        written / "pairs.parquet",
        written / "tokenizer.json",
        0,
        SHARDS,
        out,
        sidecar_of(out),
        tmp_path / "r.parquet",
    )
    assert out.read_bytes() == (written / out.name).read_bytes()
    assert sidecar_of(out).read_bytes() == sidecar_of(written / out.name).read_bytes()


def test_a_shard_may_be_empty(written: Path, tmp_path: Path) -> None:
    out = tmp_path / "00-of-01.zarr.zip"
    write_pairs(tmp_path / "none.parquet", [])
    write_shard(
        tmp_path / "none.parquet",
        written / "tokenizer.json",
        0,
        1,
        out,
        sidecar_of(out),
        tmp_path / "r.parquet",
    )
    write_manifest([out], tmp_path / "manifest.json")
    assert read(tmp_path) == 0


@pytest.mark.parametrize("name", ["00-of-02.zarr.zip", "01-of-02.parquet"])
@pytest.mark.parametrize("damage", ["flipped byte", "cut", "missing"])
def test_damaged_files_are_refused_by_name(copied: Path, name: str, damage: str) -> None:
    path = copied / name
    content = bytearray(path.read_bytes())
    if damage == "flipped byte":
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif damage == "cut":
        path.write_bytes(content[:-1])
    else:
        path.unlink()
    with pytest.raises(
        ValueError, match=f"{name}: missing, or its size or sha256 differs from .*manifest.json"
    ):
        read(copied)


def rewritten(path: Path, change) -> None:
    """The zip's entries again, each as `change(name, content)` says (None leaves it out)."""
    with zipfile.ZipFile(path) as file:
        entries = [(n, change(n, file.read(n))) for n in file.namelist()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        for name, content in entries:
            if content is not None:
                file.writestr(name, content)


def test_chunks_have_checksums_of_their_own(copied: Path) -> None:
    """A byte that flipped before the manifest was made reads as an error too, never as another token."""
    flipped = 0

    def flip(name: str, content: bytes) -> bytes:
        nonlocal flipped
        if "c/" not in name:
            return content
        flipped += 1
        middle = len(content) // 3
        return content[:middle] + bytes([content[middle] ^ 16]) + content[middle + 1 :]

    path = copied / "00-of-02.zarr.zip"
    rewritten(path, flip)
    assert flipped == 1
    write_manifest(sorted(copied.glob("*.zarr.zip")), copied / "manifest.json")
    with pytest.raises(Exception, match=r"(?i)checksum|decompress|zstd|crc|corrupt|data"):
        read(copied)


def test_rows_that_are_not_there_are_missed(copied: Path) -> None:
    """Zarr reads a lost chunk as its fill value, silently; the fill value is no token."""
    rewritten(copied / "01-of-02.zarr.zip", lambda name, content: None if "c/" in name else content)
    write_manifest(sorted(copied.glob("*.zarr.zip")), copied / "manifest.json")
    with pytest.raises(ValueError, match=r"01-of-02\.zarr\.zip: a chunk is missing from row 0 on"):
        read(copied)


def test_grids_and_sidecar_of_two_shards_do_not_mix(copied: Path) -> None:
    shutil.copy(copied / "00-of-02.parquet", copied / "01-of-02.parquet")
    write_manifest(sorted(copied.glob("*.zarr.zip")), copied / "manifest.json")
    with pytest.raises(ValueError, match=r"rows, but its sidecar|belong to other pairs"):
        read(copied)


def test_other_formats_are_refused(copied: Path) -> None:
    path = copied / "manifest.json"
    path.write_text(path.read_text().replace('"format_version": "1"', '"format_version": "0"'))
    with pytest.raises(ValueError, match="format_version 0, expected 1"):
        read(copied)


def test_what_is_known_of_a_mutant_is_what_the_compiler_says(
    pairs: list[Pair], tokenizer: CodeTokenizer
) -> None:
    for pair in pairs[:-2]:
        known = encode_pair(pair.buggy, pair.fixed, tokenizer, pair.category)
        assert known == encode_pair(pair.buggy, pair.fixed, tokenizer)


def test_a_shard_is_byte_for_byte_what_zarr_writes(
    pairs: list[Pair], tokenizer: CodeTokenizer, tmp_path: Path
) -> None:
    ids = [(tokenizer.encode(pair.buggy), tokenizer.encode(pair.fixed)) for pair in pairs[:-2]]
    _write_zarr(tmp_path / "ours.zarr.zip", ids, "digest")
    with zipfile.ZipFile(tmp_path / "ours.zarr.zip") as file:
        ours = {name: file.read(name) for name in file.namelist()}
    (tmp_path / "zarr.json").write_bytes(ours["zarr.json"])
    array = zarr.open_array(tmp_path, mode="r+")
    array[:] = to_grids([side for both in ids for side in both]).reshape(-1, 2, 64, 48)
    assert ours.keys() == {"zarr.json", "c/0/0/0/0"}
    assert ours["c/0/0/0/0"] == (tmp_path / "c/0/0/0/0").read_bytes()
