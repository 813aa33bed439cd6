"""Retired names stay retired: one word for one thing, as docs/glossary.md and docs/glossary_model.md have it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "ctm"

WORDS = {
    "ask": "propose, request",
    "asked": "requested, wanted",
    "remember": "build_encoding, keys_and_values, copy_keys, or add",
    "said": "output",
    "say": "predict_span, or log",
    "several": "chunk, or a number's name",
    "told": "what is called or counted",
    "think": "step (a tick), infer (a run)",
    "thought": "model output",
    "kept": "selected",
}
"""A word that says too little as a whole name -> what says it instead. Underscores before it do not matter."""

NAMES = {
    "Asker": "FirstEditFinder",
    "BadSuite": "SuiteError",
    "ByTick": "TickResults",
    "Change": "StateControl",
    "Clashes": "PairConflicts",
    "FirstCome": "DuplicateFilter",
    "FirstOfEach": "NearDuplicateFilter",
    "Fit": "MemoryPlan",
    "Goal": "TargetEdit",
    "Graph": "ExportedCTM",
    "Graphs": "CudaGraphs",
    "Kept": "SelectedTick, SavedBytes",
    "Loop": "Trainer",
    "Material": "StageInputs",
    "Measured": "ValidationResult",
    "Memory": "CTMEncoding",
    "ModelConfig": "CTMConfig",
    "Output": "TickOutput",
    "Packed": "PackedCells",
    "Pointers": "PointerHead",
    "Ragged": "CellLists, RaggedArray",
    "Reading": "CandidateTensors",
    "Recursion": "TRMState",
    "Remembered": "KeyValues",
    "Said": "RuntimeAnswer",
    "Screen": "Decontaminator",
    "Sizes": "ModelSizes",
    "Sketcher": "MinHasher",
    "Sums": "SharedGradients",
    "Thought": "ModelOutput",
    "Together": "CombinedOptimizer",
    "Trace": "TraceBuffer",
    "Units": "ReplacementHead",
    "_Draw": "_SnippetSampler",
    "_Judge": "_AnswerComparison",
    "_Read": "_AttentionStep",
    "accuracy_of_others": "accuracy_with_swapped_readout",
    "demand_all": "evaluate_demands",
    "go_on": "resume_at",
    "gradient_wanted": "needs_gradient",
    "hold_suites": "add_suites",
    "kept_bytes": "saved_bytes",
    "make_optimiser": "make_optimizer",
    "no_way_on": "as_memory_error",
    "of_step": "accumulate_step",
    "probed": "is_usable",
    "ran_out": "is_out_of_memory",
    "rate_at": "learning_rate_at",
    "rows_of": "select_samples",
    "say_step": "log_step",
    "screen": "decontamination",
    "set_rate": "set_learning_rate",
    "settle": "add_single_token_repairs",
    "sync_means_something": "synchronization_varies",
    "synchronize": "run_ticks",
    "thinking": "inference",
    "thought_loss": "CTM.loss",
    "tighter": "next_smaller_plan",
    "turn_of": "rotation_of",
    "undone": "classification",
    "vendored": "project_groups",
    "visits_of": "collect_visits",
    "widened": "pad_batch",
}
"""A retired name -> the name of today."""

EXCEPTIONS = {
    "bugs/complex/several.py:several": "the word of the kinds in it: several bugs in one snippet",
}
"""`file:name` that may have a retired name -> why."""


def definitions(tree: ast.Module) -> Iterator[str]:
    """Names of all classes, functions and methods."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node.name


def retired(name: str) -> str:
    """What a name is called today; "" where it is not retired."""
    return NAMES.get(name) or WORDS.get(name.lstrip("_").lower(), "")


def found() -> dict[str, str]:
    """`file:name` -> today's name, of each retired name of a class, function, method or module of ctm/."""
    names: dict[str, str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        for name in (path.stem, *definitions(ast.parse(path.read_text(encoding="utf-8")))):
            if retired(name):
                names[f"{place}:{name}"] = retired(name)
    return names


def test_no_retired_name_comes_back() -> None:
    """A name with two words for it, or one that says nothing, costs every reader a search."""
    back = {place: today for place, today in found().items() if place not in EXCEPTIONS}
    assert not back, f"retired names are back (place: the name of today): {back}"


def test_every_exception_is_still_needed() -> None:
    """An exception whose name is gone would let the name come back unseen."""
    assert not set(EXCEPTIONS) - set(found()), "take these out of EXCEPTIONS"


@pytest.mark.parametrize(
    ("name", "is_retired"), [("Kept", True), ("_several", True), ("SelectedTick", False)]
)
def test_a_retired_name_is_seen(name: str, is_retired: bool) -> None:
    """The test itself would pass with a list that matches nothing."""
    assert bool(retired(name)) is is_retired
