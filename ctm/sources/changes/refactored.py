"""Whether a change only writes the same thing in another way.

Both sides are brought into one plain form (`plain_form`) and compared; on top comes what `cosmetic` says.
"""

from __future__ import annotations

import ast
import re

from ctm.sources.changes.cosmetic import is_cosmetic
from ctm.sources.changes.plain_form import plain_form

VERSION = "refactored/2"
_ATTRIBUTE = re.compile(r"\bself\.(\w+)(?=[ \t]*(?::[^=\n]*)?=(?!=))")


def is_refactoring(before: str, after: str) -> bool:
    """Whether two texts of a function, both of which compile, do the same in another form."""
    if is_cosmetic(before, after):
        return True
    old, new = (plain_form(text) for text in (before, after))
    if ast.dump(old) == ast.dump(new):
        return True
    try:
        return is_cosmetic(_text(old), _text(new))
    except (SyntaxError, ValueError):  # an f-string whose parts cannot be written on Python 3.11
        return False


def same_but_defaults(before: str, after: str) -> bool:
    """Whether only the defaults of parameters differ, or which are by keyword: callers get another thing by intent."""
    old, new = (plain_form(text) for text in (before, after))
    if sum(map(_positional_only, (old, new))) % 2:
        return False  # `/` frees a name for keywords
    for tree in (old, new):
        for node in ast.walk(tree):
            if isinstance(node, ast.arguments):
                node.args, node.posonlyargs = [*node.posonlyargs, *node.args, *node.kwonlyargs], []
                node.kwonlyargs, node.defaults, node.kw_defaults = [], [], []
                for item in node.args:
                    item.annotation = None
    return ast.dump(old) == ast.dump(new)


def _positional_only(tree: ast.Module) -> bool:
    return any(isinstance(node, ast.arguments) and node.posonlyargs for node in ast.walk(tree))


def renamed(before: str, after: str) -> bool:
    """Whether one attribute that the text itself sets has another name everywhere, and nothing else differs."""
    old, new = (set(_ATTRIBUTE.findall(text)) for text in (before, after))
    if len(old - new) != 1 or len(new - old) != 1:
        return False
    (gone,), (come,) = old - new, new - old
    return re.sub(rf"\bself\.{gone}\b", f"self.{come}", before) == after


def _text(tree: ast.Module) -> str:
    return ast.unparse(ast.fix_missing_locations(tree))
