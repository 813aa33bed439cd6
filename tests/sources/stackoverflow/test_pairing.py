"""Which blocks are paired, and what is refused with which reason."""

from __future__ import annotations

import pytest

from ctm.sources.stackoverflow.pairing import PairingLimits, match, match_reject_reason

BROKEN = "def total(items)\n    result = 0\n    for item in items:\n        result += item\n    return result"
FIXED = BROKEN.replace("(items)", "(items):")
WRONG = FIXED.replace("+=", "=")
LIMITS = PairingLimits()
OUTPUT = "Traceback (most recent call last):\n  File 'a.py', line 1\nSyntaxError: invalid syntax"


def test_the_likest_blocks_are_paired_each_once() -> None:
    other = "import os\nfor name in os.listdir('.'):\n    print(name)"
    matches = match([OUTPUT, other, WRONG], [FIXED, other + "\n    done(name)", "x = 1"], LIMITS)
    assert [(a, b) for _, _, a, b in matches.kept] == [(3, 1), (2, 2)]
    assert matches.kept[0][:2] == (WRONG, FIXED)
    assert matches.rejected == [("no similar block before", 3)]
    twice = match([BROKEN], [FIXED, FIXED + "\nprint(total([1]))"], LIMITS)
    assert [(a, b) for _, _, a, b in twice.kept] == [(1, 1)]


def test_every_later_block_is_kept_or_counted() -> None:
    later = [FIXED, BROKEN, "", "x" * 200, "\n".join(f"a{n} = {n}" for n in range(65)), *["y()"] * 20]
    matches = match([BROKEN], later, LIMITS)
    assert not matches.kept, "the broken block stands unchanged in the answer too: nothing was wrong with it"
    assert len(matches.rejected) == len(later)
    reasons = {number: reason for reason, number in matches.rejected}
    assert [reasons[n] for n in range(2, 6)] == [
        "block unchanged",
        "empty block",
        "block too long",
        "block too long",
    ]
    assert reasons[21] == reasons[25] == "too many blocks"


@pytest.mark.parametrize(
    ("before", "after", "reason"),
    [
        (BROKEN, FIXED, ""),
        (WRONG, FIXED, ""),
        (FIXED, BROKEN, "fixed side does not parse"),
        (BROKEN, BROKEN.replace("total", "sum"), "fixed side does not parse"),
        ("print 'a'", "print('a')", ""),
        ("f(a)\ng(b)", "f(a)\ng(c)", "block too short"),
        (FIXED, FIXED + "  # a remark", "no change of the code"),
        ("[1, 2, 3", "[1, 2, 3]", "values without code"),
        ("a(1\n" * 12, "a(1)\n" * 12, "too many changed lines"),
        ("\n".join(f"a(1{'' if n % 2 else ')'}" for n in range(8)), "a(1)\n" * 7 + "a(1)", "too many hunks"),
    ],
)
def test_reasons(before: str, after: str, reason: str) -> None:
    assert match_reject_reason(before, after, LIMITS) == reason


def test_a_long_block_with_one_missing_colon_is_a_pair() -> None:
    body = "".join(f"    value_{n} = compute(value_{n - 1}, option={n})\n" for n in range(1, 60))
    matches = match([f"def f(value_0)\n{body}"], [f"def f(value_0):\n{body}"], LIMITS)
    assert len(matches.kept) == 1, "0.9998 of the characters are equal, but only 0.98 of the lines"


def test_shares_that_make_no_sense_are_refused() -> None:
    with pytest.raises(ValueError, match=r"min_similarity.*not 0\.9 and 0\.5"):
        PairingLimits(min_similarity=0.9, max_similarity=0.5)
