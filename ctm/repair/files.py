"""Repairing a file: around the parser's errors where it does not compile, function by function where it does."""

from __future__ import annotations

from ctm.repair.broken import repair_broken
from ctm.repair.fixed import Fixed, first_error
from ctm.repair.passes import Repairer
from ctm.repair.source import Source
from ctm.repair.suggest import suggest


def fix_source(source: Source, repairer: Repairer) -> Fixed:
    """Repair one file. Raises FileError for code that the compiler cannot take at all."""
    error = first_error(source.text)
    return suggest(source, repairer) if error is None else repair_broken(source, error, repairer)
