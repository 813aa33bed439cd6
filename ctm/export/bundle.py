"""The final bundle: all that `ctm-repair` needs, the weights for torch, and the figures.

Every figure is read from the run's own reports; nothing here measures or assumes. The config names the graph's
checksum and the tokenizer's fingerprint, and `SHA256SUMS` the config's; `ctm-repair` compares them when it loads.
"""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import yaml

from ctm.bundle_names import CARD, CONFIG, METRICS, MODEL, TOKENIZER, WEIGHTS
from ctm.files import replacing, sha256_of, write_json, write_sums, write_text
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.weights import load_weights

FORMAT_VERSION = 1
FIGURES = (
    "accuracy", "accuracy_by_items", "intervals", "rare_kinds", "unreachable", "coverage", "n", "ece",
    "accuracy_by_tick", "ticks_used", "parameters", "false_alarm", "bifi", "by_kind", "ranked", "suites",
    "suite_intervals", "in_use", "suggestions", "auroc", "deletion", "guarded_bifi", "edited", "edit_precision",
    "edit_recall", "collateral_1", "collateral_3", "collateral_half", "over_deleted_5", "over_deleted_half",
    "statement_recall", "same_tree", "precision_thresholds",
)  # fmt: skip


def write_bundle(
    onnx: Path, weights: Path, tokenizer: Path, benchmark: Path, stages: Sequence[Path], out: Path
) -> None:
    """Write the bundle into folder `out`.

    onnx, weights, tokenizer: artifacts of one run. benchmark: report (JSON) of rule benchmark. stages: summaries (JSON)
    of the training stages, in their order. Its card is written apart (ctm/pipeline/model_card.py); one that lies there
    is removed. Raises ValueError if tokenizer and model do not belong together.
    """
    config, tensors = load_weights(weights)
    codec = CodeTokenizer.load(tokenizer)
    if codec.vocab_size != config.vocabulary:
        raise ValueError(
            f"{tokenizer} has {codec.vocab_size} tokens, but the model in {weights} was trained with "
            f"{config.vocabulary}; they are not from the same run"
        )
    measured = json.loads(benchmark.read_text(encoding="utf-8"))
    summaries = [json.loads(path.read_text(encoding="utf-8")) for path in stages]
    metrics = final_metrics(measured, summaries)
    content = {
        "format_version": FORMAT_VERSION,
        "model": dataclasses.asdict(config),
        "thresholds": measured["thresholds"],
        "suggestions": measured["suggestions"]["odds"],
        "confidence": measured["confidence"],
        "precision_thresholds": measured["precision_thresholds"],
        "tokenizer": {"vocabulary": codec.vocab_size, "fingerprint": codec.fingerprint},
        "model_sha256": sha256_of(onnx),
        "stages": {summary["stage"]: summary.get("settings", {}) for summary in summaries},
    }
    with replacing(out / MODEL) as path:
        shutil.copyfile(onnx, path)
    with replacing(out / TOKENIZER) as path:
        shutil.copyfile(tokenizer, path)
    with replacing(out / WEIGHTS) as path:
        torch.save(
            {"format_version": FORMAT_VERSION, "config": dataclasses.asdict(config), "state_dict": tensors},
            path,
        )
    write_text(out / CONFIG, yaml.safe_dump(content, sort_keys=False))
    write_json(out / METRICS, metrics)
    (out / CARD).unlink(missing_ok=True)  # it tells of the bundle that lay here before
    write_sums(out)


def final_metrics(measured: dict[str, Any], summaries: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The run's figures: the benchmark's, and of training all samples seen and the rate over all stages."""
    seen = sum(summary["samples_seen"] for summary in summaries)
    seconds = sum(summary["seconds"] for summary in summaries)
    return {
        "format_version": FORMAT_VERSION,
        **{name: measured[name] for name in FIGURES},
        "thresholds": measured["thresholds"],
        "samples_seen": seen,
        "train_samples_per_second": seen / seconds if seconds else None,
    }
