"""CTM, TRM and two controls on the demo's data: trained on the same samples, and again for the same compute.

    make compare                                     data of a finished demo (runs/demo/results), about two hours
    .venv/bin/python benchmarks/compare/run.py --data runs/demo/results --samples 8000 --seeds 1 --minutes 20
    make compare COMPARE="--models 'CTM, one tick' --blocks 0 1 3 --minutes 600"         controls of thinking
    make compare COMPARE="--config hard.yaml --comparisons 'same compute'"    another mix of stage 4, one comparison

The controls are the CTM with a single tick, which shows what thinking on is worth, and a plain transformer with as many
blocks as make its compute the CTM's. `--blocks` adds the CTM, with all its ticks and with one, on encoders of so many
blocks: what thinking does for less encoder, and encoding for less thought. Sizes come from config/demo.yaml; all are
trained from random weights in one stage with one recipe (batch, rate, mix, order of samples, average of weights).
Compute is floating-point operations of the matrix products of a training step, counted on batches of that stage; "same
compute" is what the CTM's training takes on the given samples, and each model sees as many samples as that pays for.
Each is trained with several seeds, and the CTM's difference from every other model is paired: the same items, drawn by
project, and the same seeds. One training each says little, as two of one model differ by a point or two.

What is done lies in runs/compare/ and is not done again (nor after a change of the code: remove the folder then); a
training that the time limit stopped goes on where it was.
The tables are Markdown on standard output and in runs/compare/table.md, with all figures in table.json beside it.
"""

from __future__ import annotations

import argparse
import json
import time
from itertools import islice, product
from pathlib import Path
from typing import Any

from contestants import CTM, OTHERS, equal_blocks, run_of, variants
from paired_tables import COMPARISONS, SAME_SAMPLES, differences, tables
from trainings import CHECKOUT, Data, Stopped, measured, trained

from ctm.evaluation.training_compute import training_flops
from ctm.files import write_json
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pipeline.config import read_config
from ctm.training.batch import batches
from ctm.training.data import load_split, plan_visits

RUNS = CHECKOUT / "runs" / "compare"
CONFIG = [CHECKOUT / "config" / "config.yaml", CHECKOUT / "config" / "demo.yaml"]
COUNTED = 4
"""Batches whose matrix products are counted: they differ in length."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=CHECKOUT / "runs" / "demo" / "results",
                        help="results of a finished demo")  # fmt: skip
    parser.add_argument("--samples", type=int, default=30_000, help="that the CTM sees in both comparisons")
    parser.add_argument(
        "--items", type=int, default=2_000, help="of the test set, categories in equal shares"
    )
    parser.add_argument("--threads", type=int, default=2, help="of every training and evaluation")
    parser.add_argument("--models", nargs="*", choices=OTHERS, default=list(OTHERS), help="beside the CTM")
    parser.add_argument("--blocks", nargs="*", type=int, default=[],
                        help="encoders on which the CTM and the CTM of one tick are trained besides")  # fmt: skip
    parser.add_argument("--config", nargs="*", type=Path, default=[],
                        help="overlays of config/demo.yaml: another last mix, more ticks, a wider model")  # fmt: skip
    parser.add_argument("--comparisons", nargs="*", choices=COMPARISONS, default=list(COMPARISONS))
    parser.add_argument("--minutes", type=float, default=180, help="time limit; the next call goes on")
    parser.add_argument("--seeds", type=int, default=3, help="trainings of each model")
    parser.add_argument("--seed", type=int, default=0, help="the first of them, of weights and order")
    given = parser.parse_args()
    data, deadline = Data(given.data), time.monotonic() + 60 * given.minutes
    if not data.test.is_file():
        parser.error(f"{data.test}: no such file; --data must name the results of a finished demo")
    config = read_config([*CONFIG, *given.config])
    codec, train = CodeTokenizer.load(data.tokenizer), load_split(data.grids("train"))
    usable = len(train)
    base = run_of(config, CTM, 0, given.samples, usable, given.seed)
    plan = plan_visits(train, base.stage, base.training, 0)
    middle = len(plan) // 2
    parts = list(islice(batches(train, plan, codec, middle), COUNTED))
    cost = {CTM: training_flops(base, parts, codec)}
    blocks = equal_blocks(config, parts, codec, cost[CTM], given.seed)
    asked = variants(config, given.models, given.blocks)
    for label, (name, sizes) in asked.items():
        cost[label] = training_flops(
            run_of(sizes, name, blocks, given.samples, usable, given.seed), parts, codec
        )
    rows: list[dict[str, Any]] = []
    try:
        # seed by seed, so that what a time limit leaves can be read
        for seed, comparison in product(range(given.seed, given.seed + given.seeds), given.comparisons):
            for label, (name, sizes) in asked.items():
                same = comparison == SAME_SAMPLES
                paid = given.samples if same else round(given.samples * cost[CTM] / cost[label])
                run = run_of(sizes, name, blocks, paid, usable, seed)
                print(f"{comparison}: {label}, {paid:,} samples, seed {seed}", flush=True)
                folder = trained(run, data, RUNS / "trained", given.threads, deadline)
                summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
                rows.append(
                    {
                        "comparison": comparison, "model": label, "seed": seed, "training_flops": cost[label],
                        "trained": folder.name, "samples": summary["samples_seen"],
                        "unique_samples": summary["unique_samples"], "seconds": summary["seconds"],
                        "samples_per_second": summary["samples_per_second"],
                        "sizes": run.model, **measured(folder, data, given.items, given.threads),
                    }
                )  # fmt: skip
    except Stopped:
        print("the time limit ended this; the same command goes on from here", flush=True)
    RUNS.mkdir(parents=True, exist_ok=True)
    pairs = differences(rows, RUNS / "trained", given.items)
    text = tables(rows, pairs, given.items)
    options = {k: str(v) for k, v in vars(given).items()}
    write_json(RUNS / "table.json", {"options": options, "rows": rows, "differences": pairs})
    (RUNS / "table.md").write_text(text, encoding="utf-8")
    print(text, end="")


if __name__ == "__main__":
    main()
