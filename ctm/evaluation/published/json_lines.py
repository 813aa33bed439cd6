"""JSON lines as `ctm-repair evaluate` reads them: id, buggy, fixed, and category, kind, test, project where known.

A line with equal sides is clean code, on which an edit is a false alarm, and nothing is dropped here: a fixed side that
does not compile is counted as unreachable with the figures.
"""

from __future__ import annotations

from pathlib import Path

from ctm.evaluation.published.loading import Loaded, SuiteError
from ctm.repair.evaluate import ItemsError, read_items


def load(path: Path) -> Loaded:
    """All lines. Raises SuiteError."""
    try:
        return Loaded(read_items(path))
    except ItemsError as error:
        raise SuiteError(str(error)) from None
    except OSError as error:
        raise SuiteError(f"{path}: cannot be read ({error.strerror})") from None
