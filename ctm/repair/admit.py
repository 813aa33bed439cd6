"""Decides what `fix` accepts: broken Python, not other languages, notebooks or newer syntax.

Another version's valid syntax, another language, prose and patches are named in one line and never edited.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ctm.python.newer_strings import RUNNING, Version
from ctm.repair.file_repair import FileRepair, first_error
from ctm.repair.named_kinds import NOTEBOOK_NAME, is_notebook, language_by_name
from ctm.repair.source import FileError, PythonFile
from ctm.repair.versions import too_new_for, valid_since, version_text

if TYPE_CHECKING:
    from ctm.python.newer_syntax import Construct


def refuse_or_skip(source: PythonFile, path: str, target: Version | None = None) -> FileRepair | None:
    """Whether a text is to be looked at by the model: None if so; else a `Fixed` without changes.

    `path` is "" for stdin, of which only the content is judged; `target` the version that the code is for, None where
    the user named none: then it is the running one. Raises FileError that says in one line what a text is that is not
    broken Python.
    """
    text = source.text
    kind = language_by_name(path, list(source.lines[:2])) if path else ""
    if kind == NOTEBOOK_NAME or is_notebook(text):
        raise FileError(
            "a notebook, which is read cell by cell: name its file (ctm-repair fix BOOK.ipynb), not stdin"
        )
    error = first_error(text)
    if error is None:
        if target is not None and target < RUNNING and (why := too_new_for(text, target)):
            raise FileError(f"{why}; the target is {version_text(target)}: nothing is edited")
        return None
    if kind:
        raise FileError(
            f"its name or first line says {kind}, not Python; if it is Python, pass it on stdin without a name: "
            "ctm-repair fix - < FILE"
        )
    from ctm.python.newer_syntax import in_older_words, newer_constructs
    from ctm.repair.language import other_language  # 12 ms both, and only for text that does not compile

    if found := newer_constructs(text):
        if first_error(in_older_words(text, found)) is None:
            return _valid_newer(source, found, target)
        _refuse_if_newer_and_broken(error, found)
    if kind := other_language(text):
        raise FileError(f"not Python: it looks like {kind}")
    return None


def _valid_newer(source: PythonFile, found: Sequence[Construct], target: Version | None) -> FileRepair | None:
    """For a text that a newer Python takes: nothing to do if the target takes it too, else refused or broken."""
    needs = max(item.since for item in found)
    if target is not None and target >= needs:
        return FileRepair(source, source, compiled=True, compiles=True)
    if is_slip_for(target, found):
        return None
    older = target if target is not None and target < RUNNING else RUNNING
    whose = f"the target is {version_text(older)}" if target == older else f"this is {version_text(older)}"
    if target is None and all(item.rewritable for item in found):
        remedy = f"; --target-version {RUNNING[0]}.{RUNNING[1]} repairs it"
    else:
        remedy = ""
    raise FileError(f"{valid_since(found)}; {whose}: nothing to repair{remedy}")


def is_slip_for(target: Version | None, found: Sequence[Construct]) -> bool:
    """Whether newer syntax, all that keeps a text from compiling, is to be repaired as a mistake.

    Only where the user named the older version that the code has to run on, and older words mean the same: the quotes
    within an f-string can be others, a type parameter cannot. Without `--target-version` the text is valid somewhere,
    and valid code is never edited. (Most such texts are meant so: of 3,267 broken snippets of Stack Overflow one has
    quotes of the same kind in an f-string, and so have two modules of 3.13's library.)
    """
    return target is not None and all(item.rewritable for item in found)


def _refuse_if_newer_and_broken(error: SyntaxError, found: Sequence[Construct]) -> None:
    """A file for a newer Python that is broken elsewhere: here its first error is syntax that must stay."""
    blocking = [
        item for item in found if not item.rewritable and item.line == error.lineno and item.older != "!"
    ]
    if blocking:
        newest = max(item.since for item in found)
        raise FileError(
            f"{valid_since(blocking)}, and broken elsewhere: repairing it takes {version_text(newest)}, "
            f"this is {version_text(RUNNING)}"
        )
