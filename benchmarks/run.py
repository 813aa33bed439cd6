"""Runs every benchmark of this folder and writes results/benchmarks.json (`make bench`).

A benchmark is a module with `run()`, which measures ours and a rival in the same process and returns one record or a
list of them: {"name", "unit", "ours", "rival", "rival_name", "ratio", "n", "threads"}. A ratio above 1 is better for
us, whatever the unit. Names given as arguments run only those modules.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from pathlib import Path
from typing import Any

FIELDS = ("name", "unit", "ours", "rival", "rival_name", "ratio", "n", "threads")
HERE = Path(__file__).parent
OUT = HERE.parent / "results" / "benchmarks.json"


def records_of(path: Path) -> list[dict[str, Any]]:
    """Records of one module, checked. Raises ValueError for a record that lacks a field."""
    spec = importlib.util.spec_from_file_location(f"benchmark_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = module.run()
    records = found if isinstance(found, list) else [found]
    for record in records:
        if missing := [name for name in FIELDS if name not in record]:
            raise ValueError(f"{path.name}: a record lacks {', '.join(missing)}: {record}")
    return records


def main(names: list[str]) -> None:
    # a `_` before a name marks a module that others share
    modules = sorted(p for p in HERE.glob("*.py") if p != Path(__file__) and not p.name.startswith("_"))
    if unknown := set(names) - {p.stem for p in modules}:
        sys.exit(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(p.stem for p in modules)}"
        )
    sys.path.insert(0, str(HERE))
    done: list[dict[str, Any]] = []
    for path in modules:
        if names and path.stem not in names:
            continue
        started = time.monotonic()
        for record in records_of(path):
            done.append(record)
            print(
                f"{record['name']:16s} {record['ours']:>12.4g} {record['unit']:14s} {record['rival_name']}: "
                f"{record['rival']:.4g}  ratio {record['ratio']:.2f}",
                flush=True,
            )
        print(f"  ({path.name}: {time.monotonic() - started:.0f} s)", flush=True)
    OUT.parent.mkdir(parents=True, exist_ok=True)
    OUT.write_text(json.dumps(done, indent=1) + "\n", encoding="utf-8")
    print(f"wrote {OUT}")


if __name__ == "__main__":
    main(sys.argv[1:])
