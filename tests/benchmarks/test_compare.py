"""The comparison of models: which trainings are asked for, what its tables say, and a run of a tiny one."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from ctm.model.config import CTMConfig
from ctm.pipeline.config import Config, read_config
from helpers.made_grids import make_grids

PROGRAM = Path(__file__).parents[2] / "benchmarks/compare/run.py"
spec = importlib.util.spec_from_file_location("compare", PROGRAM)
assert spec and spec.loader
compare = importlib.util.module_from_spec(spec)
sys.modules["compare"] = compare  # its dataclasses look themselves up
sys.path.insert(0, str(PROGRAM.parent))
spec.loader.exec_module(compare)
sys.path.remove(str(PROGRAM.parent))


@pytest.fixture(scope="module")
def demo() -> Config:
    return read_config(compare.CONFIG)


def test_blocks_and_one_tick_are_what_a_variant_changes_and_nothing_else(demo: Config) -> None:
    asked = compare.variants(["ctm", "trm", "one-tick"], [0, 3])
    assert [one.label for one in asked] == [
        "CTM", "TRM", "CTM, one tick", "CTM, 0 blocks", "CTM, one tick, 0 blocks", "CTM, 3 blocks",
        "CTM, one tick, 3 blocks",
    ]  # fmt: skip
    runs = {one.label: compare.run_of(demo, one, 1000, 5000, 7) for one in asked}
    plain, deep = runs["CTM"], runs["CTM, one tick, 3 blocks"]
    assert (plain.model["blocks"], deep.model["blocks"]) == (demo.model.blocks, 3)
    assert deep.stage.ticks == 1 and plain.stage.ticks > 1
    assert {k: v for k, v in plain.model.items() if k != "blocks"} == {
        k: v for k, v in deep.model.items() if k != "blocks"
    }
    assert plain.training == deep.training and deep.training.seed == 7, "one recipe, one order of samples"
    for name, run in runs.items():
        if name != "TRM":
            CTMConfig(**{**run.model, "ticks": run.stage.ticks})  # refuses what cannot be


def test_the_table_has_mean_and_spread_of_the_seeds() -> None:
    def row(model: str, seed: int, overall: float, ticks: list[float]) -> dict[str, object]:
        return {
            "comparison": compare.SAME_SAMPLES, "model": model, "seed": seed, "training_flops": 2e9, "samples": 1000,
            "parameters": {"body": 1e6, "embedding": 2e6}, "samples_per_second": 50.0 + seed, "seconds": 20.0,
            "accuracy": {"overall": overall}, "accuracy_by_tick": {"overall": ticks},
        }  # fmt: skip

    text = compare.tables(
        [
            row("CTM", 0, 0.3, [0.2, 0.3]),
            row("CTM", 1, 0.4, [0.3, 0.4]),
            row("CTM, one tick", 0, 0.25, [0.25]),
        ],
        50,
    )
    line = next(line for line in text.splitlines() if line.startswith("| CTM |"))
    assert line.split(" | ")[1:8] == ["2", "1.00 M + 2.00 M", "1,000", "2.00", "50", "20", "-"]
    assert "| 35.0 (30.0 to 40.0) |" in line
    assert "| CTM, one tick | 1 |" in text and "| 25.0 |" in text
    assert "CTM, overall by tick: 25.0 (20.0 to 30.0) / 35.0 (30.0 to 40.0)" in text
    assert "one tick, overall by tick" not in text


def test_a_run_of_a_tiny_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grids = make_grids(tmp_path / "results/grids")
    (tmp_path / "results/tokenizer").mkdir()
    shutil.move(grids.tokenizer, tmp_path / "results/tokenizer/tokenizer.json")
    (tmp_path / "results/pairs").mkdir()
    shutil.copy(tmp_path / "results/grids/validation.parquet", tmp_path / "results/pairs/test.parquet")
    tiny = {
        "training": {
            "order": ["stage1"],
            "stages": {"stage1": {"ticks": 2, "memory": 2, "batch": 16, "accumulation": 1, "mix": {}}},
        },
        "model": {
            "width": 32, "heads": 2, "blocks": 0, "neurons": 32, "nlm_hidden": 4, "synapse_depth": 2,
            "action_pairs": 16, "out_pairs": 16, "self_pairs": 4,
        },
    }  # fmt: skip
    (tmp_path / "tiny.yaml").write_text(yaml.safe_dump(tiny))
    monkeypatch.setattr(compare, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(compare, "SAME_COMPUTE", compare.SAME_SAMPLES)  # half the training
    command = [
        "run.py",
        "--data",
        str(tmp_path / "results"),
        "--samples",
        "16",
        "--items",
        "12",
        "--threads",
        "1",
    ]
    command += [
        "--models",
        "one-tick",
        "--seeds",
        "3",
        "--config",
        str(tmp_path / "tiny.yaml"),
    ]
    monkeypatch.setattr(sys, "argv", command)
    compare.main()
    rows = json.loads((tmp_path / "runs/table.json").read_text())["rows"]
    assert {(row["model"], row["seed"]) for row in rows} == {("CTM, one tick", 3)}
    assert rows[0]["samples"] == 16 and rows[0]["training_flops"] > 0
    assert len(rows[0]["accuracy_by_tick"]["clean"]) == 1
    assert "| CTM, one tick | " in (tmp_path / "runs/table.md").read_text()
