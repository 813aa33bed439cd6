"""`make compare` on a few pairs and tiny models: two seeds, paired differences, and nothing trained twice."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from ctm.pairs.record import read_pairs, write_pairs
from helpers.made_grids import make_grids

ROOT = Path(__file__).parents[2]
spec = importlib.util.spec_from_file_location("compare", ROOT / "benchmarks/compare/run.py")
assert spec and spec.loader
compare = importlib.util.module_from_spec(spec)
sys.modules["compare"] = compare
sys.path.insert(0, str(ROOT / "benchmarks/compare"))
spec.loader.exec_module(compare)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """What a finished demo leaves that the comparison reads."""
    folder = tmp_path / "results"
    make_grids(folder / "grids")
    for source, target in (
        ("tokenizer.json", "tokenizer/tokenizer.json"),
        ("validation.parquet", "pairs/test.parquet"),
    ):
        (folder / target).parent.mkdir()
        shutil.move(folder / "grids" / source, folder / target)
    pairs = enumerate(list(read_pairs(folder / "pairs/test.parquet")))
    write_pairs(folder / "pairs/test.parquet", [replace(pair, group=f"project-{n % 4}") for n, pair in pairs])
    return folder


def test_two_seeds_of_two_models_are_paired_and_trained_once(
    results: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    in_process(monkeypatch)
    monkeypatch.setattr(compare, "RUNS", tmp_path / "runs")
    monkeypatch.setattr(compare, "CONFIG", [ROOT / "config/config.yaml", ROOT / "config/test.yaml"])
    options = ["--data", str(results), "--samples", "64", "--items", "30", "--threads", "1", "--seeds", "2"]
    monkeypatch.setattr(sys, "argv", ["compare", *options])
    compare.main()
    table = json.loads((tmp_path / "runs/table.json").read_text())
    rows = table["rows"]
    assert len(rows) == 2 * 2 * 4 and {row["seed"] for row in rows} == {0, 1}
    same = [row for row in rows if row["comparison"] == "same samples"]
    assert len({row["samples"] for row in same}) == 1, "the same samples"
    assert all(row["intervals"]["accuracy"].keys() >= {"syntax", "overall"} for row in rows)
    pairs = [pair for pair in table["differences"] if pair["comparison"] == "same samples"]
    assert [pair["second"] for pair in pairs] == ["TRM", "CTM, one tick", "transformer"]
    for pair in pairs:
        ours, theirs = ([r for r in same if r["model"] == pair[of]] for of in ("first", "second"))
        apart = [
            a["accuracy"]["overall"] - b["accuracy"]["overall"] for a, b in zip(ours, theirs, strict=True)
        ]
        assert pair["difference"]["by_seed"] == pytest.approx(apart)
        assert pair["difference"]["accuracy"]["overall"]["value"] == pytest.approx(sum(apart) / 2)
    assert "CTM less TRM" in capsys.readouterr().out
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "runs/trained").rglob("*.safetensors")}
    assert len(before) == len({row["trained"] for row in rows})
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("trained again"))
    compare.main()
    assert json.loads((tmp_path / "runs/table.json").read_text()) == table


def test_blocks_change_the_encoder_and_nothing_else() -> None:
    config = compare.read_config(compare.CONFIG)
    asked = compare.variants(config, ["CTM, one tick"], [0, 3])
    assert list(asked) == [
        "CTM", "CTM, one tick", "CTM, 0 blocks", "CTM, one tick, 0 blocks", "CTM, 3 blocks", "CTM, one tick, 3 blocks",
    ]  # fmt: skip
    runs = {label: compare.run_of(sizes, name, 0, 1000, 5000, 7) for label, (name, sizes) in asked.items()}
    plain, deep = runs["CTM"], runs["CTM, one tick, 3 blocks"]
    assert (plain.model["blocks"], deep.model["blocks"]) == (config.model.blocks, 3)
    assert deep.stage.ticks == 1 and plain.stage.ticks == runs["CTM, 3 blocks"].stage.ticks > 1
    assert {**plain.model, "blocks": 3} == deep.model
    assert plain.training == deep.training, "one recipe, one order of samples"


def in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stages are trained here, not in processes of their own, each of which would load torch anew."""
    sys.path.insert(0, str(ROOT / "workflow/scripts"))
    import train_stage

    def run(command: list[str], **_: object) -> None:
        options = command[2:]
        named = {o.removeprefix("--"): v for o, v in zip(options[::2], options[1::2], strict=True)}
        number = {"threads": int(named.pop("threads"))}
        text = {"settings": named.pop("settings")}
        train_stage.main(**{name: Path(path) for name, path in named.items()}, **number, **text)

    monkeypatch.setattr(subprocess, "run", run)
