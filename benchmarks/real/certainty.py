"""How sure a bundle is on a suite of real code, and whether it may be: calibration, AUROC, the bundle's thresholds.

    ctm-repair evaluate SUITE.jsonl --bundle DIR --json M.json --items ITEMS.jsonl
    .venv/bin/python benchmarks/real/certainty.py SUITE.jsonl ITEMS.jsonl --bundle DIR --out certainty.json

Prints a line for each score, as the report's section on certainty has them; figures are on docs/certainty.md.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from ctm.bundle_names import CONFIG
from ctm.evaluation.certainty import certainty_figures, curve_of
from ctm.files import write_json
from ctm.python.compiling import compiles
from ctm.repair.evaluate import read_items
from ctm.repair.passes import REPAIRED


def answers(suite: Path, items: Path) -> pd.DataFrame:
    """A row per item, with the columns that the figures need. Raises ValueError where the files do not match."""
    asked = {item.item_id: item for item in read_items(suite)}
    rows: list[dict[str, Any]] = []
    for line in items.read_text(encoding="utf-8").splitlines():
        told = json.loads(line)
        if (item := asked.get(told["id"])) is None:
            raise ValueError(
                f"{items}: item {told['id']} is not in {suite}; give the suite that was evaluated"
            )
        broken = not compiles(item.buggy)
        rows.append(
            {
                "suite": suite.stem,
                "project": item.project,
                "category": told["category"],
                "broken": broken,
                "compiles": not broken or told["stopped"] == REPAIRED,
                "passes": told["passes"],
                "asked": int(told["ticks"] is not None),
                "exact": told["in_scope"] and told["exact_rank"] == 1,
                "tick_right": None,
                "tick_certainty": None,
                **{name: told[name] for name in ("confidence", "share", "certainty")},
            }
        )
    return pd.DataFrame(rows)


def main() -> None:
    """Write the figures and print the scores."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("suite", type=Path)
    parser.add_argument("items", type=Path, help="What `ctm-repair evaluate --items` wrote.")
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    config = yaml.safe_load((given.bundle / CONFIG).read_text(encoding="utf-8"))
    thresholds = config.get("precision_thresholds", [])
    figures = certainty_figures(answers(given.suite, given.items), curve_of(config["confidence"]), thresholds)
    write_json(given.out, figures)
    for name, suite in figures["suites"].items():
        print(name, suite["n"])
        for question, scores in suite["questions"].items():
            for score, of in scores.items():
                if of["n"]:
                    kept = (
                        "n",
                        "right",
                        "mean",
                        "ece",
                        "ece_interval",
                        "slope",
                        "intercept",
                        "auroc",
                        "auroc_interval",
                    )
                    print(f"  {question}, {score}: { ({key: of[key] for key in kept}) }")
    for threshold in figures["precision_thresholds"]:
        print(threshold)


if __name__ == "__main__":
    main()
