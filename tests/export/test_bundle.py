"""The bundle is all that `ctm-repair` needs, says what it is, and refuses parts of different runs."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from ctm.evaluation.torch_proposer import TorchProposer
from ctm.export.bundle import write_bundle
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.config import CTMConfig
from ctm.model.model import CTM
from ctm.repair.bundle import BundleError, load_bundle
from ctm.repair.candidates import make_state


def test_bundle_is_complete(bundle: Path) -> None:
    assert sorted(path.name for path in bundle.iterdir()) == sorted(
        ["ctm.onnx", "ctm_code_repair_final.pt", "tokenizer.json", "final_config.yaml", "final_metrics.json",
         "SHA256SUMS"]
    )  # fmt: skip


def test_repair_loads_it_and_answers_as_torch_does(bundle: Path, exported) -> None:
    loaded = load_bundle(bundle)
    assert loaded.threshold == 0.4 and loaded.further == 0.6
    assert loaded.odds is not None and loaded.odds.probability(0.95) == 0.3
    state = make_state("def add(a, b)\n    return a + b", loaded.tokenizer)
    assert state is not None
    (answer,) = loaded.proposer.propose([state])
    (other,) = TorchProposer(exported.model, exported.codec, 0.91).propose([state])
    assert answer.ticks == other.ticks and answer.certainty == pytest.approx(other.certainty, abs=1e-5)
    best, wanted = answer.candidates[0], other.candidates[0]
    assert (best.start, best.end, best.units) == (wanted.start, wanted.end, wanted.units)


def test_the_graph_is_the_one_it_was_built_with(bundle: Path, tmp_path: Path) -> None:
    assert load_bundle(bundle).unchecked == (), "everything has a checksum"
    copy = shutil.copytree(bundle, tmp_path / "copy")
    with (copy / "ctm.onnx").open("r+b") as file:
        file.seek(-5, 2)
        file.write(b"other")
    with pytest.raises(BundleError, match=r"ctm\.onnx is not the one"):
        load_bundle(copy)


def test_sums_are_those_of_all_files(bundle: Path) -> None:
    """Coreutils read them, and none is forgotten."""
    checked = subprocess.run(
        ["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=bundle, capture_output=True, text=True, check=True
    )
    assert checked.stdout.count(": OK") == len(list(bundle.iterdir())) - 1


def test_the_card_of_an_earlier_bundle_does_not_stay(parts: dict[str, Any], tmp_path: Path) -> None:
    """It tells of other figures, and the sums would vouch for it; its own rule writes the next one."""
    (tmp_path / "MODEL_CARD.md").write_text("old figures")
    write_bundle(**parts, out=tmp_path)
    assert not (tmp_path / "MODEL_CARD.md").exists()
    assert "MODEL_CARD" not in (tmp_path / "SHA256SUMS").read_text()


def test_a_changed_config_is_found(bundle: Path, tmp_path: Path) -> None:
    """A threshold of another digit would repair otherwise, and nothing else would notice."""
    copy = shutil.copytree(bundle, tmp_path / "copy")
    config = (copy / "final_config.yaml").read_text()
    (copy / "final_config.yaml").write_text(config.replace("edit: 0.4", "edit: 0.5", 1))
    with pytest.raises(BundleError, match=r"final_config\.yaml: damaged .*SHA256SUMS"):
        load_bundle(copy)
    (copy / "SHA256SUMS").unlink()
    assert load_bundle(copy).threshold == 0.5, "whoever changes it on purpose is told how"


def test_weights_load_without_trusting_the_file(bundle: Path, exported) -> None:
    content = torch.load(bundle / "ctm_code_repair_final.pt", weights_only=True)
    model = CTM(CTMConfig(**content["config"]))
    model.load_state_dict(content["state_dict"])
    assert torch.equal(model.start_z, exported.model.start_z)


def test_metrics_have_the_keys_that_readers_rely_on(bundle: Path) -> None:
    metrics = json.loads((bundle / "final_metrics.json").read_text())
    for name in ("accuracy", "coverage", "n"):
        assert set(metrics[name]) == {"syntax", "logic", "security", "complex", "clean", "overall"}
    assert metrics["accuracy"]["security"] is None
    assert metrics["samples_seen"] == 4000 and metrics["train_samples_per_second"] == 200.0
    assert metrics["accuracy_by_tick"] == [[1, 0.01], [2, 0.3]] and metrics["ticks_used"]["mean"] == 1.7
    assert set(metrics["parameters"]) == {"body", "embedding"} and metrics["ece"] == 0.04


def test_confidences_for_90_and_95_percent_are_in_the_config_and_the_figures(bundle: Path) -> None:
    config = yaml.safe_load((bundle / "final_config.yaml").read_text())
    metrics = json.loads((bundle / "final_metrics.json").read_text())
    assert config["precision_thresholds"] == metrics["precision_thresholds"]
    assert [(one["precision"], one["confidence"]) for one in config["precision_thresholds"]] == [
        (0.9, 0.612), (0.95, None)
    ]  # fmt: skip


def test_a_bundle_from_before_there_were_such_thresholds_loads(bundle: Path, tmp_path: Path) -> None:
    copy = shutil.copytree(bundle, tmp_path / "copy")
    config = yaml.safe_load((copy / "final_config.yaml").read_text())
    del config["precision_thresholds"]
    (copy / "final_config.yaml").write_text(yaml.safe_dump(config))
    (copy / "SHA256SUMS").unlink()
    assert load_bundle(copy).threshold == load_bundle(bundle).threshold


def test_config_has_sizes_thresholds_and_stages(bundle: Path) -> None:
    config = yaml.safe_load((bundle / "final_config.yaml").read_text())
    assert config["thresholds"] == {"tick": 0.91, "edit": 0.4, "further": 0.6}
    assert config["model"]["ticks"] == 4 and list(config["stages"]) == ["stage1", "stage2"]


def test_parts_of_different_runs_are_refused(parts: dict[str, Any], tmp_path: Path) -> None:
    other = CodeTokenizer.train(["def f(a):\n    return a\n"] * 3, 700)
    other.save(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="not from the same run"):
        write_bundle(**{**parts, "tokenizer": tmp_path / "tokenizer.json"}, out=tmp_path / "final")
    assert not (tmp_path / "final").exists()
