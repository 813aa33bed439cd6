"""Measures of the synchronization on made data, where the answer is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from numpy.typing import NDArray

from ctm.analysis.synchronization import probe
from ctm.analysis.synchronization.ablation import (
    PairEffects,
    equal_variance,
    halves_of,
    rank_stability,
    variance_beside,
)
from ctm.analysis.synchronization.category import some_ticks
from ctm.analysis.synchronization.collapse import effective_rank, readout_spread
from ctm.analysis.synchronization.importance import information, place_groups
from ctm.analysis.synchronization.place import named
from ctm.analysis.synchronization.similarity import agreement, distances, seeds_similarity
from ctm.evaluation.estimates import Resampling
from ctm.evaluation.thoughts import Thoughts

N, PROJECTS, CLASSES = 160, 8, 4
SPLIT = probe.ProbeSplit.of([f"project {number % PROJECTS}" for number in range(N)], 4)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def planted(rng: np.random.Generator, strength: float) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Features [N, 20] of noise, to four of which the label is added."""
    labels = rng.integers(CLASSES, size=N)
    features = rng.normal(size=(N, 20))
    features[np.arange(N), labels] += strength
    return features, labels


def test_planted_category_is_found_and_random_labels_give_chance(rng: np.random.Generator) -> None:
    features, labels = planted(rng, 5.0)
    assert probe.hits(features, labels, SPLIT, CLASSES).mean() > 0.9
    chance = [
        probe.hits(features, probe.shuffled(labels, SPLIT.projects, rng), SPLIT, CLASSES).mean()
        for _ in range(8)
    ]
    assert 0.15 < np.mean(chance) < 0.35, "a quarter of four classes"


def test_probe_is_tested_on_projects_that_it_has_not_seen(rng: np.random.Generator) -> None:
    for learn, test in SPLIT.parts():
        assert not set(SPLIT.projects[learn]) & set(SPLIT.projects[test])
    # features that name the project say nothing of another project, whatever labels its items have
    project = np.array([int(name.split()[1]) for name in SPLIT.projects])
    labels = project % 2
    found = probe.hits(probe.one_hot(project), labels, SPLIT, 2).mean()
    assert found < 0.6, "learned by heart"


def test_shuffled_labels_stay_in_their_project(rng: np.random.Generator) -> None:
    labels = np.arange(N)
    mixed = probe.shuffled(labels, SPLIT.projects, rng)
    assert (mixed != labels).any() and sorted(mixed) == sorted(labels)
    assert (SPLIT.projects[mixed] == SPLIT.projects).all()


def test_p_counts_what_was_observed_as_a_draw() -> None:
    assert probe.permutation_p(0.5, [0.1, 0.2, 0.6]) == pytest.approx(2 / 4)
    assert probe.permutation_p(0.9, [0.1] * 19) == pytest.approx(1 / 20), "never 0"
    assert probe.permutation_p(0.9, []) is None


def test_effective_rank(rng: np.random.Generator) -> None:
    line = np.outer(rng.normal(size=50), rng.normal(size=12))
    assert effective_rank(line) == pytest.approx(1, abs=1e-3), "all rows are multiples of one"
    # two directions of equal size: -(1/2 log 1/2) twice is log 2
    square = np.array([[1.0, 0], [-1, 0], [0, 1], [0, -1]])
    assert effective_rank(square) == pytest.approx(2)
    # singular values 3 and 1: shares 3/4 and 1/4
    long = square * [3.0, 1.0]
    assert effective_rank(long) == pytest.approx(np.exp(-(0.75 * np.log(0.75) + 0.25 * np.log(0.25))))
    assert effective_rank(np.ones((5, 3))) is None, "nothing differs"
    assert effective_rank(np.concatenate([line, line])) == pytest.approx(effective_rank(line), rel=1e-3)


def test_variance_is_split_into_samples_and_ticks() -> None:
    sample, tick = np.array([-1.0, 1.0]), np.array([-2.0, 0.0, 2.0])
    readout = (sample[:, None] + tick)[:, :, None].astype(np.float32)
    # the two parts are independent: 1 and 8/3 of 11/3
    found = readout_spread(readout)
    assert found["share of variance between samples"] == pytest.approx(3 / 11)
    assert found["share of variance between ticks"] == pytest.approx(8 / 11)
    assert found["share of variance of both together"] == pytest.approx(0, abs=1e-9)


def test_lines_are_named_among_those_of_the_text() -> None:
    scores = np.array([[0.1, 0.5, 0.2, 0.9], [0.0, 0.0, 0.0, 0.0]])
    inside = np.array([[True, True, True, False]] * 2)
    assert named(scores, np.array([1, 0]), inside, 1).tolist() == [1, 0], "line 3 is not in the text"
    assert named(scores, np.array([0, 0]), inside, 3).tolist() == [1, 0], "who names no line is never right"
    assert named(scores, np.array([2, 0]), inside, 1).tolist() == [0, 0]


def test_kinds_that_are_alike_are_near(rng: np.random.Generator) -> None:
    directions = rng.normal(size=(2, 30))
    means = np.concatenate([directions[:1] + 0.1 * rng.normal(size=(4, 30)), directions[1:].repeat(4, 0)])
    category = np.array([0] * 4 + [1] * 4)
    other = (category[:, None] != category).astype(float)
    found = agreement(distances(means + 0.1 * rng.normal(size=means.shape)), other)
    assert found is not None and found > 0.8
    assert agreement(other, other) == pytest.approx(1)
    assert agreement(np.ones((4, 4)), other[:4, :4]) is None, "all distances are equal"


def test_random_pairs_have_about_the_variance_of_the_best(rng: np.random.Generator) -> None:
    variance = np.arange(100.0)
    best = np.array([10, 50, 90])
    drawn = equal_variance(variance, best, rng)
    assert len(set(drawn.tolist())) == 3 and not set(drawn.tolist()) & set(best.tolist())
    assert np.abs(variance[drawn] - variance[best]).max() <= 10


def test_variance_of_random_pairs_is_told_where_none_is_as_large(rng: np.random.Generator) -> None:
    """The ten pairs that vary most have no equals: half of their variance is no control of equal variance."""
    variance = np.array([1.0] * 90 + [2.0] * 10)
    best = np.arange(90, 100)
    random = [[equal_variance(variance, best, rng)] for _ in range(3)]
    assert variance_beside(variance, [best], random) == 0.5
    assert variance_beside(np.zeros(100), [best], random) is None


def test_halves_are_of_whole_projects_and_about_equal() -> None:
    projects = ["a"] * 6 + ["b"] * 3 + ["c"] * 2 + ["d"]
    half = halves_of(projects)
    assert half.sum() == 6
    assert all(
        len({bool(h) for h, p in zip(half, projects, strict=True) if p == name}) == 1 for name in "abcd"
    )


def test_ranks_are_stable_where_the_halves_agree(rng: np.random.Generator) -> None:
    half = np.array([False, True] * 20)
    true = rng.normal(size=30)
    stable = rank_stability(PairEffects(true + 0.01 * rng.normal(size=(40, 30)), half))
    assert stable["value"] > 0.9 and stable["p"] < 1e-6
    noise = rank_stability(PairEffects(rng.normal(size=(40, 30)), half))
    assert abs(noise["value"]) < 0.5
    assert rank_stability(PairEffects(np.zeros((40, 30)), half))["value"] is None


def test_information_is_in_the_pair_that_has_it(rng: np.random.Generator) -> None:
    labels = rng.integers(2, size=N)
    readout = rng.normal(size=(N, 3)).astype(np.float32)
    readout[:, 1] += 20 * labels
    found = information(readout, labels, 0)
    assert found[1] == pytest.approx(np.log(2), abs=0.05), "all of one bit"
    assert found[[0, 2]].max() < 0.15
    assert np.isnan(information(readout, np.zeros(N, int), 0)).all(), "one label"


def test_place_groups_are_of_about_equal_size() -> None:
    groups = place_groups(np.arange(20))
    assert np.bincount(groups).tolist() == [5, 5, 5, 5]
    assert place_groups(np.zeros(7, int)).tolist() == [0] * 7, "equal lines are together"
    assert not len(place_groups(np.zeros(0, int)))


def test_ticks_are_spread_from_the_first_to_the_last() -> None:
    assert some_ticks(8, 16) == list(range(8))
    assert some_ticks(64, 4) == [0, 21, 42, 63]
    assert some_ticks(8, 1) == [7] and some_ticks(1, 5) == [0]


def test_intervals_of_a_difference_are_of_the_same_items() -> None:
    projects = [f"p{number % 6}" for number in range(60)]
    resampling = Resampling(projects)
    one = np.array([1.0] * 30 + [0.0] * 30)
    better = resampling.difference(one, np.where(np.arange(60) < 12, 0.0, one))
    assert better["value"] == pytest.approx(0.2) and better["interval"][0] > 0
    same = resampling.difference(one, one)
    assert same["value"] == 0 and same["interval"] == pytest.approx(
        [-(1 - 0.025 ** (1 / 6)), 1 - 0.025 ** (1 / 6)]
    )
    assert Resampling(["one"] * 5).share(np.ones(5))["interval"] is None, "of one project nothing can be said"
    nothing = resampling.share(np.full(60, np.nan))
    assert nothing["value"] is None and nothing["why"]


def test_area_under_the_curve_by_hand() -> None:
    resampling = Resampling(["a", "b", "c", "d"])
    # of four comparisons 3 > 1, 3 > 2, 2 = 2 (half), 2 > 1
    found = resampling.auroc(np.array([3, 2, 2, 1]), np.array([True, True, False, False]))
    assert found["value"] == pytest.approx(3.5 / 4)
    assert resampling.auroc(np.arange(4), np.ones(4, bool))["why"] == "all items are right"
    gap = resampling.auroc_difference(
        np.array([3, 2, 2, 1]), np.zeros(4), np.array([True, True, False, False])
    )
    assert gap["value"] == pytest.approx(3.5 / 4 - 0.5)


class Kinds:
    """Twelve items of each of ten kinds, from four projects."""

    def __init__(self) -> None:
        self.kind = np.repeat(np.arange(10), 12)
        items = [SimpleNamespace(category="logic", kind=f"kind {number}") for number in self.kind]
        self.items = [SimpleNamespace(case=SimpleNamespace(item=item)) for item in items]
        self.projects = np.array([f"project {number % 4}" for number in range(len(items))])

    def __len__(self) -> int:
        return len(self.items)

    def thoughts(self, meaning: NDArray[np.float64], rng: np.random.Generator) -> Thoughts:
        """A model whose pairs mix what a kind means, [10, 6], in a way of their own."""
        readout = (meaning @ rng.normal(size=(6, 80)))[self.kind] + 0.3 * rng.normal(size=(len(self), 80))
        n, lines = len(self), np.zeros((len(self), 1, 4), np.float32)
        pooled = rng.normal(size=(n, 8)).astype(np.float32)
        one = np.ones((n, 1), np.float32)
        return Thoughts(readout[:, None].astype(np.float32), one, one[:, 0] > 0, pooled, lines, lines)


def test_two_seeds_agree_on_kinds_though_no_pair_of_theirs_is_the_same(rng: np.random.Generator) -> None:
    kinds, meaning = Kinds(), rng.normal(size=(10, 6))
    one, other = kinds.thoughts(meaning, rng), kinds.thoughts(meaning, rng)
    stranger = kinds.thoughts(rng.normal(size=(10, 6)), rng)
    found = seeds_similarity(one, other, kinds, rng)
    assert (
        found["n"] == 10 and found["synchronization"]["value"] > 0.7 and found["synchronization"]["p"] < 0.01
    )
    assert abs(found["synchronization"]["null"]) < 0.1
    assert all(half["value"] > 0.9 for half in found["two halves"]), "a model agrees with itself"
    assert found["encoder pool"]["p"] > 0.05, "noise does not"
    assert seeds_similarity(one, stranger, kinds, rng)["synchronization"]["p"] > 0.05
    few = Kinds()
    few.kind = few.kind % 3
    for item, number in zip(few.items, few.kind, strict=True):
        item.case.item.kind = f"kind {number}"
    assert seeds_similarity(one, other, few, rng)["synchronization"]["value"] is None
