"""Random DAGs under our budgets, watched while they run: no moment may use more than the machine has.

    make budget-loads      LOADS=200

Prints a line for twenty loads, then how full the machine was at most; ends with status 1 where a load went above.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from helpers.random_loads import RESOURCES, random_load, run_watched


def main(loads: int = 200) -> int:
    above, looks, full = 0, 0, dict.fromkeys(RESOURCES, 0)
    with tempfile.TemporaryDirectory() as folder:
        for seed in range(loads):
            load = random_load(seed)
            most, looked = run_watched(load, Path(folder) / str(seed))
            looks += looked
            for name in RESOURCES:
                full[name] += most[name] == load.budget[name]
            over = {name: most[name] for name in RESOURCES if most[name] > load.budget[name]}
            if over:
                above += 1
                print(f"load {seed}: {over} in use, the budget is {load.budget}", flush=True)
            if (seed + 1) % 20 == 0:
                print(f"{seed + 1} loads, {looks:,} looks, {above} above the budget", flush=True)
    print(
        "loads that used all of a resource at some moment: " + ", ".join(f"{k} {v}" for k, v in full.items())
    )
    return int(above > 0)


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:])))
