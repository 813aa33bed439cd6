"""A checkout of ConDefects: faulty and corrected programs of AtCoder's contests.

    Code/TASK/Python/PROGRAM/faultyVersion.py  Code/TASK/Python/PROGRAM/correctVersion.py

Programs of one task are alike, so the task is the project of the intervals. The tests come apart (Test.zip, inputs and
outputs of whole programs) and are not run here.
"""

from __future__ import annotations

from pathlib import Path

from ctm.evaluation.published.loading import (
    NO_FIX,
    NOT_PYTHON,
    NOT_UTF8,
    Loaded,
    SuiteError,
    folder_of,
    read_code,
)


def load(path: Path) -> Loaded:
    """All programs in Python. Raises SuiteError."""
    folder_of(path, "Code")
    loaded = Loaded()
    for program in sorted((path / "Code").glob("*/*/*")):
        if not program.is_dir():
            continue  # a README beside the programs
        task, language = program.parts[-3:-1]
        if language.lower() != "python":
            loaded.dropped[NOT_PYTHON] += 1
            continue
        faulty, corrected = program / "faultyVersion.py", program / "correctVersion.py"
        if not faulty.is_file():
            there = ", ".join(sorted(child.name for child in program.iterdir()))
            raise SuiteError(f"{program}: no faultyVersion.py in it (there: {there or 'nothing'})")
        if not corrected.is_file():
            loaded.dropped[NO_FIX] += 1
            continue
        buggy, fixed = read_code(faulty), read_code(corrected)
        if buggy is None or fixed is None:
            loaded.dropped[NOT_UTF8] += 1
        else:
            loaded.add(f"{task}/{program.name}", buggy, fixed, project=task)
    if not (loaded.items or loaded.dropped):
        raise SuiteError(f"{path}: no programs below Code/TASK/LANGUAGE/; is it a checkout of ConDefects?")
    return loaded
