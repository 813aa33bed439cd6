"""Is a weakness mended? Exact match asks for the author's words; here any repair counts that keeps three promises.

It parses; a rule of ours that the buggy text breaks is met, at a place that is still there (to delete the call is not
to repair it); no rule is broken more often than before. Bandit is asked beside, where it is installed: the tests that
the buggy text fails and the author's fix passes are passed, and none is newly failed that the author's fix does not
fail too. It accepts deletions, so it is no oracle, and what neither our rules nor Bandit see is counted as unseen.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ctm.bugs.security.rules import places, security_rule
from ctm.python.compiling import compiles, quiet
from ctm.repair.evaluate import Item
from ctm.repair.intervals import intervals_of_means

NOT_INSTALLED = "bandit is not installed (pip install bandit)"
Ids = frozenset[str]


@dataclass(frozen=True, slots=True)
class SecurityVerdict:
    """Of one item's first answer; None: whoever would judge does not see the weakness."""

    rule: bool | None
    bandit: bool | None


def judge_security(items: Sequence[Item], answers: Sequence[str]) -> tuple[list[SecurityVerdict], str]:
    """A verdict on the first answer of each item, and why Bandit was not asked ("" where it was)."""
    texts = {
        text for item, answer in zip(items, answers, strict=True) for text in (item.buggy, item.fixed, answer)
    }
    found = bandit_ids(sorted(texts))
    verdicts = [
        SecurityVerdict(
            rule_verdict(item, answer), None if found is None else bandit_verdict(item, answer, found)
        )
        for item, answer in zip(items, answers, strict=True)
    ]
    return verdicts, NOT_INSTALLED if found is None else ""


def rule_verdict(item: Item, answer: str) -> bool | None:
    """Whether the answer keeps the three promises; None where our rules do not see that the author's fix does."""
    if not security_rule(item.buggy, item.fixed):
        return None
    if not (compiles(answer) and security_rule(item.buggy, answer)):
        return False
    with quiet():
        return not places(answer)[0] - places(item.buggy)[0]


def bandit_verdict(item: Item, answer: str, found: Mapping[str, Ids]) -> bool | None:
    """The same by Bandit's tests; None where the author's fix passes no test that the buggy text fails."""
    before = found[item.buggy]
    asked = before - found[item.fixed]
    if not asked:
        return None
    return (
        compiles(answer) and found[answer].isdisjoint(asked) and found[answer] <= before | found[item.fixed]
    )


def bandit_ids(texts: Sequence[str]) -> dict[str, Ids] | None:
    """Ids of the tests that each text fails; it reads and runs nothing. None where Bandit is not installed."""
    try:
        from bandit.core import config, manager
    except ImportError:
        return None
    logging.getLogger("bandit").setLevel(logging.ERROR)
    scan = manager.BanditManager(config.BanditConfig(), "file", quiet=True)
    with tempfile.TemporaryDirectory(prefix="ctm-bandit-") as folder:
        for number, text in enumerate(texts):
            Path(folder, f"{number}.py").write_text(text, encoding="utf-8", errors="replace")
        scan.discover_files([folder], recursive=True)
        scan.run_tests()
    ids: list[set[str]] = [set() for _ in texts]
    for issue in scan.get_issue_list():
        ids[int(Path(issue.fname).stem)].add(issue.test_id)
    return {text: frozenset(of) for text, of in zip(texts, ids, strict=True)}


def security_figures(
    items: Sequence[Item], verdicts: Sequence[SecurityVerdict], why_no_bandit: str
) -> dict[str, Any]:
    """{"n", "rule": {"seen", "mended", "share", "interval"}, "bandit": the same, or null with "bandit_why"}."""
    projects = [item.project for item in items]
    return {
        "n": len(items),
        "rule": _share([verdict.rule for verdict in verdicts], projects),
        "bandit": None if why_no_bandit else _share([verdict.bandit for verdict in verdicts], projects),
        "bandit_why": why_no_bandit or None,
    }


def _share(found: Sequence[bool | None], projects: Sequence[str]) -> dict[str, Any]:
    known = [one for one in found if one is not None]
    table = np.array([[np.nan if one is None else float(one)] for one in found]).reshape(len(found), 1)
    return {
        "seen": len(known),
        "mended": sum(known),
        "share": sum(known) / len(known) if known else None,
        "interval": intervals_of_means(table, projects)[0],
    }
