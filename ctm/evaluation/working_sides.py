"""False alarms of a suite: what `ctm-repair fix --suggest` proposes for its working sides.

The working side of an item is the author's repair, or the text itself of a clean item. It works as far as its author
knows, so a proposal is taken for a false alarm; one that mends what the author missed is counted as one too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from ctm.evaluation.proposal_rate import LEVEL, rate
from ctm.python.compiling import compiles, quiet
from ctm.repair.bundle import Bundle
from ctm.repair.evaluate import Item
from ctm.repair.source import lines_of
from ctm.repair.suggest import PASSED_OVER, suggest
from ctm.repair.windows import functions_of

SEED = 0
BROKEN, AGAIN = "does not compile", "the same text as another item's"


def working_sides(items: Sequence[Item], model: Bundle) -> dict[str, Any]:
    """Proposals per 1,000 functions of the working sides that compile, each text once, at the bundle's threshold.

    A function is a part of the text that `--suggest` asks about. The interval draws projects (items, where no project
    is known). `left_out` counts texts, `not_asked` functions, `passed_over` edits, each by reason.
    """
    left_out: Counter[str] = Counter()
    skipped: Counter[str] = Counter()
    texts: dict[str, str] = {}
    for number, item in enumerate(items):
        with quiet():
            works = compiles(item.fixed)
        if not works or item.fixed in texts:
            left_out[AGAIN if works else BROKEN] += 1
        else:
            texts[item.fixed] = item.project or f"item {number}"
    proposed: list[bool] = []
    projects: list[str] = []
    for text, project in texts.items():
        found = suggest(lines_of(text), model.repairer())
        not_asked = sum(n for reason, n in found.skipped.items() if reason not in PASSED_OVER)
        skipped.update(found.skipped)
        functions = len(functions_of(text)) - not_asked
        proposed += [place < len(found.changes) for place in range(functions)]
        projects += [project] * functions
    told = rate(np.array(proposed, dtype=bool), projects, SEED)
    return {
        "texts": len(texts),
        "functions": told.windows,
        "proposals": told.proposals,
        "per_1000": told.per_1000,
        "interval": None if told.low is None else [told.low, told.high],
        "level": LEVEL,
        "projects": len(told.projects),
        "left_out": dict(left_out.most_common()),
        "not_asked": {why: n for why, n in skipped.most_common() if why not in PASSED_OVER},
        "passed_over": {why: n for why, n in skipped.most_common() if why in PASSED_OVER},
    }
