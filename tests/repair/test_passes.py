"""The pass loop, with models that know, lie, never stop or go in circles."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from ctm.python.compiling import compiles
from ctm.repair import passes
from ctm.repair.passes import USUAL_CELLS, Repairer, strength
from ctm.repair.plausible import NO_COSTS
from ctm.repair.search import RepairSearchSettings

BROKEN = "def add(a, b)\n    return a + b"
FIXED = "def add(a, b):\n    return a + b"
ALONE = RepairSearchSettings(
    rewrites=False,
    nearby=False,
    insertion=0.0,
    deletion=0.0,
    split=0.0,
    costs=NO_COSTS,
    broken=0,
    unlikely=0.0,
    has_budget=False,
)
"""The model's word alone counts."""


def repair_many(texts, proposer, tokenizer, threshold, top_k=1, search=ALONE, **options):
    return Repairer(proposer, tokenizer, threshold, search=search, **options).repair(texts, top_k=top_k)


def test_oracle_repairs_in_as_many_passes_as_there_are_errors(oracle, tokenizer):
    buggy = "def f(a, b)\n    if a == b\n        print a\n    return (a"
    fixed = "def f(a, b):\n    if a == b:\n        print(a)\n    return (a)"
    (repair,) = repair_many([buggy], oracle({buggy: fixed}), tokenizer, 0.5)
    assert repair.text == fixed
    assert repair.compiles and repair.stopped == passes.REPAIRED
    assert len(repair.passes) >= 4, "every error takes an edit"
    assert repair.model_calls == len(repair.passes) and repair.ticks == 5 * repair.model_calls


def test_line_ends_behind_the_last_line_stay_and_are_not_shown_to_the_model(oracle, tokenizer):
    proposer = oracle({BROKEN: FIXED})
    (repair,) = repair_many([BROKEN + "\n\n"], proposer, tokenizer, 0.5)
    assert repair.text == FIXED + "\n\n"
    assert not any(text.endswith("\n") for text in proposer.asked)


def test_first_candidate_that_compiles_wins_over_one_that_leads_nowhere(fake, tokenizer):
    near = "def add(a, b): a + b"

    def suggest(state):
        return [("def add(a, b) return", -0.2), (state.text, -0.3), (FIXED, -3.0), (near, -4.0)]

    (repair,) = repair_many([BROKEN], fake(suggest), tokenizer, 0.5)
    assert repair.text == FIXED and repair.score == pytest.approx(-3.0)
    most = math.exp(-3.0) / (math.exp(-3.0) + math.exp(-4.0))
    assert 0 < repair.confidence <= most + 1e-9, "the other text that was open counts"


TWO_EDITS = {"print f(1": "print(f(1", "print(f(1": "print(f(1))"}
HACK = "print"


@pytest.mark.parametrize(("hack", "expected"), [(-3.0, "print(f(1))"), (-0.8, HACK)])
def test_two_likely_edits_win_over_one_far_fetched_edit_that_compiles(fake, tokenizer, hack, expected):
    def suggest(state):
        if compiles(state.text):
            return [(state.text, -0.1)]
        return [(TWO_EDITS.get(state.text, state.text), -0.5), (HACK, hack)]

    (repair,) = repair_many(["print f(1"], fake(suggest), tokenizer, 0.5)
    assert repair.text == expected
    other = math.exp(hack) if expected != HACK else math.exp(-1.0)
    mine = math.exp(-1.0) if expected != HACK else math.exp(hack)
    assert repair.confidence == pytest.approx(mine / (mine + other), rel=0.4), "its share of what was open"


def test_when_the_search_ends_the_likeliest_text_that_compiles_is_taken(fake, tokenizer):
    def suggest(state):
        return [(state.text + "(", -0.01), ("x = 1", -9.0), ("x = 2", -8.0)]

    proposer = fake(suggest)
    (repair,) = repair_many(["x = ("], proposer, tokenizer, 0.5)
    assert repair.text == "x = 2" and len(repair.passes) == 1
    assert sum(not compiles(text) for text in proposer.asked) == 8, "as deep as passes go, and no further"


def test_of_two_texts_that_compile_the_one_nearer_to_the_author_s_wins(fake, tokenizer):
    def suggest(state):
        return [("x = f(a)", -0.5), ("x = f(a, b)", -1.0)]

    broken = ["x = f(a, b"]
    (bold,) = repair_many(broken, fake(suggest), tokenizer, 0.5)
    assert bold.text == "x = f(a)", "as likely as the model says"
    careful = RepairSearchSettings(rewrites=False, nearby=False)
    (kept,) = repair_many(broken, fake(suggest), tokenizer, 0.5, search=careful)
    assert kept.text == "x = f(a, b)" and kept.loss.words == ()


def test_a_repair_that_loses_too_much_is_refused_and_kept_for_the_message(fake, tokenizer):
    text = "def total(first, second, third)\n    return first + second + third"
    proposer = fake(lambda state: [("def total(): pass", -0.1)])
    (repair,) = repair_many([text], proposer, tokenizer, 0.5, search=replace(ALONE, has_budget=True))
    assert repair.text == text and not repair.edited and repair.stopped == passes.LOSES_TOO_MUCH
    assert repair.refused.text == "def total(): pass" and len(repair.refused.loss.words) > 5
    (repair,) = repair_many([text], proposer, tokenizer, 0.5)
    assert repair.text == "def total(): pass"


def test_rewrites_compete_with_the_model_and_win_where_it_knows_nothing(fake, tokenizer):
    proposer = fake(lambda state: [(state.text, -0.1)])
    (repair,) = repair_many([BROKEN], proposer, tokenizer, 0.5, search=RepairSearchSettings())
    assert repair.text == FIXED and [option.rewrite for option in repair.passes] == ["colon of a block"]


def test_single_tokens_near_the_error_are_the_last_resort(fake, tokenizer):
    proposer = fake(lambda state: [(state.text, -0.1)])
    (repair,) = repair_many(
        ["y = f(x) g"], proposer, tokenizer, 0.5, search=RepairSearchSettings(rewrites=False)
    )
    assert repair.compiles and [option.rewrite for option in repair.passes] == ["single token"]
    assert repair.confidence < 0.01, "nothing spoke for it"


def test_of_single_tokens_the_one_of_which_the_model_is_surest_is_taken(fake, tokenizer):
    buggy, right = "x = f(a, b) ) + c", "x = f(a, b)  + c"
    proposer = fake(lambda state: [(state.text, -0.01 if state.text == right else -6.0)])
    (repair,) = repair_many([buggy], proposer, tokenizer, 0.5, search=RepairSearchSettings(rewrites=False))
    assert repair.text == right


def test_a_likely_edit_of_the_model_wins_over_a_rewrite(fake, tokenizer):
    for score, expected in ((-0.001, "print, x"), (-9.0, "print(x)")):
        proposer = fake(lambda state, score=score: [("print, x", score)])
        search = RepairSearchSettings(costs=NO_COSTS, broken=0)
        (repair,) = repair_many(["print x"], proposer, tokenizer, 0.5, search=search)
        assert repair.text == expected


def test_of_two_texts_that_compile_the_one_that_does_something_wins(fake, tokenizer):
    proposer = fake(lambda state: [("print, x", -0.001)])
    (repair,) = repair_many(["print x"], proposer, tokenizer, 0.5, search=RepairSearchSettings())
    assert repair.text == "print(x)"


def test_code_that_compiles_is_changed_only_above_the_threshold(fake, tokenizer):
    proposer = fake(lambda state: [("x = 2", math.log(0.6)), (state.text, math.log(0.3))])
    (careful,) = repair_many(["x = 1"], proposer, tokenizer, 0.7)
    assert not careful.edited and careful.stopped == passes.NOT_CONFIDENT
    assert careful.confidence == pytest.approx(0.3), "of 'no edit', which is its answer"
    (bold,) = repair_many(["x = 1"], proposer, tokenizer, 0.2)
    assert bold.text == "x = 2"


def test_the_shorter_the_code_the_likelier_an_edit_has_to_be(fake, tokenizer):
    assert strength(0.5, USUAL_CELLS) == 0.5 and 0.95 < strength(0.9, 3000) < strength(0.99, 3000) < 1.0
    assert 0.3 < strength(0.5, 20) < 0.32 < 0.5 < strength(0.5, 200) < 0.6

    def suggest(state):
        return [(state.text.replace("= 1", "= 2", 1), math.log(0.5)), (state.text, math.log(0.4))]

    short, long = "x = 1", "x = 1\n" + "y = f(x, 3)\n" * 20 + "z = 3"
    repairs = repair_many([short, long], fake(suggest), tokenizer, 0.45)
    assert [repair.edited for repair in repairs] == [False, True]
    (made,) = repair_many([long], fake(suggest), tokenizer, 1.0)
    assert not made.edited, "nothing is stronger than 1"


def test_an_edit_that_would_break_code_is_never_made(fake, tokenizer):
    proposer = fake(lambda state: [("x = = 1", -0.01), (state.text, -3.0)])
    (repair,) = repair_many(["x = 1"], proposer, tokenizer, 0.1)
    assert repair.text == "x = 1" and repair.stopped == passes.NO_EDIT


def test_repaired_code_is_not_edited_further(fake, tokenizer):
    steps = {BROKEN: FIXED, FIXED: "def add(a, b):\n    return a - b"}
    proposer = fake(lambda state: [(steps.get(state.text, state.text), math.log(0.9))])
    (repair,) = repair_many([BROKEN], proposer, tokenizer, 0.0)
    assert repair.text == FIXED and proposer.asked == [BROKEN], "nobody said that it is wrong"


def test_one_edit_after_another_has_to_be_likelier(fake, tokenizer):
    start, first, second = "x = 1", "x = 2", "x = 2 + y"
    steps = {start: (first, 0.6), first: (second, 0.7)}

    def suggest(state):
        text, probability = steps.get(state.text, (state.text, 1.0))
        return [(text, math.log(probability))]

    (repair,) = repair_many([start], fake(suggest), tokenizer, 0.2, further=0.65)
    assert repair.text == second
    (repair,) = repair_many([start], fake(suggest), tokenizer, 0.2, further=0.8)
    assert repair.text == first and repair.stopped == passes.NOT_CONFIDENT
    assert repair.confidence == pytest.approx(0.6), "of the edit that was made"


def test_code_that_is_still_broken_is_edited_further_whatever_the_threshold(oracle, tokenizer):
    buggy, fixed = "def f(a, b)\n    return (a", "def f(a, b):\n    return (a)"
    (repair,) = repair_many([buggy], oracle({buggy: fixed}), tokenizer, 0.5, further=1.0)
    assert repair.text == fixed and len(repair.passes) == 2


def test_two_edits_that_undo_each_other_end_the_repair(fake, tokenizer):
    other = {"x = (": "x = [", "x = [": "x = ("}
    proposer = fake(lambda state: [(other[state.text], -0.1)])
    (repair,) = repair_many(["x = ("], proposer, tokenizer, 0.5)
    assert repair.text == "x = (" and repair.stopped == passes.NO_CANDIDATE
    assert proposer.asked == ["x = (", "x = ["], "no state is visited twice"


def test_a_model_that_never_stops_gets_eight_passes(fake, tokenizer):
    proposer = fake(lambda state: [(state.text + "(", -0.1)])
    (repair,) = repair_many(["x = ("], proposer, tokenizer, 0.5)
    assert repair.stopped == passes.PASSES_USED and not repair.compiles
    assert repair.text == "x = (" and not repair.passes, "what is still broken is no answer"
    assert len(proposer.calls) == 8, "the ninth answer could not be used"


def test_nothing_found_leaves_the_text_alone(fake, tokenizer):
    proposer = fake(lambda state: [(state.text, -0.1)])
    (repair,) = repair_many([BROKEN], proposer, tokenizer, 0.5)
    assert repair.text == BROKEN and repair.stopped == passes.NO_CANDIDATE and not repair.edited


def test_what_does_not_fit_the_grid_is_not_asked(oracle, tokenizer):
    proposer = oracle({BROKEN: FIXED})
    long = "x = (\n" * 65
    repairs = repair_many([long, BROKEN], proposer, tokenizer, 0.5)
    assert [item.text for item in repairs] == [long, FIXED]
    assert (
        repairs[0].stopped == passes.NO_FIT and repairs[0].model_calls == 0 and repairs[0].confidence == 0.0
    )


def test_texts_advance_together_and_equal_states_are_asked_once(oracle, tokenizer):
    pairs = {BROKEN: FIXED, "x = (1": "x = (1)", "y = [1": "y = [1]"}
    proposer = oracle(pairs)
    texts = [*pairs, BROKEN, BROKEN + "\n"]
    repairs = repair_many(texts, proposer, tokenizer, 0.5)
    assert [item.compiles for item in repairs] == [True] * 5
    assert [len(call) for call in proposer.calls] == [3], "one batch for all"


def test_unusable_candidates_are_passed_over(tokenizer):
    from ctm.repair.candidates import Candidate, Proposal

    class Nonsense:
        def propose(self, states):
            vocabulary = tokenizer.vocab_size
            colon = tokenizer.encode(":")[1]
            return [
                Proposal(
                    (
                        Candidate(3, 99, (), -0.1),
                        Candidate(5, 3, (), -0.2),
                        Candidate(0, 0, (vocabulary + 9999,), -0.3),
                        Candidate(0, 0, (vocabulary,), -0.4),
                        Candidate(*(state.diagnosis[:1] * 2), (colon,), -0.5),
                    ),
                    0.5,
                    1,
                )
                for state in states
            ]

    (repair,) = repair_many([BROKEN], Nonsense(), tokenizer, 0.99)
    assert repair.text == FIXED


# --- several answers ------------------------------------------------------------------------------------------------


def test_other_answers_are_the_next_best_texts_that_compile(fake, tokenizer):
    def suggest(state):
        return [("x = [1", -0.1), ("x = (1)", -0.5), ("x = 1", -1.0), ("x = (1, )", -2.0), (state.text, -3.0)]

    proposer = fake(suggest)
    (repair,) = repair_many(["x = (1\n"], proposer, tokenizer, 0.5, top_k=3)
    assert repair.text == "x = (1)\n"
    assert [item.text for item in repair.alternatives] == ["x = 1\n", "x = (1, )\n"], "each with its line end"
    assert repair.confidence > repair.alternatives[0].confidence


def test_texts_that_do_not_compile_are_followed_for_them(fake, tokenizer):
    steps = {
        "f((1": [("f(1)", -0.1), ("f((1 + ", -0.15), ("f((1)", -0.2)],
        "f((1)": [("f((1))", -0.1)],
    }
    proposer = fake(lambda state: steps.get(state.text, [(state.text, -0.1)]))
    (repair,) = repair_many(["f((1"], proposer, tokenizer, 0.5, top_k=10)
    assert repair.text == "f(1)" and [item.text for item in repair.alternatives] == ["f((1))"]
    assert repair.alternatives[0].score == pytest.approx(-0.3)


def test_two_ways_to_one_text_are_one_answer(fake, tokenizer):
    proposer = fake(lambda state: [("x = (1)", math.log(0.3)), ("x = (1)", math.log(0.2)), ("x = 1", -5.0)])
    (repair,) = repair_many(["x = (1"], proposer, tokenizer, 0.5, top_k=5)
    assert repair.score == pytest.approx(math.log(0.5)), "with both probabilities"
    assert [item.text for item in repair.alternatives] == ["x = 1"]


def test_other_answers_of_code_that_compiles_are_its_other_edits(fake, tokenizer):
    def suggest(state):
        return [(state.text, -0.5), ("x = 2", -1.0), ("x = =", -1.5), ("x = 3", -2.0)]

    (repair,) = repair_many(["x = 1"], fake(suggest), tokenizer, 0.9, top_k=10)
    assert repair.text == "x = 1"
    assert [item.text for item in repair.alternatives] == ["x = 2", "x = 3"]


def test_leaving_code_alone_is_an_alternative_to_an_edit_of_it(fake, tokenizer):
    answers = {"x = 1": [("x = 2", -0.2), ("x = 1", -2.0), ("x = 3", -3.0)]}
    proposer = fake(lambda state: answers.get(state.text, [(state.text, -0.1)]))
    (repair,) = repair_many(["x = 1"], proposer, tokenizer, 0.3, top_k=3)
    assert repair.text == "x = 2"
    assert [item.text for item in repair.alternatives] == ["x = 1", "x = 3"]
    assert not repair.alternatives[0].edited


REFUSED, TAKEN = "def add(a, b):\n    return a + c", "def add(a, b):\n    return a + a"


@pytest.mark.parametrize(
    ("answers", "text", "stopped", "confidence"),
    [
        ([(REFUSED, 0.6), (TAKEN, 0.3), (FIXED, 0.1)], TAKEN, passes.NO_EDIT, 0.3 / 0.4),
        ([(REFUSED, 0.6), (FIXED, 0.3), (TAKEN, 0.1)], FIXED, passes.NO_EDIT, 0.3 / 0.4),
        ([(REFUSED, 0.6), (TAKEN, 0.15), (FIXED, 0.1)], FIXED, passes.NOT_CONFIDENT, 0.1 / 0.4),
        ([(REFUSED, 0.15), (TAKEN, 0.1), (FIXED, 0.05)], FIXED, passes.NOT_CONFIDENT, 0.05),
        ([(REFUSED, 0.9)], FIXED, passes.NO_CANDIDATE, 0.0),
    ],
)
def test_an_edit_that_the_surroundings_forbid_is_one_that_is_known_to_be_wrong(
    fake, tokenizer, answers, text, stopped, confidence
):
    def suggest(state):
        if state.text != FIXED:
            return [(state.text, 0.0)]
        return [(edited, math.log(probability)) for edited, probability in answers]

    repairer = Repairer(fake(suggest), tokenizer, 0.12)
    (repair,) = repairer.repair([FIXED], [lambda edited: edited != REFUSED])
    assert (repair.text, repair.stopped) == (text, stopped)
    assert repair.confidence == pytest.approx(confidence)


def test_every_text_has_its_own_say(fake, tokenizer):
    repairer = Repairer(fake(lambda state: [(state.text, -0.1)]), tokenizer, 0.2)
    with pytest.raises(ValueError, match="one guard for each text"):
        repairer.repair([FIXED, TAKEN], [lambda edited: True])
