"""A tiny untrained model, exported once, and a bundle of it with figures made up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

from ctm.export.bundle import write_bundle
from ctm.export.onnx import export
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.weights import save_weights
from ctm.pairs.record import Origin, make_pair, write_pairs
from ctm.training.initial import new_model
from helpers.bundle_parts import BENCHMARK, STAGES
from helpers.real_code import functions

SIZES = {
    "width": 32, "heads": 2, "neurons": 32, "ticks": 4, "memory": 3, "nlm_hidden": 4, "synapse_depth": 2,
    "action_pairs": 16, "out_pairs": 24, "self_pairs": 4, "blocks": 1,
}  # fmt: skip

LINEAGE = "5f" * 32


@dataclass(frozen=True)
class Exported:
    """A model and its files."""

    model: CTM
    codec: CodeTokenizer
    weights: Path
    tokenizer: Path
    onnx: Path
    pairs: Path


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    folder = tmp_path_factory.mktemp("export")
    torch.set_num_threads(1)
    texts = functions(("heapq", "shlex", "textwrap", "calendar"), shorter_than=12)
    codec = CodeTokenizer.train(texts, 1000)
    codec.save(folder / "tokenizer.json")
    model = new_model(SIZES, codec, 1).eval()
    with torch.no_grad():
        # an untrained model is hardly certain of anything: sharper pointers, so that certainties differ
        model.pointers.query.weight.mul_(12)
    save_weights(folder / "model.safetensors", model)
    write_pairs(
        folder / "pairs.parquet",
        [
            make_pair(
                text.replace("):", ")", 1), text, category="syntax", kind="lost_colon", source="mutation",
                split="test", group="g", origin=Origin(),
            )
            for text in texts
        ],
    )  # fmt: skip
    export(folder / "model.safetensors", folder / "tokenizer.json", LINEAGE, folder / "ctm.onnx")
    return Exported(
        model, codec, folder / "model.safetensors", folder / "tokenizer.json", folder / "ctm.onnx",
        folder / "pairs.parquet",
    )  # fmt: skip


@pytest.fixture(scope="session")
def parts(exported, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("parts")
    content: dict[str, Any] = {
        "benchmark": BENCHMARK,
        "stage1": STAGES[0],
        "stage2": STAGES[1],
    }
    for name, value in content.items():
        (folder / f"{name}.json").write_text(json.dumps(value))
    return {
        "onnx": exported.onnx, "weights": exported.weights, "tokenizer": exported.tokenizer,
        "benchmark": folder / "benchmark.json",
        "stages": [folder / "stage1.json", folder / "stage2.json"],
    }  # fmt: skip


@pytest.fixture(scope="session")
def bundle(parts: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("final")
    write_bundle(**parts, out=out)
    return out
