"""Wrong statements: dropped `return`, `await` or `break`, wrong order or level, a mutable default."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Candidate, Splice, register, replace, shuffled
from ctm.bugs.source import BLOCK_WORDS, Line, Source


def _words(source: Source, line: Line) -> list[str]:
    return [source.tokens[i].text for i in range(line.first, line.last + 1)]


def _simple(source: Source, line: Line) -> bool:
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
def dropped_return(source: Source, rng: Random) -> Iterator[Candidate]:
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
def dropped_await(source: Source, rng: Random) -> Iterator[Candidate]:
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.text == "await"], rng):
        yield replace(tokens[index].start, tokens[index + 1].start, "")


@register("wrong_jump", "logic", "`break` for `continue`, `pass` for either, or the reverse",
          "for x in xs:\n    break", "for x in xs:\n    continue", ("break", "continue"),
          places=0.03)  # fmt: skip
def wrong_jump(source: Source, rng: Random) -> Iterator[Candidate]:
    for token in shuffled([t for t in source.tokens if t.text in ("break", "continue")], rng):
        yield replace(
            token.start, token.end, rng.choice(("continue" if token.text == "break" else "break", "pass"))
        )


@register(
    "wrong_order",
    "logic",
    "a statement before the one that it depends on",
    "n = f()\ng(n)",
    "g(n)\nn = f()",
    places=0.17,
)
def wrong_order(source: Source, rng: Random) -> Iterator[Candidate]:
    lines, tokens, text = source.lines, source.tokens, source.text
    for number in shuffled(range(1, len(lines)), rng):
        first, second = lines[number - 1], lines[number]
        if first.indent != second.indent or not (_simple(source, first) and _simple(source, second)):
            continue
        words, later = _words(source, first), _words(source, second)
        if later[0] in (
            "return",
            "raise",
            "break",
            "continue",
            "import",
            "from",
            "global",
            "nonlocal",
            "pass",
        ):
            continue
        if len(words) + len(later) > 40 or len(words) < 2:
            continue
        bound = words[0] if tokens[first.first].kind == "NAME" else ""
        # the later one uses what the first one binds or changes
        if (
            bound
            and bound not in ("self", "print")
            and bound in later
            and text[first.end : second.start].strip() == ""
        ):
            a, b = text[tokens[first.first].start : first.end], text[tokens[second.first].start : second.end]
            if a != b:
                yield Candidate(
                    (
                        Splice(tokens[first.first].start, first.end, b),
                        Splice(tokens[second.first].start, second.end, a),
                    )
                )


@register("wrong_level", "logic", "a statement one block too deep or too shallow",
          "for x in xs:\n    n += x\nprint(n)", "for x in xs:\n    n += x\n    print(n)", ("for", "while",
          "if", "with", "try", "else"), places=0.48)  # fmt: skip
def wrong_level(source: Source, rng: Random) -> Iterator[Candidate]:
    lines, text = source.lines, source.text
    for number in shuffled(range(1, len(lines)), rng):
        before, line = lines[number - 1], lines[number]
        if not _simple(source, line) or text.count("\n", line.start, line.end) > 0:
            continue
        after = lines[number + 1] if number + 1 < len(lines) else None
        if before.indent > line.indent:
            deeper = text[before.start : before.start + before.indent]
            yield replace(line.start, line.start + line.indent, deeper)
        elif before.indent == line.indent and line.indent and (after is None or after.indent < line.indent):
            if source.tokens[line.first].text in ("break", "continue", "return"):
                continue
            outer = [other for other in lines[:number] if other.indent < line.indent]
            if outer and source.tokens[outer[-1].first].text not in ("def", "class", "async"):
                yield replace(
                    line.start,
                    line.start + line.indent,
                    text[outer[-1].start : outer[-1].start + outer[-1].indent],
                )


@register("mutable_default", "logic", "a mutable default of a parameter", "def f(xs=None):\n    return xs",
          "def f(xs=[]):\n    return xs", ("def",), places=0.05)  # fmt: skip
def mutable_default(source: Source, rng: Random) -> Iterator[Candidate]:
    for node in shuffled(source.nodes("default_parameter", "typed_default_parameter"), rng):
        value = node.child_by_field_name("value")
        if value is not None and (value.type == "none" or source.of(value) == "()"):
            site = source.site(value)
            yield replace(site.start, site.end, rng.choice(("[]", "{}", "[]", "set()", "list()")))


@register(
    "if_for_elif",
    "logic",
    "`if` for `elif`, `if` for `while`, or the reverse",
    "while x:\n    go()",
    "if x:\n    go()",
    ("elif", "while"),
    places=0.2,
)
def if_for_elif(source: Source, rng: Random) -> Iterator[Candidate]:
    for header in shuffled(source.headers, rng):
        if header.word in ("elif", "while"):
            token = source.tokens[source.lines[header.line].first]
            yield replace(token.start, token.end, "if")
