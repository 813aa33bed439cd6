"""Imports every module of an unpacked project and runs its check: `smoke.py FOLDER CHECK`, in a process of its own.

The last line of stdout is JSON: the modules that could be imported, and what went wrong in the check.
"""

import contextlib
import importlib
import io
import json
import runpy
import sys
import warnings
from pathlib import Path


def modules(folder: Path) -> list[str]:
    """Dotted names of all modules of a folder, packages first; `__main__` would run a program."""
    names = set()
    for path in folder.rglob("*.py"):
        parts = path.relative_to(folder).with_suffix("").parts
        parts = parts[:-1] if parts[-1] == "__init__" else parts
        if parts and parts[-1] != "__main__" and all(part.isidentifier() for part in parts):
            names.add(".".join(parts))
    return sorted(names)


def main(folder: Path, check: Path) -> None:
    """Print what works."""
    sys.path.insert(0, str(folder))
    sys.argv = [check.stem]
    warnings.simplefilter("ignore")
    imported, error = [], ""
    with contextlib.redirect_stdout(io.StringIO()):
        for name in modules(folder):
            try:
                importlib.import_module(name)
            except BaseException as problem:
                if isinstance(problem, KeyboardInterrupt):
                    raise
            else:
                imported.append(name)
        try:
            runpy.run_path(str(check))
        except BaseException as problem:
            error = f"{type(problem).__name__}: {problem}"
    print()
    print(json.dumps({"imported": imported, "error": error}), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
