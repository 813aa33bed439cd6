"""Python 2: all of its statements in a text at once, since a text that has one has them all."""

from __future__ import annotations

import re
from collections.abc import Iterator

from ctm.repair.rewrites.broken import CLOSING, OPENING, Broken, CodeToken, Splice
from ctm.repair.rewrites.registry import rewrite

_MESSAGE = r"Missing parentheses|multiple exception|leading zeros|invalid (syntax|decimal|octal|hexadecimal)"
_INTEGER = re.compile(r"0[xXoObB][0-9a-fA-F]+|\d+")
_OCTAL = re.compile(r"0+([0-7]+)\Z")
_RAW = re.compile(r"[uU][rR](?=[\"'])")


@rewrite(
    -0.3,
    "print 'a', b\ntry:\n    f()\nexcept E, e:\n    pass",
    "print('a', b)\ntry:\n    f()\nexcept E as e:\n    pass",
    _MESSAGE,
)
def python_2(broken: Broken) -> Iterator[str]:
    """Statements and literals of Python 2 become those of Python 3, in the whole text."""
    splices = [*_literals(broken)]
    ends: list[Splice] = []
    for statement in broken.statements():
        for part in _parts(statement):
            done, end = _statement(broken, part)
            splices += done
            ends += end
    if splices or ends:
        yield broken.spliced([*splices, *ends])
    if ends:  # `print x,` stays on its line; most who port it do not mind
        yield broken.spliced([*splices, *((start, stop, ")") for start, stop, _ in ends)])


@rewrite(-0.8, "print 'a'", "print('a')", "Missing parentheses in call to 'print'")
def print_of_this_line(broken: Broken) -> Iterator[str]:
    """The print statement that the compiler names gets its parentheses."""
    for statement in broken.statements():
        for part in _parts(statement):
            if broken.line_of(part[0].start) == broken.line:
                splices, ends = _statement(broken, part)
                if splices or ends:
                    yield broken.spliced([*splices, *((start, stop, ")") for start, stop, _ in ends)])


def _parts(statement: list[CodeToken]) -> Iterator[list[CodeToken]]:
    """The simple statements of a logical line: behind `;` and behind the colon of a block."""
    depth, part = 0, []  # type: tuple[int, list[CodeToken]]
    lambdas = 0
    for token in statement:
        depth += (token.text in OPENING) - (token.text in CLOSING)
        lambdas += token.text == "lambda"
        if depth == 0 and token.text == ";":
            yield from [part] if part else []
            part = []
            continue
        part.append(token)
        if depth == 0 and token.text == ":" and not lambdas and part[0].text != "print":
            yield part
            part = []
        elif token.text == ":" and lambdas:
            lambdas -= 1
    if part:
        yield part


def _statement(broken: Broken, part: list[CodeToken]) -> tuple[list[Splice], list[Splice]]:
    """Splices that make Python 3 of a simple statement, and those of a trailing comma of print."""
    first, rest = part[0], part[1:]
    if first.text == "print":
        return _print(broken, first, rest)
    if first.text == "exec" and rest and rest[0].text not in ("(", "=", ".", ","):
        words = [token for token in rest if token.text == "in"]
        inner = [(rest[rest.index(word) - 1].end, word.end, ",") for word in words[:1] if word is not rest[0]]
        return [(first.end, rest[0].start, "("), *inner, (rest[-1].end, rest[-1].end, ")")], []
    if first.text == "raise" and (commas := _outer(rest, ",")):
        comma = commas[0]
        number = rest.index(comma)
        value = rest[number + 1 :]
        if value and number:
            end = commas[1].start if len(commas) > 1 else value[-1].end
            return [(comma.start, value[0].start, "("), (end, value[-1].end, ")")], []
    if first.text == "except" and part[-1].text == ":" and len(part) > 3 and not _outer(rest, "as"):
        commas = _outer(rest, ",")
        name = part[-2]
        if len(commas) == 1 and name.is_name and rest.index(commas[0]) == len(rest) - 3:
            return [(commas[0].start, name.start, " as ")], []
    return [], []


def _print(broken: Broken, first: CodeToken, rest: list[CodeToken]) -> tuple[list[Splice], list[Splice]]:
    if not rest:
        return [(first.end, first.end, "()")], []
    if rest[0].text == "(" and _is_call(rest, rest[0].start == first.end):
        return [], []
    if rest[0].text in ("=", ".", ",", ")", ":", "+=", "*", "/", "%"):  # print is a name here
        return [], []
    splices: list[Splice] = [(first.end, rest[0].start, "(")]
    end, file = rest[-1].end, ""
    if rest[0].text == ">>":
        commas = _outer(rest, ",")
        stop = commas[0].start if commas else end
        file = broken.text[rest[1].start : stop] if len(rest) > 1 else ""
        behind = commas[0].end if commas else end
        gap = len(broken.text[behind:end]) - len(broken.text[behind:end].lstrip())
        splices = [(first.end, behind + gap, "(")]
    if rest[-1].text == "," and not file:
        return splices, [(rest[-1].start, end, ', end=" ")')]
    comma = ", " if end > splices[0][1] else ""
    return [*splices, (end, end, f"{comma}file={file})" if file else ")")], []


def _is_call(rest: list[CodeToken], touches: bool) -> bool:
    """Whether `print` is followed by one pair of brackets and nothing else: a call already.

    Brackets that touch it are those of a call in front of a word, too: `print(a) if b else None`.
    """
    depth = 0
    for number, token in enumerate(rest):
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if depth == 0:
            return number == len(rest) - 1 or (touches and rest[number + 1].is_name)
    return True


def _outer(tokens: list[CodeToken], text: str) -> list[CodeToken]:
    """Tokens of that text outside of brackets."""
    depth, found = 0, []  # type: tuple[int, list[CodeToken]]
    for token in tokens:
        depth += (token.text in OPENING) - (token.text in CLOSING)
        if depth == 0 and token.text == text:
            found.append(token)
    return found


def _literals(broken: Broken) -> Iterator[Splice]:
    tokens = [token for token in broken.tokens if not token.is_newline]
    for number, token in enumerate(tokens):
        behind = tokens[number + 1] if number + 1 < len(tokens) else None
        touches = behind is not None and behind.start == token.end
        if token.text == "<" and touches and behind is not None and behind.text == ">":
            yield token.start, behind.end, "!="
        if _INTEGER.fullmatch(token.text) and touches and behind is not None and behind.text in ("l", "L"):
            yield behind.start, behind.end, ""
        if (match := _OCTAL.match(token.text)) and "leading zeros" in broken.message:
            yield token.start, token.end, f"0o{match[1]}"
        elif (match := _RAW.match(token.text)) or (
            token.text in ("ur", "UR", "uR", "Ur")
            and touches
            and behind is not None
            and behind.text[0] in "\"'"
        ):
            yield token.start, token.start + 1, ""
    ticks = [token for token in tokens if token.text == "`"]
    if len(ticks) % 2 == 0:
        for left, right in zip(ticks[::2], ticks[1::2], strict=True):
            yield left.start, left.end, "repr("
            yield right.start, right.end, ")"
