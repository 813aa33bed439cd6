"""A snippet, read once: its tokens, its logical lines, its block headers, calls, and the sites of its syntax tree.

Tokens come from one regular expression (the snippet compiles, so that is exact and ten times faster than
`tokenize`); the tree-sitter tree is parsed at most once and only asked for by kinds that need roles of names or
operands. All offsets are characters of the text, so a mutation is a splice of a `str`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from functools import lru_cache
from operator import attrgetter
from typing import NamedTuple

import tree_sitter
import tree_sitter_python

from ctm.bugs.static_analysis.lazy import lazy
from ctm.bugs.static_analysis.lexemes import KINDS, LEXEMES, kind_of
from ctm.bugs.static_analysis.scopes import Variables, variables_of

_LANGUAGE = tree_sitter.Language(tree_sitter_python.language())
_PARSER = tree_sitter.Parser(_LANGUAGE)
_CAPTURED = ("comparison_operator", "boolean_operator", "not_operator", "binary_operator",
             "conditional_expression", "slice", "default_parameter", "typed_default_parameter",
             "if_statement", "elif_clause", "while_statement")  # fmt: skip
_QUERY = tree_sitter.Query(_LANGUAGE, "\n".join(f"({name}) @{name}" for name in _CAPTURED))

BLOCK_WORDS = frozenset(
    ["if", "elif", "else", "for", "while", "def", "class", "try", "except", "finally", "with", "async"]
)


_PLAIN = frozenset(("NAME", "KEYWORD", "NUMBER", "STRING", "OP"))


_PART = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")


@lru_cache(maxsize=65536)
def parts_of_name(name: str) -> frozenset[str]:
    """Lower-case words of a name, `readFile_at` has three; none for what is no name."""
    return frozenset(part.lower() for part in _PART.findall(name)) if name.isidentifier() else frozenset()


class Token(NamedTuple):
    """One lexical token; `depth` counts the brackets around it, `line` is the index of its logical line."""

    kind: str  # NAME, KEYWORD, NUMBER, STRING or OP
    text: str
    start: int
    end: int
    depth: int
    line: int


class Line(NamedTuple):
    """A logical line: its tokens first..last, where its first physical line starts, where its last token ends."""

    first: int
    last: int
    start: int
    end: int
    indent: int  # characters of leading white space


class Header(NamedTuple):
    """A line that opens a block: its index, its (first) keyword and its colon as token indices."""

    line: int
    word: str
    colon: int


_START, _END = attrgetter("start"), attrgetter("end")


class Call(NamedTuple):
    """A call `name(...)`: token indices of the brackets, and of first and last token of each argument."""

    open: int
    close: int
    arguments: tuple[tuple[int, int], ...]


class Site(NamedTuple):
    """A node of the syntax tree with its character span."""

    start: int
    end: int
    node: tree_sitter.Node


class ParsedCode:
    """A snippet that compiles, with everything the mutators ask about it. Raises nothing for such a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.tokens: list[Token] = []
        self.lines: list[Line] = []
        self.comments: list[tuple[int, int]] = []
        self.partner: dict[int, int] = {}
        self._read()
        self.words = {token.text for token in self.tokens}

    @lazy
    def parts(self) -> set[str]:
        """Lower-case words of which the names of the snippet are made."""
        return {part for word in self.words for part in parts_of_name(word)}

    def _read(self) -> None:
        tokens, opened, known = self.tokens, [], KINDS.get
        add, new = tokens.append, tuple.__new__  # half the time of Token(...), and there are many
        line_start = line_first = line = depth = end = 0
        for text in LEXEMES.findall(self.text):
            start, end = end, end + len(text)
            kind = known(text) or ("NAME" if text.isidentifier() else kind_of(text))
            if kind == "SPACE":
                continue
            if kind in _PLAIN:
                add(new(Token, (kind, text, start, end, depth, line)))
            elif kind == "NEWLINE":
                if len(tokens) > line_first:
                    if depth:
                        continue
                    self._end_line(line_first, line_start)
                    line, line_first = line + 1, len(tokens)
                line_start = end
            elif kind == "COMMENT":
                self.comments.append((start, end))
            elif kind == "OPENING":
                opened.append(len(tokens))
                add(new(Token, ("OP", text, start, end, depth, line)))
                depth += 1
            elif kind == "CLOSING":
                if opened:
                    depth -= 1
                    partner = opened.pop()
                    self.partner[partner], self.partner[len(tokens)] = len(tokens), partner
                add(new(Token, ("OP", text, start, end, depth, line)))
        if len(tokens) > line_first:
            self._end_line(line_first, line_start)

    def _end_line(self, first: int, start: int) -> None:
        last, begin = self.tokens[-1], self.tokens[first][2]
        self.lines.append(tuple.__new__(Line, (first, len(self.tokens) - 1, start, last[3], begin - start)))

    def lines_around(self, start: int, end: int, whole: bool) -> tuple[int, int]:
        """Where the logical line of character `start` begins, and where the first one behind character `end` does.

        whole: what is put before `end` ends in a line end, so that a line that begins there stays as it is.
        """
        lines, text = self.lines, self.text
        first = bisect_right(lines, start, key=_START)
        after = (bisect_left if whole else bisect_right)(lines, end, key=_START)
        if first and not (lines[first - 1].end < start and text[start - 1] == "\n"):
            start = lines[first - 1].start  # else it begins between two lines
        return start if first else 0, lines[after].start if after < len(lines) else len(text)

    def tokens_between(self, start: int, end: int) -> int:
        """How many tokens lie in characters [start, end)."""
        first, after = bisect_left(self.tokens, start, key=_START), bisect_right(self.tokens, end, key=_END)
        return max(0, after - first)

    @lazy
    def headers(self) -> list[Header]:
        """Lines that open a block, in order; a one-line block (`if x: y`) counts too."""
        found = []
        for number, line in enumerate(self.lines):
            word = self.tokens[line.first].text
            if word not in BLOCK_WORDS:
                continue
            lambdas = 0
            for index in range(line.first, line.last + 1):
                token = self.tokens[index]
                if token.depth == self.tokens[line.first].depth:
                    if token.text == "lambda":
                        lambdas += 1
                    elif token.text == ":":
                        if not lambdas:
                            found.append(Header(number, word, index))
                            break
                        lambdas -= 1
        return found

    def opens_block(self, header: Header) -> bool:
        """Whether the block of the header stands on lines of its own."""
        return header.colon == self.lines[header.line].last and header.line + 1 < len(self.lines)

    def block(self, header: Header) -> range:
        """Indices of the logical lines inside the header's block (empty for a one-line block)."""
        end = header.line + 1
        while end < len(self.lines) and self.lines[end].indent > self.lines[header.line].indent:
            end += 1
        return range(header.line + 1, end)

    @lazy
    def calls(self) -> list[Call]:
        """Calls in order of their opening bracket (parameters of a `def` and bases of a `class` are not calls)."""
        tokens, found = self.tokens, []
        for index, token in enumerate(tokens):
            if token.text != "(" or not index or index not in self.partner:
                continue
            before = tokens[index - 1]
            if before.kind != "NAME" and before.text not in (")", "]"):
                continue
            if index > 1 and tokens[index - 2].text in ("def", "class"):
                continue
            close = self.partner[index]
            found.append(Call(index, close, tuple(self.arguments_between(index, close))))
        return found

    def arguments_between(self, opening: int, close: int) -> list[tuple[int, int]]:
        arguments, first = [], opening + 1
        depth = self.tokens[opening].depth + 1
        for index in range(opening + 1, close + 1):
            token = self.tokens[index]
            if index == close or (token.text == "," and token.depth == depth):
                if index > first:
                    arguments.append((first, index - 1))
                first = index + 1
        return arguments

    @lazy
    def prints(self) -> list[Call]:
        """Calls of `print` that are statements of their own."""
        tokens, lines = self.tokens, self.lines
        return [
            call
            for call in self.calls
            if tokens[call.open - 1].text == "print"
            and tokens[call.open].depth == 0
            and lines[tokens[call.open].line].last == call.close
            and (call.open < 2 or tokens[call.open - 2].line != tokens[call.open].line
                 or tokens[call.open - 2].text == ":")
        ]  # fmt: skip

    @lazy
    def names(self) -> list[str]:
        """Distinct identifiers in order of first use, without names after a dot."""
        seen: dict[str, None] = {}
        previous = ""
        for token in self.tokens:
            if token.kind == "NAME" and previous != ".":
                seen.setdefault(token.text)
            previous = token.text
        return list(seen)

    @lazy
    def variables(self) -> Variables:
        """Places that read a variable, each with what else is surely bound there, and what is bound at each line."""
        return variables_of(self.text)

    @lazy
    def _captures(self) -> dict[str, list[tree_sitter.Node]]:
        tree = _PARSER.parse(self.text.encode("utf-8", "surrogatepass"))
        self._sorted: set[str] = set()
        return tree_sitter.QueryCursor(_QUERY).captures(tree.root_node)

    @lazy
    def _characters(self) -> list[int] | None:
        """Byte offset -> character offset, or None where both are the same."""
        if self.text.isascii():
            return None
        offsets: list[int] = []
        for index, character in enumerate(self.text):
            offsets.extend([index] * len(character.encode("utf-8", "surrogatepass")))
        return [*offsets, len(self.text)]

    def site(self, node: tree_sitter.Node) -> Site:
        """The node with its span in characters."""
        table = self._characters
        if table is None:
            return Site(node.start_byte, node.end_byte, node)
        return Site(table[node.start_byte], table[node.end_byte], node)

    def nodes(self, *types: str) -> list[tree_sitter.Node]:
        """All nodes of these types (of those the query captures), in order of the text per type."""
        captures = self._captures
        for name in types:
            if name in captures and name not in self._sorted:
                captures[name].sort(key=lambda n: (n.start_byte, -n.end_byte))
                self._sorted.add(name)
        return [node for name in types for node in captures.get(name, ())]

    def token_at(self, start: int) -> int:
        """Index of the token that begins at a character."""
        return bisect_left(self.tokens, start, key=_START)

    def of(self, node: tree_sitter.Node) -> str:
        """The node's text."""
        site = self.site(node)
        return self.text[site.start : site.end]
