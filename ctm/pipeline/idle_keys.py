"""Keys of the configuration that change no result: lineage leaves them out, so that nothing runs again for them.

Each has its reason. A path is one where the file counts by its content (`WorkflowStep.files` and `large_files`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_SAVING = "how often a stage saves or tells; after a divergence it decides how far the stage goes back"
_PATH = "the file counts by its content"
_SHARED = "work is shared otherwise, the result is the same"
_POLITENESS = "a request is sent again or later; one that fails in the end ends the step"
_OVERRIDDEN = "set from the stage or the tokenizer"

IDLE = {
    "sources.packages.pins": _PATH,
    "sources.packages.downloads": _SHARED,
    "sources.releases.pins": _PATH,
    "sources.releases.downloads": _SHARED,
    "sources.github.listed": _PATH,
    **{f"sources.{client}.{key}": _POLITENESS for client in ("github", "stackoverflow.api") for key in (
        "timeout", "attempts", "backoff", "limit_backoff", "max_backoff", "max_wait")},
    "sources.stackoverflow.posts": _PATH,
    "sources.stackoverflow.history": _PATH,
    "sources.stackoverflow.users": _PATH,
    "sources.stackoverflow.target": "the log compares with it",
    "bugs.mix": _PATH,
    "bugs.workers": _SHARED,
    "quality.decontamination.suites": _PATH,
    "grids.test_shards": "nothing that is trained reads the test grids; other shards are other files",
    **{f"{model}.{key}": _OVERRIDDEN for model in ("model", "trm.model") for key in (
        "ticks", "vocabulary", "diagnoses")},
    "model.memory": _OVERRIDDEN,
    "training.checkpoint_steps": _SAVING,
    "training.keep": _SAVING,
    "training.log_steps": _SAVING,
}  # fmt: skip
"""Dotted paths, each with why it does not count."""


def counted(path: str, value: Any) -> Any:
    """What of a section counts: its value less the keys that are idle. `path`: as `config.section` takes it."""
    if not isinstance(value, Mapping):
        return value
    base = path.removesuffix(".*")
    return {key: counted(f"{base}.{key}", item) for key, item in value.items() if f"{base}.{key}" not in IDLE}
