"""Text files are read and written as UTF-8, whatever the locale: LC_ALL=C is usual in containers and on clusters."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT_MODES = set("rwax+t")


def bare_calls(source: str) -> Iterator[int]:
    """Lines where text is read or written, or a program's output is decoded, without a named encoding."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and _decodes(node):
            names = {keyword.arg for keyword in node.keywords}
            if not names & {"encoding", None}:
                yield node.lineno


def _decodes(call: ast.Call) -> bool:
    if isinstance(call.func, ast.Name):
        return call.func.id == "open" and _in_text_mode(call.args[1:], call)
    if not isinstance(call.func, ast.Attribute):
        return False
    owner, name = ast.unparse(call.func.value), call.func.attr
    if name == "read_text":
        return not call.args
    if name == "write_text":
        return len(call.args) == 1
    if name in ("open", "fdopen") and owner not in ("os", "tarfile", "Image", "webbrowser"):
        return _in_text_mode(call.args, call) and (name != "open" or bool(call.args or call.keywords))
    return any(word.arg in ("text", "universal_newlines") for word in call.keywords) and owner == "subprocess"


def _in_text_mode(args: list[ast.expr], call: ast.Call) -> bool:
    mode = next((word.value for word in call.keywords if word.arg == "mode"), args[0] if args else None)
    if mode is None:
        return True
    return isinstance(mode, ast.Constant) and isinstance(mode.value, str) and set(mode.value) <= TEXT_MODES


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("path.read_text()", True),
        ("path.read_text(encoding='utf-8')", False),
        ("path.write_text(x)", True),
        ("write_text(path, x)", False),
        ("open(p)", True),
        ("open(p, 'rb')", False),
        ("p.open('w')", True),
        ("subprocess.run(c, text=True)", True),
    ],
)
def test_what_counts_as_bare(source: str, found: bool) -> None:
    """Else the check below could pass by seeing nothing."""
    assert bool(list(bare_calls(source))) == found


def test_every_text_file_is_utf_8() -> None:
    """In an ASCII locale an author's name in a page would end the job with a UnicodeDecodeError."""
    files = [path for folder in ("ctm", "workflow") for path in sorted((ROOT / folder).rglob("*.py"))]
    bare = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in files
        for line in bare_calls(path.read_text(encoding="utf-8"))
    ]
    assert not bare, f'say encoding="utf-8": {", ".join(bare)}'
