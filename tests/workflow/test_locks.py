"""One Snakemake at a time in a run's folder; what a killed one leaves needs no `--unlock`."""

from __future__ import annotations

import os
import subprocess
import sys

from ctm.pipeline.locks import hold
from ctm.pipeline.run_lock import LOCK
from helpers.fake_checkout import ROOT, Checkout

HOLD = """
import sys, time
from pathlib import Path
from ctm.pipeline.locks import hold
hold(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(600)
"""


def leave_a_lock(checkout: Checkout) -> None:
    """As a killed Snakemake leaves it."""
    locks = checkout.root / "run" / ".snakemake" / "locks"
    locks.mkdir(exist_ok=True)
    for name in ("0.input.lock", "0.output.lock"):
        (locks / name).write_text("results/final/MODEL_CARD.md\n")


def test_the_same_command_goes_on_after_a_kill(checkout: Checkout) -> None:
    (checkout.root / "run" / "results" / "final" / "MODEL_CARD.md").unlink()
    leave_a_lock(checkout)
    checkout.snakemake("all")
    assert checkout.planned() == set()


def test_a_second_run_is_refused_and_a_plan_is_not(checkout: Checkout) -> None:
    card = checkout.root / "run" / "results" / "final" / "MODEL_CARD.md"
    card.unlink()
    command = [sys.executable, "-c", HOLD, str(checkout.root / "run" / LOCK)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": str(ROOT)}
    ) as other:
        assert other.stdout is not None and other.stdout.readline() == b"held\n"
        refused = checkout.snakemake("all", check=False)
        assert refused.returncode and f"process {other.pid} is running this workflow here" in refused.stderr
        assert "Traceback" not in refused.stderr
        assert "model_card" in checkout.snakemake("all", "-n").stdout
        other.kill()
    assert not card.exists()
    checkout.snakemake("all")
    os.close(hold(checkout.root / "run" / LOCK))
