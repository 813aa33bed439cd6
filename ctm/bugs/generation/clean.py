"""The fixed side of mutants: a text that compiles, read once however many mutants are made of it."""

from __future__ import annotations

from types import CodeType

from ctm.bugs.checks.validity import code_of
from ctm.bugs.static_analysis.lazy import lazy
from ctm.bugs.static_analysis.source import ParsedCode


class Clean:
    """A clean text that compiles, with its code object: the fixed side of its mutants."""

    def __init__(self, text: str, code: CodeType) -> None:
        self.text = text
        self.code = code

    @lazy
    def source(self) -> ParsedCode:
        """Its tokens and sites."""
        return ParsedCode(self.text)

    @property
    def is_empty(self) -> bool:
        """Whether it has no tokens, only comments."""
        return (
            all(line.lstrip()[:1] in ("", "#") for line in self.text.split("\n")) and not self.source.tokens
        )


def clean(text: str) -> Clean | None:
    """The text as a fixed side, None where it does not compile."""
    code = code_of(text)
    return None if code is None else Clean(text, code)
