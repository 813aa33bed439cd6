"""A few hundred real pairs as a trainer finds them: grids with their manifest, and the tokenizer."""

from __future__ import annotations

import ast
import json
import textwrap
from dataclasses import dataclass
from pathlib import Path

import pytest
import torch

from ctm.grid.store import sidecar_of, write_manifest, write_shard
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.record import Origin, Pair, make_pair, write_pairs
from ctm.training.settings import StageRun, StageSettings, TrainingSettings

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


@pytest.fixture(scope="session")
def grids(tmp_path_factory: pytest.TempPathFactory) -> Grids:
    folder = tmp_path_factory.mktemp("training")
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


@pytest.fixture
def run() -> StageRun:
    """A stage of 24 steps that takes about a second."""
    return StageRun(
        "stage1",
        StageSettings(ticks=2, memory=3, batch=8, accumulation=2, learning_rate=3e-3, epochs=2, samples=192),
        TrainingSettings(checkpoint_steps=2, log_steps=1, validation_items=24, precision="float32", device="cpu"),
        {
            "width": 32, "heads": 2, "neurons": 32, "nlm_hidden": 4, "synapse_depth": 2, "action_pairs": 16,
            "out_pairs": 16, "self_pairs": 4, "blocks": 1,
        },
    )  # fmt: skip


@pytest.fixture(autouse=True)
def same_threads():
    """`train_stage` sets torch's threads for its process; other tests get theirs back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)
    torch.use_deterministic_algorithms(False)
