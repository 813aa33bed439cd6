"""Which rules run again after which change: exactly those whose result depends on it, and what follows from them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ctm.pipeline.config import overlay
from ctm.pipeline.reruns import Difference, walk
from helpers.fake_checkout import ROOT, Checkout

TRAINING = {"train_stage1", "train_stage2", "train_stage3", "train_stage4"}
TRM = {"train_trm", "compare_trm"}
ANALYSES = {"analyze_iterations", "analyze_certainty", "draw_thought", "reference_points"}
"""What is read from the benchmark's answers."""
THOUGHTS = {"follow_thoughts"}
SYNCHRONIZATION = {"analyze_synchronization"}
SAID = {"judge_criteria", "report", "provenance"}
"""What is read from the figures or the records of all others."""
BUNDLE = {"bundle", "model_card"}
TARGETS = {"model_card", "report", "provenance"}
"""Who shows what milestones ask for, and what tells of their artifacts."""
AFTER = (
    {"benchmark", "compare_trm", "export_onnx", "check_onnx"}
    | BUNDLE
    | ANALYSES
    | THOUGHTS
    | SYNCHRONIZATION
    | SAID
)
GRIDS = {"encode_shard", "grid_manifest", "data_card", "validate_model", "baseline"}
WORKING = {"working_windows"}
PAIRS = {"build_pairs"} | WORKING | GRIDS | TRAINING | AFTER | TRM
"""What follows from other pairs."""


@pytest.mark.parametrize(
    ("section", "change", "rules"),
    [
        ("machine", {"mem_gb": 3}, set()),
        ("resources", {"mutate": {"mem_gb": 2, "threads": 2}, "train_stage1": {"mem_gb": 2}}, set()),
        (
            "sources",
            {"packages": {"seed": 5}},
            {"collect_packages", "clean_snippets", "train_tokenizer", "balance_mix", "mutate"} | PAIRS,
        ),
        (
            "sources",
            {"installed": {"enabled": True}},
            {"collect_installed", "clean_snippets", "train_tokenizer", "balance_mix", "mutate"} | PAIRS,
        ),
        ("sources", {"releases": {"timeout": 9}}, {"collect_releases"} | PAIRS),
        (
            "sources",
            {"commits": {"repositories": ["https://example.org/two.git"]}},
            {"collect_commits"} | PAIRS,
        ),
        ("splits", {"seed": 7}, {"clean_snippets", "train_tokenizer", "balance_mix", "mutate"} | PAIRS),
        ("tokenizer", {"vocabulary": 700}, {"train_tokenizer"} | PAIRS - {"build_pairs"} - WORKING),
        ("bugs", {"seed": 3}, {"balance_mix", "mutate"} | PAIRS),
        ("pairs", {"seed": 3}, PAIRS),
        ("quality", {"decontamination": {"repositories": {"mine": ["flask"]}}}, PAIRS),
        (
            "quality",
            {"duplicates": {"jaccard": 0.9}},
            {"clean_snippets", "train_tokenizer", "balance_mix", "mutate"} | PAIRS,
        ),
        ("model", {"seed": 9}, {"validate_model", "baseline"} | TRAINING | AFTER),
        ("training", {"weight_decay": 0.5}, TRAINING | AFTER | TRM),
        (
            "training",
            {"stages": {"stage3": {"learning_rate": 1e-5}}},
            {"train_stage3", "train_stage4"} | AFTER,
        ),
        ("training", {"stages": {"stage1": {"milestones": {"50%": {"syntax": 0.33}}}}}, TARGETS),
        ("trm", {"stage": {"milestones": {"100%": {"loss": 2.0}}}}, set()),
        ("training", {"order": ["stage1", "stage2", "stage3"]}, {"validate_model", "baseline"} | AFTER),
        ("trm", {"model": {"updates": 3}}, TRM | {"reference_points"} | SAID),
        ("trm", {"ema": 0.9}, TRM | {"reference_points"} | SAID),
        ("trm", {"items": 50}, {"compare_trm", "reference_points"} | SAID),
        ("evaluation", {"seed": 4}, AFTER - SYNCHRONIZATION - {"export_onnx", "check_onnx"}),
        ("working", {"per_project": 9}, WORKING | {"benchmark"} | BUNDLE | ANALYSES | SAID),
        ("references", {"edits": 9}, {"reference_points"} | SAID),
        ("analysis", {"groups": 3}, (ANALYSES - {"reference_points"}) | THOUGHTS | SAID),
        ("synchronization", {"seed": 5}, SYNCHRONIZATION | SAID),
        ("export", {"seed": 4}, {"check_onnx"} | BUNDLE | SAID),
    ],
)
def test_section_reruns_exactly_its_rules(
    built: Checkout, section: str, change: dict[str, object], rules: set[str]
) -> None:
    before = built.overlay
    try:
        built.overlay = {**before, section: _merged(before.get(section), change)}
        assert built.planned() == rules
    finally:
        built.overlay = before


def test_nothing_to_do_after_a_move_a_touch_a_comment_or_a_docstring(checkout: Checkout) -> None:
    nlm = checkout.root / "ctm" / "model" / "nlm.py"
    nlm.write_text(nlm.read_text().replace('"""', '"""Reworded. ', 1) + "\n# a remark\n")
    for path in (checkout.root / "config" / "bug_mix.yaml", checkout.root / "Snakefile", nlm):
        os.utime(path)
    mix = checkout.root / "config" / "bug_mix.yaml"
    mix.write_text("# a remark\n" + mix.read_text())
    assert checkout.planned() == set()


def test_changed_line_of_nlm_reruns_what_runs_it(checkout: Checkout) -> None:
    nlm = checkout.root / "ctm" / "model" / "nlm.py"
    nlm.write_text(nlm.read_text() + "\nPASSED = 1\n")
    planned = checkout.planned()
    assert TRAINING | {"validate_model", "baseline", "bundle", "report"} <= planned
    assert planned.isdisjoint(
        {"collect_packages", "mutate", "build_pairs", "encode_shard", "train_tokenizer"}
    )


def test_changed_mutator_reruns_mutate(checkout: Checkout) -> None:
    module = checkout.root / "ctm" / "bugs" / "syntax" / "quotes.py"
    module.write_text(module.read_text() + "\nPASSED = 1\n")
    planned = checkout.planned()
    assert {"balance_mix", "mutate"} | PAIRS <= planned | {"baseline"}
    assert planned.isdisjoint({"collect_packages", "clean_snippets"})


def test_changed_bug_mix_reruns_mutate(checkout: Checkout) -> None:
    mix = checkout.root / "config" / "bug_mix.yaml"
    mix.write_text(mix.read_text().replace("missing_colon: 14", "missing_colon: 15"))
    assert checkout.planned() == {"balance_mix", "mutate"} | PAIRS


def test_stage_that_failed_once_does_not_leave_a_stale_bundle(checkout: Checkout) -> None:
    before = checkout.read("results/final/ctm.onnx")
    checkout.overlay["training"] = {"stages": {"stage2": {"learning_rate": 0.123}}}
    done = checkout.snakemake("all", "--retries", "0", fail='"name": "stage2"', check=False)
    assert done.returncode != 0
    checkout.snakemake("all")
    after = checkout.read("results/final/ctm.onnx")
    assert after != before, "the bundle was built from the weights of the old rate"
    assert checkout.planned() == set()


def test_more_shards_make_other_files(checkout: Checkout) -> None:
    checkout.overlay["bugs"] = {"shards": 3}
    assert checkout.planned() == {"balance_mix", "mutate"} | PAIRS


def test_documented_command_plans_on_any_machine(tmp_path: Path) -> None:
    documented = ["--cores", "24", "--resources=vram=96", "results/final/ctm.onnx"]
    command = [sys.executable, "-m", "snakemake", *documented, "-n", "--directory", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "train_stage4" in done.stdout + done.stderr


def test_repositories_are_looked_for_before_commits_are_collected(checkout: Checkout) -> None:
    (checkout.root / "config" / "mine.csv").write_text("url\nhttps://example.org/two.git\n")
    given = {"enabled": True, "listed": "config/mine.csv"}
    checkout.overlay["sources"] = _merged(checkout.overlay["sources"], {"github": given})
    assert checkout.planned() == {"discover_repositories", "collect_commits"} | PAIRS
    checkout.snakemake("results/pairs/train.parquet")
    assert {"discover_repositories", "collect_commits"}.isdisjoint(checkout.planned())
    (checkout.root / "config" / "mine.csv").write_text("url\nhttps://example.org/three.git\n")
    assert {"discover_repositories", "collect_commits"} <= checkout.planned()


def test_unknown_key_is_refused_with_file_and_remedy(checkout: Checkout) -> None:
    checkout.overlay["bugs"] = {"shrads": 2}
    done = checkout.snakemake("-n", "all", check=False)
    assert done.returncode != 0
    assert "overlay.yaml:2: unknown key 'bugs.shrads'; did you mean 'shards'?" in done.stdout + done.stderr


def test_the_trainer_is_told_what_the_rule_may_have(checkout: Checkout) -> None:
    """The demand reaches the program, and is no reason to train again."""
    checkout.overlay["machine"] = {"vram": 8}
    demand = ("-n", "-p", "--set-resources=train_stage1:vram=8", "train_stage1")
    assert "--vram 8 --out results/checkpoints/stage1.safetensors" in checkout.snakemake(*demand, "-f").stdout
    assert "Nothing to be done" in checkout.snakemake(*demand).stdout


def test_stack_overflow_is_collected_only_where_a_dump_and_its_terms_are_given(
    checkout: Checkout, tmp_path: Path
) -> None:
    dump = tmp_path / "site.7z"
    dump.write_bytes(b"a dump")
    given = {"enabled": True, "posts": str(dump), "users": str(dump), "accept_dump_terms": True}
    checkout.overlay["sources"] = _merged(checkout.overlay["sources"], {"stackoverflow": given})
    assert checkout.planned() == {"collect_stackoverflow"} | PAIRS
    plan = checkout.snakemake("-n", "-p", "results/pairs/train.parquet").stdout
    assert f"--posts={dump} --users={dump} --shard 01-of-01" in plan
    assert "--fixes=results/raw/stackoverflow/01-of-01.parquet" in plan
    given["accept_dump_terms"] = False
    done = checkout.snakemake("-n", "all", check=False)
    assert done.returncode != 0
    assert "accept_dump_terms must be true" in done.stdout + done.stderr


def test_suites_of_real_bugs_are_judged_only_where_some_are_named(checkout: Checkout) -> None:
    """A wrong path or layout is refused in the plan, with the key; another suite judges again and trains nothing."""
    suite = {"path": "config/mine.jsonl", "layout": "json_lines", "sha256": "0" * 64}
    checkout.overlay["real_suites"] = {"mine": suite}
    done = checkout.snakemake("-n", "all", check=False)
    assert done.returncode != 0
    assert (
        "real_suites.mine.path" in done.stdout + done.stderr and "no such file" in done.stdout + done.stderr
    )
    (checkout.root / "config" / "mine.jsonl").write_text("{}\n")
    assert checkout.planned() == {"real_suites"} | SAID
    suite["layout"] = "quixbug"
    done = checkout.snakemake("-n", "all", check=False)
    assert done.returncode != 0
    assert (
        "real_suites.mine.layout" in done.stdout + done.stderr and "'quixbugs'" in done.stdout + done.stderr
    )


def test_the_api_takes_the_place_of_a_dump(checkout: Checkout) -> None:
    given = {"enabled": True, "accept_dump_terms": True, "api": {"questions": 50}}
    checkout.overlay["sources"] = _merged(checkout.overlay["sources"], {"stackoverflow": given})
    plan = checkout.snakemake("-n", "-p", "results/pairs/train.parquet").stdout
    assert "--state=work/stackexchange/state.sqlite" in plan and "--posts" not in plan


def _merged(before: object, change: dict[str, object]) -> dict[str, object]:
    merged = dict(before) if isinstance(before, dict) else {}
    return {**merged, **change}


def test_a_key_of_each_row_of_the_page_runs_what_it_says(built: Checkout) -> None:
    """What docs/reruns.md is made of, against Snakemake's own plan: one key of each set of rules."""
    before = built.overlay
    values: dict[str, object] = {}
    for name in ("config.yaml", "demo.yaml"):
        overlay(values, yaml.safe_load((built.root / "config" / name).read_text(encoding="utf-8")))
    overlay(values, before)
    groups: dict[frozenset[str], Difference] = {}
    for change in walk(values, built.root):
        if change.rules is not None:
            groups.setdefault(change.rules, change)
    assert len(groups) > 20
    try:
        for rules, change in groups.items():
            built.overlay = dict(change.values or {})
            assert built.planned() == set(rules) - {"fit_bug_mix"}, change.key.name
    finally:
        built.overlay = before
