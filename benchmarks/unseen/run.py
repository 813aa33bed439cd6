"""A model that was trained elsewhere, judged by this project's own analyses on projects that it never saw.

    .venv/bin/python benchmarks/unseen/run.py --weights W.safetensors --tokenizer tokenizer.json --corpus corpus.csv \
        --run runs/demo --suite pairs.jsonl --out runs/unseen

corpus: CSV whose column `name` lists the projects that trained it. run: a finished demo; its test, validation and
working code are what is asked about, less what is of those projects. suite: real syntax errors, JSON lines as
`ctm-repair evaluate` reads them. Writes what the rules of phase 4 write, and prints table.md. What is there already is
not made again.
"""

from __future__ import annotations

import argparse
import logging
import sys
import time
from pathlib import Path

from measure import Sizes, analyze, measure_real_errors, projects_of, unseen_items, unseen_rows, widened
from tables import table

from ctm.files import write_json

CHECKOUT = Path(__file__).parents[2]


def main(arguments: list[str] | None = None) -> int:
    """Judge, write the tables and print them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("--weights", "--tokenizer", "--corpus"):
        parser.add_argument(name, type=Path, required=True)
    parser.add_argument("--run", type=Path, default=CHECKOUT / "runs" / "demo")
    parser.add_argument("--suite", type=Path)
    parser.add_argument("--out", type=Path, default=CHECKOUT / "runs" / "unseen")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    given.out.mkdir(parents=True, exist_ok=True)
    sizes, began = Sizes(), time.monotonic()
    seen = projects_of(given.corpus)
    results = given.run / "results"
    if not (results / "pairs" / "test.parquet").is_file():
        parser.error(f"{given.run}: no finished demo (results/pairs/test.parquet); run `make demo` first")
    counts = {
        "seen": len(seen),
        "test": unseen_items(given.run, seen, sizes.per_category, 0, given.out / "test.parquet"),
        **{
            name: unseen_rows(results / folder / f"{name}.parquet", seen, given.out / f"{name}.parquet")
            for name, folder in (("validation", "pairs"), ("real", "pairs"), ("windows", "working"))
        },
    }
    write_json(given.out / "items.json", counts)
    weights = given.out / "weights.safetensors"
    widened(given.weights, weights)
    analyze(weights, given.tokenizer, given.run, given.out, sizes, given.threads)
    real = given.out / "real_errors.json"
    if given.suite and not real.is_file():
        measure_real_errors(
            given.suite, weights, given.tokenizer, given.out / "benchmark.json", sizes, given.threads, real
        )
    text = table(given.out)
    (given.out / "table.md").write_text(text)
    print(text, end="")
    print(f"{time.monotonic() - began:.0f} s", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
