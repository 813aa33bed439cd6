"""Lineage: a hash of all that a rule's result depends on; it decides whether the rule runs again.

    lineage[step] = sha256(own config sections, digest of the code it runs, files it reads, lineage of its parents)

Snakemake compares parameters of a rule's last run with today's. Folding the parents in cures its issue 3808: a stage
that failed once after a change would otherwise leave everything after it looking up to date. Resources are in no
section that is hashed, and the digest is taken of syntax trees, so that a comment, a docstring or a touched file reruns
nothing.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

import yaml

from ctm.pipeline.config import section
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import check_resources, steps

Resolved = dict[str, list[tuple[str, Path]]]
"""Modules and their files, by the dotted name that an import gives. Programs all lie in one folder."""


class Lineage:
    """Lineages of all steps of one configuration.

    `root` is the checkout: it has ctm/ and workflow/scripts/.
    """

    def __init__(self, config: Config, root: Path) -> None:
        check_resources(config)
        self.config, self.root, self.steps = config, root, steps(config)
        self._known: dict[str, str] = {}
        self._files: Resolved = {}

    def of(self, step: str) -> str:
        """Lineage of a step, 64 hex characters. Raises KeyError for a step that the configuration switches off."""
        if step not in self._known:
            parts = self.parts(step)
            self._known[step] = hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
        return self._known[step]

    def parts(self, step: str) -> dict[str, Mapping[str, object]]:
        """What is hashed: config sections, code digest, files and parents, each by name."""
        entry = self.steps[step]
        script = self.root / "workflow" / "scripts" / f"{entry.program}.py"
        return {
            "config": {path: section(self.config, path) for path in (*entry.settings, *entry.sections)},
            "code": {entry.program: code_digest(script, self.root, self._files)},
            "files": {name: _file_digest(self.root / name) for name in entry.files.values()},
            "parents": {name: self.of(name) for name in entry.parents},
        }


def code_digest(script: Path, root: Path, known: Resolved | None = None) -> str:
    """Digest of the syntax trees of a program and of everything of ours that it imports, wherever it imports it.

    known: files of names that were looked up before, of the same checkout at the same moment; more are added.
    """
    digest = hashlib.sha256()
    for name, path in sorted(closure(script, root, known).items()):
        digest.update(f"{name}={_parsed(path.read_bytes(), str(path))[1]}\n".encode())
    return digest.hexdigest()


def closure(script: Path, root: Path, known: Resolved | None = None) -> dict[str, Path]:
    """Modules of `ctm` (and neighbors of the script) that a program imports, itself included, by name."""
    known = {} if known is None else known
    found = {f"scripts.{script.stem}": script}
    waiting = [script]
    while waiting:
        path = waiting.pop()
        for name in _parsed(path.read_bytes(), str(path))[0]:
            if name not in known:  # thirty programs import the same modules
                known[name] = list(_resolve(name, root, script.parent))
            for module, file in known[name]:
                if module not in found:
                    found[module] = file
                    waiting.append(file)
    return found


def _resolve(name: str, root: Path, scripts: Path) -> Iterable[tuple[str, Path]]:
    """Files of a dotted name: the packages above it, and itself as module or package; of "a.*" all below `a`.

    Empty for others' code.
    """
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
def _parsed(source: bytes, path: str) -> tuple[frozenset[str], str]:
    """Names that a module imports, and the digest of its syntax tree."""
    tree = ast.parse(source)
    names = _imports(tree, path)  # first: docstrings are taken out of the tree in place
    return names, hashlib.sha256(ast.dump(_Bare().visit(tree)).encode()).hexdigest()


def _imports(tree: ast.AST, path: str) -> frozenset[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(
                    f"{path}:{node.lineno}: relative import; use the full module name, since lineage follows imports "
                    "by name"
                )
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and "import_module" in ast.unparse(node.func):
            names.add(_computed(node.args[0]))
    return frozenset(names)


def _computed(name: ast.expr) -> str:
    """The name that `import_module` is given; of an f-string its constant beginning and any end, "a.*"."""
    if isinstance(name, ast.JoinedStr) and isinstance(name.values[0], ast.Constant):
        return str(name.values[0].value) + "*"
    return str(name.value) if isinstance(name, ast.Constant) else ""


class _Bare(ast.NodeTransformer):
    """Takes docstrings (of attributes too) out of a tree."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text else self.generic_visit(node)


def _file_digest(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ConfigError(
            f"{path}: cannot be read ({error.strerror}); the configuration names it. Correct the path"
        ) from None
    if path.suffix in (".yaml", ".yml"):
        content = json.dumps(yaml.safe_load(content), sort_keys=True).encode()
    return hashlib.sha256(content).hexdigest()
