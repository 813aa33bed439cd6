"""The search of broken code by itself: a model that is a table, and a compiler that is a list."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import pytest

from ctm.repair.candidates import AppliedEdit, Candidate, Proposal
from ctm.repair.plausible import NO_COSTS
from ctm.repair.rewrites.registry import Rewritten
from ctm.repair.search import Frontier, RepairSearch, RepairSearchSettings, SearchNode, successors

FREE = RepairSearchSettings(deletion=0, insertion=0, split=0, rewrite=0, costs=NO_COSTS, unlikely=0, broken=0)
"""Nothing costs anything: probabilities alone decide."""
ANSWER = Proposal((), 0.9, 5)
START = "one two three four five six seven eight nine"

Table = dict[str, Sequence[AppliedEdit | Rewritten]]


def edit(text: str, score: float, deleted: int = 0, inserted: int = 0) -> AppliedEdit:
    return AppliedEdit(Candidate(0, 0, (), score), text, True, deleted, inserted)


def run(
    table: Table,
    valid: Sequence[str],
    settings: RepairSearchSettings = FREE,
    *,
    start: str = START,
    passes: int = 8,
    wanted: int = 1,
    too_long: Sequence[str] = (),
) -> tuple[RepairSearch, list[str]]:
    """The search at its end, and the texts that the model was asked about."""
    search = RepairSearch(
        start, settings, passes, wanted, lambda text: text in valid, lambda text: text not in too_long
    )
    asked: list[str] = []
    while (text := search.next_text()) is not None:
        asked.append(text)
        found = table.get(text, ())
        search.expand(
            ANSWER,
            [item for item in found if isinstance(item, AppliedEdit)],
            [item for item in found if isinstance(item, Rewritten)],
        )
    return search, asked


def texts(search: RepairSearch) -> list[str]:
    return [found.leaf.text for found in search.found]


# --- what wins ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("far", "near"),
    [
        (edit(f"{START} far", -1.0, deleted=3), edit(f"{START} near", -2.0, deleted=1)),
        (edit(f"{START} far", -1.0, inserted=3), edit(f"{START} near", -2.0, inserted=1)),
        (edit(f"{START} far", -1.0, deleted=2, inserted=2), edit(f"{START} near", -2.0, 1, 1)),
        (edit(f"{START}\nfar", -1.0), edit(f"{START} near", -2.0)),
    ],
    ids=["deleted", "inserted", "replaced", "split in two lines"],
)
def test_of_two_texts_that_compile_the_nearer_one_wins(far: AppliedEdit, near: AppliedEdit):
    table = {START: [far, near]}
    search, _ = run(table, [far.text, near.text], RepairSearchSettings())
    assert texts(search) == [near.text]
    search, _ = run(table, [far.text, near.text], FREE)
    assert texts(search) == [far.text], "without a cost the likelier one"


def test_two_likely_edits_win_over_an_unlikely_one_and_their_scores_add_up():
    half, whole, hack = f"{START} half", f"{START} whole", f"{START} hack"
    table = {START: [edit(half, -0.5, 0, 1), edit(hack, -4.0)], half: [edit(whole, -0.7, 1, 0)]}
    search, asked = run(table, [whole, hack], RepairSearchSettings(costs=NO_COSTS, broken=0))
    assert texts(search) == [whole] and asked == [START, half]
    (found,) = search.found
    assert found.leaf.score == pytest.approx(-0.5 - 0.7 - 2 * 0.8)
    assert [option.text for option in found.leaf.path] == [half, whole]
    assert found.leaf.certainty == 0.9


def test_two_ways_to_a_text_are_one_text_with_both_probabilities():
    twice, once = f"{START} twice", f"{START} once"
    found = [edit(once, math.log(0.4)), edit(twice, math.log(0.3)), edit(twice, math.log(0.2))]
    leaves = successors(SearchNode(START, (), 0.0), ANSWER, found, FREE)
    assert {leaf.text: math.exp(leaf.score) for leaf in leaves} == {
        once: pytest.approx(0.4),
        twice: pytest.approx(0.5),
    }
    search, _ = run({START: found}, [twice, once])
    assert texts(search) == [twice]


def test_a_rewrite_competes_by_its_score_less_what_rewrites_cost():
    model, rewrite = f"{START} model", f"{START} rewrite"
    table = {START: [edit(model, -2.0), Rewritten("certain", rewrite, -1.0)]}
    search, _ = run(table, [model, rewrite])
    assert texts(search) == [rewrite]
    assert [option.rewrite for option in search.found[0].leaf.path] == ["certain"]
    search, _ = run(table, [model, rewrite], replace(FREE, rewrite=1.5))
    assert texts(search) == [model]


def test_code_that_becomes_a_comment_costs_more_than_code_that_stays():
    hidden, kept = "# one two\nthree four", "one (two)\nthree four"
    table = {"one two\nthree four": [edit(hidden, -1.0), edit(kept, -1.5)]}
    for swallowed, expected in ((0.4, kept), (0.1, hidden)):
        settings = replace(FREE, costs=replace(NO_COSTS, swallowed=swallowed))
        search, _ = run(table, [hidden, kept], settings, start="one two\nthree four")
        assert texts(search) == [expected]


def test_a_text_is_looked_at_once_by_the_best_way_that_leads_to_it():
    goal, other = f"{START} goal", f"{START} other"
    table = {
        START: [edit(goal, -5.0), edit(other, -4.0), edit(f"{START} half", -0.1)],
        f"{START} half": [edit(goal, -1.0)],
    }
    search, _ = run(table, [goal, other], wanted=3)
    assert texts(search) == [goal, other] and search.found[0].leaf.score == pytest.approx(-1.1)


def test_a_rewrite_and_an_edit_that_say_the_same_are_one_text_with_both_probabilities():
    same = f"{START} same"
    table = {START: [edit(same, math.log(0.5)), Rewritten("certain", same, math.log(0.25))]}
    search, _ = run(table, [same])
    (found,) = search.found
    assert math.exp(found.leaf.score) == pytest.approx(0.75)
    assert found.leaf.path[0].rewrite == "certain", "what a rewrite takes away is no code of the author's"


def test_what_compiles_is_taken_before_the_model_is_asked_about_what_is_hardly_likelier():
    goal, half, whole = f"{START} goal", f"{START} half", f"{START} whole"
    table = {START: [edit(half, -1.0), edit(goal, -3.0)], half: [edit(whole, -0.1)]}
    for broken, expected, questions in ((0.0, whole, [START, half]), (2.5, goal, [START])):
        search, asked = run(table, [goal, whole], replace(FREE, broken=broken))
        assert texts(search) == [expected] and asked == questions
    search, asked = run(table, [whole], replace(FREE, broken=2.5))
    assert texts(search) == [whole] and asked == [START, half], "held back, not given up"
    (found,) = search.found
    assert found.leaf.score == pytest.approx(-1.1), "and what it leads to pays nothing for it"


def test_a_further_edit_is_expected_to_cost_what_further_edits_cost():
    goal, half, whole = f"{START} goal", f"{START} half", f"{START} whole"
    table = {START: [edit(half, -1.0), edit(goal, -2.0)], half: [edit(whole, -0.1)]}
    _, asked = run(table, [goal, whole], replace(FREE, costs=replace(NO_COSTS, further_edit=2.0)))
    assert asked == [START], "two edits would cost 2 more than one"


def test_texts_that_nobody_looked_at_count_less_against_an_answer():
    table = {START: [edit(f"{START} a", math.log(0.6)), edit(f"{START} b", math.log(0.3))]}
    for unlikely, share in ((0.0, 0.6 / 0.9), (math.log(3), 0.6 / 0.7)):
        search, _ = run(table, [f"{START} a"], replace(FREE, unlikely=unlikely))
        assert search.found[0].share == pytest.approx(share)


def test_several_answers_come_best_first_and_say_how_likely_each_is():
    answers = [edit(f"{START} {name}", math.log(p)) for name, p in (("b", 0.3), ("a", 0.6), ("c", 0.05))]
    search, asked = run({START: answers}, [item.text for item in answers], wanted=2)
    assert texts(search) == [f"{START} a", f"{START} b"] and asked == [START]
    assert search.found[0].share == pytest.approx(0.6 / 0.95), "given that one of all that were open is right"
    assert search.found[1].share == pytest.approx(0.3 / 0.95), "and so of the next one"


def test_a_text_that_compiles_is_not_gone_on_from():
    done = f"{START} done"
    _, asked = run({START: [edit(done, -0.1)], done: [edit(f"{START} more", -0.1)]}, [done], wanted=3)
    assert done not in asked


# --- the budget -----------------------------------------------------------------------------------------------------

SHORT = "one two three four five"


def test_what_loses_too_much_is_refused_and_said_and_the_next_best_text_taken():
    whole = f"({START})"
    table = {START: [edit(SHORT, -0.1), edit("one", -0.2), edit(whole, -3.0)]}
    search, _ = run(table, [SHORT, "one", whole])
    assert texts(search) == [whole]
    assert search.refused is not None and search.refused.text == SHORT, "the likeliest of those refused"
    assert search.refused.loss is not None
    assert search.refused.loss.words == ("six", "seven", "eight", "nine")
    search, _ = run(table, [SHORT, "one", whole], replace(FREE, has_budget=False))
    assert texts(search) == [SHORT] and search.refused is None


def test_where_all_that_compiles_loses_too_much_nothing_is_found():
    search, _ = run({START: [edit(SHORT, -0.1)]}, [SHORT])
    assert search.found == [] and search.refused is not None and not search.is_used_up


def test_losing_a_little_is_within_the_budget():
    less = START.removesuffix(" nine")
    search, _ = run({START: [edit(less, -0.1)]}, [less])
    assert texts(search) == [less]
    assert search.found[0].leaf.loss is not None and search.found[0].leaf.loss.words == ("nine",)


def test_losses_in_small_steps_add_up():
    steps = ["one two three four five six seven", "one two three four five"]
    table = {START: [edit(steps[0], -0.1)], steps[0]: [edit(steps[1], -0.1)]}
    search, _ = run(table, steps[1:])
    assert search.found == [] and search.refused is not None


def test_what_a_rewrite_takes_away_is_not_counted_but_what_the_model_does_after_it_is():
    fences = Rewritten("fences", SHORT, -0.1)
    search, _ = run({START: [fences]}, [SHORT])
    assert texts(search) == [SHORT]
    lost = search.found[0].leaf.loss
    assert lost is not None and len(lost.words) == 4, "it is said nevertheless"
    table = {START: [fences], SHORT: [edit("one two three", -0.1), edit(f"({SHORT})", -2.0)]}
    assert texts(run(table, ["one two three", f"({SHORT})"])[0]) == ["one two three"]
    table[SHORT] = [edit("one", -0.1), edit(f"({SHORT})", -2.0)]
    assert texts(run(table, ["one", f"({SHORT})"])[0]) == [f"({SHORT})"], "four of nine are too many"


# --- limits ---------------------------------------------------------------------------------------------------------


def endless(width: int = 1) -> Table:
    """Every text leads to others that do not compile."""

    class Endless(dict):
        def get(self, text, default=()):
            return [edit(f"{text} {n}", -0.01 * (n + 1)) for n in range(width)]

    return Endless()


def test_the_model_is_asked_about_so_many_states_only():
    search, asked = run(endless(3), [], passes=100)
    assert len(asked) == RepairSearchSettings().expanded and search.is_used_up


def test_more_states_are_looked_at_for_further_answers_only_once_there_is_one():
    settings = replace(FREE, expanded=3, expanded_more=2)
    _, asked = run(endless(), [], settings, wanted=5, passes=100)
    assert len(asked) == 3
    search, asked = run(endless(2), [f"{START} 1"], settings, wanted=5, passes=100)
    assert len(asked) == 5 and texts(search) == [f"{START} 1"]


def test_a_text_is_so_many_edits_away_at_most():
    search, asked = run(endless(), [], passes=2)
    assert asked == [START, f"{START} 0"] and not search.is_used_up
    search, _ = run(endless(), [f"{START} 0 0"], passes=2)
    assert texts(search) == [f"{START} 0 0"], "the last edit may make it compile"


def test_the_compiler_is_asked_about_so_many_texts_only():
    looked_at: list[str] = []

    def is_valid(text: str) -> bool:
        looked_at.append(text)
        return False

    search = RepairSearch(
        START, replace(FREE, checked=20, expanded=1000), 1000, 1, is_valid, lambda text: True
    )
    while (text := search.next_text()) is not None:
        search.expand(ANSWER, endless(50).get(text))
    assert len(looked_at) <= 20 and search.is_used_up


def test_unlikely_texts_are_not_followed():
    table = {
        START: [edit(f"{START} a", -17.0), edit(f"{START} b", -1.0)],
        f"{START} b": [edit(f"{START} c", -16.0)],
    }
    search, asked = run(table, [f"{START} a", f"{START} c"])
    assert search.found == [] and asked == [START, f"{START} b"]
    assert not search.is_used_up, "it ran out of candidates"


def test_edits_that_cannot_matter_need_not_be_looked_at():
    search = RepairSearch(START, FREE, 8, 1, lambda text: False, lambda text: True)
    assert search.next_text() == START and search.min_log_probability == FREE.floor
    search.expand(ANSWER, [edit(f"{START} a", -6.0)])
    assert search.next_text() == f"{START} a" and search.min_log_probability == FREE.floor + 6.0


def test_texts_that_lead_back_to_each_other_are_looked_at_once():
    other = f"{START} other"
    _, asked = run({START: [edit(other, -0.1)], other: [edit(START, -0.1), edit(other, -0.1)]}, [])
    assert asked == [START, other]


def test_what_does_not_fit_is_an_answer_but_no_question():
    long, longer = f"{START} long", f"{START} longer"
    search, asked = run({START: [edit(long, -0.1), edit(longer, -0.2)]}, [longer], too_long=[long, longer])
    assert asked == [START] and texts(search) == [longer]


def test_what_is_found_nearby_is_ranked_by_its_score_and_no_more_than_wanted():
    search, _ = run({}, [], wanted=2)
    search.add_single_token_repairs([(f"{START} b", -8.0), (f"{START} a", -7.0), (f"{START} c", -9.0)])
    assert texts(search) == [f"{START} a", f"{START} b"]
    assert search.found[0].share == pytest.approx(math.exp(-7.0)), "hardly anything speaks for it"


def test_of_equally_likely_texts_the_first_one_is_taken_out_first():
    frontier = Frontier()
    for name in "abc":
        frontier.push(SearchNode(name, (), -1.0))
    first = frontier.pop()
    assert first is not None and first.text == "a"
    assert frontier.share(first) == pytest.approx(1 / 3)
    assert frontier.share(SearchNode("likelier", (), 5000.0)) == pytest.approx(1.0)
    assert frontier.share(SearchNode("unlikelier", (), -5000.0)) == pytest.approx(0.0)
