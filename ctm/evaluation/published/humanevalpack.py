"""HumanEvalPack's Python split (HumanEvalFix): a function with an implanted bug, its solution and its tests.

JSON lines, or one list, with task_id, declaration, buggy_solution, canonical_solution, test, entry_point, and where
there are any bug_type, import, test_setup. A text is the declaration (imports and the line of `def`; the prompt, with
its docstring, where a release has none) and a body behind it. The test is the row's, with `check(entry_point)` at its
end where the row does not call it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ctm.evaluation.published.loading import (
    NO_TEST,
    NOT_PYTHON,
    Loaded,
    files_of,
    json_rows,
    optional_text,
    text_of,
)


def load(path: Path) -> Loaded:
    """All tasks of Python. Raises SuiteError."""
    loaded = Loaded()
    for file in files_of(path, "*.json*", "HumanEvalPack"):
        for where, row in json_rows(file):
            task = text_of(row, where, "task_id")
            if not task.lower().startswith("python"):
                loaded.dropped[NOT_PYTHON] += 1
                continue
            head = text_of(row, where, "declaration", "prompt")
            test = _test(row, where)
            if not test:
                loaded.notes[NO_TEST] += 1
            loaded.add(
                task,
                head + text_of(row, where, "buggy_solution"),
                head + text_of(row, where, "canonical_solution"),
                kind=optional_text(row, where, "bug_type") or "",
                test=test,
            )
    return loaded


def _test(row: Mapping[str, Any], where: str) -> str:
    """The task's test, complete; "" where it has none."""
    test = optional_text(row, where, "test") or ""
    if not test.strip():
        return ""
    call = f"check({text_of(row, where, 'entry_point')})"
    before = [text for name in ("import", "test_setup") if (text := optional_text(row, where, name))]
    return "\n".join([*before, test, *([] if test.rstrip().endswith(call) else [call])])
