"""What a repair loses of the author's words, and when that is too much."""

from __future__ import annotations

import re
from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ctm.repair.text_loss import BUDGET, TextLoss, text_loss

WORD = re.compile(r"\w+")


@pytest.mark.parametrize(
    ("before", "after", "words", "swallowed"),
    [
        ("print x", "print(x)", (), 0),
        ("f(a, b", "f(a)", ("b",), 0),
        ("if a = 1: b()", "if a: b()", ("1",), 0),
        ("a b a c a", "a b c", ("a", "a"), 0),  # of equal words the last ones
        ("for x y: z", "for x in y: z", (), 0),
        ("my_name = 1", "my_nam = 1", ("my_name",), 0),
        ("x = 'two words", "x = 'two'", ("words",), 1),  # a quote without its other one begins no string
        ("x = it's", "x = 'it s'", (), 2),  # quoted: there, but no longer code
        ("see f(x)\ny = 1", "# see f(x)\ny = 1", (), 3),
        ("see f(x)\ny = 1", "y = 1", ("see", "f", "x"), 0),  # what is gone is not swallowed, too
        ("if a:\n    b()", "if a:\n    'b'", (), 1),
        ("while true", "# while true", (), 1),  # a keyword is no name
        ("été = 1", "x = 1", ("été",), 0),
        ("", "x", (), 0),
    ],
)
def test_words_that_are_gone_and_code_that_is_none_any_more(before, after, words, swallowed):
    found = text_loss(before, after)
    assert (found.words, found.swallowed) == (words, swallowed)
    assert found.total_words == len(WORD.findall(before))


@pytest.mark.parametrize(
    ("lost", "of", "may"),
    [
        (0, 0, True),
        (1, 1, True),  # one always: the word that is wrong
        (2, 5, False),
        (2, 6, True),
        (BUDGET, 1000, True),
        (BUDGET + 1, 1000, False),  # a long text is no reason to lose more
    ],
)
def test_the_budget_of_words(lost: int, of: int, may: bool):
    assert TextLoss(("word",) * lost, of, 0).is_within_budget is may


@pytest.mark.parametrize(
    ("before", "after", "may"),
    [
        ("{{ data['key'] }}", "# {{ data['key'] }}", False),  # it compiles, and nothing is left of it
        ("x = 1\n{{ a }}", "x = 1\n# {{ a }}", True),
        ("{{ a }}", "'{{ a }}'", True),
        ("# a note", "# a note", True),
        ("x", "", False),
    ],
)
def test_what_leaves_nothing_but_comments_is_no_repair(before: str, after: str, may: bool):
    assert text_loss(before, after).is_within_budget is may


@pytest.mark.parametrize(
    ("swallowed", "of", "may"), [(2, 3, True), (3, 3, False), (BUDGET, 1000, True), (BUDGET + 1, 1000, False)]
)
def test_the_budget_of_code_that_turns_into_strings_or_comments(swallowed: int, of: int, may: bool):
    assert TextLoss((), of, swallowed).is_within_budget is may


TEXTS = st.lists(
    st.sampled_from(["a", "b", "if", "1", " ", "\n", "'", '"', "(", "# ", "é"]), max_size=20
).map("".join)


@given(before=TEXTS, after=TEXTS)
def test_what_is_lost_and_what_is_left_make_up_the_text(before: str, after: str):
    lost = text_loss(before, after).words
    had, has = Counter(WORD.findall(before)), Counter(WORD.findall(after))
    kept = had & has
    parted = had - kept - Counter(lost)
    assert Counter(lost) + kept + parted == had
    neighbors = Counter(map("".join, pairwise(WORD.findall(after))))
    assert parted <= neighbors, "words that became two"
    rest = iter(WORD.findall(before))
    assert all(word in rest for word in lost), "in the order of the text"


def test_a_word_that_became_two_is_not_lost():
    assert text_loss("y.extendstructs)", "y.extend(structs)").words == ()
    assert text_loss("aa", "a").words == ("aa",)
    assert text_loss("ab + ab", "a(b)").words == ("ab",), "one of them did"


@given(text=TEXTS, more=TEXTS)
def test_nothing_is_lost_of_a_text_that_stays(text: str, more: str):
    assert text_loss(text, text) == TextLoss((), len(WORD.findall(text)), 0)
    assert text_loss(text, f"{text}\n{more}").words == ()
