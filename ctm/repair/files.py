"""Repairing a file around the parser's errors; one that compiles is left alone, unless suggestions are asked for."""

from __future__ import annotations

from ctm.repair.broken_file import repair_broken
from ctm.repair.file_repair import FileRepair, first_error
from ctm.repair.odds import StrengthCurve
from ctm.repair.passes import Repairer
from ctm.repair.source import PythonFile


def fix_source(
    source: PythonFile,
    repairer: Repairer,
    *,
    suggesting: bool = False,
    odds: StrengthCurve | None = None,
    considered: int = 0,
) -> FileRepair:
    """Repair one file; `suggesting`: also look for what might be wrong in one that compiles (suggest.py).

    considered: how many others each change names that might have been made in its place.

    Raises FileError for code that the compiler cannot take at all.
    """
    error = first_error(source.text)
    if error is not None:
        return repair_broken(source, error, repairer, considered)
    if suggesting:
        from ctm.repair.suggest import suggest  # 5 ms, and only where it is asked for

        return suggest(source, repairer, odds, considered)
    return FileRepair(source, source, True, True)
