"""DebugBench: solutions of LeetCode with bugs that GPT-4 put in. JSON (a list, or lines), one file or a folder of them.

A row has buggy_code, solution (`oracle_code` in the repository's own files), language, slug, category and subtype. What
language a row is of stands in `language`, or else in the name of its file (python3_….json). The test cases lie with
LeetCode and are not run. Its categories are not ours: ours are worked out, and the subtype is the kind.
"""

from __future__ import annotations

from pathlib import Path

from ctm.evaluation.published.loading import NOT_PYTHON, Loaded, files_of, json_rows, optional_text, text_of


def load(path: Path) -> Loaded:
    """All rows of Python. Raises SuiteError."""
    loaded = Loaded()
    for file in files_of(path, "*.json*", "DebugBench"):
        for number, (where, row) in enumerate(json_rows(file), 1):
            language = optional_text(row, where, "language") or file.stem
            if not language.lower().startswith("python"):
                loaded.dropped[NOT_PYTHON] += 1
                continue
            slug = optional_text(row, where, "slug") or ""
            loaded.add(
                f"{file.stem}/{number}",
                text_of(row, where, "buggy_code"),
                text_of(row, where, "solution", "oracle_code"),
                kind=optional_text(row, where, "subtype", "bug_type") or "",
                project=slug,
            )
    return loaded
