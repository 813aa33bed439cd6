"""Decides each snippet's split and drops duplicates across all splits, before anything is mutated."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ctm.pairs.duplicates import FirstCome
from ctm.pairs.record import REJECT_SCHEMA, SNIPPET_SCHEMA, Reject, Writer, read_snippets
from ctm.pairs.splits import SplitSettings, split_of

log = logging.getLogger(__name__)
STEP = "clean_snippets"

PRIORITY = ("test", "validation", "train")
"""A text in several splits stays in the first of these only: the test set keeps its common code, training loses it."""


def clean_snippets(
    raw: Sequence[Path], settings: SplitSettings, out: Path, rejects: Path
) -> dict[str, dict[str, int]]:
    """Write all snippets with their split, without exact and renamed duplicates; no text is in two splits.

    Returns counts: "snippets" and "projects" by split, "rejects" by reason.
    """
    first_come = FirstCome()
    snippets: dict[str, int] = dict.fromkeys(PRIORITY, 0)
    refused: dict[str, int] = {}
    projects: dict[str, set[str]] = {split: set() for split in PRIORITY}
    with Writer(out, SNIPPET_SCHEMA) as kept, Writer(rejects, REJECT_SCHEMA) as dropped:
        for split in PRIORITY:
            for snippet in (item for path in raw for item in read_snippets(path)):
                if split_of(snippet.group, settings) != split:
                    continue
                if reason := first_come.refuse(snippet.text):
                    dropped.write(Reject(STEP, reason, snippet.snippet_id, snippet.group))
                    refused[reason] = refused.get(reason, 0) + 1
                    continue
                kept.write(replace(snippet, split=split))
                snippets[split] += 1
                projects[split].add(snippet.group)
    log.info("snippets by split: %s; dropped: %s", snippets, refused)
    return {
        "snippets": snippets,
        "projects": {split: len(names) for split, names in projects.items()},
        "rejects": refused,
    }
