"""A checkout of BugsInPy: the patch of each bug, projects/PROJECT/bugs/NUMBER/bug_patch.txt, without the projects.

A function needs the project's source at the bug's commit. From the patch alone one has its hunks: the changed lines
with three lines of context on either side. So an item here is a hunk of a .py file that is no test, both of whose sides
parse by themselves: dedented, and inside a `def` where they hold a `return` or the like. What is cut in the middle of a
statement is dropped and counted, so these items are shorter and easier to place than the bugs. A bug of several hunks
is several items, none of which mends it alone; no test is run.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from pathlib import Path

from ctm.evaluation.published.loading import (
    NOT_PYTHON,
    NOT_UTF8,
    SAME,
    Loaded,
    SuiteError,
    files_of,
    read_code,
)
from ctm.python.compiling import compiles
from ctm.python.lexical import exact_match

CUT = "the hunk does not parse without the lines around it"
OF_A_TEST = "of a test"
HEAD = "async def hunk(self):\n"
"""What a hunk is put into that stands in a function: it may return and await."""
_HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")
MOST_DIGITS = 9
"""Of a count of lines; Python refuses to read numbers of 5,000."""
_TEST = re.compile(r"(^|/)(tests?|testing)/|(^|/)(test_[^/]*|[^/]*_test|conftest)\.py$")


def load(path: Path) -> Loaded:
    """All hunks. Raises SuiteError."""
    loaded = Loaded()
    for patch in files_of(path, "bug_patch.txt", "BugsInPy"):
        if len(patch.parts) < 5 or patch.parts[-3] != "bugs":
            raise SuiteError(f"{patch}: not at projects/PROJECT/bugs/NUMBER/; is it a checkout of BugsInPy?")
        project, bug = patch.parts[-4], patch.parts[-2]
        text = read_code(patch)
        if text is None:
            loaded.dropped[NOT_UTF8] += 1
            continue
        for number, (file, buggy, fixed) in enumerate(hunks(text, str(patch)), 1):
            if not file.endswith(".py"):
                loaded.dropped[NOT_PYTHON] += 1
            elif _TEST.search(file):
                loaded.dropped[OF_A_TEST] += 1
            elif exact_match(buggy, fixed):
                loaded.dropped[SAME] += 1
            elif (sides := whole(buggy, fixed)) is None:
                loaded.dropped[CUT] += 1
            else:
                loaded.add(f"{project}/{bug}#{number}", *sides, project=project)
    return loaded


def whole(buggy: str, fixed: str) -> tuple[str, str] | None:
    """Both sides of a hunk as texts that compile, by themselves or in a function; None where they do not."""
    lines = textwrap.dedent(buggy + fixed).split("\n")  # by what both sides have in common
    cut = buggy.count("\n")
    sides = "\n".join(lines[:cut]) + "\n", "\n".join(lines[cut:])
    for texts in (sides, tuple(HEAD + textwrap.indent(side, "    ") for side in sides)):
        if all(map(compiles, texts)):
            return texts[0], texts[1]
    return None


def hunks(patch: str, where: str) -> Iterator[tuple[str, str, str]]:
    """(path, lines before, lines after) of each hunk of a unified diff. Raises SuiteError for one that is cut off."""
    lines = iter(patch.split("\n"))
    file = ""
    for line in lines:
        if line.startswith("+++ ") and line != "+++ /dev/null":
            file = line[4:].split("\t")[0].removeprefix("b/")
        elif found := _HUNK.match(line):
            counts = [count or "1" for count in found.groups()]
            if max(map(len, counts)) > MOST_DIGITS:
                raise SuiteError(f"{where}: a hunk's head has a count of {max(map(len, counts)):,} digits")
            old, new = map(int, counts)
            before: list[str] = []
            after: list[str] = []
            while len(before) < old or len(after) < new:
                changed = next(lines, None)
                if changed is None:
                    raise SuiteError(f"{where}: the last hunk has fewer lines than it says")
                if changed.startswith("\\"):  # "No newline at end of file"
                    continue
                if changed[:1] in ("-", " ", ""):
                    before.append(changed[1:])
                if changed[:1] in ("+", " ", ""):
                    after.append(changed[1:])
            yield file, "\n".join(before) + "\n", "\n".join(after) + "\n"
