"""What the compiler says of real broken code beside what it says of training pairs: is the mix of bugs like people's?

    .venv/bin/python benchmarks/real/messages.py SUITE.jsonl runs/demo/results/pairs/train.parquet

The suite is split by the SHA-256 of its fixed sides: weights may be fitted on the even half (A), the odd one (B)
judges. Prints the share of each message and, for each half, the total variation distance in points: half of the sum of
absolute differences. Messages that a suite never has (some leave out what no tokenizer reads) do not count for it.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import re
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from ctm.pairs.record import read_pairs
from ctm.python.compiling import compile_error, quiet
from ctm.repair.evaluate import read_items

SAMPLED = 20_000
LEAST = 0.5
"""Messages below this share of every column are not listed, %."""


def message(text: str) -> str:
    """The compiler's message without what it quotes and counts; "" where the text compiles."""
    error = compile_error(text)
    found = "" if error is None else error.msg or ""
    found = re.sub(r"'[^']*'|\"[^\"]*\"", "X", found)
    found = re.sub(r"cannot assign to .*? here", "cannot assign to X here", found)
    return re.sub(r"\(.*?\)", "(...)", re.sub(r"\d+", "N", found))


def shares(texts: Iterable[str]) -> dict[str, float]:
    """Of each message, % of the texts that do not compile."""
    with quiet():
        counts = Counter(filter(None, map(message, texts)))
    return {name: 100 * count / counts.total() for name, count in counts.items()}


def distance(real: dict[str, float], made: dict[str, float]) -> float:
    """Points that would have to move; what is never real is left out of both."""
    whole = sum(made.get(name, 0.0) for name in real) or 1.0
    return sum(abs(share - 100 * made.get(name, 0.0) / whole) for name, share in real.items()) / 2


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", type=Path)
    parser.add_argument("pairs", type=Path, nargs="+", help="Parquet files of training pairs.")
    given = parser.parse_args()
    halves: dict[str, list[str]] = {"A": [], "B": []}
    for item in read_items(given.suite):
        odd = int(hashlib.sha256(item.fixed.encode()).hexdigest(), 16) % 2
        halves["B" if odd else "A"].append(item.buggy)
    columns = {f"real, {name}": shares(texts) for name, texts in halves.items()}
    for path in given.pairs:
        texts = [
            pair.buggy
            for pair in read_pairs(path, ["buggy", "category", "source"])
            if (pair.category, pair.source) == ("syntax", "mutation")
        ]
        columns[str(path)] = shares(random.Random(0).sample(texts, min(SAMPLED, len(texts))))
    names = {name for column in columns.values() for name, share in column.items() if share >= LEAST}
    print(f"| message, % | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|", sep="\n")
    for name in sorted(names, key=lambda name: -columns["real, A"].get(name, 0.0)):
        print(f"| {name} | {' | '.join(f'{column.get(name, 0.0):.1f}' for column in columns.values())} |")
    for half in ("A", "B"):
        real = columns[f"real, {half}"]
        apart = [distance(real, column) for name, column in columns.items() if not name.startswith("real")]
        print(f"distance to {half}: {', '.join(f'{value:.1f}' for value in apart)}")


if __name__ == "__main__":
    main()
