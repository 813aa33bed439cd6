"""SVEN's pairs (data_train_val): functions with a weakness, before and after the commit that mended it.

A file of JSON lines, or a folder with `*.jsonl` at any depth: func_src_before, func_src_after, vul_type ("cwe-089"),
file_name, commit_link. Functions of files that do not end in .py are C or C++ and no items. The project is the
repository of commit_link.
"""

from __future__ import annotations

import re
from pathlib import Path

from ctm.evaluation.published.loading import NOT_PYTHON, Loaded, files_of, json_rows, optional_text, text_of

_REPOSITORY = re.compile(r"(?:https?://)?(?:www\.)?[^/]+/([^/]+/[^/]+)/commit")


def load(path: Path) -> Loaded:
    """All pairs of Python, category security. Raises SuiteError."""
    loaded = Loaded()
    for file in files_of(path, "*.jsonl", "SVEN's data_train_val"):
        for number, (where, row) in enumerate(json_rows(file), 1):
            if not text_of(row, where, "file_name").endswith(".py"):
                loaded.dropped[NOT_PYTHON] += 1
                continue
            found = _REPOSITORY.match(optional_text(row, where, "commit_link") or "")
            loaded.add(
                f"{file.parent.name}/{file.stem}/{number}",
                text_of(row, where, "func_src_before"),
                text_of(row, where, "func_src_after"),
                category="security",
                kind=text_of(row, where, "vul_type"),
                project=found.group(1) if found else "",
            )
    return loaded
