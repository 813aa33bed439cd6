"""A checkout of ConDefects: faulty and corrected programs of AtCoder's contests.

    Code/TASK/Python/PROGRAM/faultyVersion.py  Code/TASK/Python/PROGRAM/correctVersion.py

Programs of one task are alike, so the task is the project of the intervals. The tests come apart (Test.zip, inputs and
outputs of whole programs) and are not run here.
"""

from __future__ import annotations

from pathlib import Path

from ctm.evaluation.published.loading import NO_FIX, NOT_PYTHON, Loaded, SuiteError, folder_of, read_text


def load(path: Path) -> Loaded:
    """All programs in Python. Raises SuiteError."""
    folder_of(path, "Code")
    loaded = Loaded()
    for program in sorted((path / "Code").glob("*/*/*")):
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
        loaded.add(f"{task}/{program.name}", read_text(faulty), read_text(corrected), project=task)
    if not (loaded.items or loaded.dropped):
        raise SuiteError(f"{path}: no programs below Code/TASK/LANGUAGE/; is it a checkout of ConDefects?")
    return loaded
