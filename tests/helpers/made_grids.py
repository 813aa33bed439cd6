"""A few hundred pairs as a trainer finds them, made from the standard library: grids with their manifest, tokenizer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ctm.grid.store import sidecar_of, write_manifest, write_shard
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.record import Origin, Pair, make_pair, write_pairs
from helpers.real_code import broken, functions


@dataclass(frozen=True)
class Grids:
    """Paths of a tiny split."""

    train: Path
    validation: Path
    tokenizer: Path


def make_grids(folder: Path) -> Grids:
    """Write them to a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = functions(shorter_than=8)
    CodeTokenizer.train(texts, 700).save(folder / "tokenizer.json")
    made: list[Pair] = []
    for number, text in enumerate(texts):
        buggy, category, kind = broken(text, number)
        made.append(
            make_pair(
                buggy,
                text,
                category=category,
                kind=kind,
                source="release" if kind == "two_errors" else "mutation",
                split="train",
                group="stdlib",
                origin=Origin(),
            )
        )
    for name, pairs in (("train", made[40:]), ("validation", made[:40])):
        write_pairs(folder / f"{name}.parquet", pairs)
        out = folder / name / "00-of-01.zarr.zip"
        write_shard(
            folder / f"{name}.parquet",
            folder / "tokenizer.json",
            0,
            1,
            out,
            sidecar_of(out),
            folder / "r.parquet",
        )
        write_manifest([out], folder / name / "manifest.json")
    return Grids(
        folder / "train/manifest.json", folder / "validation/manifest.json", folder / "tokenizer.json"
    )
