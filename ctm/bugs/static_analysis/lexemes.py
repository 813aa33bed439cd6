"""The lexemes of code that compiles, by one regular expression, and the kind of each; a dictionary knows most of them.

`findall` gives every sign of the text in turn, white space too, so that offsets follow from lengths: no match objects.
"""

from __future__ import annotations

import keyword
import re

_STRING = (
    r"[rRbBuUfF]{0,2}(?:"
    r"'''[^'\\]*(?:(?:\\[\s\S]|'(?!''))[^'\\]*)*'''"
    r'|"""[^"\\]*(?:(?:\\[\s\S]|"(?!""))[^"\\]*)*"""'
    r"|'[^'\\\n]*(?:\\[\s\S][^'\\\n]*)*'"
    r'|"[^"\\\n]*(?:\\[\s\S][^"\\\n]*)*")'
)
_NAME = r"[^\W\d]\w*+"
LEXEMES = re.compile(
    # a name before a quote may be the prefix of a string; the last alternative skips what is none of these
    rf"{_NAME}(?![\'\"])|[ \t\f\r][ \t\f\r]*+|[][(){{}},]|\n|{_STRING}|{_NAME}|\\\r?\n"
    r"|0[xXoObB][\da-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d+)?[jJ]?|\#[^\n]*"
    r"|\*\*=|//=|>>=|<<=|\.\.\.|->|:=|==|!=|<=|>=|\*\*|//|>>|<<|[-+*/%@&|^]=|[^\w\s]|[\s\S]"
)
KEYWORDS = frozenset(keyword.kwlist)
OPENING = {"(": ")", "[": "]", "{": "}"}
CLOSING = {")": "(", "]": "[", "}": "{"}
KINDS = {"\n": "NEWLINE"} | dict.fromkeys((" " * count for count in range(1, 81)), "SPACE")
KINDS |= dict.fromkeys(KEYWORDS, "KEYWORD")
KINDS |= dict.fromkeys(OPENING, "OPENING") | dict.fromkeys(CLOSING, "CLOSING")
KINDS |= dict.fromkeys(
    [*"=.,:+-*/%<>@&|^~;\"'!$?`", "==", "!=", "<=", ">=", "->", "+=", "-=", "**", "//", "...", ":="], "OP"
)
"""Kinds of the lexemes that most of code is made of."""


def kind_of(text: str) -> str:
    """The kind of a lexeme that is not in `KINDS`."""
    first = text[0]
    if first == "#":
        return "COMMENT"
    if len(text) > 1 and text[-1] in "'\"":
        return "STRING"
    if first.isdecimal() or (first == "." and len(text) > 1):
        return "NUMBER"
    if first.isalnum() or first == "_":
        return "NAME"
    return "SPACE" if first.isspace() or text[-1] == "\n" else "OP"
