"""Keys of artifacts in plain words: what pages of figures write in place of them.

A key that is not listed is written with spaces for its underscores, which is enough for names of kinds of bugs.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_KEY = re.compile(r"[a-z0-9]+(_[a-z0-9]+)+")

SHARES: Mapping[str, str] = {
    "accuracy": "exactly right",
    "accuracy_by_items": "exactly right, all items alike",
    "accuracy_by_kind": "exactly right, by kind of bug",
    "auroc": "a right answer is surer than a wrong one (AUROC)",
    "auc": "a bug is proposed before working code (AUROC)",
    "bifi": "made to compile within 4 tokens (BIFI)",
    "certainty": "certainty",
    "collateral_1": "edits that lose a name or literal",
    "collateral_3": "edits that lose three or more",
    "collateral_half": "edits that lose over half of them",
    "coverage": "in the model's reach",
    "ece": "calibration error (ECE)",
    "edit_precision": "token edits that the author made too",
    "edit_recall": "author's token edits that were made",
    "edited": "answers that change the code",
    "exact": "exactly right",
    "exact_at_1": "exactly right at the first answer",
    "exact_at_5": "exactly right among 5 answers",
    "exact_at_10": "exactly right among 10 answers",
    "false_alarm": "clean code that is changed",
    "found": "made bugs found",
    "guarded_bifi": "the same, and nothing of the author's lost",
    "over_deleted_5": "edits that delete over 5 tokens too many",
    "over_deleted_half": "edits that delete over half of the text",
    "pass_at_1": "tests passed by the first answer",
    "pass_at_10": "tests passed by one of 10 answers",
    "same_tree": "syntax tree of the fixed text",
    "statement_recall": "author's statements that are there",
    "validation_pass_rate": "checked mutants that passed",
}
"""Keys whose numbers are shares, shown as percent."""

WORDS: Mapping[str, str] = {
    **SHARES,
    "adapted": "adapted to the surroundings",
    "by_category": "by category",
    "by_kind": "by kind of bug",
    "by_source": "by source",
    "by_split": "by split",
    "fixed_does_not_compile": "whose fixed text does not compile",
    "flops": "operations of a thought",
    "items_per_hour": "items an hour",
    "items_per_second": "items a second",
    "largest_difference": "largest difference",
    "largest_probability_difference": "largest difference of a probability",
    "n": "items",
    "out_of_scope": "out of the model's reach",
    "per_1000": "per 1,000 functions",
    "samples_per_second": "samples a second",
    "samples_seen": "samples seen",
    "thought_mean": "ticks of the first thought, mean",
    "ticks_mean": "ticks of an answer, mean",
    "train_samples_per_second": "training samples a second",
    "unique_samples": "different samples seen",
    "unique_samples_per_second": "different samples a second",
}
"""All keys that have words of their own."""


def is_key(text: str) -> bool:
    """Whether a text is a key of an artifact as it stands there: small words joined by underscores."""
    return _KEY.fullmatch(text) is not None


def is_share(key: str) -> bool:
    """Whether the numbers below a key are shares of one, to be shown as percent."""
    return key in SHARES


def plain(key: str) -> str:
    """A key in plain words, with its unit where it has one; any other text as it is."""
    return WORDS.get(key) or (key.replace("_", " ") if is_key(key) else key)


def prose(text: str) -> str:
    """A text with the keys in it in plain words."""
    return re.sub(rf"\b{_KEY.pattern}\b", lambda match: plain(match.group()), text)
