"""Shards on disk: grids in one `.zarr.zip`, a row-aligned Parquet of what belongs to each row, and a manifest.

Chunk checksums are switched on (without them a flipped byte reads as another token), the fill value is no
token (a missing chunk reads as it, and is refused), rows are shuffled once when written (by pair_id, itself a hash),
and the edits and the parser's diagnosis of every state are computed here once rather than at every visit.
"""

from __future__ import annotations

import gc
import hashlib
import json
import os
import zipfile
from array import array
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import zarr
from numcodecs.checksum32 import CRC32C
from numcodecs.zstd import Zstd
from numpy.typing import NDArray
from zarr.codecs import ZstdCodec
from zarr.storage import ZipStore

from ctm.files import replacing, sha256_of, write_json
from ctm.grid.diagnosis import NO_DIAGNOSIS, diagnose
from ctm.grid.edits import Edit, Unreachable, steps_between
from ctm.grid.layout import COLS, ROWS, DoesNotFit, Ids, check_fits, to_grids
from ctm.grid.tokenizer import CONT, PAD, CodeTokenizer
from ctm.pairs.record import Reject, column_of, read_pairs, write_rejects
from ctm.parquet import read_parquet, write_parquet
from ctm.python.compiling import quiet

FORMAT_VERSION = "1"
CHUNK, SHARD = 64, 16_384
MISSING = 65_535
READ_ROWS = 4_096
LEVEL = 1  # of zstd
SIDECAR = pa.schema(
    [
        ("pair_id", pa.string()),
        ("category", pa.dictionary(pa.int16(), pa.string())),
        ("kind", pa.dictionary(pa.int16(), pa.string())),
        ("source", pa.dictionary(pa.int16(), pa.string())),
        ("group", pa.dictionary(pa.int16(), pa.string())),
        ("edits", pa.list_(pa.int32())),  # start, end, count, ids ... of each edit
        ("diagnoses", pa.list_(pa.int16())),  # cell, kind of each state
    ],
    metadata={"format_version": FORMAT_VERSION},
)


COLUMNS = ("pair_id", "buggy", "fixed", "category", "kind", "source", "group")
"""Of a pair, what is read."""


class EncodedPair(NamedTuple):
    """A pair as ids: the buggy text, the edits that lead to the fixed one, the diagnosis of every state."""

    buggy: list[int]
    fixed: list[int]
    edits: list[Edit]
    diagnoses: list[tuple[int, int]]


def encode_pair(buggy: str, fixed: str, tokenizer: CodeTokenizer, mutant: str = "") -> EncodedPair:
    """Encode one pair. Raises DoesNotFit or Unreachable, whose `reason` says why it cannot be a training pair.

    mutant: its category, of a mutant: its sides were compiled when it was made, and are not again. The fixed one
    compiles, and so does the buggy one unless the category is syntax.
    """
    state = tokenizer.encode(buggy)
    goal = state if buggy == fixed else tokenizer.encode(fixed)
    steps = steps_between(state, goal, tokenizer)
    for ids in (state,) if steps else (state, goal):  # where there are steps, the last one led to `goal`
        check_fits(ids)
    known = mutant not in ("", "syntax")
    diagnoses = [NO_DIAGNOSIS if known else diagnose(buggy, tokenizer, state)]
    for step in steps:
        if step.text is not None:
            diagnoses.append(diagnose(step.text, tokenizer, step.ids))
        else:
            diagnoses.append(NO_DIAGNOSIS if mutant else diagnose(fixed, tokenizer, goal))
    return EncodedPair(state, goal, [step.edit for step in steps], diagnoses)


def in_shard(pair_id: str, shard: int, shards: int) -> bool:
    """Whether a pair (or any hex hash) belongs to shard `shard` of `shards`, counted from 0."""
    return int(pair_id[:8], 16) % shards == shard


def write_shard(
    pairs: Path, tokenizer: Path, shard: int, shards: int, out: Path, sidecar: Path, rejects: Path
) -> int:
    """Encode the pairs of one shard; returns how many. What does not fit or cannot be reached goes to `rejects`.

    Memory: about 1 kB for each pair of this shard.
    """
    with _uncollected(), quiet():
        return _write_shard(pairs, CodeTokenizer.load(tokenizer), shard, shards, out, sidecar, rejects)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Without the garbage collector: nothing here has cycles; it took a seventh of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _write_shard(
    pairs: Path, codec: CodeTokenizer, shard: int, shards: int, out: Path, sidecar: Path, rejects: Path
) -> int:
    lost: list[Reject] = []
    rows: list[tuple[str, Ids, Ids, tuple[str, ...], Ids, Ids]] = []
    mine = ("pair_id", lambda name: in_shard(name, shard, shards))
    for pair in read_pairs(pairs, COLUMNS, mine):
        mutant = pair.category if pair.source == "mutation" else ""
        try:
            encoded = encode_pair(pair.buggy, pair.fixed, codec, mutant)
        except (DoesNotFit, Unreachable) as error:
            lost.append(Reject("encode", error.reason, pair.pair_id, pair.group, pair.kind))
            continue
        texts = pair.category, pair.kind, pair.source, pair.group
        rows.append(
            (pair.pair_id, array("H", encoded.buggy), array("H", encoded.fixed), texts, *_numbers(encoded))
        )
    rows.sort(key=itemgetter(0))
    _write_zarr(out, [row[1:3] for row in rows], _digest(row[0] for row in rows))
    write_parquet(sidecar, _sidecar(rows))
    write_rejects(rejects, lost)
    return len(rows)


def _numbers(encoded: EncodedPair) -> tuple[Ids, Ids]:
    """Edits and diagnoses of a pair as the sidecar has them."""
    edits, diagnoses = array("i"), array("h")
    for edit in encoded.edits:
        edits.extend((edit.start, edit.end, len(edit.tokens), *edit.tokens))
    for diagnosis in encoded.diagnoses:
        diagnoses.extend(diagnosis)
    return edits, diagnoses


def _sidecar(rows: Sequence[tuple[Any, ...]]) -> pa.Table:
    """The sidecar of rows of `write_shard`."""
    texts = zip(*((row[0], *row[3]) for row in rows), strict=True) if rows else [()] * 5
    columns = [column_of(column, field.type) for column, field in zip(texts, SIDECAR, strict=False)]
    for at, dtype, type_ in ((4, np.int32, pa.int32()), (5, np.int16, pa.int16())):
        offsets = np.cumsum([0, *(len(row[at]) for row in rows)], dtype=np.int32)
        flat = np.frombuffer(b"".join(row[at] for row in rows), dtype=dtype)
        columns.append(
            pa.ListArray.from_arrays(column_of(offsets, pa.int32()), column_of(flat, type_))  # type: ignore[arg-type]
        )
    return pa.Table.from_arrays(columns, schema=SIDECAR)


def _digest(pair_ids: Iterable[str]) -> str:
    """Ties a shard to its sidecar: sha256 over the pairs of its rows, in order."""
    return hashlib.sha256("".join(pair_ids).encode()).hexdigest()


def _write_zarr(out: Path, pairs: Sequence[tuple[Ids, ...]], digest: str) -> None:
    """One array of rows as a ZIP file, with the shards written by hand (`_shard`)."""
    shard_rows = min(SHARD, -(-max(len(pairs), 1) // CHUNK) * CHUNK)
    with replacing(out) as temporary:
        _write_array(temporary, pairs, digest, shard_rows)


def _write_array(path: Path, pairs: Sequence[tuple[Ids, ...]], digest: str, shard_rows: int) -> None:
    with ZipStore(path, mode="w", compression=zipfile.ZIP_STORED) as store:
        zarr.create_array(
            store,
            shape=(len(pairs), 2, ROWS, COLS),
            chunks=(CHUNK, 2, ROWS, COLS),
            shards=(shard_rows, 2, ROWS, COLS),
            dtype="uint16",
            compressors=[ZstdCodec(level=LEVEL, checksum=True)],
            fill_value=MISSING,
            attributes={"format_version": FORMAT_VERSION, "names": ["buggy", "fixed"], "pairs": digest},
        )
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as file:
        for number, start in enumerate(range(0, len(pairs), shard_rows)):
            shard = _shard(pairs[start : start + shard_rows], shard_rows // CHUNK)
            file.writestr(f"c/{number}/0/0/0", shard)


def _shard(pairs: Sequence[tuple[Ids, ...]], chunks: int) -> bytes:
    """A shard as Zarr's `sharding_indexed` has it: chunks, then offset and length of each, then their checksum.

    Zarr wants a shard's grids all at once, 200 MB of which the system has to clear every page; a chunk stays in the
    processor's cache, which takes a quarter of the time.
    """
    codec = Zstd(level=LEVEL, checksum=True)
    index = np.full((chunks, 2), np.iinfo(np.uint64).max, dtype="<u8")  # what a chunk of no rows has
    parts: list[bytes] = []
    end = 0
    for number, start in enumerate(range(0, len(pairs), CHUNK)):
        texts = [ids for pair in pairs[start : start + CHUNK] for ids in pair]
        grids = np.full((2 * CHUNK, ROWS, COLS), MISSING, dtype="<u2")
        grids[: len(texts)] = to_grids(texts)
        parts.append(codec.encode(grids))
        index[number] = end, len(parts[-1])
        end += len(parts[-1])
    return b"".join((*parts, CRC32C(location="end").encode(index)))


def write_manifest(shards: Sequence[Path], out: Path) -> None:
    """sha256, size and rows of every shard and its sidecar (same name, `.parquet`), as JSON."""
    entries = []
    for path in shards:
        side = sidecar_of(path)
        entries.append(
            {
                "grids": _entry(path, out.parent),
                "sidecar": _entry(side, out.parent),
                "rows": pq.read_metadata(side).num_rows,
            }
        )
    write_json(out, {"format_version": FORMAT_VERSION, "shards": entries}, end="")


def sidecar_of(path: Path) -> Path:
    """NN-of-MM.zarr.zip -> NN-of-MM.parquet."""
    return path.with_name(path.name.removesuffix(".zarr.zip") + ".parquet")


def _entry(path: Path, base: Path) -> dict[str, object]:
    return {"path": os.path.relpath(path, base), "bytes": path.stat().st_size, "sha256": sha256_of(path)}


def read_split(manifest: Path) -> Iterator[tuple[NDArray[np.uint16], pa.Table]]:
    """Blocks of rows of a split: grids uint16 [n, 2, 64, 48] with their rows of the sidecar.

    Raises ValueError naming the file if a size or sha256 differs from the manifest, or rows are missing.
    """
    content = json.loads(manifest.read_text(encoding="utf-8"))
    if content.get("format_version") != FORMAT_VERSION:
        raise ValueError(
            f"{manifest}: format_version {content.get('format_version')}, expected {FORMAT_VERSION}"
        )
    for entry in content["shards"]:
        for part in ("grids", "sidecar"):
            path = manifest.parent / entry[part]["path"]
            if not _is_as_listed(path, entry[part]):
                raise ValueError(
                    f"{path}: missing, or its size or sha256 differs from {manifest}; "
                    "delete it and run rule encode_shard again"
                )
        table = read_parquet(manifest.parent / entry["sidecar"]["path"])
        with ZipStore(manifest.parent / entry["grids"]["path"], mode="r") as store:
            stored = zarr.open_array(store, mode="r")
            if stored.shape[0] != table.num_rows:
                raise ValueError(
                    f"{entry['grids']['path']}: has {stored.shape[0]} rows, but its sidecar "
                    f"{entry['sidecar']['path']} has {table.num_rows}; delete both and run rule encode_shard again"
                )
            if stored.attrs["pairs"] != _digest(table["pair_id"].to_pylist()):
                raise ValueError(
                    f"{entry['sidecar']['path']}: its rows belong to other pairs than those of "
                    f"{entry['grids']['path']}; delete both and run rule encode_shard again"
                )
            for start in range(0, stored.shape[0], READ_ROWS):
                grids = np.asarray(stored[start : start + READ_ROWS])
                if (grids[:, :, 0, 0] == MISSING).any():
                    raise ValueError(
                        f"{entry['grids']['path']}: a chunk is missing from row {start} on; "
                        "delete the file and run rule encode_shard again"
                    )
                yield grids, table.slice(start, READ_ROWS)


def _is_as_listed(path: Path, entry: dict[str, Any]) -> bool:
    return path.exists() and path.stat().st_size == entry["bytes"] and sha256_of(path) == entry["sha256"]


def packed_rows(grids: NDArray[np.uint16]) -> tuple[NDArray[np.uint16], NDArray[np.int64]]:
    """Grids [n, 64, 48] -> all packed ids one after the other, and the number of cells of each row [n]."""
    flat = grids.reshape(len(grids), -1)
    cells = (flat != PAD) & (flat != CONT)
    return flat[cells], cells.sum(axis=1)
