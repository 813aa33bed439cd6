"""Folders may be called anything: what is not quoted falls apart in a job's shell, or in Snakemake's own formats.

The checkout that the other tests of the workflow share is built in such a folder as well (conftest.py).
"""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

from helpers.fake_checkout import HARD_NAME, ROOT, fake_checkout

SOURCES: dict[str, Any] = {
    "installed": {"enabled": True, "paths": [f"{HARD_NAME}/site-packages"]},
    "github": {"enabled": True, "listed": f"{HARD_NAME}/listed.csv"},
    "commits": {"repositories": ["https://example.org/one.git", f"{HARD_NAME}/repository"]},
    "stackoverflow": {"enabled": True, "posts": f"{HARD_NAME}/site.7z", "accept_dump_terms": True},
}


def test_no_path_falls_apart_in_a_command(tmp_path: Path) -> None:
    """Every rule's command, read as a shell reads it: a path of the checkout stays one word."""
    checkout = fake_checkout(tmp_path / f"{HARD_NAME}\nof two lines")
    named = checkout.root / HARD_NAME
    (named / "site-packages" / "one-1.0.dist-info").mkdir(parents=True)
    for name in ("listed.csv", "suite.jsonl", "site.7z"):
        (named / name).write_text("")
    config = {
        "sources": SOURCES,
        "quality": {"decontamination": {"suites": {"mine": f"{HARD_NAME}/suite.jsonl"}}},
        "real_suites": {"mine": {"path": HARD_NAME, "layout": "bugsinpy", "sha256": "0" * 64}},
    }
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        dag_api = api.workflow(
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(config=config, configfiles=[checkout.root / "config/demo.yaml"]),
            snakefile=checkout.root / "Snakefile",
            workdir=checkout.root / "run",
        ).dag(DAGSettings(targets={"all", "results/reports/suites.json", "results/bug_mix/bug_mix.yaml"}))
        workflow = dag_api.workflow_api._workflow
        workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
        workflow._build_dag()
        commands = {job.rule.name: job.shellcmd for job in workflow.dag.needrun_jobs() if job.shellcmd}
    assert {"collect_commits", "collect_stackoverflow", "build_pairs", "real_suites"} <= commands.keys()
    words = shlex.split(commands["collect_installed"])
    settings = json.loads(words[words.index("--settings") + 1])
    assert settings["paths"] == [str(named / "site-packages")], "a relative one is taken from the checkout"
    for rule, command in commands.items():
        words = shlex.split(command)
        assert str(checkout.root / "workflow/scripts") in {str(Path(word).parent) for word in words}, rule
        for word in words:
            # a word that holds a piece of the name holds all of it; settings travel as JSON
            whole = HARD_NAME in word or word.startswith(("{", "[")) or '={"' in word
            assert whole or not any(piece in word for piece in ("it's", "größe", "$HOME", "two lines")), (
                rule,
                word,
            )


def test_run_folder_and_overlay_may_be_called_anything(tmp_path: Path) -> None:
    """A first job runs with such names, and its artifact is found again."""
    checkout = fake_checkout(tmp_path / "checkout")
    overlay = checkout.root / f"{HARD_NAME}.yaml"
    overlay.write_text("splits: {seed: 7}\n")
    command = [
        sys.executable, "-m", "snakemake", "--configfile", "config/config.yaml", "config/demo.yaml", str(overlay),
        "--cores", "2", "--directory", f"runs/{HARD_NAME}", "results/clean/snippets.parquet",
    ]  # fmt: skip
    for said in ("steps (100%) done", "Nothing to be done"):
        done = subprocess.run(
            command,
            cwd=checkout.root,
            env=checkout.environment(),
            capture_output=True,
            text=True,
            timeout=400,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert said in done.stdout + done.stderr


def test_only_what_holds_no_path_is_written_bare() -> None:
    """Params are texts of the config or paths: in a command they are quoted. `program` quotes its parts itself."""
    bare = {"{params.program}", "{params.lineage}", "{params.asked}", "{params.threads}"}
    for file in sorted((ROOT / "rules").glob("*.smk")):
        for number, line in enumerate(file.read_text().splitlines(), 1):
            for word in line.replace('"', " ").split():
                if word.startswith("{params.") and not word.endswith(":q}"):
                    assert word in bare, f"{file.name}:{number}: {word} without :q"
