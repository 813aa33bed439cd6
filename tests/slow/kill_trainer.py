"""Every stage of a curriculum killed at ten random steps, against the same curriculum that nobody disturbed.

    make kill-trainer

A tiny model on pairs made from the standard library; four stages that grow in ticks and memory, with accumulation,
dropout, a moving average and a divergence that is rolled back in each. Ends with status 1 where the bits of a stage's
weights, its metrics or what its summary tells of them differ.
"""

from __future__ import annotations

import json
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from ctm.model.config import LossTerms
from ctm.training.settings import StageRun, StageSettings, TrainingSettings
from helpers.made_grids import Grids, make_grids
from helpers.stage_runs import POISONED, arguments, figures, newest, start

KILLS = 10
TICKS, MEMORY = (2, 3, 4, 4), (2, 3, 4, 5)
MODEL = {
    "width": 32, "heads": 2, "neurons": 32, "nlm_hidden": 4, "synapse_depth": 2, "action_pairs": 16, "out_pairs": 16,
    "self_pairs": 4, "blocks": 1, "dropout": 0.1,
}  # fmt: skip


def stage(number: int) -> StageRun:
    """Stage 0 to 3: 48 steps, a checkpoint every third."""
    settings = StageSettings(
        ticks=TICKS[number], batch=8, accumulation=2, learning_rate=2e-3, epochs=4,
        samples=192,
    )  # fmt: skip
    training = TrainingSettings(
        seed=number, checkpoint_steps=3, log_steps=4, validation_items=24, validation_steps=7, ema=0.99,
        precision="float32", device="cpu",
    )  # fmt: skip
    sizes, loss = {**MODEL, "memory": MEMORY[number]}, LossTerms(diversity=0.1, later_ticks=0.5)
    return StageRun(f"stage{number + 1}", settings, training, sizes, loss)


def killed(run: StageRun, grids: Grids, folder: Path, init: Path | None, draw: random.Random) -> list[int]:
    """Run a stage, killed again and again on its way; newest checkpoints at the kills."""
    values = arguments(run, grids, folder, init)
    steps, reached = 48, []
    while not (folder / "summary.json").exists():
        process = start(folder, values, POISONED)
        begin = newest(folder / "work")
        # leave work for the kills that are still to come
        left = KILLS - len(reached)
        target = (
            begin + draw.randrange(1, max(2, (steps - max(begin, 0)) // (left + 1) + 1))
            if left
            else steps + 1
        )
        while process.poll() is None and newest(folder / "work") < target:
            time.sleep(0.001)
        if left:
            time.sleep(draw.random() * 0.05)  # anywhere in a step, a checkpoint, a measurement, a line
            process.send_signal(signal.SIGKILL)
        _, said = process.communicate()
        if process.returncode not in (0, -signal.SIGKILL):
            raise RuntimeError(said)
        if process.returncode:
            reached.append(newest(folder / "work"))
    return reached


def same(one: Path, two: Path) -> list[str]:
    """What differs between two runs of a stage."""
    summaries = [json.loads((folder / "summary.json").read_text()) for folder in (one, two)]
    told = [
        {k: s[k] for k in ("milestones", "events", "best", "handed_on", "samples_seen")} for s in summaries
    ]
    parts = {
        "weights": [(folder / "out.safetensors").read_bytes() for folder in (one, two)],
        "metrics": [figures(folder / "metrics.jsonl") for folder in (one, two)],
        "summary": told,
    }
    return [name for name, (a, b) in parts.items() if a != b]


def main(seed: int = 0) -> int:
    draw, wrong = random.Random(seed), 0
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        grids = make_grids(place / "grids")
        before: Path | None = None
        for number in range(len(TICKS)):
            run = stage(number)
            folders = [place / f"{run.name}_{kind}" for kind in ("whole", "killed")]
            process = start(folders[0], arguments(run, grids, folders[0], before), POISONED)
            _, said = process.communicate()
            if process.returncode:
                raise RuntimeError(said)
            reached = killed(run, grids, folders[1], before, draw)
            differs = same(*folders)
            events = json.loads((folders[1] / "summary.json").read_text())["events"]
            print(
                f"{run.name}: killed {len(reached)} times, after checkpoints {reached}; {len(events)} rollback; "
                f"{'differs: ' + ', '.join(differs) if differs else 'same weights, metrics and summary'}",
                flush=True,
            )
            wrong += bool(differs) or len(reached) < KILLS or not events
            before = folders[0] / "out.safetensors"
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
