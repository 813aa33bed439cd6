"""Cuts working code of held-out projects into windows, as `ctm-repair fix --suggest` does.

Windows are cut by `functions_of`, as in use, and stay as they are: no length is preferred, no kind of code
left out, tests are read too. Of a project that is cut short whole files are drawn, by hash. What the model is not asked
about, and what training has a copy of, is a reject.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ctm.evaluation.settings import WorkingSettings
from ctm.pairs.duplicates import renamed_key
from ctm.pairs.masking import mask
from ctm.pairs.near_duplicates import MinHasher, NearDuplicateFilter, NearSettings, chunks
from ctm.pairs.quality import QualitySettings, license_reject_reason
from ctm.pairs.record import (
    REJECT_SCHEMA,
    SNIPPET_SCHEMA,
    Reject,
    Snippet,
    Writer,
    make_snippet,
    read_pair_columns,
    read_snippets,
)
from ctm.pairs.splits import SplitSettings, split_of
from ctm.repair.suggest import unaskable
from ctm.repair.windows import functions_of
from ctm.sources.clean_code.choice import CleanCode
from ctm.sources.clean_code.projects import Project, drawn
from ctm.sources.files import decode_source, path_reject_reason

log = logging.getLogger(__name__)
STEP = "working_windows"
SHAPE = "window"
HELD_OUT = ("validation", "test")


@dataclass(frozen=True, slots=True)
class Window:
    """A part of a file that works."""

    text: str
    project: str
    """The group of projects that it belongs to; what one of them is like, its others may be."""
    path: str
    line: int
    """1-based line on which it begins."""


def working_windows(
    code: CleanCode,
    splits: SplitSettings,
    quality: QualitySettings,
    settings: WorkingSettings,
    joined: Mapping[str, str],
    train: Path,
    out: Path,
    rejects: Path,
) -> dict[str, object]:
    """Write the windows of projects of the validation and test splits as snippets of shape "window"; returns counts.

    joined: groups of projects that share one (clean_snippets). train: the pairs that train, to leave out their copies.
    """
    found: list[Snippet] = []
    counts: Counter[str] = Counter()
    with Writer(rejects, REJECT_SCHEMA) as refused, Writer(out, SNIPPET_SCHEMA) as kept:

        def split(name: str) -> str:
            return split_of(joined.get(name, name), splits)

        for project in code.projects(lambda name: split(name) in HELD_OUT, refused, STEP):
            group = joined.get(project.name, project.name)
            if reason := license_reject_reason(project.license, quality.licenses):
                refused.write(Reject(STEP, reason, project.name, group, project.license))
                continue
            found += (
                replace(item, split=split(project.name), group=group)
                for item in _windows(project, settings, refused)
            )
        copies = _copies([item.text for item in found], train, quality.duplicates)
        for item, reason in zip(found, copies, strict=True):
            if reason:
                where = f"{item.origin.path}:{item.origin.line}"
                refused.write(Reject(STEP, reason, where, item.group))
            else:
                kept.write(item)
                counts[item.split] += 1
        names = {split: sorted({i.group for i in found if i.split == split}) for split in HELD_OUT}
        log.info("windows of working code: %s of %s", dict(counts), names)
        return {"windows": dict(counts), "projects": names, "rejects": refused.rows}


def read_windows(path: Path) -> dict[str, list[Window]]:
    """Windows by split, "validation" and "test". Raises ValueError for another format or format version."""
    windows: dict[str, list[Window]] = {split: [] for split in HELD_OUT}
    for item in read_snippets(path):
        windows[item.split].append(Window(item.text, item.group, item.origin.path, item.origin.line))
    return windows


def _windows(project: Project, settings: WorkingSettings, refused: Writer) -> Iterator[Snippet]:
    """Of files in the order of their hashes, until there are enough; secrets and addresses are masked."""
    number = 0
    for file in drawn(project.files, settings.seed):
        path = file.path
        if number >= settings.per_project:
            refused.write(Reject(STEP, "cap of the project", project.name, project.name, "files left unread"))
            return
        text, reason = "", path_reject_reason(path, tests=True, documentation=project.is_whole)
        if not reason:
            text, reason = decode_source(file.read(), project.max_bytes)
        try:
            windows = [] if reason else functions_of(text)
        except (SyntaxError, ValueError, MemoryError, RecursionError):
            windows, reason = [], "does not parse"
        if reason:
            refused.write(Reject(STEP, reason, path, project.name))
        lines = text.split("\n")
        for window in windows:
            shown = window.text(lines)
            reason = unaskable(window, shown)
            if not reason:
                try:
                    (shown,), _ = mask(shown)
                except ValueError as error:
                    reason = str(error)
            if reason:
                refused.write(Reject(STEP, reason, f"{path}:{window.begin + 1}", project.name))
            else:
                number += 1
                yield make_snippet(shown, SHAPE, project.name, project.origin(path, window.begin + 1))


def _copies(texts: Sequence[str], train: Path, near: NearSettings) -> list[str]:
    """Why each text must not be used: it trains, but for names, or something near to it does. "" where it may.

    The texts are in memory, the pairs pass by: only those that share a band with a text are compared.
    """
    keys = [renamed_key(text) for text in texts]
    wanted = set(keys)
    trained: set[int] = set()
    seen: set[int] = set()
    sketcher = MinHasher(near) if near.near and texts else None
    index: Any = sketcher.index() if sketcher else None
    indexed = 0
    if sketcher:
        for chunk in chunks(texts):
            index.insert_matrix(sketcher.matrix(chunk), indexed)
            indexed += len(chunk)
    waiting: list[str] = []
    for chunk in chunks(_sides(train)):
        fresh = {key: text for text in chunk if (key := renamed_key(text)) not in seen}
        seen |= fresh.keys()
        trained |= wanted & fresh.keys()
        if sketcher and fresh:
            flags = index.query_duplicate_flags_matrix_one_shot(sketcher.matrix(list(fresh.values())))
            waiting += [text for text, flag in zip(fresh.values(), flags, strict=True) if flag]
    close: list[str | None] = [None] * len(texts)
    if sketcher:
        first = NearDuplicateFilter(sketcher)
        for chunk in chunks(waiting):
            first.add(chunk, ["train"] * len(chunk))
        close = [name for chunk in chunks(texts) for name in first.find(chunk)]
    return [
        "copy of a training text" if key in trained else "near copy of a training text" if name else ""
        for key, name in zip(keys, close, strict=True)
    ]


def _sides(train: Path) -> Iterator[str]:
    """Fixed sides of all pairs, and buggy ones of real fixes: a mutant's is made from the other."""
    last = ""
    for buggy, fixed, source in read_pair_columns(train, ("buggy", "fixed", "source")):
        if source != "mutation":
            yield buggy
        if fixed != last:
            yield fixed
            last = fixed
