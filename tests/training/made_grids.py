"""A few hundred pairs as a trainer finds them, made from the standard library: grids with their manifest, tokenizer."""

from __future__ import annotations

import ast
import json
import textwrap
from dataclasses import dataclass
from pathlib import Path

from ctm.grid.store import sidecar_of, write_manifest, write_shard
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.record import Origin, Pair, make_pair, write_pairs

MODULES = (
    "argparse",
    "heapq",
    "shlex",
    "csv",
    "tarfile",
    "tokenize",
    "random",
    "ftplib",
    "textwrap",
    "calendar",
)


def functions() -> list[str]:
    """Short functions of the standard library, dedented."""
    texts: dict[str, None] = {}
    for name in MODULES:
        source = Path(json.__file__).parents[1].joinpath(name).with_suffix(".py").read_text(encoding="utf-8")
        lines = source.splitlines(keepends=True)
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef) and node.end_lineno - node.lineno < 8:
                texts[textwrap.dedent("".join(lines[node.lineno - 1 : node.end_lineno]))] = None
    return list(texts)


def broken(text: str, number: int) -> tuple[str, str, str]:
    """(text, category, source): a lost colon, a lost and a doubled bracket (two edits), `self` misspelt, or clean."""
    match number % 4:
        case 0:
            return text.replace("):", ")", 1), "syntax", "mutation"
        case 1:
            return text.replace("):", ")", 1).replace("(", "((", 1), "syntax", "release"
        case 2 if "return " in text:
            return text.replace("return ", "return not ", 1), "logic", "mutation"
    return text, "clean", "mutation"


@dataclass(frozen=True)
class Grids:
    """Paths of a tiny split."""

    train: Path
    validation: Path
    tokenizer: Path


def make_grids(folder: Path) -> Grids:
    """Write them to a new folder."""
    folder.mkdir(parents=True, exist_ok=True)
    texts = functions()
    CodeTokenizer.train(texts, 700).save(folder / "tokenizer.json")
    made: list[Pair] = []
    for number, text in enumerate(texts):
        buggy, category, source = broken(text, number)
        made.append(
            make_pair(
                buggy,
                text,
                category=category,
                kind=category,
                source=source,
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
