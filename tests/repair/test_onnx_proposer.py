"""onnxruntime behind the Proposer: order, ranking, masks, graphs that are not ours."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ctm.grid.tokenizer import STOP
from ctm.repair.candidates import make_state
from ctm.repair.onnx_proposer import BATCH, OnnxProposer, read_answer
from ctm.repair.passes import repair_many


def test_answers_come_in_the_order_of_the_states(colon_bundle: Path, tokenizer):
    proposer = OnnxProposer(colon_bundle / "ctm.onnx", 0.9, 7)
    texts = [f"def f{i}({', '.join('abcdefg'[: i % 7])})\n    pass" for i in range(2 * BATCH + 3)]
    states = [make_state(text, tokenizer) for text in texts]
    answers = proposer.propose(states)
    assert [answer.candidates[0].start for answer in answers] == [state.diagnosis[0] for state in states]
    assert all(len(answer.candidates) == 1 for answer in answers), "masked spans are no candidates"
    assert {answer.ticks for answer in answers} == {7}
    repairs = repair_many(texts, proposer, tokenizer, 0.5)
    assert [item.text for item in repairs] == [text.replace(")", "):") for text in texts]


def test_candidates_are_ranked_by_both_log_probabilities():
    units = np.full((1, 10, 16), STOP)
    units[0, 1, :2] = 300, 301
    units[0, 2] = 300
    arrays = {
        "spans": np.arange(20).reshape(1, 10, 2),
        "span_log_probability": np.array([[-0.1, -0.2, -0.3] + [-10000.0] * 7], dtype=np.float32),
        "units": units[:, :, None],
        "unit_log_probability": np.array([[-5.0, -0.1, -0.2] + [-0.1] * 7], dtype=np.float32)[:, :, None],
        "certainty": np.array([0.25], dtype=np.float32),
        "ticks": np.array([4]),
    }
    answer = read_answer(arrays, 0)
    assert [item.start for item in answer.candidates] == [2, 4, 0]
    assert [item.units for item in answer.candidates] == [(300, 301), (300,) * 16, ()]
    assert answer.candidates[0].log_probability == pytest.approx(-0.3)
    assert (answer.certainty, answer.ticks) == (0.25, 4)


def test_a_graph_that_is_not_ours_is_refused(tmp_path: Path):
    onnx = pytest.importorskip("onnx")
    model = onnx.parser.parse_model(
        '<ir_version: 9, opset_import: ["" : 18]> other (int64[b] tokens) => (int64[b] spans)'
        "{ spans = Identity (tokens) }"
    )
    onnx.save(model, tmp_path / "ctm.onnx")
    with pytest.raises(ValueError, match=r"lacks cols, diagnosis, lengths"):
        OnnxProposer(tmp_path / "ctm.onnx", 0.9, 7)
