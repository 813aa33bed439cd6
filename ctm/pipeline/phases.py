"""Which of the specification's four phases a rule belongs to."""

from __future__ import annotations

PHASES = {
    1: "Phase 1: data",
    2: "Phase 2: validation of the model",
    3: "Phase 3: training",
    4: "Phase 4: evaluation, analysis and export",
}
_FIRST = (
    "collect_", "discover_", "clean_snippets", "train_tokenizer", "balance_mix", "mutate", "build_pairs",
    "fit_bug_mix", "encode_shard", "grid_manifest", "data_card",
)  # fmt: skip
_SECOND = ("validate_model", "baseline")


def phase_of(rule: str) -> int:
    """By the rule's name; whatever is of no earlier phase is of the last: it reads what training made."""
    if rule.startswith(_FIRST):
        return 1
    if rule in _SECOND:
        return 2
    return 3 if rule.startswith("train_") else 4
