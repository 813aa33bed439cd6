"""Do models of several seeds tell the same kinds of bugs apart? Similarity of their synchronizations, two by two.

    .venv/bin/python benchmarks/compare/seeds.py runs/compare/trained/*/weights.safetensors --data runs/demo/results

Weights are CTMs that learned the same data with the same tokenizer. Prints a line of JSON for each two; what the
figures mean: ctm/analysis/synchronization/similarity.py.
"""

from __future__ import annotations

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np

from ctm.analysis.synchronization.similarity import seeds_similarity
from ctm.evaluation.thoughts import draw_asked, load_tokenizer, record_thoughts
from ctm.model.weights import load_ctm


def main() -> None:
    """Think about the items with each model, and compare."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("weights", type=Path, nargs="+")
    parser.add_argument("--data", type=Path, required=True, help="results of a finished demo")
    parser.add_argument("--items", type=int, default=600, help="of the test set, categories in equal shares")
    given = parser.parse_args()
    codec = load_tokenizer(given.data / "tokenizer" / "tokenizer.json")
    items, _ = draw_asked(given.data / "pairs" / "test.parquet", codec, given.items, 0)
    thoughts = {path: record_thoughts(load_ctm(path), items) for path in given.weights}
    for one, other in combinations(given.weights, 2):
        figures = seeds_similarity(thoughts[one], thoughts[other], items, np.random.default_rng(0))
        print(json.dumps({"models": [path.parent.name for path in (one, other)], **figures}), flush=True)


if __name__ == "__main__":
    main()
