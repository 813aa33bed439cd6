"""Python's lexical tokens as the measure of equality and of distance between texts.

Two lexers: the standard library's for code that can be tokenized, and a lenient one, line by line, that never
fails and on which one missing bracket changes one token (the strict one would lose every line end after it).
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable

NEWLINE, INDENT, DEDENT = "<newline>", "<indent>", "<dedent>"
QUOTES = ("'", '"')
"""What a token ends in that is a string, or a quote without its other one."""

_STRUCTURE = {tokenize.NEWLINE: NEWLINE, tokenize.INDENT: INDENT, tokenize.DEDENT: DEDENT}
_IGNORED = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER, tokenize.ENCODING, tokenize.TYPE_COMMENT}

_PIECE = r"""
        [^\W\d]\w*
      | (?:0[xXoObB][0-9a-fA-F_]+|(?:\d[\d_]*\.?[\d_]*|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?)[jJ]?
      | \*\*=|//=|>>=|<<=|\.\.\.|!=|->|:=|\*\*|//|>>|<<|<=|>=|==|[-+*/%&|^@]=
"""
"""A name, a number, an operator of several signs."""

LENIENT = re.compile(
    rf"""
      (?P<space>[ \t\f\v\r]+|\\\r?(?=\n)|\#[^\n]*)
    | (?P<newline>\n)
    | (?P<token>
        (?:[rRbBuUfF]{{1,2}})?(?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
                             |\"(?:[^\\\"\n]|\\.)*\"|'(?:[^\\'\n]|\\.)*')
      | {_PIECE}
      | \"\"\"|'''
      | .
      )
    """,
    re.VERBOSE | re.DOTALL,
)
_PIECES = re.compile(rf"{_PIECE} | \S", re.VERBOSE)


def lexical_tokens(text: str) -> tuple[str, ...] | None:
    """Tokens of `text` with its line and block structure; comments, blank lines and spacing do not count.

    None where the text cannot be tokenized (also where only an unexpected character stands in it, which some
    Python versions tokenize as an error and others refuse).
    """
    tokens = []
    try:
        for kind, string, *_ in tokenize.generate_tokens(io.StringIO(text).readline):
            if kind in _IGNORED:
                continue
            if kind == tokenize.ERRORTOKEN:
                return None
            tokens.append(_STRUCTURE.get(kind, string))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return None
    return tuple(tokens)


def lenient_tokens(text: str) -> list[str]:
    """Tokens of any text, broken code included; never fails.

    Every line that holds a token ends in a line-end token, within brackets too, and its indentation against the
    lines before gives indent and dedent tokens.
    """
    tokens: list[str] = []
    levels = [0]
    fresh = True
    for match in LENIENT.finditer(text):
        if match.lastgroup == "token":
            if fresh:
                _indentation(text, match.start(), levels, tokens)
                fresh = False
            tokens.append(match.group())
        elif match.lastgroup == "newline" and not fresh and text[match.start() - 1 : match.start()] != "\\":
            tokens.append(NEWLINE)
            fresh = True
    if not fresh:
        tokens.append(NEWLINE)
    tokens.extend([DEDENT] * (len(levels) - 1))
    return tokens


def taken_apart(tokens: Iterable[str]) -> list[str]:
    """Lenient tokens, of every string its prefix, its single quotes, and the words and signs within.

    With whole strings a missing quote would change every token behind it; here it is one piece, in closed strings
    and open ones alike.
    """
    pieces: list[str] = []
    for token in tokens:
        if token[-1] in QUOTES:
            pieces += _PIECES.findall(token)
        else:
            pieces.append(token)
    return pieces


def lenient_spans(text: str) -> list[tuple[int, int]]:
    """Where the lenient tokens stand in `text` ([begin, end), characters), those for lines and blocks left out."""
    return [match.span() for match in LENIENT.finditer(text) if match.lastgroup == "token"]


def _indentation(text: str, at: int, levels: list[int], tokens: list[str]) -> None:
    column = len(text[text.rfind("\n", 0, at) + 1 : at].expandtabs(8))
    if column > levels[-1]:
        levels.append(column)
        tokens.append(INDENT)
        return
    while column < levels[-1]:
        levels.pop()
        tokens.append(DEDENT)
    if column > levels[-1]:  # a dedent to a column that no block has
        levels.append(column)
        tokens.append(INDENT)


def exact_match(answer: str, fixed: str) -> bool:
    """Whether two texts have equal lexical tokens; equal text where either cannot be tokenized."""
    if answer == fixed:
        return True
    wanted = lexical_tokens(fixed)
    return wanted is not None and wanted == lexical_tokens(answer)


def token_distance(a: str, b: str, limit: int) -> int:
    """Edit distance of two texts in lenient tokens (insert, delete, replace); limit + 1 where it is beyond `limit`."""
    from rapidfuzz.distance import Levenshtein  # 7 ms, which a file that compiles need not wait

    return Levenshtein.distance(lenient_tokens(a), lenient_tokens(b), score_cutoff=limit)
