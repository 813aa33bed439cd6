"""The graph answers what torch answers, alone and in batches, for any size; and its check fails when it does not."""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx
import pytest
import torch

import ctm
from ctm.bundle_names import INPUTS, OUTPUTS
from ctm.export.check import (
    Disagreement,
    RuntimeAnswer,
    _AnswerComparison,
    check_onnx,
    compare_runtimes,
    draw,
)
from ctm.export.onnx import OPSET, export
from ctm.export.settings import ExportSettings
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.decoding import MIN_LOG_PROBABILITY
from ctm.model.inference import REPLACEMENTS, RUN_ALL_TICKS, SPANS, infer
from ctm.runtime import ort

SETTINGS = ExportSettings(items=40)


def feeds(batch: int, cells: int, threshold: float, ticks: int, vocabulary: int) -> dict[str, Any]:
    draw = np.random.default_rng(batch * 1000 + cells)
    shape = (batch, cells)
    return {
        "tokens": draw.integers(5, vocabulary, shape), "rows": draw.integers(0, 64, shape),
        "cols": draw.integers(0, 48, shape), "lengths": draw.integers(1, cells + 1, batch),
        "diagnosis": np.tile([[min(3, cells - 1), 2]], (batch, 1)),
        "threshold": np.array(threshold, dtype=np.float32), "max_ticks": np.array(ticks),
    }  # fmt: skip


@pytest.fixture(scope="module")
def session(exported) -> ort.InferenceSession:
    return ort.InferenceSession(str(exported.onnx))


def test_inputs_and_outputs_are_those_of_the_contract(exported, session: ort.InferenceSession) -> None:
    assert tuple(i.name for i in session.get_inputs()) == INPUTS
    assert tuple(o.name for o in session.get_outputs()) == OUTPUTS
    types = {i.name: i.type for i in session.get_inputs()}
    assert types.pop("threshold") == "tensor(float)" and set(types.values()) == {"tensor(int64)"}
    graph = onnx.load(exported.onnx)
    assert [entry.version for entry in graph.opset_import if entry.domain in ("", "ai.onnx")] == [OPSET]
    assert sum(node.op_type == "Loop" for node in graph.graph.node) == 1, "ticks are a loop, not unrolled"


def test_the_file_says_what_it_is(exported, session: ort.InferenceSession) -> None:
    said = session.get_modelmeta().custom_metadata_map
    counts = exported.model.parameter_counts()
    assert said == {
        "title": "ctm-code-repair", "version": ctm.__version__, "lineage": "5f" * 32, "license": "Apache-2.0",
        "tokenizer_fingerprint": exported.codec.fingerprint, "vocabulary": str(exported.codec.vocab_size),
        "opset": str(OPSET), "ticks": "4", "parameters_body": str(counts["body"]),
        "parameters_embedding": str(counts["embedding"]),
    }  # fmt: skip
    assert b"site-packages" not in exported.onnx.read_bytes(), "nothing of the machine that built it"


def test_a_graph_that_is_not_valid_is_not_written(
    exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exporter is made to leave out a node that others read from."""

    def save(path: str, external_data: bool) -> None:
        broken = onnx.load(exported.onnx)
        del broken.graph.node[0]
        onnx.save(broken, path)

    program = SimpleNamespace(model=SimpleNamespace(metadata_props={}), save=save)
    monkeypatch.setattr("ctm.export.onnx.ClearMetadataAndDocStringPass", lambda: lambda model: None)
    monkeypatch.setattr("torch.onnx.export", lambda *args, **options: program)
    with pytest.raises(onnx.checker.ValidationError):
        export(exported.weights, exported.tokenizer, "", tmp_path / "ctm.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_tokenizer_of_another_run_is_refused(exported, tmp_path: Path) -> None:
    CodeTokenizer.train(["def f(a):\n    return a\n"] * 3, 700).save(tmp_path / "tokenizer.json")
    with pytest.raises(ValueError, match="not from the same run"):
        export(exported.weights, tmp_path / "tokenizer.json", "", tmp_path / "ctm.onnx")


@pytest.mark.parametrize(("batch", "cells"), [(1, 1), (1, 2), (1, 40), (3, 33), (7, 130)])
def test_any_size_and_number_of_ticks(
    exported, session: ort.InferenceSession, batch: int, cells: int
) -> None:
    for threshold, ticks in ((RUN_ALL_TICKS, 4), (RUN_ALL_TICKS, 1), (RUN_ALL_TICKS, 9), (0.05, 4)):
        fed = feeds(batch, cells, threshold, ticks, exported.codec.vocab_size)
        outputs = dict(zip(OUTPUTS, session.run(list(OUTPUTS), fed), strict=True))
        assert outputs["spans"].shape == (batch, SPANS, 2)
        assert outputs["units"].shape == (batch, SPANS, REPLACEMENTS, 16)
        assert outputs["unit_log_probability"].shape == (batch, SPANS, REPLACEMENTS)
        assert (outputs["ticks"] >= 1).all() and (outputs["ticks"] <= ticks).all()
        with torch.inference_mode():
            inputs = {name: torch.from_numpy(fed[name]) for name in INPUTS[:5]}
            kept, _ = infer(exported.model, inputs, threshold, ticks)
        assert outputs["certainty"] == pytest.approx(kept.certainty.numpy(), abs=1e-5)


def test_check_passes_and_reports(exported, tmp_path: Path) -> None:
    out = tmp_path / "onnx.json"
    check_onnx(exported.onnx, exported.weights, exported.tokenizer, exported.pairs, SETTINGS, 1, out)
    report = json.loads(out.read_text())
    assert report["items"] == 40 and report["comparisons"] == 120
    assert report["largest_probability_difference"] < 1e-4
    assert 0 < report["thresholds"][1] < 1
    assert report["metadata"]["tokenizer_fingerprint"] == exported.codec.fingerprint


@pytest.mark.parametrize("part", ["pointers.key.weight", "units.token.weight", "nlm.layers.1.bias"])
def test_check_names_the_item_when_the_weights_differ(exported, part: str) -> None:
    other = copy.deepcopy(exported.model)
    with torch.no_grad():
        weight = other.get_parameter(part)
        weight.add_(
            torch.randn(weight.shape, generator=torch.Generator().manual_seed(1)) * weight.std() * 0.2 + 0.02
        )
    samples = draw(exported.pairs, exported.codec, SETTINGS)
    with pytest.raises(
        Disagreement, match=rf"item ({'|'.join(s.name for s in samples)}), onnxruntime and torch"
    ):
        compare_runtimes(exported.onnx, other, samples, SETTINGS, 1)


def test_check_fails_when_frozen_samples_go_on(exported, monkeypatch: pytest.MonkeyPatch) -> None:
    """Torch that never freezes differs from the graph, which does."""
    keep = infer.__globals__["select_tick"]
    monkeypatch.setattr(
        "ctm.export.check.select_tick",
        lambda kept, said, tick, threshold: keep(kept, said, tick, RUN_ALL_TICKS),
    )
    samples = draw(exported.pairs, exported.codec, SETTINGS)
    with pytest.raises(Disagreement, match=r"threshold 0\.\d+: the answers come from ticks"):
        compare_runtimes(exported.onnx, exported.model, samples, SETTINGS, 1)


A, B, C = (0, 1, 300), (0, 1, 301), (2, 2)


@pytest.mark.parametrize(
    ("one", "other", "wrong"),
    [
        ({A: -0.1, B: -3.0}, {A: -0.1, B: -3.0}, ""),
        ({A: -0.1, B: -3.0}, {A: -0.1, C: -3.0}, ""),  # as probable: a tie
        ({A: -0.1, B: -3.0}, {A: -0.1, C: -3.1}, r"\(0, 1, 301\) .* and \(2, 2\)"),
        ({A: -0.1, B: -3.0}, {A: -0.1, B: -3.1}, r"candidate \(0, 1, 301\): log-probabilities -3.0 and -3.1"),
        ({A: -0.1, B: -3.0}, {A: -0.1}, "2 candidates against 1"),
        ({A: -0.1}, {A: -0.1, B: MIN_LOG_PROBABILITY + 0.1}, "1 candidates against 2"),
        ({A: -0.1, B: MIN_LOG_PROBABILITY + 0.001}, {A: -0.1}, ""),  # one of both may have dropped it
        ({A: -0.1, B: MIN_LOG_PROBABILITY + 0.001, C: -12.0}, {A: -0.1, C: -12.0}, ""),
        ({A: -0.1, B: MIN_LOG_PROBABILITY - 2, C: -12.0}, {A: -0.1, C: -12.5}, r"candidate \(2, 2\)"),
        ({A: -0.1, B: -3.0}, {A: -0.1, B: math.nan}, r"candidate \(0, 1, 301\)"),
    ],
)
def test_candidates_agree_down_to_where_rounding_decides_which_are_read(one, other, wrong: str) -> None:
    def compare_them(said: dict, other_said: dict) -> None:
        certainty = np.array([0.4, 0.5], dtype=np.float32)
        _AnswerComparison(SETTINGS).compare(
            "x",
            "a and b",
            RUN_ALL_TICKS,
            RuntimeAnswer(said, 0.5, 2),
            RuntimeAnswer(other_said, 0.5, 2),
            certainty,
        )

    if not wrong:
        compare_them(one, other)
        compare_them(other, one)
        return
    with pytest.raises(Disagreement, match=f"item x, .*{wrong}"):
        compare_them(one, other)
    with pytest.raises(Disagreement):
        compare_them(other, one)


def test_pairs_that_do_not_fit_leave_nothing_to_check(exported, tmp_path: Path) -> None:
    from ctm.pairs.record import write_pairs

    write_pairs(tmp_path / "none.parquet", [])
    with pytest.raises(ValueError, match="has no pair that fits the grid"):
        check_onnx(
            exported.onnx, exported.weights, exported.tokenizer, tmp_path / "none.parquet", SETTINGS, 1, tmp_path / "o"
        )  # fmt: skip
