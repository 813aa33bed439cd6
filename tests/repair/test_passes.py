"""The pass loop, with models that know, lie, never stop or go in circles."""

from __future__ import annotations

import math

import pytest

from ctm.pairs.categories import compiles
from ctm.repair import passes
from ctm.repair.passes import USUAL_CELLS, Repairer, repair_many, strength

BROKEN = "def add(a, b)\n    return a + b"
FIXED = "def add(a, b):\n    return a + b"


def test_oracle_repairs_in_as_many_passes_as_there_are_errors(oracle, tokenizer):
    buggy = "def f(a, b)\n    if a == b\n        print a\n    return (a"
    fixed = "def f(a, b):\n    if a == b:\n        print(a)\n    return (a)"
    (repair,) = repair_many([buggy], oracle({buggy: fixed}), tokenizer, 0.5)
    assert repair.text == fixed
    assert repair.compiles and repair.stopped == passes.NO_EDIT
    assert len(repair.passes) >= 4, "every error takes an edit"
    assert repair.asked == len(repair.passes) + 1 and repair.ticks == 5 * repair.asked


def test_line_ends_behind_the_last_line_stay_and_are_not_shown_to_the_model(oracle, tokenizer):
    proposer = oracle({BROKEN: FIXED})
    (repair,) = repair_many([BROKEN + "\n\n"], proposer, tokenizer, 0.5)
    assert repair.text == FIXED + "\n\n"
    assert not any(text.endswith("\n") for text in proposer.asked)


def test_first_candidate_that_compiles_wins_over_one_that_leads_nowhere(fake, tokenizer):
    def suggest(state):
        if compiles(state.text):
            return [(state.text, -0.1)]
        return [("def add(a, b) return", -0.2), (state.text, -0.3), (FIXED, -3.0), ("pass", -4.0)]

    (repair,) = repair_many([BROKEN], fake(suggest), tokenizer, 0.5)
    assert repair.text == FIXED
    most = math.exp(-3.0) / (math.exp(-3.0) + math.exp(-4.0))
    assert 0 < repair.confidence < most, "the other text that was open counts"


TWO_EDITS = {"print f(1": "print(f(1", "print(f(1": "print(f(1))"}


@pytest.mark.parametrize(("hack", "expected"), [(-3.0, "print(f(1))"), (-0.8, "print")])
def test_two_likely_edits_win_over_one_far_fetched_edit_that_compiles(fake, tokenizer, hack, expected):
    def suggest(state):
        if compiles(state.text):
            return [(state.text, -0.1)]
        return [(TWO_EDITS.get(state.text, state.text), -0.5), ("print", hack)]

    (repair,) = repair_many(["print f(1"], fake(suggest), tokenizer, 0.5)
    assert repair.text == expected
    other = math.exp(hack) if expected != "print" else math.exp(-1.0)
    mine = math.exp(-1.0) if expected != "print" else math.exp(hack)
    assert repair.confidence == pytest.approx(mine / (mine + other), rel=0.3), "its share of what was open"


def test_when_the_search_ends_the_likeliest_text_that_compiles_is_taken(fake, tokenizer):
    def suggest(state):
        if compiles(state.text):
            return [(state.text, -0.1)]
        return [(state.text + "(", -0.01), ("x", -9.0), ("y", -8.0)]

    proposer = fake(suggest)
    (repair,) = repair_many(["x = ("], proposer, tokenizer, 0.5)
    assert repair.text == "y" and len(repair.passes) == 1
    assert sum(not compiles(text) for text in proposer.asked) == 8, "as deep as passes go, and no further"


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


def test_repaired_code_is_edited_further_only_above_the_threshold(fake, tokenizer):
    steps = {BROKEN: FIXED, FIXED: "def add(a, b):\n    return a - b"}
    for threshold, expected in ((0.5, FIXED), (0.2, steps[FIXED])):
        proposer = fake(lambda state: [(steps.get(state.text, state.text), math.log(0.4))])
        (repair,) = repair_many([BROKEN], proposer, tokenizer, threshold)
        assert repair.text == expected


@pytest.mark.parametrize(("start", "first"), [("x = 1", "x = 2"), ("x = (1", "x = (1)")])
def test_one_edit_after_another_has_to_be_likelier(fake, tokenizer, start, first):
    second = first + " + y"
    steps = {start: (first, 0.6), first: (second, 0.7)}

    def suggest(state):
        text, probability = steps.get(state.text, (state.text, 1.0))
        return [(text, math.log(probability))]

    (repair,) = repair_many([start], fake(suggest), tokenizer, 0.2, further=0.65)
    assert repair.text == second
    (repair,) = repair_many([start], fake(suggest), tokenizer, 0.2, further=0.8)
    assert repair.text == first and repair.stopped == passes.NOT_CONFIDENT
    assert repair.confidence == pytest.approx(0.6 if compiles(start) else 1.0), "of the edit that was made"


def test_code_that_is_still_broken_is_edited_further_whatever_the_threshold(oracle, tokenizer):
    buggy, fixed = "def f(a, b)\n    return (a", "def f(a, b):\n    return (a)"
    (repair,) = repair_many([buggy], oracle({buggy: fixed}), tokenizer, 0.5, further=1.0)
    assert repair.text == fixed and len(repair.passes) == 2


def test_two_edits_that_undo_each_other_end_the_repair(fake, tokenizer):
    other = {"x = (": "x = [", "x = [": "x = ("}
    proposer = fake(lambda state: [(other[state.text], -0.1)])
    (repair,) = repair_many(["x = ("], proposer, tokenizer, 0.5)
    assert repair.text == "x = [" and repair.stopped == passes.NO_CANDIDATE
    assert proposer.asked == ["x = (", "x = ["], "no state is visited twice"


def test_a_model_that_never_stops_gets_eight_passes(fake, tokenizer):
    proposer = fake(lambda state: [(state.text + "(", -0.1)])
    (repair,) = repair_many(["x = ("], proposer, tokenizer, 0.5)
    assert repair.stopped == passes.PASSES_USED and len(repair.passes) == 8
    assert repair.text == "x = (" + "(" * 8 and not repair.compiles
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
    assert repairs[0].stopped == passes.NO_FIT and repairs[0].asked == 0 and repairs[0].confidence == 0.0


def test_texts_advance_together_and_equal_states_are_asked_once(oracle, tokenizer):
    pairs = {BROKEN: FIXED, "x = (1": "x = (1)", "y = [1": "y = [1]"}
    proposer = oracle(pairs)
    texts = [*pairs, BROKEN, BROKEN + "\n"]
    repairs = repair_many(texts, proposer, tokenizer, 0.5)
    assert [item.compiles for item in repairs] == [True] * 5
    assert [len(call) for call in proposer.calls] == [3, 3], (
        "one batch for the edits, one to say that it is right"
    )


def test_unusable_candidates_are_passed_over(tokenizer):
    from ctm.repair.candidates import Answer, Candidate

    class Nonsense:
        def propose(self, states):
            vocabulary = tokenizer.vocabulary
            colon = tokenizer.encode(":")[1]
            return [
                Answer(
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


# --- branches -------------------------------------------------------------------------------------------------------


def test_branches_are_ranked_compiling_first_and_cost_nothing_when_they_compile(fake, tokenizer):
    def suggest(state):
        if state.text != "x = (1":
            return [(state.text, -0.1)]
        return [("x = [1", -0.1), ("x = (1)", -0.5), ("x = 1", -1.0), ("x = (2)", -2.0), (state.text, -3.0)]

    proposer = fake(suggest)
    repairer = Repairer(proposer, tokenizer, 0.5)
    repairs = repairer.repair(["x = (1"])
    before = len(proposer.asked)
    (repair,) = repairer.branch(["x = (1"], repairs, 3)
    assert repair.text == "x = (1)"
    assert [item.text for item in repair.alternatives] == ["x = 1", "x = (2)"]
    assert len(proposer.asked) == before, "branches that compile are answers as they are"


def test_branches_that_do_not_compile_are_followed(fake, tokenizer):
    steps = {
        "f((1": [("f(1)", -0.1), ("f((1 + ", -0.15), ("f((1)", -0.2)],
        "f((1)": [("f((1))", -0.1)],
    }
    proposer = fake(lambda state: steps.get(state.text, [(state.text, -0.1)]))
    (repair,) = repair_many(["f((1"], proposer, tokenizer, 0.5, branches=10)
    assert repair.text == "f(1)"
    assert [item.text for item in repair.alternatives] == ["f((1))", "f((1 + "], "those that compile first"
    assert repair.alternatives[0].confidence == pytest.approx(math.exp(-0.2) * math.exp(-0.1))


def test_branches_of_code_that_compiles_are_its_other_edits(fake, tokenizer):
    def suggest(state):
        return [(state.text, -0.5), ("x = 2", -1.0), ("x = =", -1.5), ("x = 3", -2.0)]

    (repair,) = repair_many(["x = 1"], fake(suggest), tokenizer, 0.9, branches=10)
    assert repair.text == "x = 1"
    assert [item.text for item in repair.alternatives] == ["x = 2", "x = 3"]


def test_no_answer_is_given_twice(fake, tokenizer):
    steps = {"f((1": [("f((1)", -0.1), ("f(1)", -0.2), ("f((1", -0.3)], "f((1)": [("f((1))", -0.1)]}
    proposer = fake(lambda state: steps.get(state.text, [(state.text, -0.1)]))
    (repair,) = repair_many(["f((1"], proposer, tokenizer, 0.5, branches=10)
    texts = [repair.text, *(item.text for item in repair.alternatives)]
    assert repair.text == "f(1)" and len(set(texts)) == len(texts) and "f((1))" in texts


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
    with pytest.raises(ValueError, match="zip"):
        repairer.repair([FIXED, TAKEN], [lambda edited: True])
