"""A checkout of QuixBugs: programs with a bug in one line, their corrections, and test cases as JSON lines.

    python_programs/NAME.py  correct_python_programs/NAME.py  json_testcases/NAME.json

A line of the test cases is [arguments, expected]; a single argument may stand without its list. The test calls the
function NAME with each and compares, generators and tuples taken as lists, as the suite's own tests do. Programs on
graphs and linked lists have tests in Python only, which need the suite's modules: those items have no test here.
"""

from __future__ import annotations

import json
from pathlib import Path

from ctm.evaluation.published.loading import (
    NO_FIX,
    NO_TEST,
    NOT_UTF8,
    Loaded,
    SuiteError,
    folder_of,
    parse,
    read_code,
    read_text,
)

HELPERS = ("node",)
"""Modules beside the programs that are none."""
CLOSE_ENOUGH = ("sqrt",)
"""Programs whose answer may be as far off as their last argument says."""

TEST = """\
def _plain(value):
    if isinstance(value, (list, tuple)) or hasattr(value, "__next__"):
        return [_plain(item) for item in value]
    return value


def _check():
    import json

    for given, expected in json.loads({cases!r}):
        found = _plain({name}(*json.loads(json.dumps(given))))
        if {close!r}:
            assert abs(found - expected) <= given[-1], (given, found, expected)
        else:
            assert found == _plain(expected), (given, found, expected)


_check()
"""


def load(path: Path) -> Loaded:
    """All programs. Raises SuiteError where the folders are not there, or a test case is none."""
    folder_of(path, "python_programs", "correct_python_programs", "json_testcases")
    loaded = Loaded()
    for program in sorted((path / "python_programs").glob("*.py")):
        name = program.stem
        if name in HELPERS or name.startswith("_") or name.endswith("_test"):
            continue
        corrected = path / "correct_python_programs" / program.name
        if not corrected.is_file():
            loaded.dropped[NO_FIX] += 1
            continue
        buggy, fixed = read_code(program), read_code(corrected)
        if buggy is None or fixed is None:
            loaded.dropped[NOT_UTF8] += 1
            continue
        test = _test(path / "json_testcases" / f"{name}.json", name)
        if not test:
            loaded.notes[NO_TEST] += 1
        loaded.add(name, buggy, fixed, test=test)
    return loaded


def _test(path: Path, name: str) -> str:
    """A program that fails where a case does; "" where there are no cases."""
    if not path.is_file():
        return ""
    cases = []
    for number, line in enumerate(read_text(path).split("\n"), 1):
        if line.strip():
            given, expected = _case(parse(line, f"{path}:{number}"), f"{path}:{number}")
            cases.append([given if isinstance(given, list) else [given], expected])
    return TEST.format(cases=json.dumps(cases), name=name, close=name in CLOSE_ENOUGH) if cases else ""


def _case(row: object, where: str) -> list[object]:
    if not isinstance(row, list) or len(row) != 2:
        raise SuiteError(f"{where}: expected [arguments, expected]")
    return row
