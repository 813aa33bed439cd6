"""Which modules of ours a program runs, and what each of them says: the part of lineage that is code.

The digest of a module is taken of its syntax tree without docstrings, so that a comment, a docstring, layout or a
touched file change nothing. Imports are followed wherever they stand in a module, those of a computed name too.
"""

from __future__ import annotations

import ast
import hashlib
from functools import cache
from pathlib import Path

from ctm.pipeline.module_cache import ModuleCache

DIGITS = 16
"""Hexadecimal digits of a module's digest: enough for accidents, and short where a hundred are written down."""


class Code:
    """The modules of a checkout (ctm/ and the neighbors of its programs); each file is looked at once.

    root: the checkout. caches: folder of what was found before; None for the user's own.
    """

    def __init__(self, root: Path, caches: Path | None = None) -> None:
        self.root = root
        self._cache = ModuleCache(_module, Path(__file__), caches)
        self._programs: dict[Path, dict[str, str]] = {}
        self._modules: dict[Path, tuple[list[tuple[str, Path]], str]] = {}

    def digests(self, script: Path) -> dict[str, str]:
        """Digest of each module that a program runs, itself included, by name: 16 hexadecimal digits each."""
        if script not in self._programs:
            found = sorted(self.closure(script).items())
            self._programs[script] = {name: self._module(path, script)[1] for name, path in found}
        return self._programs[script]

    def keep(self) -> None:
        """Keep what was found for the next plan."""
        self._cache.keep()

    def closure(self, script: Path) -> dict[str, Path]:
        """Modules of `ctm` (and neighbors of the script) that a program imports, itself included, by name."""
        found = {f"scripts.{script.stem}": script}
        waiting = [script]
        while waiting:
            for module, file in self._module(waiting.pop(), script)[0]:
                if module not in found:
                    found[module] = file
                    waiting.append(file)
        return found

    def _module(self, path: Path, script: Path) -> tuple[list[tuple[str, Path]], str]:
        """What a module imports of ours, name and file of each, and its digest."""
        if path not in self._modules:
            names, digest = self._cache.of(path)
            files = [one for name in sorted(names) for one in _files(name, self.root, script.parent)]
            self._modules[path] = list(dict.fromkeys(files)), digest
        return self._modules[path]


def _files(name: str, root: Path, scripts: Path) -> list[tuple[str, Path]]:
    """Files of a dotted name: the packages above it, and itself as module or package; of "a.*" all below `a`."""
    parts = name.split(".")
    if parts[0] != "ctm":
        neighbor = scripts / f"{parts[0]}.py"
        return [(f"scripts.{parts[0]}", neighbor)] if neighbor.is_file() else []
    files = []
    if parts[-1] == "*":
        folder = root.joinpath(*parts[:-1])
        parts.pop()
        below = sorted(folder.rglob("*.py"))
        files = [
            (".".join([*parts, *file.relative_to(folder).with_suffix("").parts]), file) for file in below
        ]
    for i in range(1, len(parts) + 1):
        base = root.joinpath(*parts[:i])
        for file in (base / "__init__.py", base.with_name(base.name + ".py")):
            if file.is_file():
                files.append((".".join(parts[:i]), file))
    return files


@cache
def _module(source: bytes, path: str) -> tuple[frozenset[str], str]:
    """Dotted names that a module imports, and the digest of its syntax tree without docstrings."""
    tree = ast.parse(source)
    names: set[str] = set()
    for node in ast.walk(tree):
        _take_texts_out(node)
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(
                    f"{path}:{node.lineno}: relative import; use the full module name, since lineage follows imports "
                    "by name"
                )
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and _is_import_module(node.func):
            names.add(_computed(node.args[0]))
    return frozenset(names), hashlib.sha256(ast.dump(tree).encode()).hexdigest()[:DIGITS]


def _is_import_module(called: ast.expr) -> bool:
    """Whether a call is one of `import_module`, by whatever name of importlib."""
    return "import_module" in (getattr(called, "attr", ""), getattr(called, "id", ""))


def _computed(name: ast.expr) -> str:
    """The name that `import_module` is given; of an f-string its constant beginning and any end, "a.*"."""
    if isinstance(name, ast.JoinedStr) and isinstance(name.values[0], ast.Constant):
        return str(name.values[0].value) + "*"
    return str(name.value) if isinstance(name, ast.Constant) else ""


def _take_texts_out(node: ast.AST) -> None:
    """Take docstrings (of attributes too) out of the statements of a node.

    By hand, as the tree is walked anyway: a NodeTransformer walks it once more, a fifth of the time here.
    """
    for name in ("body", "orelse", "finalbody"):
        statements = getattr(node, name, None)
        if isinstance(statements, list):
            statements[:] = [one for one in statements if not _is_text(one)]


def _is_text(statement: ast.AST) -> bool:
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)
