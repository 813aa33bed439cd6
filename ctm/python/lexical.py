"""Python's lexical tokens as the measure of equality and of distance between texts.

Two lexers: the standard library's for code that can be tokenized, and a lenient one, line by line, that never
fails and on which one missing bracket changes one token (the strict one would lose every line end after it).
"""

from __future__ import annotations

import io
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache

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

_STRINGS = {
    '"""': r"\"\"\"(?:[^\\]|\\.)*?\"\"\"",
    "'''": r"'''(?:[^\\]|\\.)*?'''",
    '"': r"\"(?:[^\\\"\n]|\\.)*\"",
    "'": r"'(?:[^\\'\n]|\\.)*'",
}
"""What a string is, by the quotes around it; the longer ones first."""
_INSIDE = {"'": re.compile(r"(?:[^\\'\n]|\\.)*", re.DOTALL), '"': re.compile(r'(?:[^\\"\n]|\\.)*', re.DOTALL)}
_PIECES = re.compile(rf"{_PIECE} | \S", re.VERBOSE)


@cache
def _lenient(open_quotes: frozenset[str]) -> re.Pattern[str]:
    """The lenient lexer where strings with such quotes are known not to end."""
    strings = "|".join(string for quote, string in _STRINGS.items() if quote not in open_quotes)
    string = rf"(?:[rRbBuUfF]{{1,2}})?(?:{strings}) |" if strings else ""
    return re.compile(
        rf"""
          (?P<space>[ \t\f\v\r]+|\\\r?(?=\n)|\#[^\n]*)
        | (?P<newline>\n)
        | (?P<token>{string} {_PIECE} | .)
        """,
        re.VERBOSE | re.DOTALL,
    )


def lenient_matches(text: str) -> Iterator[re.Match[str]]:
    """Everything in any text, in order and without gaps: matches whose `lastgroup` is space, newline or token.

    Takes time linear in the text. A quote whose string has no end costs a look at the rest of the line, or of the text
    where there are three; it is remembered how far that was, for none of the same quotes on the way has an end either:
    those that would end the string are escaped, and what stands behind them is read in the same way again.
    """
    at = 0
    ends: dict[str, int] = {}  # up to where no string with such quotes ends
    while at < len(text):
        next_end = min(ends.values(), default=len(text))
        for match in _lenient(frozenset(ends)).finditer(text, at):
            yield match
            at = match.end()
            quote = _without_end(match.group(), text, at) if text[at - 1] in QUOTES else ""
            if at >= next_end or (quote and quote not in ends):
                if quote:
                    ends[quote] = len(text) if len(quote) == 3 else _end_of_look(text, at, quote)
                ends = {quote: end for quote, end in ends.items() if end > at}
                break


def _without_end(token: str, text: str, at: int) -> str:
    """The quotes whose string has no end, as a token that ends at `at` in a quote shows; "" where it shows none.

    A quote alone is one; an empty string before a third quote was to begin one in three.
    """
    quote = token[-1]
    if token == quote:
        return quote
    is_empty = token[-2] == quote and (len(token) == 2 or token[:-2].isalpha())
    return 3 * quote if is_empty and text.startswith(quote, at) else ""


def _end_of_look(text: str, begin: int, quote: str) -> int:
    found = _INSIDE[quote].match(text, begin)
    assert found is not None, "it takes the empty text too"
    return found.end()


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
    for match in lenient_matches(text):
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
    return [match.span() for match in lenient_matches(text) if match.lastgroup == "token"]


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
