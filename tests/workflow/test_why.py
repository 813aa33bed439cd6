"""`ctm-pipeline why` names the change behind each rule that would run, and nothing where nothing would."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from ctm.pipeline.cli import app
from helpers.fake_checkout import Checkout
from helpers.ledger import row, write_rows


@pytest.fixture(autouse=True)
def in_checkout(checkout: Checkout, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(checkout.root)


def why(checkout: Checkout, *arguments: str) -> dict[str, list[str]]:
    """Reasons by rule, as the command prints them."""
    Path("overlay.yaml").write_text(yaml.safe_dump(checkout.overlay), encoding="utf-8")
    files = ["--configfile", "config/demo.yaml", "--configfile", "overlay.yaml"]
    done = CliRunner().invoke(app, ["why", *arguments, "--directory", "run", *files])
    assert done.exit_code == 0, done.output
    found: dict[str, list[str]] = {}
    for line in done.output.splitlines()[1:]:
        name, _, reason = line.partition("  ")
        found.setdefault(name or list(found)[-1], []).append(reason.strip())
    return found


def test_the_key_the_module_the_file_and_the_parent_are_named(checkout: Checkout) -> None:
    assert why(checkout, "all") == {}
    checkout.overlay["training"] = {"stages": {"stage3": {"learning_rate": 0.125}}}
    found = why(checkout, "all")
    assert set(found) == checkout.planned(), "why explains what Snakemake plans, and all of it"
    assert found["train_stage3"] == ["training.stages.stage3.learning_rate: 0.00065 → 0.125"]
    assert found["train_stage4"] == ["after train_stage3"]
    assert found["benchmark"] == ["after train_stage4"]

    quotes = checkout.root / "ctm/bugs/syntax/quotes.py"
    quotes.write_text(quotes.read_text(encoding="utf-8") + "\nPASSED = 1\n", encoding="utf-8")
    mix = checkout.root / "config/bug_mix.yaml"
    mix.write_text(
        mix.read_text(encoding="utf-8").replace("missing_colon: 14", "missing_colon: 15"), encoding="utf-8"
    )
    found = why(checkout, "all")
    assert found["balance_mix"] == ["code ctm.bugs.syntax.quotes changed", "file config/bug_mix.yaml changed"]
    assert found["mutate (2 jobs)"] == ["code ctm.bugs.syntax.quotes changed", "after balance_mix"]
    assert found["build_pairs"] == ["after mutate"]


def test_a_missing_output_an_altered_input_and_a_step_that_is_new(checkout: Checkout) -> None:
    (checkout.root / "run/results/tokenizer/tokenizer.json").unlink()
    found = why(checkout, "train_tokenizer")
    assert found == {"train_tokenizer": ["results/tokenizer/tokenizer.json is missing"]}
    checkout.snakemake("train_tokenizer")
    (checkout.root / "run/results/pairs/train.parquet").write_text("altered", encoding="utf-8")
    [reason] = why(checkout, "results/grids/train/01-of-02.zarr.zip")["encode_shard"]
    assert reason.startswith("input results/pairs/train.parquet changed (sha256 "), reason


def test_a_refused_try_is_told_with_its_reason(checkout: Checkout) -> None:
    run = checkout.root / "run"
    (run / "results/tokenizer/tokenizer.json").unlink()
    refused = {"status": "refused", "exit": 65, "used": {}, "reason": "snippets.parquet was damaged"}
    write_rows(run, [row("train_tokenizer", "ab" * 32) | refused])
    assert why(checkout, "train_tokenizer")["train_tokenizer"] == [
        "results/tokenizer/tokenizer.json is missing",
        "its last try was refused (exit status 65): snippets.parquet was damaged",
    ]


def test_a_step_that_is_switched_on_was_never_built(checkout: Checkout) -> None:
    sources = checkout.overlay["sources"]
    assert isinstance(sources, dict)
    checkout.overlay["sources"] = {**sources, "installed": {"enabled": True, "shards": 2}}
    found = why(checkout, "clean_snippets")
    assert found["collect_installed (2 jobs)"] == ["never built"]
    assert "now reads what collect_installed makes" in found["clean_snippets"]


def test_without_a_ledger_nothing_is_made_up(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "run/results/provenance")
    checkout.overlay["bugs"] = {"seed": 3}
    done = CliRunner().invoke(app, ["why", "--directory", "run", "--configfile", "config/demo.yaml"])
    assert "run has no ledger: what changed since it was built is not known" in done.output
    assert "not in the ledger, so what changed is not known; Snakemake says:" in done.output
    done = CliRunner().invoke(app, ["why", "--directory", "elsewhere"])
    assert done.exit_code == 2 and "elsewhere: no such folder" in done.output
    done = CliRunner().invoke(app, ["why", "results/no.json", "--directory", "run"])
    assert done.exit_code == 2 and "results/no.json" in done.output
