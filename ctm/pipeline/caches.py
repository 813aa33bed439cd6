"""A folder for caches where the home cannot be written, as Snakemake makes one before it reads any option.

A service's account often has no home, and Snakemake then ends in a traceback. Jobs inherit the variable: matplotlib,
pip and torch keep theirs below the same folder.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "XDG_CACHE_HOME"


@contextmanager
def caches(environment: MutableMapping[str, str]) -> Iterator[Path | None]:
    """Within it, XDG_CACHE_HOME can be written: it is a temporary folder if the usual one cannot, and None if it can.

    An XDG_CACHE_HOME that was given and cannot be written is replaced too.
    """
    usual = Path(environment.get(VARIABLE) or Path(environment.get("HOME") or Path.home()) / ".cache")
    if _can_be_written(usual):
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="ctm-caches-", ignore_cleanup_errors=True) as folder:
        before = environment.get(VARIABLE)
        environment[VARIABLE] = folder
        try:
            yield Path(folder)
        finally:
            if before is None:
                del environment[VARIABLE]
            else:
                environment[VARIABLE] = before


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder):
            return True
    except OSError:
        return False
