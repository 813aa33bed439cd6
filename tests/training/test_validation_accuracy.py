"""Accuracy on the validation slice counts as the benchmark does."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from ctm.evaluation.averages import shares
from ctm.grid.tokenizer import CodeTokenizer
from ctm.training import validation_accuracy
from ctm.training.data import load_split
from ctm.training.settings import StageRun
from ctm.training.stage import make_model


def test_milestones_and_benchmark_have_one_overall(
    run: StageRun, grids, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frequent kind that is always right and a seldom one that never is: one half, as the benchmark counts.

    The score that the best weights are told by counts items, as it always has.
    """
    codec, data = CodeTokenizer.load(grids.tokenizer), load_split(grids.train)
    n = 40
    data = dataclasses.replace(data, category=np.array(["logic"] * n), kind=np.array([0] * 30 + [1] * 10))
    right = {tuple(data.ids_of(pair)) for pair in range(30)}
    model = make_model(run, codec, None, 1)

    def judged(model, thought, tick, states, answers, tokenizer) -> list[bool]:
        return [tuple(ids) in right for ids in states]

    monkeypatch.setattr(validation_accuracy, "_right", judged)
    data = dataclasses.replace(data, offsets=data.offsets[: n + 1])
    measured = validation_accuracy.measure_accuracy(model, data, codec, n, 10_000)
    hits = [tuple(data.ids_of(pair)) in right for pair in range(n)]
    assert measured.accuracy["overall"] == shares(data.category, data.kind, hits)["overall"]
    assert measured.accuracy["overall"] == pytest.approx(0.5, abs=0.05), measured.accuracy
    assert measured.by_tick == pytest.approx([measured.accuracy["overall"]] * model.config.ticks)
    assert measured.score == pytest.approx(sum(hits) / n)
    assert measured.error == pytest.approx((measured.score * (1 - measured.score) / n) ** 0.5)
