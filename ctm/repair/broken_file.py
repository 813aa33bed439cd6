"""Repairing a file that does not compile: one search over the file, error by error.

A state is the whole file. From each, its first error is looked at in several windows, and rewritten without a model;
what that leads to is tried by its score. The compiler judges the whole file: a step counts only if the file then
compiles or its first error moves on, so a repair never trades one error for another further up. Where a step leads to
an error that nothing mends, the next best one is taken in its place.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial

from ctm.python.compiling import compiles
from ctm.repair.candidates import AppliedEdit
from ctm.repair.file_repair import (
    MAX_CHARACTERS,
    Considered,
    FileRepair,
    LineChange,
    change_between,
    first_error,
    in_words_between,
    splice,
)
from ctm.repair.ignoring import IGNORED, ignored_lines, keeps_lines
from ctm.repair.passes import Repair, Repairer
from ctm.repair.rewrites.registry import rewritten
from ctm.repair.source import FileError, PythonFile
from ctm.repair.text_edits import in_words
from ctm.repair.text_loss import text_loss
from ctm.repair.windows import windows_around

MAX_STEPS = 60
"""States of one file that are looked at: errors, and ways that led nowhere."""
ANSWERS_PER_WINDOW = 5
"""That are asked for where the best of one each does not do."""
SURE = 0.4
"""Confidence from which the best of one answer each is taken: of 3,267 real errors one is lost that five would have
mended, without this bound four."""
WIDTH = 3
"""Steps from one state that are followed, at most."""
LED_NOWHERE = "led nowhere"
"""What became of a likelier step in place of which another one was taken."""
WINDOW = 0.2
"""Cost of each window behind the first, nats: the first ones show most of what belongs to the error."""


@dataclass(frozen=True, slots=True)
class _Step:
    """A repair that helps the file."""

    source: PythonFile
    """The file after it."""
    error: SyntaxError | None
    """Its first error then, None where it compiles."""
    change: LineChange


@dataclass
class _Refused:
    """What was found and refused, for the message: the likeliest repair that lost too much, and ignored lines."""

    text: str = ""
    ignored_line: int = 0
    """The first line, from 1, that a repair would have changed although it is to be left alone."""

    def note(self, error: SyntaxError, before: str, after: str) -> None:
        lost = text_loss(before, after)
        lines = before.count("\n") - after.count("\n")
        what = f"{len(lost.words)} of {lost.total_words} words" + (f" and {lines} lines" if lines > 0 else "")
        self.text = self.text or (
            f"the most probable repair of line {error.lineno} deletes {what}; use --allow-deletions to see it"
        )

    def __str__(self) -> str:
        ignored = f"a repair changes line {self.ignored_line}, which has # ctm: ignore"
        return "; ".join([ignored] * bool(self.ignored_line) + [self.text] * bool(self.text))


def repair_broken(
    source: PythonFile, error: SyntaxError, repairer: Repairer, considered: int = 0
) -> FileRepair:
    """Repair a file whose first error is `error`.

    considered: how many others each change names that would have come next in its place.
    """
    refused = _Refused()
    steps = partial(_steps, repairer=repairer, refused=refused, considered=considered)
    path: list[_Step] = []
    open_ = [steps(source, error)]
    best: tuple[int, list[_Step]] = (0, [])
    looked_at = 1
    while open_:
        step = next(open_[-1], None)
        if step is None:
            open_.pop()
            path = path[:-1]
            continue
        if step.error is None:
            return _fixed(source, [*path, step], None, refused)
        path = [*path, step]
        if len(path) > best[0]:
            best = len(path), path
        if looked_at >= MAX_STEPS:
            break
        looked_at += 1
        open_.append(steps(step.source, step.error))
    return _fixed(source, best[1], best[1][-1].error if best[1] else error, refused)


def _fixed(source: PythonFile, path: list[_Step], error: SyntaxError | None, refused: _Refused) -> FileRepair:
    after = path[-1].source if path else source
    changes = tuple(step.change for step in path)
    skipped = {IGNORED: 1} if refused.ignored_line else {}
    if error is None:
        return FileRepair(source, after, False, True, "", changes, skipped)
    left = f"line {error.lineno}: {error.msg}"
    at = error.lineno or 1, max(1, error.offset or 1)
    return FileRepair(source, after, False, False, left, changes, skipped, str(refused), at)


def _steps(
    source: PythonFile, error: SyntaxError, repairer: Repairer, refused: _Refused, considered: int = 0
) -> Iterator[_Step]:
    """Steps from a state of the file that help it, the best first, each file once.

    The windows are asked for one answer each; where the best of these makes the file compile and is sure enough, it
    is taken. Only otherwise are they asked for more, which takes twice as many questions to the model.
    """
    ignored = ignored_lines(source.text)
    for answers_per_window in (1, ANSWERS_PER_WINDOW):
        is_first_look = answers_per_window == 1
        ranked = _ranked(source, error, repairer, refused, answers_per_window)
        all_ = sum(math.exp(repair.score) for _, repair in ranked)
        followed = 0
        for rank, (after, repair) in enumerate(ranked[:1] if is_first_look else ranked):
            if not keeps_lines(source.lines, ignored, after.lines):
                line = _first_change(source, ignored, after) + 1
                refused.ignored_line = refused.ignored_line or line
                continue
            try:
                rest = first_error(after.text)
            except FileError:  # it made the file worse than the compiler can say
                continue
            if rest is not None and (is_first_look or not _has_moved_on(source, error, after, rest)):
                continue
            # the model's answer knows its own share; a rewrite of the file has one of all that was tried
            share = repairer.confidence(math.exp(repair.score) / all_)
            confidence = repair.confidence if repair.model_calls else share
            if is_first_look and confidence < SURE:
                break
            change = replace(
                change_between(source, after, repair, confidence),
                error=error.msg,
                error_line=error.lineno or 1,
            )
            if considered:
                tried = (
                    _ranked(source, error, repairer, refused, ANSWERS_PER_WINDOW) if is_first_look else ranked
                )
                others = _others(tried, after, rank, repairer)
                change = replace(change, considered=_in_words(source, others, change, considered))
            yield _Step(after, rest, change)
            followed += 1
            if followed == WIDTH:
                return


def _others(
    tried: list[tuple[PythonFile, Repair]], chosen: PythonFile, rank: int, repairer: Repairer
) -> list[tuple[tuple[str, ...], float, str]]:
    """What was tried besides the chosen file: its lines, its share of all as a probability, why it was passed over."""
    all_ = sum(math.exp(repair.score) for _, repair in tried)
    return [
        (file.lines, repairer.confidence(math.exp(repair.score) / all_), LED_NOWHERE if place < rank else "")
        for place, (file, repair) in enumerate(tried)
        if file.lines != chosen.lines
    ]


def _ranked(
    source: PythonFile, error: SyntaxError, repairer: Repairer, refused: _Refused, answers_per_window: int
) -> list[tuple[PythonFile, Repair]]:
    """Files that the answers lead to, each by its best answer, the most probable first."""
    best: dict[tuple[str, ...], tuple[PythonFile, Repair]] = {}
    for after, repair in _answers(source, error, repairer, refused, answers_per_window):
        known = best.get(after.lines)
        if known is None or known[1].score < repair.score:
            best[after.lines] = after, repair
    return sorted(best.values(), key=lambda item: -item[1].score)


def _first_change(source: PythonFile, ignored: Sequence[int], after: PythonFile) -> int:
    """The first of the ignored lines that is not as it was."""
    numbers = range(1, len(ignored) + 1)
    first = next(count for count in numbers if not keeps_lines(source.lines, ignored[:count], after.lines))
    return ignored[first - 1]


def _in_words(
    source: PythonFile, others: list[tuple[tuple[str, ...], float, str]], change: LineChange, most: int
) -> tuple[Considered, ...]:
    """The first of the others, best first; those that read like the change itself or one before them are left out."""
    made = in_words(source.text, change.edits)
    found: dict[str, Considered] = {}
    for lines, confidence, outcome in others:
        words = in_words_between(source.lines, lines)
        if words != made:
            found.setdefault(words, Considered(words, confidence, outcome))
        if len(found) == most:
            break
    return tuple(found.values())


def _answers(
    source: PythonFile, error: SyntaxError, repairer: Repairer, refused: _Refused, answers_per_window: int
) -> Iterator[tuple[PythonFile, Repair]]:
    """What rewrites of the file and the model's answers for its windows make of it."""
    text = source.text
    for item in rewritten(text, error) if repairer.search.rewrites else ():
        option = AppliedEdit.of_rewrite(*item)
        repair = Repair(item.text, (option,), 1.0, 0, 0, "", True, 1.0, score=item.score)
        yield source.with_lines(item.text.split("\n")), repair
    windows = [
        (window, shown)
        for window in windows_around(source.lines, (error.lineno or 1) - 1)
        if len(shown := window.text(source.lines)) <= MAX_CHARACTERS and not compiles(shown)
    ]
    repairs = repairer.repair([shown for _, shown in windows], top_k=answers_per_window)
    for rank, ((window, shown), repair) in enumerate(zip(windows, repairs, strict=True)):
        if repair.refused is not None:
            refused.note(error, shown, repair.refused.text)
        for answer in (repair, *repair.alternatives):
            after = splice(source, window, answer)
            if after is not None and answer.compiles:
                yield after, replace(answer, score=answer.score - WINDOW * rank)


def _has_moved_on(before: PythonFile, error: SyntaxError, after: PythonFile, rest: SyntaxError) -> bool:
    """Whether the first error lies nearer to the end; deleting what is behind it is no progress."""
    had, left = len(before.lines) - (error.lineno or 1), len(after.lines) - (rest.lineno or 1)
    deleted = max(0, len(before.lines) - len(after.lines))
    return left < had - deleted
