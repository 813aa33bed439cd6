"""The order of a stage's visits: shares, epochs, real pairs, and nothing left to chance."""

from __future__ import annotations

import dataclasses
from collections import Counter

import numpy as np
import pytest

from ctm.grid.edits import apply_edit
from ctm.grid.tokenizer import CodeTokenizer
from ctm.training.batch import batches
from ctm.training.data import TrainingSet, load_split, plan_visits
from ctm.training.settings import StageRun, StageSettings, TrainingSettings


@pytest.fixture(scope="module")
def data(grids) -> TrainingSet:
    return load_split(grids.train)


def stage(**changed) -> StageSettings:
    usual = StageSettings(ticks=2, batch=10, accumulation=2, learning_rate=1e-3, epochs=3, samples=100)
    return dataclasses.replace(usual, **changed)


def test_the_split_is_read_whole(data: TrainingSet, grids) -> None:
    assert len(data) > 150
    assert set(data.category) == {"syntax", "logic", "clean"} and set(data.source) == {"mutation", "release"}
    codec = CodeTokenizer.load(grids.tokenizer)
    assert {(c, int(n)) for c, n in zip(data.category, data.edit_counts(), strict=True)} >= {
        ("clean", 0), ("syntax", 1), ("syntax", 2), ("logic", 1)
    }  # fmt: skip
    for pair in range(len(data)):
        edits = int(data.edit_counts()[pair])
        for made in range(edits + 1):
            ids, answer, (cell, kind) = data.visit(pair, made)
            text = codec.decode(ids)
            assert codec.encode(text) == ids
            assert answer.is_none(len(ids)) == (made == edits)
            assert (kind == 0) == (cell < 0)
            if made < edits:
                assert apply_edit(ids, answer) == data.visit(pair, made + 1)[0]
            else:
                assert kind == 0, "the repaired state compiles"
                compile(text, "", "exec")


@pytest.mark.parametrize("mix", [{"syntax": 0.5, "clean": 0.2, "logic": 0.3}, {"syntax": 0.9, "clean": 0.1}])
def test_shares_of_the_mix_are_kept(data: TrainingSet, mix: dict[str, float]) -> None:
    plan = plan_visits(data, stage(mix=mix), TrainingSettings(), 1)
    assert len(plan.pair) == 300 and len(plan) == 30
    seen = Counter(data.category[plan.pair].tolist())
    for name in data.category:
        assert seen[name] / len(plan.pair) == pytest.approx(mix.get(name, 0) / sum(mix.values()), abs=0.01)
    if "logic" not in mix:
        assert plan.left_out["category logic, not in this stage"] == (data.category == "logic").sum()


def test_without_a_mix_pairs_come_as_they_are(data: TrainingSet) -> None:
    plan = plan_visits(data, stage(samples=10_000, epochs=1, batch=4, accumulation=1), TrainingSettings(), 1)
    assert plan.unique == len(plan.pair) >= len(data) - 3
    assert max(Counter(plan.pair.tolist()).values()) == 1, "one epoch shows a pair once"


def test_a_pair_comes_again_only_after_all_others_came(data: TrainingSet) -> None:
    plan = plan_visits(
        data, stage(mix={"logic": 1}, samples=500, epochs=2, batch=1, accumulation=1), TrainingSettings(), 1
    )
    times = Counter(plan.pair.tolist())
    assert max(times.values()) - min(times.values()) <= 1


def test_the_plan_is_a_function_of_its_settings(data: TrainingSet) -> None:
    one, two = (plan_visits(data, stage(), TrainingSettings(), 1) for _ in range(2))
    assert (one.pair == two.pair).all() and (one.state == two.state).all()
    for other in (
        plan_visits(data, stage(), TrainingSettings(), 2),
        plan_visits(data, stage(), TrainingSettings(seed=1), 1),
    ):
        assert (one.pair != other.pair).any()


def test_real_pairs_by_their_weight(data: TrainingSet) -> None:
    """0 leaves them out and counts them; more than 1 shows them more often."""
    real = data.source != "mutation"
    none = plan_visits(data, stage(real_weight=0), TrainingSettings(), 1)
    assert not real[none.pair].any()
    assert none.left_out["real pair, not in this stage"] == real.sum()
    shares = [
        real[plan_visits(data, stage(real_weight=w, mix={"syntax": 1}), TrainingSettings(), 1).pair].mean()
        for w in (1, 3)
    ]
    assert shares[1] > 1.3 * shares[0]


def test_a_category_that_is_not_there_is_named(data: TrainingSet) -> None:
    with pytest.raises(ValueError, match="'security', but the training split has no usable pair of it"):
        plan_visits(data, stage(mix={"security": 1}), TrainingSettings(), 1)


def test_long_states_are_left_out_and_counted(data: TrainingSet) -> None:
    lengths = np.diff(data.offsets)
    limit = int(np.median(lengths))
    plan = plan_visits(data, stage(), TrainingSettings(max_cells=limit), 1)
    assert lengths[plan.pair].max() < limit
    assert plan.left_out[f"longer than {limit} cells"] == (lengths >= limit).sum()


def test_repaired_states_have_their_share(data: TrainingSet) -> None:
    for share in (0.0, 0.4, 1.0):
        plan = plan_visits(data, stage(samples=2000, epochs=10), TrainingSettings(final_state_share=share), 1)
        count = data.edit_counts()[plan.pair]
        assert (plan.state <= count).all() and (plan.state >= 0).all()
        assert (plan.state == count)[count > 0].mean() == pytest.approx(share, abs=0.05)
        if share == 0:
            assert set(plan.state[count == 2].tolist()) == {0, 1}, "both states before the last are visited"


def test_batches_hold_similar_lengths_and_can_start_anywhere(data: TrainingSet, grids, run: StageRun) -> None:
    codec = CodeTokenizer.load(grids.tokenizer)
    plan = plan_visits(data, dataclasses.replace(run.stage, samples=150), run.training, 1)
    every = list(batches(data, plan, codec))
    assert len(every) == len(plan)
    padding = sum(b.inputs["tokens"].numel() for b in every) / sum(
        int(b.inputs["lengths"].sum()) for b in every
    )
    assert padding < 1.5, f"{padding:.2f} cells for each that holds something"
    later = list(batches(data, plan, codec, 3))
    assert all(
        (a.inputs["tokens"] == b.inputs["tokens"]).all() for a, b in zip(every[3:], later, strict=True)
    )
    lengths = [int(b.inputs["lengths"].max()) for b in every]
    assert lengths != sorted(lengths), "short and long batches are mixed"
