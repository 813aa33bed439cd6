"""The workflow as a module of another one: `use rule * from ctm`, with names of its own, beside other rules."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from helpers.fake_checkout import Checkout, fake_checkout

OUTER = """
configfile: "outer.yaml"


rule before: # declared before the module, and none of its steps
    output:
        "before.txt",
    shell:
        "echo {{rule}} > {{output}}"


module ctm:
    snakefile:
        "{root}/Snakefile"
    config:
        config["ctm"]


use rule {use}


rule summarize:
    default_target: True # behind the module, which has one too
    input:
        pairs="results/pairs/counts.json",
        text="before.txt",
    output:
        "summary.txt",
    shell:
        "cat {{input}} > {{output}}"


onstart:
    ctm.budget.evaluate_demands(workflow)
"""


@pytest.fixture(scope="module")
def inner(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return fake_checkout(tmp_path_factory.mktemp("module") / "checkout")


def outer(
    inner: Checkout, folder: Path, use: str, *arguments: str, demands: dict | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a workflow that has ours as a module."""
    (folder / "Snakefile").write_text(OUTER.format(root=inner.root, use=use))
    demo = yaml.safe_load((inner.root / "config/test.yaml").read_text())
    demo["resources"] |= demands or {}
    (folder / "outer.yaml").write_text(yaml.safe_dump({"ctm": demo}))
    command = [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]
    environment = {"PYTHONPATH": str(inner.root), "PATH": "/usr/bin:/bin", "HOME": str(folder)}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=400)


@pytest.mark.parametrize(
    ("use", "prefix"),
    [("* from ctm exclude all", ""), ("* from ctm as ctm_*", "ctm_")],
    ids=["same names", "prefixed"],
)
def test_another_workflow_builds_our_pairs(inner: Checkout, tmp_path: Path, use: str, prefix: str) -> None:
    """An overlay as its config is enough, logs keep our names, and a second run has nothing to do."""
    done = outer(inner, tmp_path, use, "--jobs", "1")
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "summary.txt").read_text().endswith("before\n")
    assert f"rule {prefix}build_pairs:" in done.stderr
    assert (tmp_path / "logs/build_pairs.log").exists() and (tmp_path / "logs/build_pairs.tsv").exists()
    again = outer(inner, tmp_path, use, "-n")
    assert "Nothing to be done" in again.stdout + again.stderr


def test_some_of_our_rules_alone(inner: Checkout, tmp_path: Path) -> None:
    """Steps whose rules are not taken over are no fault."""
    done = outer(
        inner, tmp_path, "collect_installed, clean_snippets from ctm", "-n", "results/clean/snippets.parquet"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "collect_installed" in done.stdout and "train_tokenizer" not in done.stdout


def test_the_budget_holds_there_too(inner: Checkout, tmp_path: Path) -> None:
    """And the message names the rule as it is called there, and the key as the config has it."""
    demands = {"build_pairs": {"mem_gb": 64}}
    done = outer(inner, tmp_path, "* from ctm as ctm_*", "-n", demands=demands)
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "rule ctm_build_pairs asks for mem_gb=64, the budget is mem_gb=4" in said
    assert "or resources.build_pairs.mem_gb in the config" in said
