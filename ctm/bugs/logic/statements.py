"""Wrong statements: dropped `return` or `await`, wrong jumps, wrong order or level, a chain cut in two."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import ASSIGNS, binds, block_around, leaves, loop_around, reads
from ctm.bugs.static_analysis.source import BLOCK_WORDS, Header, Line, ParsedCode

_NO_MOVE = frozenset(("return", "raise", "break", "continue", "import", "from", "global", "nonlocal", "pass"))


def _words(source: ParsedCode, line: Line) -> list[str]:
    return [source.tokens[i].text for i in range(line.first, line.last + 1)]


def _simple(source: ParsedCode, line: Line) -> bool:
    """Whether the line is a statement of its own: no header, no decorator."""
    return source.tokens[line.first].text not in BLOCK_WORDS and source.tokens[line.first].text != "@"


@register(
    "dropped_return",
    "logic",
    "`return` is missing, or what it returns",
    "def f():\n    return g()",
    "def f():\n    g()",
    ("return",),
    places=0.31,
)
def dropped_return(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "return"], rng):
        token = tokens[index]
        if index + 1 < len(tokens) and tokens[index + 1].line == token.line:
            last = source.lines[token.line].last
            if rng.random() < 0.75 or tokens[last].end - token.end > 40:
                yield replace(token.start, tokens[index + 1].start, "")
            else:
                yield replace(token.end, tokens[last].end, "")


@register(
    "dropped_await",
    "logic",
    "`await` is missing",
    "async def f():\n    await g()",
    "async def f():\n    g()",
    ("await",),
    places=0.01,
)
def dropped_await(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "await"], rng):
        yield replace(tokens[index].start, tokens[index + 1].start, "")


@register("wrong_jump", "logic", "`continue` or `pass` where the loop should end, `pass` where the round should",
          "while True:\n    if go():\n        break", "while True:\n    if go():\n        continue",
          ("break", "continue"), places=0.02)  # fmt: skip
def wrong_jump(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A jump that does nothing, or a loop without an end.

    Contract: `break` becomes `continue` or `pass` where it ends the last statement of its loop's block, behind
    something called or counted that happens again then, or where nothing else ends a `while True`; `continue`, alone in
    its block, becomes `pass` where statements of a `for` follow in the same round.
    """
    lines, tokens = source.lines, source.tokens
    found = [n for n, line in enumerate(lines) if tokens[line.first].text in ("break", "continue")]
    for number in shuffled(found, rng):
        token, loop = tokens[lines[number].first], loop_around(source, number)
        if loop is None:
            continue
        body = source.block(loop)
        is_last = number == body[-1]
        alone = lines[number - 1].indent < lines[number].indent
        endless = loop.word == "while" and _words(source, lines[loop.line]) == ["while", "True", ":"]
        if token.text == "break":
            ends = [n for n in body if tokens[lines[n].first].text in ("break", "return", "raise")]
            if (is_last and _does_more(source, number)) or (endless and ends == [number]):
                yield replace(token.start, token.end, rng.choice(("continue", "pass")))
        elif alone and not is_last and loop.word == "for":
            yield replace(token.start, token.end, "pass")


def _does_more(source: ParsedCode, number: int) -> bool:
    """Whether the statements before line `number` in its block call or count, so that once more is not once."""
    lines, tokens = source.lines, source.tokens
    above = number - 1
    while above >= 0 and lines[above].indent >= lines[number].indent:
        line = lines[above]
        if any(
            t.text == "(" or (t.text in ASSIGNS and t.text != "=") for t in tokens[line.first : line.last + 1]
        ):
            return True
        above -= 1
    return False


@register(
    "wrong_order",
    "logic",
    "a statement before the one that it depends on",
    "n = f()\ng(n)",
    "g(n)\nn = f()",
    places=0.23,
)
def wrong_order(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Two statements in the wrong order.

    Contract: the first one assigns a name that the second one reads.
    """
    lines, tokens, text = source.lines, source.tokens, source.text
    for number in shuffled(range(1, len(lines)), rng):
        first, second = lines[number - 1], lines[number]
        if first.indent != second.indent or not (_simple(source, first) and _simple(source, second)):
            continue
        words, later = _words(source, first), _words(source, second)
        if later[0] in _NO_MOVE or len(words) + len(later) > 40 or len(words) < 2:
            continue
        needed = not binds(source, number - 1).isdisjoint(reads(source, number))
        if needed and "=" in words and text[first.end : second.start].strip() == "":
            a, b = text[tokens[first.first].start : first.end], text[tokens[second.first].start : second.end]
            if a != b:
                yield Mutation(
                    (
                        Splice(tokens[first.first].start, first.end, b),
                        Splice(tokens[second.first].start, second.end, a),
                    )
                )


@register("wrong_level", "logic", "a statement one block too deep or too shallow",
          "def f(xs, n):\n    for x in xs:\n        n += x\n    return n",
          "def f(xs, n):\n    for x in xs:\n        n += x\n        return n",
          ("for", "while", "if", "with", "try", "else"), places=0.25)  # fmt: skip
def wrong_level(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A statement at a wrong depth.

    Contract: too deep, it stands behind a `return`, `raise`, `break` or `continue` and is never reached, or it is a
    `return` of what the loop collects and ends the first round; too shallow, it reads a name that only the block
    that it left assigns.
    """
    lines, text = source.lines, source.text
    for number in shuffled(range(1, len(lines)), rng):
        before, line = lines[number - 1], lines[number]
        if not _simple(source, line) or text.count("\n", line.start, line.end) > 0:
            continue
        after = lines[number + 1] if number + 1 < len(lines) else None
        if before.indent > line.indent:
            deeper = text[before.start : before.start + before.indent]
            if leaves(source, number - 1) or _ends_first_round(source, number):
                yield replace(line.start, line.start + line.indent, deeper)
        elif before.indent == line.indent and line.indent and (after is None or after.indent < line.indent):
            if source.tokens[line.first].text in ("break", "continue", "return"):
                continue
            outer = [other for other in lines[:number] if other.indent < line.indent]
            head = source.tokens[outer[-1].first].text if outer else "def"
            if head not in ("def", "class", "async") and _bound_only_inside(source, number):
                yield replace(
                    line.start,
                    line.start + line.indent,
                    text[outer[-1].start : outer[-1].start + outer[-1].indent],
                )


def _ends_first_round(source: ParsedCode, number: int) -> bool:
    """Whether the line returns a name that the `for` loop right before it changes in its own block."""
    before, line = source.lines[number - 1], source.lines[number]
    words, loop = _words(source, line), loop_around(source, number - 1)
    if words[0] != "return" or len(words) != 2 or loop is None or loop.word != "for":
        return False
    head = source.lines[loop.line]
    if (
        head.indent != line.indent
        or block_around(source, number - 1) != loop.line
        or before.indent <= line.indent
    ):
        return False
    return any(
        _words(source, source.lines[n])[:2] in ([words[1], "+="], [words[1], "["], [words[1], "."])
        for n in source.block(loop)
    )


def _bound_only_inside(source: ParsedCode, number: int) -> bool:
    """Whether the line reads a name that lines before it in its block assign and nothing before the block does."""
    head = block_around(source, number)
    inside = [n for n in range(head + 1, number) if source.lines[n].indent == source.lines[number].indent]
    names = frozenset().union(*(binds(source, n) for n in inside)) & reads(source, number)
    start = source.tokens[source.lines[head].first].start
    known = {token.text for token in source.tokens if token.start < start}
    return any(name not in known and "." not in name for name in names)


@register(
    "if_for_elif",
    "logic",
    "`if` for `elif` or for `while`",
    "while x:\n    x = go(x)",
    "if x:\n    x = go(x)",
    ("elif", "while"),
    places=0.02,
)
def if_for_elif(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """A chain of conditions cut in two, or a loop that runs once.

    Contract: the `elif` belongs to a chain that ends in `else`, which now runs after earlier branches too, of which
    none leaves the function or the round or assigns what the condition reads; the `while` has a block that assigns a
    name of its condition.
    """
    lines = source.lines
    for header in shuffled(source.headers, rng):
        token = source.tokens[lines[header.line].first]
        if header.word == "while":
            asked = reads(source, header.line)
            if any(not asked.isdisjoint(binds(source, n)) for n in source.block(header)):
                yield replace(token.start, token.end, "if")
        elif header.word == "elif" and _runs_on(source, header):
            yield replace(token.start, token.end, "if")


def _runs_on(source: ParsedCode, header: Header) -> bool:
    """Whether a chain has an `else` behind this `elif`, and no branch before it that leaves."""
    lines, tokens = source.lines, source.tokens
    indent, number, asked = lines[header.line].indent, header.line, reads(source, header.line)
    after = next((n for n in range(number + 1, len(lines)) if lines[n].indent <= indent), -1)
    while after > 0 and lines[after].indent == indent and tokens[lines[after].first].text == "elif":
        after = next((n for n in range(after + 1, len(lines)) if lines[n].indent <= indent), -1)
    if after < 0 or lines[after].indent < indent or tokens[lines[after].first].text != "else":
        return False
    for n in range(number - 1, -1, -1):
        if lines[n].indent == indent:
            if tokens[lines[n].first].text == "if":
                return True
        elif leaves(source, n) or lines[n].indent < indent or not asked.isdisjoint(binds(source, n)):
            return False
    return False
