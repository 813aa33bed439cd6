"""What `fix` repairs, one after the other: the files that discovery finds, without those that want to be left alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ctm.repair.admit import refuse_or_skip
from ctm.repair.discover import STDIN, Discovery
from ctm.repair.files import fix_source
from ctm.repair.fixed import FileRepair
from ctm.repair.ignoring import IGNORED_FILE, has_ignored_head, ignores_file
from ctm.repair.newer_syntax import Version
from ctm.repair.odds import StrengthCurve
from ctm.repair.passes import Repairer
from ctm.repair.source import PythonFile


def targets(discovery: Discovery, paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """(path, "") for each target, (path, reason) for what cannot be read."""
    for path, problem in discovery.files(paths):
        if not problem and path != STDIN and has_ignored_head(path):
            discovery.left_out[IGNORED_FILE] += 1
        else:
            yield path, problem


def repair_source(
    source: PythonFile,
    name: str,
    target: Version | None,
    repairer: Repairer,
    *,
    suggesting: bool = False,
    odds: StrengthCurve | None = None,
) -> FileRepair:
    """What becomes of one target; `name` is "" for a text without a name. Raises FileError.

    A text on stdin that wants to be left alone counts as one that compiles.
    """
    if ignores_file(source.text):
        return FileRepair(source, source, True, True, skipped={IGNORED_FILE: 1})
    known = refuse_or_skip(source, name, target)
    return known or fix_source(source, repairer, suggesting=suggesting, odds=odds)
