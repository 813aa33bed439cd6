"""What an answer keeps, loses and changes of the author's code, beside whether it is right.

Everything is counted in lexical tokens of the lenient lexer, which never fails, with strings taken apart
into quotes and words: a quote that is missing is one token, and no text is left out because it cannot be tokenized.
Edits are set to the leftmost place, so two answers that change the same have the same edits. An exact match has the
author's edits by definition, also where it breaks its lines elsewhere.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from keyword import iskeyword
from typing import Any

from rapidfuzz.distance import LCSseq

from ctm.python.compiling import compile_limit_reason, quiet
from ctm.python.lexical import (
    DEDENT,
    INDENT,
    NEWLINE,
    QUOTES,
    lenient_tokens,
    lexical_tokens,
    taken_apart,
)

LAYOUT = frozenset((NEWLINE, INDENT, DEDENT))
_WORD = re.compile(r"\w+")
_NAME_OR_NUMBER = re.compile(r"\w|\.\d")


@dataclass(frozen=True, slots=True)
class Harm:
    """An answer beside the text it was given and the author's own fix."""

    edit_precision: float | None
    """Share of the answer's edits that the author made too; None where the answer changes nothing."""
    edit_recall: float | None
    """Share of the author's edits that the answer made too; None where the author changed nothing."""
    collateral: int
    """Names and literals that the author keeps and the answer does not have."""
    names: int
    """Names and literals of the text."""
    over_deleted: int
    """Tokens that the author keeps and the answer deletes."""
    tokens: int
    """Of the text, those for lines and blocks left out."""
    statement_recall: float | None
    """Share of the author's statements that are found in the answer; None where there are none."""
    same_tree: bool
    """Whether answer and author's fix have the same syntax tree."""

    @property
    def loses_half_the_names(self) -> bool:
        """Whether more than half of the names and literals are lost."""
        return 2 * self.collateral > self.names

    @property
    def loses_half_the_text(self) -> bool:
        """Whether more than half of the tokens are deleted that the author keeps."""
        return 2 * self.over_deleted > self.tokens


class _Text:
    """A text with its tokens, of either lexer, made once: to tokenize is most of the work."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens = lenient_tokens(text)

    @cached_property
    def pieces(self) -> list[str]:
        return taken_apart(self.tokens)

    @cached_property
    def names(self) -> Counter[str]:
        return Counter(names_and_literals(self.tokens))

    @cached_property
    def strict(self) -> tuple[str, ...] | None:
        return lexical_tokens(self.text)

    @cached_property
    def statements(self) -> Counter[tuple[str, ...]]:
        return Counter(split_statements(self.strict or self.tokens))

    def matches(self, other: _Text) -> bool:
        """Exact match, as `ctm.python.lexical.exact_match` has it."""
        return self.text == other.text or (self.strict is not None and self.strict == other.strict)


def measure_harm(buggy: str, answer: str, fixed: str) -> Harm:
    """The measures of one answer to `buggy`, whose author wrote `fixed`; of any texts, whatever their state."""
    texts = {text: _Text(text) for text in (buggy, answer, fixed)}
    was, got, wanted = texts[buggy], texts[answer], texts[fixed]
    precision = recall = 1.0
    collateral = over_deleted = 0
    is_exact = got.matches(wanted)
    if not is_exact:
        authors, ours = token_diff(was.pieces, wanted.pieces), token_diff(was.pieces, got.pieces)
        precision, recall = (ours.shared(authors) / max(1, item.size) for item in (ours, authors))
        collateral = ((was.names & wanted.names) - got.names).total()
        over_deleted = sum(was.pieces[place] not in LAYOUT for place in ours.deleted - authors.deleted)
    return Harm(
        edit_precision=None if was.matches(got) else precision,
        edit_recall=None if was.matches(wanted) else recall,
        collateral=collateral,
        names=was.names.total(),
        over_deleted=over_deleted,
        tokens=sum(piece not in LAYOUT for piece in was.pieces),
        statement_recall=_share_of(wanted.statements, got.statements),
        same_tree=same_tree(answer, fixed),
    )


# --- edits ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TokenDiff:
    """How one sequence of tokens becomes another."""

    deleted: frozenset[int]
    """Places of the first sequence."""
    inserted: Counter[tuple[int, str]]
    """(tokens of the first sequence in front of it, token)."""

    @property
    def size(self) -> int:
        """Deletions and insertions."""
        return len(self.deleted) + self.inserted.total()

    def shared(self, other: TokenDiff) -> int:
        """Edits that both have."""
        return len(self.deleted & other.deleted) + (self.inserted & other.inserted).total()


def token_diff(old: Sequence[str], new: Sequence[str]) -> TokenDiff:
    """The fewest edits from `old` to `new`, as far to the left as they go.

    What stays is a longest common subsequence. Of its places in either sequence the rightmost are taken, so of equal
    neighbors the first is the one that was deleted or inserted; an insertion stands right behind the last token
    that stays, in front of what is deleted there.
    """
    last = common(old[::-1], new[::-1])
    a, b = old[: len(old) - last], new[: len(new) - last]
    first = common(a, b)
    stays = list(a[:first])
    if first < min(len(a), len(b)):
        for step in LCSseq.opcodes(a[first:], b[first:]):
            if step.tag == "equal":
                stays += a[first + step.src_start : first + step.src_end]
    kept, copied = _rightmost(a, stays), _rightmost(b, stays)
    known = dict(zip(copied, kept, strict=True))
    inserted: Counter[tuple[int, str]] = Counter()
    gap = 0
    for place, token in enumerate(b):
        if place in known:
            gap = known[place] + 1
        else:
            inserted[gap, token] += 1
    return TokenDiff(frozenset(range(len(a))).difference(kept), inserted)


def common(a: Sequence[str], b: Sequence[str]) -> int:
    """Leading items that two sequences share."""
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _rightmost(sequence: Sequence[str], part: Sequence[str]) -> list[int]:
    """The places of a subsequence, each as far to the right as the next one lets it."""
    places: list[int] = []
    at = len(sequence)
    for token in reversed(part):
        at -= 1
        while sequence[at] != token:
            at -= 1
        places.append(at)
    return places[::-1]


# --- names, statements, trees ---------------------------------------------------------------------------------------


def names_and_literals(tokens: Sequence[str]) -> Iterator[str]:
    """Names, numbers, `True`, `False`, `None`, and of strings every word; a string without words as it is."""
    for token in tokens:
        if token[-1] in QUOTES:
            words = _WORD.findall(token)
            if words:
                yield from words
            elif len(token) > 1:
                yield token
        elif _NAME_OR_NUMBER.match(token) and (token[0].isupper() or not iskeyword(token)):
            yield token


def statement_recall(answer: str, fixed: str) -> float | None:
    """Share of the statements of `fixed`, as a multiset, that are found in `answer`; None where it has none."""
    return _share_of(_Text(fixed).statements, _Text(answer).statements)


def _share_of(wanted: Counter[tuple[str, ...]], found: Counter[tuple[str, ...]]) -> float | None:
    return (wanted & found).total() / wanted.total() if wanted else None


def split_statements(tokens: Iterable[str]) -> Iterator[tuple[str, ...]]:
    """Tokens of each statement: of a compound one its head, whatever its block.

    Of tokens of the lenient lexer each line is a statement.
    """
    statement: list[str] = []
    for token in tokens:
        if token == NEWLINE or token == ";":
            if statement:
                yield tuple(statement)
            statement = []
        elif token not in LAYOUT:
            statement.append(token)
    if statement:
        yield tuple(statement)


def same_tree(a: str, b: str) -> bool:
    """Whether two texts parse, and to equal syntax trees; False for what is beyond the compiler's caps."""
    if compile_limit_reason(a) or compile_limit_reason(b):
        return False
    try:
        with quiet():
            trees = {text: ast.parse(text) for text in (a, b)}
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return False
    waiting: list[tuple[Any, Any]] = [(trees[a], trees[b])]
    while waiting:
        x, y = waiting.pop()
        if x is y:
            continue
        if type(x) is not type(y):
            return False
        if isinstance(x, ast.AST):
            waiting += [(getattr(x, name, None), getattr(y, name, None)) for name in x._fields]
        elif isinstance(x, list):
            if len(x) != len(y):
                return False
            waiting += zip(x, y, strict=True)
        elif x != y:
            return False
    return True
