"""A bundle on real syntax errors as Tidyparse counts them (ctm/evaluation/published/erased.py has the protocol).

    .venv/bin/python benchmarks/real/erased.py SUITE [--bundle DIR] [--json FILE]

A suite is JSON lines as `ctm-repair evaluate` reads them.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from ctm.evaluation.published.erased import RANKS, measure_erased
from ctm.repair.bundle import find_bundle, load_bundle
from ctm.repair.evaluate import read_items


def cell(row: dict[str, Any], rank: int) -> str:
    """A share with its interval."""
    share, ends = row[f"at_{rank}"], row["intervals"][f"at_{rank}"]
    return f"{share:.1%}" + (f" ({ends[0]:.1%} to {ends[1]:.1%})" if ends else "")


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Real syntax errors with names erased.")
    parser.add_argument("suite", type=Path)
    parser.add_argument("--bundle", type=Path)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    model = load_bundle(find_bundle(given.bundle))
    pairs = [(item.buggy, item.fixed) for item in read_items(given.suite)]
    figures = measure_erased(pairs, model.repairer)
    print("| edits | n | at 1 | at 5 | at 10 |\n|---|---|---|---|---|")
    for name, row in figures["by_edits"].items():
        print(f"| {name} | {row['n']:,} | {' | '.join(cell(row, rank) for rank in RANKS)} |")
    dropped = ", ".join(f"{n:,} {reason}" for reason, n in figures["dropped"].items())
    print(f"\nOf {figures['items']:,} items left out: {dropped or 'none'}.")
    if given.json:
        given.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
