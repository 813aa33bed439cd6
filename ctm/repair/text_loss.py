"""Measures which words of the author a repair deletes or turns into string content, and limits them.

A word is a run of letters and digits, wherever it stands, in strings and comments too: quoting or commenting out loses
none. The budget is stated here, so that a repair beyond it is not proposed (`--allow-deletions` lifts it).
"""

from __future__ import annotations

import keyword
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from ctm.python.lexical import lenient_tokens

_WORD = re.compile(r"\w+")
BUDGET = 5
"""Words that a repair may lose. Of 800 real syntax errors, three answers lost more, none of them right."""
BUDGET_SHARE = 3
"""It may lose one in so many, though one always."""


@dataclass(frozen=True, slots=True)
class TextLoss:
    """What one text has that another lacks."""

    words: tuple[str, ...]
    """Words that are gone, in the order of the text, each as often as it is gone; one that became two is not."""
    total_words: int
    """Words of the text before."""
    swallowed: int
    """Names and numbers that were code and are not, though their words are still there."""
    is_all: bool = False
    """Whether there was code and nothing is left but comments."""

    @property
    def is_within_budget(self) -> bool:
        """Whether a repair may lose this much unasked: of words, and of code that turns into a string or comment."""
        most = max(1, min(BUDGET, self.total_words // BUDGET_SHARE))
        return len(self.words) <= most and self.swallowed <= max(2, most) and not self.is_all


def text_loss(before: str, after: str) -> TextLoss:
    """What `after` has lost of `before`."""
    words = _WORD.findall(before)
    left_words = _WORD.findall(after)
    parted = Counter(map("".join, pairwise(left_words)))  # two words that were run together
    missing = Counter(words) - Counter(left_words)
    gone = missing - parted
    old, new = lenient_tokens(before), lenient_tokens(after)
    code = (_code_words(old) - _code_words(new)).total()
    left = Counter(gone)
    lost = []
    for word in reversed(words):  # of equal words the last ones
        if left[word]:
            left[word] -= 1
            lost.append(word)
    return TextLoss(tuple(reversed(lost)), len(words), max(0, code - missing.total()), bool(old) and not new)


def _code_words(tokens: Sequence[str]) -> Counter[str]:
    return Counter(
        token
        for token in tokens
        if (token[0].isalnum() or token[0] == "_") and _WORD.fullmatch(token) and not keyword.iskeyword(token)
    )
