"""What `snakemake` itself says of overlays and arguments that cannot be meant: one plan of the real rules each."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from ctm.pipeline.machine_facts import accelerator

ROOT = Path(__file__).resolve().parents[2]


def plan(folder: Path, overlay: str, *arguments: str) -> tuple[int, str]:
    """Exit status of a plan of everything with the tests' config, and all that it printed."""
    (folder / "mine.yaml").write_text(overlay, encoding="utf-8")
    files = ["config/config.yaml", "config/test.yaml", str(folder / "mine.yaml")]
    command = [sys.executable, "-m", "snakemake", "--configfile", *files, "--cores", "2", "--directory"]
    command += [str(folder / "run"), "-n", *arguments, "--", "all"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
    return done.returncode, done.stdout + done.stderr


def test_a_key_that_stands_twice(tmp_path: Path) -> None:
    """Snakemake's own reader would take the last in silence: ours reads the files again."""
    status, said = plan(tmp_path, "training:\n  seed: 1\ntraining:\n  clip: 1\n")
    assert status == 1 and f"{tmp_path}/mine.yaml:3: key 'training' stands here and in line 1" in said
    assert "Job stats" not in said and "Traceback" not in said


def test_a_budget_by_snakemakes_own_name_for_memory(tmp_path: Path) -> None:
    """Snakemake would lower the demand to the budget and run the job. Rules ask for mem_gb; mem_mb is that memory."""
    status, said = plan(tmp_path, "tokenizer: {vocabulary: 768}\n", "--resources=mem_mb=2500")
    assert status == 1 and "asks for mem_mb=3000, the budget is mem_mb=2500. Raise the budget" in said
    assert "machine.mem_gb" not in said, "the config's memory is no help against a budget of the command line"


def test_vram_where_there_is_no_accelerator(tmp_path: Path) -> None:
    """No refusal, since a plan may be made on another machine, but torch would take the processor in silence."""
    overlay = "machine: {vram: 8}\nresources: {train_stage1: {vram: 8}}\n"
    status, said = plan(tmp_path, overlay)
    assert status == 0 and "Job stats" in said
    line = "no accelerator on this machine (no driver's file in /dev), but train_stage1 asks for vram (train_stage1: 8"
    assert (line in said) != bool(accelerator())
