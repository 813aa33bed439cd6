"""Who may import whom: the layers of ctm/, and no cycles, neither between packages nor between modules.

A package that imports what stands above it cannot be read, tested or shipped alone; only because of this does
`ctm-repair` run without torch.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

BELOW_ALL = {"files", "parquet", "python", "shares", "bundle_names", "bounds", "strict_yaml"}
"""What every package may import, and what imports nothing of ours but one another."""

ALLOWED = {
    **{name: set() for name in BELOW_ALL},
    "runtime": set(),
    "pairs": set(),
    "bugs": {"pairs"},
    "sources": {"pairs"},
    "grid": {"pairs"},
    "model": set(),
    "training": {"grid", "model", "pairs"},
    "repair": {"grid", "runtime"},
    "evaluation": {"grid", "model", "bugs", "pairs"},
    "analysis": {"evaluation", "model", "pairs"},
    "export": {"model", "grid", "runtime"},
    "pipeline": {
        "pairs", "sources", "bugs", "grid", "model", "training", "evaluation", "analysis", "export", "repair",
    },
}  # fmt: skip
"""Of each package of ctm/: the packages that it may import, beside `BELOW_ALL`."""

DEBTS = {
    ("repair", "pairs"): "`evaluate` tells a pair's category by the rules of pairs",
    ("evaluation", "repair"): "suites are run as `ctm-repair` runs",
    ("evaluation", "sources"): "real bugs and working code are read from releases and packages",
    ("evaluation", "training"): "the small models of `validate_model` and `baseline` start as stages do",
    ("export", "pairs"): "the check of the exported model reads pairs",
    ("export", "repair"): "the check of the exported model reads its answers as `ctm-repair` does",
}
"""Imports that the layers above do not allow, each with its reason. None may be added; one that is gone is deleted."""


@cache
def modules() -> dict[str, frozenset[str]]:
    """Of each module of ctm/, by its dotted name: the modules of ctm/ that it imports anywhere, lazily too."""
    files = {_name(path): path for path in sorted((ROOT / "ctm").rglob("*.py"))}
    return {name: frozenset(_imported(path, files.keys()) - {name}) for name, path in files.items()}


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path, known: Iterable[str]) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in known else str(node.module) for name in whole}
    return found & set(known)


def _between(depth: int, below: str = "ctm") -> dict[str, set[str]]:
    """Imports between the packages and modules right below a package, by their names cut to `depth` parts."""
    edges: dict[str, set[str]] = {}
    for name, imported in modules().items():
        mine = name.split(".")
        if not name.startswith(below + ".") or len(mine) < depth:
            continue
        theirs = {other.split(".")[depth - 1] for other in imported if other.startswith(below + ".")}
        edges.setdefault(mine[depth - 1], set()).update(theirs - {mine[depth - 1]})
    return edges


def _check_no_cycle(edges: Mapping[str, Iterable[str]]) -> None:
    try:
        TopologicalSorter(edges).prepare()
    except CycleError as error:
        pytest.fail(f"imports in a circle: {' -> '.join(error.args[1])}")


def test_packages_import_only_what_stands_below_them() -> None:
    for package, imported in _between(2).items():
        assert package in ALLOWED, f"ctm.{package} is in no layer: say in ALLOWED what it may import"
        debts = {theirs for mine, theirs in DEBTS if mine == package}
        for other in imported - ALLOWED[package] - BELOW_ALL - debts:
            users = [
                name
                for name, theirs in modules().items()
                if f"{name}.".startswith(f"ctm.{package}.")
                and any(f"{each}.".startswith(f"ctm.{other}.") for each in theirs)
            ]
            pytest.fail(f"ctm.{package} may not import ctm.{other}, which {', '.join(users)} does")


def test_a_debt_that_is_paid_is_struck_off() -> None:
    """Else the list lies, and what was paid can come back unseen."""
    edges = _between(2)
    paid = [f"{mine} -> {theirs}" for mine, theirs in DEBTS if theirs not in edges[mine]]
    assert not paid, f"delete from DEBTS: {', '.join(paid)}"


def test_nothing_imports_the_pipeline() -> None:
    """It alone knows the config file and Snakemake."""
    assert not [mine for mine, imported in _between(2).items() if "pipeline" in imported]


@pytest.mark.parametrize(("depth", "below"), [(2, "ctm"), (3, "ctm.bugs"), (3, "ctm.sources")])
def test_packages_do_not_import_each_other_in_a_circle(depth: int, below: str) -> None:
    _check_no_cycle(_between(depth, below))


def test_modules_do_not_import_each_other_in_a_circle() -> None:
    _check_no_cycle(modules())
