"""Bytes a pair on disk: our `.zarr.zip` (both grids, zstd, checksums) against a dense .npy of the same grids."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from _pairs import pairs

from ctm.grid.store import read_split, sidecar_of, write_manifest, write_shard
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.record import Origin, make_pair, write_pairs

PAIRS = 4000


def run() -> dict[str, Any]:
    """Bytes a pair; what is read back is what both files hold."""
    both = pairs(PAIRS)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        CodeTokenizer.train((whole for _, whole in both), 8192).save(folder / "tokenizer.json")
        rows = [
            make_pair(
                buggy, fixed, category="syntax", kind="cut", source="mutation", split="train", group="stdlib",
                origin=Origin(),
            )
            for buggy, fixed in both
        ]  # fmt: skip
        write_pairs(folder / "pairs.parquet", rows)
        out = folder / "00-of-01.zarr.zip"
        count = write_shard(
            folder / "pairs.parquet",
            folder / "tokenizer.json",
            0,
            1,
            out,
            sidecar_of(out),
            folder / "rejects.parquet",
        )
        write_manifest([out], folder / "manifest.json")
        grids = np.concatenate([block for block, _ in read_split(folder / "manifest.json")])
        assert grids.shape == (count, 2, 64, 48)
        np.save(folder / "dense.npy", grids)
        ours, rival = (path.stat().st_size / count for path in (out, folder / "dense.npy"))
    return {
        "name": "store_bytes", "unit": "bytes/pair", "ours": ours, "rival": rival, "rival_name": "dense .npy",
        "ratio": rival / ours, "n": count, "threads": 1,
    }  # fmt: skip


if __name__ == "__main__":
    print(run())
