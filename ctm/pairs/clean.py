"""Decides each snippet's split and drops duplicates across all splits, before anything is mutated.

Copies inside a project go, forks and copies of a whole one join it, secrets and addresses are masked, and a text that
stands in several splits stays in one. Of each snippet only three keys stay in memory, and while near duplicates are
looked for its signature.
"""

from __future__ import annotations

import logging
from array import array
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ctm.pairs.duplicates import DuplicateFilter, exact_key, renamed_key
from ctm.pairs.inner_copies import Paths, copied_places, owned_names, suspects
from ctm.pairs.masking import mask
from ctm.pairs.near_duplicates import MinHasher, NearDuplicateFilter, chunks
from ctm.pairs.project_groups import KeyOwners, merge_groups, name_key
from ctm.pairs.quality import QualitySettings, license_reject_reason
from ctm.pairs.record import (
    REJECT_SCHEMA,
    SNIPPET_SCHEMA,
    Reject,
    Snippet,
    Writer,
    read_snippets,
    snippet_id,
)
from ctm.pairs.splits import SplitSettings, split_of

log = logging.getLogger(__name__)
STEP = "clean_snippets"

PRIORITY = ("test", "validation", "train")
"""A text in several splits stays in the first of these only: the test set keeps its common code, training loses it."""


def clean_snippets(
    raw: Sequence[Path],
    settings: SplitSettings,
    out: Path,
    rejects: Path,
    quality: QualitySettings | None = None,
) -> dict[str, dict[str, int] | dict[str, str]]:
    """Write all snippets with their split, masked, without duplicates of any sort; no text is in two splits.

    Returns counts: "snippets" and "projects" by split, "rejects" by reason, "masked" by sort; and "joined", the group
    of each project that shares one with others.
    """
    found = _Found(raw, settings, quality or QualitySettings())
    found.drop_duplicates()
    found.drop_near_duplicates()
    snippets: dict[str, int] = dict.fromkeys(PRIORITY, 0)
    projects: dict[str, set[str]] = {split: set() for split in PRIORITY}
    with Writer(out, SNIPPET_SCHEMA) as kept, Writer(rejects, REJECT_SCHEMA) as dropped:
        for split in PRIORITY:
            for number, snippet in enumerate(item for path in raw for item in read_snippets(path)):
                if found.splits[found.owners[number]] != split:
                    continue
                if reason := found.reasons[number]:
                    dropped.write(Reject(STEP, reason, snippet.snippet_id, snippet.group))
                else:
                    kept.write(found.finished(number, snippet))
                    snippets[split] += 1
                    projects[split].add(snippet.group)
    refused = Counter(filter(None, found.reasons))
    log.info("snippets by split: %s; dropped: %s; masked: %s", snippets, dict(refused), dict(found.masked))
    return {
        "snippets": snippets,
        "projects": {split: len(names) for split, names in projects.items()},
        "rejects": dict(refused),
        "masked": dict(found.masked),
        "joined": found.joined,
    }


class _Found:
    """What is known of every snippet, by its number in reading order."""

    def __init__(self, raw: Sequence[Path], settings: SplitSettings, quality: QualitySettings) -> None:
        self.raw, self.quality = raw, quality
        self.exact, self.renamed, self.owners = array("Q"), array("Q"), array("i")
        names, paths = array("Q"), Paths()
        self.reasons: list[str] = []
        self.texts: dict[int, str] = {}
        """Masked texts, of the few that were masked."""
        self.masked: Counter[str] = Counter()
        groups: dict[str, int] = {}
        lines = array("i")
        for number, snippet in enumerate(self._read("text", "group", "license", "path", "qualname")):
            reason, text = license_reject_reason(snippet.origin.license, quality.licenses), snippet.text
            if not reason:
                reason, text = self._mask(number, text)
            self.reasons.append(reason)
            self.exact.append(exact_key(text))
            self.renamed.append(renamed_key(text))
            self.owners.append(groups.setdefault(snippet.group, len(groups)))
            names.append(name_key(snippet.origin.path, snippet.origin.qualname))
            paths.add(number, snippet.group, snippet.origin.path)
            lines.append(text.count("\n") + 1)
        self.groups = list(groups)
        own = self._drop_copies(names, paths)
        counted = own & (np.array(lines, np.int32) >= quality.duplicates.joined_lines)
        owners = np.array(self.owners, np.int32)
        self.joined = merge_groups(
            KeyOwners(np.array(self.renamed, np.uint64)[counted], owners[counted]),
            KeyOwners(np.array(names, np.uint64)[own], owners[own]),
            self.groups,
            quality.duplicates,
            settings.always_train,
        )
        self.splits = [split_of(self.joined.get(group, group), settings) for group in self.groups]

    def _read(self, *columns: str) -> Iterator[Snippet]:
        return (item for path in self.raw for item in read_snippets(path, columns))

    def _drop_copies(self, names: array[int], paths: Paths) -> npt.NDArray[np.bool_]:
        """Note what is a copy of another project inside its own; returns what is not. [snippets]"""
        own = np.ones(len(names), bool)
        places = suspects(paths) if self.quality.duplicates.joined_share else {}
        if not places:
            return own
        known = owned_names(
            ((paths.of(number), key) for number, key in enumerate(names)),
            {place[2] for place in places.values()},
        )
        there = [
            (number, places[snippet.group, snippet.origin.path], snippet.origin)
            for number, snippet in enumerate(self._read("group", "path", "qualname"))
            if (snippet.group, snippet.origin.path) in places
        ]
        copied = copied_places(
            ((place, origin.path, origin.qualname) for _, place, origin in there),
            known,
            self.quality.duplicates,
        )
        for number, place, _ in there:
            if place in copied:
                own[number] = False
                self.reasons[number] = self.reasons[number] or "vendored copy"
        for group, folder, name in sorted(copied):
            log.info("%s: %s is a copy of %s", group, folder, name)
        return own

    def _mask(self, number: int, text: str) -> tuple[str, str]:
        """(why the text is dropped or "", the text masked)."""
        try:
            (masked,), counts = mask(text)
        except ValueError as error:
            return str(error), text
        if counts:
            self.texts[number] = masked
            self.masked += counts
        return "", masked

    def _in_order(self) -> Iterator[int]:
        """Numbers of what is left, test before validation before train."""
        for split in PRIORITY:
            of_split = [name == split for name in self.splits]
            for number, owner in enumerate(self.owners):
                if of_split[owner] and not self.reasons[number]:
                    yield number

    def drop_duplicates(self) -> None:
        """Exact ones, and those but for names."""
        first_come = DuplicateFilter()
        for number in self._in_order():
            self.reasons[number] = first_come.refuse_keys(self.exact[number], self.renamed[number])

    def drop_near_duplicates(self) -> None:
        """Near ones: only texts that share a band with another are read again and compared."""
        if not self.quality.duplicates.near:
            return
        sketcher = MinHasher(self.quality.duplicates)
        index, matrices, count = sketcher.index(), [], 0
        for chunk in chunks(self._left()):
            matrices.append(sketcher.matrix([text for _, text in chunk]))
            index.insert_matrix(matrices[-1], count)
            count += len(chunk)
        flags = (flag for matrix in matrices for flag in index.query_duplicate_flags_matrix(matrix))
        waiting = {number: text for (number, text), flag in zip(self._left(), flags, strict=True) if flag}
        del index, matrices
        first = NearDuplicateFilter(sketcher)
        for chunk_ in chunks(number for number in self._in_order() if number in waiting):
            splits = [self.splits[self.owners[number]] for number in chunk_]
            near = first.add([waiting[number] for number in chunk_], splits)
            for number, split, other in zip(chunk_, splits, near, strict=True):
                if other is not None:
                    self.reasons[number] = (
                        "near duplicate" if other == split else f"near duplicate in {other}"
                    )

    def _left(self) -> Iterator[tuple[int, str]]:
        """(number, text) of what is left, in reading order."""
        for number, snippet in enumerate(self._read("text")):
            if not self.reasons[number]:
                yield number, self.texts.get(number, snippet.text)

    def finished(self, number: int, snippet: Snippet) -> Snippet:
        """The snippet as it is written."""
        group = self.joined.get(snippet.group, snippet.group)
        snippet = replace(snippet, split=self.splits[self.owners[number]], group=group)
        if text := self.texts.get(number):
            snippet = replace(snippet, text=text, snippet_id=snippet_id(text))
        return snippet
