"""A model from elsewhere is asked about nothing that it trained on, with weights that are still the same."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
import torch
from safetensors.torch import save_file

from ctm.model.weights import load_model, load_weights, save_weights
from ctm.pairs.record import Origin, make_pair, read_pairs, write_pairs

FOLDER = Path(__file__).resolve().parents[2] / "benchmarks" / "unseen"


@pytest.fixture(scope="module")
def measure():
    spec = importlib.util.spec_from_file_location("measure", FOLDER / "measure.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["measure"] = module  # dataclasses look there
    spec.loader.exec_module(module)
    yield module
    del sys.modules["measure"]


def pairs(split: str, category: str, projects: list[str]) -> list:
    made = []
    for number, project in enumerate(projects):
        fixed = f"def {split}_{category}_{number}(a):\n    return a + {number}\n"
        buggy = fixed if category == "clean" else fixed.replace("+", "-")
        made.append(
            make_pair(
                buggy,
                fixed,
                category=category,
                kind="k",
                source="mutation",
                split=split,
                group=project,
                origin=Origin(project=project),
            )
        )
    return made


def test_items_of_seen_projects_are_left_out_and_short_categories_filled(measure, tmp_path: Path) -> None:
    folder = tmp_path / "run" / "results" / "pairs"
    folder.mkdir(parents=True)
    write_pairs(
        folder / "test.parquet",
        [*pairs("test", "logic", ["Seen_One", "new", "new", "other"]), *pairs("test", "security", ["new"])],
    )
    write_pairs(
        folder / "train.parquet",
        [
            *pairs("train", "security", ["seen.two", "third", "third"]),
            *pairs("train", "logic", ["third"] * 9),
        ],
    )
    corpus = tmp_path / "corpus.csv"
    corpus.write_text("name,version\nseen-one,1\nSeen-Two,2\n")
    out = tmp_path / "test.parquet"
    counts = measure.unseen_items(tmp_path / "run", measure.projects_of(corpus), 3, 0, out)
    assert counts["logic"] == {"test": 3, "train": 0} and counts["security"] == {"test": 1, "train": 2}
    assert sorted({pair.origin.project for pair in read_pairs(out)}) == ["new", "other", "third"]
    kept = measure.unseen_rows(
        folder / "test.parquet", measure.projects_of(corpus), tmp_path / "kept.parquet"
    )
    assert kept == pq.read_table(tmp_path / "kept.parquet").num_rows == 4
    assert len(list(read_pairs(tmp_path / "kept.parquet"))) == 4, "the format is still said"
    corpus.write_text("wheel\na.whl\n")
    with pytest.raises(ValueError, match="no column 'name'"):
        measure.projects_of(corpus)


def test_half_precision_weights_become_the_models_own(measure, model, tmp_path: Path) -> None:
    save_weights(tmp_path / "whole.safetensors", model)
    _, tensors = load_weights(tmp_path / "whole.safetensors")
    half = {name: values.to(torch.float16) for name, values in tensors.items()}
    metadata = {"format_version": "3", "architecture": "ctm", **_config(tmp_path / "whole.safetensors")}
    save_file(half, tmp_path / "half.safetensors", metadata)
    measure.widened(tmp_path / "half.safetensors", tmp_path / "wide.safetensors")
    again = load_model(tmp_path / "wide.safetensors")
    assert again.config == model.config
    for name, values in again.state_dict().items():
        assert values.dtype == tensors[name].dtype and torch.equal(values, half[name].to(values.dtype)), name


def _config(path: Path) -> dict[str, str]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        return {"config": file.metadata()["config"]}
