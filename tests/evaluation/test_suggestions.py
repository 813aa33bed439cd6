"""The edit threshold on working code: the bar holds at the upper end, and the curve is what was seen."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from ctm.evaluation.proposal_rate import fewest, most, rate
from ctm.evaluation.suggestions import (
    NO_EDIT_THRESHOLD,
    FirstEditFinder,
    area,
    choose_edit,
    draw_windows,
    fit_odds,
    lowest_threshold,
)
from ctm.evaluation.working import Window
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.repair.candidates import Candidate, CodeState, Proposal
from ctm.repair.evaluate import Item
from ctm.repair.passes import strength

PROJECTS = [f"project-{n % 20}" for n in range(20_000)]


def alike(seed: int) -> np.ndarray:
    """Strengths of edits of 20 projects that are all of a kind."""
    return np.random.default_rng(seed).random(len(PROJECTS)) ** 2


@pytest.mark.parametrize("asked", [1.0, 2.0, 10.0])
def test_the_bar_holds_at_the_upper_end_and_no_lower_threshold_would(asked: float) -> None:
    strengths = alike(1)
    threshold = lowest_threshold(strengths, PROJECTS, asked, 0)
    found = rate(strengths > threshold, PROJECTS, 0)
    assert found.low <= found.per_1000 <= found.high <= asked
    assert found.per_1000 > asked / 3, "careful, not timid"
    lower = np.sort(strengths[strengths < threshold])[-1]
    assert rate(strengths > lower, PROJECTS, 0).high > asked


def test_a_threshold_holds_on_projects_that_it_was_not_chosen_on() -> None:
    held = [
        (alike(seed + 100) > lowest_threshold(alike(seed), PROJECTS, 2.0, 0)).mean() * 1000 <= 2.0
        for seed in range(20)
    ]
    assert np.mean(held) >= 0.9


def test_projects_that_differ_make_the_interval_wide() -> None:
    proposed = np.zeros(len(PROJECTS), dtype=bool)
    proposed[:800:20] = True  # forty in one project
    one = rate(proposed, PROJECTS, 0)
    spread = rate(np.arange(len(PROJECTS)) < 40, PROJECTS, 0)
    assert one.per_1000 == spread.per_1000 == 2.0
    assert one.high > 1.5 * spread.high and one.projects["project-0"] == (40, 1000)


def test_few_functions_show_nothing_and_none_less() -> None:
    assert lowest_threshold(np.array([0.1, 0.7, 0.3]), ["a", "b", "c"], 2.0, 0) == 0.7
    none = rate(np.zeros(300, dtype=bool), ["a"] * 300, 0)
    assert none.per_1000 == 0 and none.high == pytest.approx(1000 * 3.0 / 300, rel=0.01), "the rule of three"
    assert lowest_threshold(np.zeros(0), [], 2.0, 0) == NO_EDIT_THRESHOLD
    assert rate(np.zeros(0, dtype=bool), [], 0).per_1000 is None


def test_ends_of_the_interval_of_a_count_are_those_of_the_tables() -> None:
    """Garwood's exact 90 % limits, as tables of the Poisson distribution have them."""
    for count, low, high in ((0, 0.0, 2.996), (1, 0.0513, 4.744), (4, 1.366, 9.154), (10, 5.425, 16.962)):
        assert fewest(count) == pytest.approx(low, abs=5e-4) and most(count) == pytest.approx(high, abs=5e-4)


def test_windows_are_drawn_in_equal_shares_of_the_projects() -> None:
    windows = [
        Window(str(n), name, "a.py", n)
        for name, size in (("a", 3), ("b", 50), ("c", 90))
        for n in range(size)
    ]
    drawn = draw_windows(windows, 43, np.random.default_rng(0))
    assert {name: sum(w.project == name for w in drawn) for name in "abc"} == {"a": 3, "b": 20, "c": 20}
    assert len(set(drawn)) == 43 and len(draw_windows(windows, 1000, np.random.default_rng(0))) == 143


def test_area_is_the_share_of_pairs_in_order() -> None:
    assert area(np.array([0.5, 0.9]), np.array([0.1, 0.5, 0.7])) == pytest.approx((1.5 + 3) / 6)
    assert area(np.zeros(0), np.array([0.1])) is None


def test_the_curve_says_how_often_edits_are_right_under_the_prior() -> None:
    """Strengths of right edits are 1 - u/2, of wrong ones and of working code u: both densities are known."""
    rng = np.random.default_rng(3)
    working, right = rng.random(200_000), rng.random(100_000) < 0.4
    bugs = np.where(right, 1 - rng.random(100_000) / 2, rng.random(100_000))
    odds = fit_odds(working, bugs, right, 0.1)
    assert odds is not None and odds.prior == 0.1
    for strong in (0.75, 0.85, 0.95):
        good, bad = 0.1 * 0.4 * 2, 0.1 * 0.6 + 0.9
        assert odds.probability(strong) == pytest.approx(good / (good + bad), abs=0.015)
    assert odds.probability(0.2) < 0.02, "next to nothing is right there"
    rarer = fit_odds(working, bugs, right, 0.001)
    assert rarer is not None and rarer.probability(0.9) < odds.probability(0.9) / 50


def test_the_curve_never_falls_and_the_strongest_edits_are_not_sure() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        odds = fit_odds(rng.random(300), rng.random(40), rng.random(40) < 0.3, 0.01)
        assert odds is not None
        chances = [odds.probability(s / 50) for s in range(51)]
        assert chances == sorted(chances) and chances[-1] < 0.5
    assert fit_odds(rng.random(3), rng.random(40), rng.random(40) < 0.3, 0.01) is None
    assert fit_odds(rng.random(300), np.zeros(0), np.zeros(0, dtype=bool), 0.01) is None


class Passes:
    """Proposes a last line `pass`, the surer the shorter the code, and in every third code nothing first."""

    def __init__(self, model: CTM, tokenizer: CodeTokenizer, tick: float, **_: object) -> None:
        self.units = tuple(tokenizer.encode("x\npass")[len(tokenizer.encode("x")) :])

    def propose(self, states: list[CodeState]) -> list[Proposal]:
        return [Proposal(tuple(self._candidates(len(state.ids))), 0.9, 1) for state in states]

    def _candidates(self, n: int) -> list[Candidate]:
        nothing = [Candidate(n, n, (), -0.001)] if n % 3 == 0 else []
        return [*nothing, Candidate(n, n, self.units, -0.01 * n)]


def test_first_edits_are_what_a_user_gets_without_a_threshold(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctm.evaluation.suggestions.TorchProposer", Passes)
    windows = [Window(item.fixed.rstrip(), f"p{n % 3}", "a.py", 1) for n, item in enumerate(items[:30])]
    asker = FirstEditFinder(model, tokenizer, 2.0, torch.float32, 1)
    texts = [*(window.text for window in windows), "x = 1\n" * 70]
    *edits, last = asker.first_edits(texts)
    assert last is None, "it does not fit"
    cells = [len(tokenizer.encode(text)) for text in texts]
    for edit, text, n in zip(edits, texts, cells, strict=False):
        changed = n % 3 != 0
        assert edit.text == text + "\npass" * changed
        assert edit.strength == pytest.approx(strength(math.exp(-0.01 * n), n) if changed else 0.0)
    assert 5 < sum(edit.strength > 0 for edit in edits) < 28, "or this shows nothing"
    monkeypatch.setattr("ctm.evaluation.suggestions.CHUNK", 7)
    again = FirstEditFinder(model, tokenizer, 2.0, torch.float32, 2).first_edits(texts)
    assert again == [*edits, None], "whatever the chunks and threads"


def test_bugs_count_as_found_where_the_right_edit_is_above_the_threshold(
    model: CTM, tokenizer: CodeTokenizer, items: list[Item], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ctm.evaluation.suggestions.TorchProposer", Passes)
    texts = [t for item in items[:-1] if len(tokenizer.encode(t := item.fixed.rstrip())) % 3]
    working = [Window(text, f"p{n % 3}", "a.py", 1) for n, text in enumerate(texts)]
    bugs = [Item(str(n), text, text + "\npass" * (n % 2), "logic") for n, text in enumerate(texts)]
    bugs.append(Item("x", "x", "y", "syntax"))
    choice = choose_edit(
        working, bugs, FirstEditFinder(model, tokenizer, 2.0, torch.float32, 1), 1000.0, 0.005, 0
    )
    strengths = sorted(strength(math.exp(-0.01 * n), n) for n in (len(tokenizer.encode(t)) for t in texts))
    assert choice.threshold == pytest.approx(strengths[0]), "anything goes"
    assert choice.found["security"] is None
    assert choice.found["logic"] == pytest.approx(0.5, abs=2 / len(texts)), "every second one"
    assert choice.odds is not None and choice.odds.probability(1.0) < 0.01, "half of five in a thousand"
