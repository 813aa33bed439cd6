"""Figures that a bundle and its card are made of, made up so that each can be found again."""

from __future__ import annotations

from typing import Any

SUGGESTIONS = {
    "asked": 2.0, "found": {"logic": 0.07, "security": None}, "auc": 0.9,
    "validation": {"per_1000": 0.8, "low": 0.2, "high": 1.9, "proposals": 4, "windows": 5000, "projects": {}},
    "test": {"per_1000": 1.2, "low": 0.4, "high": 2.9, "proposals": 3, "windows": 2500, "projects": {}},
    "odds": {"prior": 0.005, "points": [[0.2, 0.001], [0.9, 0.3]]},
}  # fmt: skip
BENCHMARK: dict[str, Any] = {
    "accuracy": {
        "syntax": 0.5, "logic": 0.2, "security": None, "complex": None, "clean": 0.96, "overall": 0.35
    },
    "accuracy_by_items": {
        "syntax": 0.55, "logic": 0.25, "security": None, "complex": None, "clean": 0.96, "overall": 0.41
    },
    "intervals": {
        "level": 0.95,
        "units": {"syntax": 7, "logic": 7, "security": 0, "complex": 0, "clean": 7, "overall": 7},
        "accuracy": {
            "syntax": [0.47, 0.53], "logic": [0.15, 0.24], "security": None, "complex": None, "clean": [0.94, 0.97],
            "overall": None,
        },
        "accuracy_by_items": {
            "syntax": [0.52, 0.58], "logic": [0.2, 0.3], "security": None, "complex": None, "clean": [0.94, 0.97],
            "overall": [0.38, 0.44],
        },
    },
    "rare_kinds": {}, "unreachable": {"out_of_scope": 12, "fixed_does_not_compile": 0, "share": 0.005},
    "suite_intervals": {"test": {"exact_at_1": [0.48, 0.52]}},
    "coverage": {
        "syntax": 0.99, "logic": 1.0, "security": None, "complex": None, "clean": 1.0, "overall": 0.995
    },
    "n": {"syntax": 1200, "logic": 1000, "security": 0, "complex": 0, "clean": 400, "overall": 2200},
    "ece": 0.04, "false_alarm": 0.04, "bifi": 0.7, "accuracy_by_tick": [[1, 0.01], [2, 0.3]],
    "ticks_used": {"mean": 1.7}, "parameters": {"body": 2_000_000, "embedding": 500_000},
    "by_kind": {"lost_colon": {"category": "syntax", "n": 40, "accuracy": 0.9, "coverage": 1.0, "bifi": 1.0}},
    "in_use": {"accuracy": {"logic": 0.12, "clean": 0.96}, "false_alarm": 0.04},
    "auroc": 0.8, "guarded_bifi": 0.55, "edited": 0.9, "edit_precision": 0.61, "edit_recall": 0.5, "collateral_1": 0.22,
    "collateral_3": 0.13, "collateral_half": 0.07, "over_deleted_5": 0.14, "over_deleted_half": 0.06,
    "statement_recall": 0.7, "same_tree": 0.5,
    "deletion": {"test": {"exact_at_1": 0.11, "bifi": 0.64, "guarded_bifi": 0.19}},
    "ranked": {"n": 0}, "suites": {"test": {"n": 2600, "exact_at_1": 0.5, "coverage": 0.99, "bifi": 0.7}},
    "thresholds": {"tick": 0.91, "edit": 0.4, "further": 0.6}, "calibration": {"edit": {}, "tick": {}},
    "suggestions": SUGGESTIONS,
    "confidence": {"intercept": 1.0, "slope": 0.7, "knowable": 0.7},
    "precision_thresholds": [
        {"precision": 0.9, "confidence": 0.612, "answers": 321, "coverage": 0.42, "found": 0.934, "low": 0.903,
         "items": 800, "reason": ""},
        {"precision": 0.95, "confidence": None, "answers": 700, "coverage": None, "found": None, "low": None,
         "items": 800, "reason": "best are the 90 surest of 700 answers"},
    ],
}  # fmt: skip
STAGES = [
    {"stage": "stage1", "samples_seen": 3000, "seconds": 10.0, "settings": {"stage": {"ticks": 2}},
     "milestones": [{"milestone": "100%", "accuracy": {"syntax": 0.5}, "loss": 2.5}]},
    {"stage": "stage2", "samples_seen": 1000, "seconds": 10.0, "settings": {"stage": {"ticks": 4}}},
]  # fmt: skip
