"""Indentation and line ends: too much, too little, mixed, lines joined or broken, bodies missing."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import BLOCK_WORDS, ParsedCode

_HEADERS = ("if", "for", "while", "def", "class", "try", "with")


@register(
    "unexpected_indent",
    "syntax",
    "a line, or a statement with its block, indented deeper than its block",
    "x = 1\ny = 2",
    "x = 1\n    y = 2",
)
def unexpected_indent(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    lines = source.lines
    for number in shuffled(range(len(lines)), rng):
        more = rng.choice(("    ", "    ", " ", " ", "  ", "\t", "   "))
        last = number + 1
        while last < len(lines) and lines[last].indent > lines[number].indent:
            last += 1
        if last - number > 7 or rng.random() < 0.6:
            last = number + 1  # the line without its block
        yield Mutation(tuple(Splice(line.start, line.start, more) for line in lines[number:last]))


@register("indented_rest", "syntax",
          "all lines but the first, or all, carry an indentation from where they were copied",
          "import os\nx = os.sep", "import os\n    x = os.sep")  # fmt: skip
def indented_rest(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    lines = source.lines
    more = rng.choice(("    ", "    ", "  ", "\t", " ", "        "))
    firsts = [0, 0, 1]
    for first in shuffled(firsts, rng):
        if 1 <= len(lines) - first <= 7:
            yield Mutation(tuple(Splice(line.start, line.start, more) for line in lines[first:]))


@register(
    "missing_indent",
    "syntax",
    "the body of a block is not indented",
    "if x:\n    go()",
    "if x:\ngo()",
    _HEADERS,
)
def missing_indent(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header in shuffled(source.headers, rng):
        if not source.opens_block(header):
            continue
        outer = source.lines[header.line].indent
        block = source.block(header)
        whole = len(block) <= 6 and (len(block) == 1 or rng.random() < 0.6)
        chosen = block if whole else block[:1]
        step = source.lines[block[0]].indent - outer
        if step > 0:
            yield Mutation(
                tuple(Splice(source.lines[n].start, source.lines[n].start + step, "") for n in chosen)
            )


@register("wrong_dedent", "syntax", "a line indented less than its block, to a depth that no block has",
          "def f():\n    a()\n    b()", "def f():\n    a()\n  b()")  # fmt: skip
def wrong_dedent(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for number in shuffled(range(1, len(source.lines)), rng):
        line = source.lines[number]
        if line.indent >= 2:
            less = rng.randrange(1, min(line.indent, 4))
            yield replace(line.start, line.start + less, "")


@register("lost_indent", "syntax",
          "a line inside a block starts at an outer level, and what follows does not fit",
          "if a:\n    x()\n    y()\nelse:\n    z()", "if a:\n    x()\ny()\nelse:\n    z()",
          _HEADERS)  # fmt: skip
def lost_indent(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for number in shuffled(range(1, len(source.lines)), rng):
        line = source.lines[number]
        outer = sorted({other.indent for other in source.lines[:number] if other.indent < line.indent})
        if outer:
            yield replace(line.start, line.start + line.indent - rng.choice(outer), "")


def _retabbed(source: ParsedCode, number: int, old: str, new: str) -> Splice:
    """The line's indentation with `new` for `old` at its start."""
    line = source.lines[number]
    return Splice(line.start, line.start + len(old), new)


@register("mixed_tabs", "syntax", "a tab in place of a block's spaces", "def f():\n    a()\n    b()",
          "def f():\n    a()\n\tb()", _HEADERS)  # fmt: skip
def mixed_tabs(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for number in shuffled(range(1, len(source.lines)), rng):
        line = source.lines[number]
        if source.lines[number - 1].indent != line.indent:
            continue  # alone in its block it would only differ in spacing
        indent = source.text[line.start : line.start + line.indent]
        if indent and not indent.strip(" "):
            tabs = max(1, len(indent) // 4)
            new = "\t" * tabs if rng.random() < 0.7 else "    " * (tabs - 1) + "\t"
        elif indent and not indent.strip("\t"):
            new = "    " * len(indent)
        else:
            continue
        if len(new.expandtabs(8)) != len(indent.expandtabs(8)):
            last = number + 1
            while (
                rng.random() < 0.7 and last < len(source.lines) and source.lines[last].indent >= line.indent
            ):
                last += 1  # mostly a run of lines was typed or pasted
            yield Mutation(tuple(_retabbed(source, n, indent, new) for n in range(number, last)))


@register("missing_body", "syntax", "a block with nothing in it", "def f():\n    pass", "def f():", _HEADERS)
def missing_body(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens, text = source.tokens, source.text
    for header in shuffled(source.headers, rng):
        if not source.opens_block(header):
            continue
        block = source.block(header)
        first, last = source.lines[block[0]], source.lines[block[-1]]
        start = tokens[header.colon].end
        indent = text[first.start : first.start + first.indent]
        note = (
            ""
            if rng.random() < 0.7
            else f"\n{indent}# {rng.choice(('TODO', 'do something', 'code here', '...'))}"
        )
        yield Mutation((Splice(start, last.end, note),), (Splice(start, last.end, f"{note}\n{indent}pass"),))


@register("joined_lines", "syntax", "two statements on one line", "x = 1\ny = 2", "x = 1 y = 2")
def joined_lines(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    lines, tokens, text = source.lines, source.tokens, source.text
    for number in shuffled(range(1, len(lines)), rng):
        before, line = lines[number - 1], lines[number]
        end, start = before.end, tokens[line.first].start
        if text[end : line.start].strip(" \t") != "\n":
            continue
        header = tokens[before.last].text == ":" and tokens[before.first].text in BLOCK_WORDS
        if header and tokens[line.first].text not in BLOCK_WORDS:
            continue
        if header or before.indent >= line.indent:
            yield replace(end, start, " " if rng.random() < 0.85 else ", ")


@register(
    "broken_line",
    "syntax",
    "a statement broken over two lines without brackets or backslash",
    "total = first_part + second_part",
    "total = first_part +\n    second_part",
)
def broken_line(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens, text = source.tokens, source.text
    for index in shuffled(range(1, len(tokens)), rng):
        before, token = tokens[index - 1], tokens[index]
        if before.line != token.line:
            continue
        gap = text[before.end : token.start]
        line = source.lines[token.line]
        indent = text[line.start : line.start + line.indent]
        if "\\" in gap:
            place = before.end + gap.index("\\")
            yield replace(place, place + 1, "")
        elif token.text == "." and before.text == ")" and not token.depth and not gap:
            more = f"\n{indent}    "  # a chain of calls: the lines stay as they are
            yield Mutation(
                (Splice(token.start, token.start, more),), (Splice(token.start, token.start, " \\" + more),)
            )
        elif (
            token.depth == 0
            and gap
            and "\n" not in gap
            and index - line.first >= 2
            and token.start - line.start > 20
        ):
            yield replace(before.end, token.start, "\n" + rng.choice((indent, indent, indent + "    ", "")))


@register("extra_block_line", "syntax", "a block's header that stands before a line that is not its body",
          "x = 1\ny = 2", "x = 1\ntry:\ny = 2")  # fmt: skip
def extra_block_line(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for line in shuffled(source.lines, rng):
        indent = source.text[line.start : line.start + line.indent]
        new = rng.choice(
            (
                "try:",
                "else:",
                "except:",
                "finally:",
                "while True:",
                "if True:",
                "def main():",
                "except Exception as e:",
            )
        )
        yield replace(line.start, line.start, f"{indent}{new}\n")


@register("try_without_except", "syntax", "a `try` whose `except` is missing",
          "try:\n    a()\nexcept ValueError:\n    b()", "try:\n    a()", ("except",),
          places=0.12)  # fmt: skip
def try_without_except(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header in shuffled([h for h in source.headers if h.word == "except" and source.opens_block(h)], rng):
        line, last = source.lines[header.line], source.lines[source.block(header)[-1]]
        indent = source.text[line.start : line.start + line.indent]
        before = source.lines[header.line - 1].end
        plain = f"\n{indent}except Exception:\n{indent}    pass"
        yield Mutation((Splice(before, last.end, ""),), (Splice(before, last.end, plain),))


_JUMPS = frozenset(("return", "break", "continue", "raise"))
_BRANCHES = frozenset(("elif", "else", "except", "finally"))
_AFTER = _BRANCHES | {"def", "class", "@"}


@register("flat_block", "syntax", "all lines of a block of several levels at the level of its header",
          "for x in xs:\n    if x:\n        go(x)", "for x in xs:\nif x:\ngo(x)", _HEADERS, places=0.18)  # fmt: skip
def flat_block(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Contract: words tell where each inner block ends: a branch that follows, a jump, or the end of the outer one."""
    lines, tokens = source.lines, source.tokens
    for header in shuffled(source.headers, rng):
        block = source.block(header)
        level = lines[header.line].indent
        if not 2 <= len(block) <= 14 or not source.opens_block(header):
            continue
        if all(lines[n].indent == lines[block[0]].indent for n in block):
            continue  # what `missing_indent` makes
        after = block[-1] + 1
        if (
            after < len(lines)
            and tokens[lines[after].first].text not in _AFTER
            and not _leaves(source, after)
        ):
            continue
        ends = [n for n in block[1:] if lines[n].indent < lines[n - 1].indent]
        if all(tokens[lines[n].first].text in _BRANCHES or _leaves(source, n) for n in ends):
            yield Mutation(
                tuple(Splice(lines[n].start + level, lines[n].start + lines[n].indent, "") for n in block)
            )


def _leaves(source: ParsedCode, number: int) -> bool:
    """Whether the line before jumps away, and this one is one level further out."""
    lines, before = source.lines, number - 1
    if source.tokens[lines[before].first].text not in _JUMPS:
        return False
    outer = next((n for n in range(before, -1, -1) if lines[n].indent < lines[before].indent), before)
    return lines[number].indent == lines[outer].indent
