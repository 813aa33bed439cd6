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


MASK = -10000.0


def test_candidates_are_ranked_by_both_log_probabilities():
    units = np.full((2, 4, 3, 16), STOP)
    units[1, 0, 1, :2] = 300, 301
    units[1, 1, 0] = 300
    units[1, 1, 1, 0] = 302
    arrays = {
        "spans": np.arange(16).reshape(2, 4, 2),
        "span_log_probability": np.array([[-9.0] * 4, [-0.1, -0.2, -0.3, MASK]], dtype=np.float32),
        "units": units,
        "unit_log_probability": np.array(
            [[[-9.0] * 3] * 4, [[-0.2, -2.0, MASK], [-0.2, -5.0, -6.0], [MASK] * 3, [-0.1] * 3]],
            dtype=np.float32,
        ),
        "certainty": np.array([0.5, 0.25], dtype=np.float32),
        "ticks": np.array([3, 4]),
    }
    answer = read_answer(arrays, 1)
    assert [(item.start, item.end) for item in answer.candidates] == [
        (8, 9),
        (10, 11),
        (8, 9),
        (10, 11),
        (10, 11),
    ]
    assert [item.units for item in answer.candidates] == [(), (300,) * 16, (300, 301), (302,), ()]
    assert [item.log_probability for item in answer.candidates] == pytest.approx(
        [-0.3, -0.4, -2.1, -5.2, -6.2]
    )
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
