"""A tiny untrained model over a tiny vocabulary, and real short functions broken in two ways, or left clean."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.weights import save_weights
from ctm.pairs.record import Origin, Pair, make_pair, write_pairs
from ctm.repair.evaluate import Item
from ctm.training.initial import new_model
from helpers import real_code

MODULES = ("heapq", "shlex", "csv", "random", "textwrap", "calendar")
SIZES = {
    "width": 32, "heads": 2, "neurons": 32, "ticks": 4, "memory": 3, "nlm_hidden": 4, "synapse_depth": 2,
    "action_pairs": 16, "out_pairs": 24, "self_pairs": 4, "blocks": 1,
}  # fmt: skip


@pytest.fixture(scope="session")
def functions() -> list[str]:
    """Short functions of the standard library, dedented."""
    return real_code.functions(MODULES, shorter_than=8)


@pytest.fixture(scope="session")
def tokenizer(functions: list[str]) -> CodeTokenizer:
    return CodeTokenizer.train(functions, 1000)


@pytest.fixture(scope="session")
def model(tokenizer: CodeTokenizer) -> CTM:
    torch.set_num_threads(1)
    return new_model(SIZES, tokenizer, 3).eval()


@pytest.fixture(scope="session")
def items(functions: list[str]) -> list[Item]:
    """Two kinds of broken code, one of wrong code that compiles, clean code; one text that does not fit the grid."""
    made = []
    for number, text in enumerate(functions[:48]):
        buggy, category, kind = real_code.broken(text, number)
        if buggy != text or category == "clean":
            made.append(Item(f"item-{number}", buggy, text, category, kind))
    return [*made, Item("too-long", "x = (\n" * 70, "x = 1\n" * 70, "syntax", "lost_colon")]


@pytest.fixture(scope="session")
def pairs_of():
    """Items as a Parquet file of pairs."""

    def write(path: Path, items: list[Item]) -> Path:
        rows: list[Pair] = [
            make_pair(
                i.buggy, i.fixed, category=i.category, kind=i.kind, source="mutation", split="test", group="g",
                origin=Origin(),
            )
            for i in items
        ]  # fmt: skip
        write_pairs(path, rows)
        return path

    return write


@pytest.fixture(scope="session")
def weights(model: CTM, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "model.safetensors"
    save_weights(path, model)
    return path
