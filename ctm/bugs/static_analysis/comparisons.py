"""Evidence about comparisons: does the snippet show the direction, and whether the bound is included?

Two variables with a sign between them show nothing: `if a < b: go()` is as good as `if a > b: go()`. What shows the
way is a loop that counts towards the bound, a length, a second comparison of the same value, or what is done about it.
"""

from __future__ import annotations

import re

from ctm.bugs.static_analysis.evidence import binds, leaves
from ctm.bugs.static_analysis.source import ParsedCode

_LESS, _MORE = ("<", "<="), (">", ">=")
_EQUAL = ("==", "!=")
_SIGNS = (*_LESS, *_MORE, *_EQUAL)
_ENDS = frozenset(("if", "elif", "while", "and", "or", "not", "assert", "return", "else", "for", "in", "is", "lambda",
                   "yield", "=", ",", ":", ":=", ";", *_SIGNS))  # fmt: skip
_PARTS = _ENDS - {"and", "or", "not", *_SIGNS}
_LOW = re.compile(
    r"negative|must be positive|at least|minimum|below|too (?:small|short|few|low|little|old)", re.IGNORECASE
)
_HIGH = re.compile(r"at most|maximum|above|exceed|too (?:large|big|long|many|high|much)", re.IGNORECASE)
_LARGEST = re.compile(
    r"(?:^|_)(?:max\w*|largest|biggest|longest|highest|greatest|latest)(?:$|_)", re.IGNORECASE
)
_SMALLEST = re.compile(
    r"(?:^|_)(?:min|minimum|smallest|shortest|lowest|least|earliest)(?:$|_)", re.IGNORECASE
)
_MEASURES = re.compile(r"len\(.*\)|.*\.(?:shape|ndim|size|dtype)(?:\[\d\])?")


def operand(source: ParsedCode, index: int, step: int) -> str:
    """The operand before (step -1) or behind (1) the sign at token `index`."""
    tokens, sign = source.tokens, source.tokens[index]
    line = source.lines[sign.line]
    at = index + step
    while line.first <= at <= line.last and tokens[at].depth >= sign.depth:
        if tokens[at].depth == sign.depth and tokens[at].text in _ENDS:
            break
        at += step
    first, last = sorted((index + step, at - step))
    return source.text[tokens[first].start : tokens[last].end] if first <= last else ""


def direction_shows(source: ParsedCode, index: int) -> bool:
    """Whether the snippet tells the comparison at token `index` from its opposite."""
    if source.tokens[index].text in _EQUAL:
        return _equality_shows(source, index)
    return bound_shows(source, index) or _order_shows(source, index)


def bound_shows(source: ParsedCode, index: int) -> bool:
    """Whether the snippet tells `<` from `<=`, or `>` from `>=`, at a place."""
    tokens = source.tokens
    sign, line = tokens[index].text, source.lines[tokens[index].line]
    left, right = tokens[index - 1], [t.text for t in tokens[index + 1 : index + 5]]
    after = right[1] if len(right) > 1 else ""
    if sign == "<" and right[:2] == ["len", "("] and right[3:4] == [")"]:
        return f"{right[2]}[{left.text}]" in source.text
    if sign == ">" and right[0] == "0" and left.text == ")" and after in (":", ")", "and", "or", ""):
        return tokens[source.partner.get(index - 1, 1) - 1].text == "len"
    alike = [
        i
        for i in range(line.first + 1, line.last)
        if tokens[i].text == sign
        and tokens[i + 1].text == right[0]
        and tokens[i].depth == tokens[index].depth
        and (i == index or _joined(source, i, index))
    ]
    return len(alike) > 1 and after not in (".", "(", "[", "+", "-", "*", "/")


def _order_shows(source: ParsedCode, index: int) -> bool:
    tokens = source.tokens
    less = tokens[index].text in _LESS
    left, right = operand(source, index, -1), operand(source, index, 1)
    line = source.lines[tokens[index].line]
    word = tokens[line.first].text
    if not left or not right:
        return False
    for other, is_less, a, b in _others(source, index):
        if is_less == less and (b == left or a == right) and other != index:
            return True  # a < x < b, or a < x and x < b
        if is_less != less and a == left and b != right:
            return True  # x > a and x < b
    if word == "while" and (_counts(source, index, left, less) or _counts(source, index, right, not less)):
        return True
    if word not in ("if", "elif") or tokens[index].depth:
        return False
    body = tokens[index].line + 1
    if body >= len(source.lines) or source.lines[body].indent <= line.indent:
        return False
    done = source.text[source.tokens[source.lines[body].first].start : source.lines[body].end]
    alone = source.text[tokens[line.first + 1].start : tokens[index].start].strip() == left
    for new, old, points_up in ((left, right, not less), (right, left, less)):
        if alone and done == f"{old} = {new}":
            return bool((_LARGEST if points_up else _SMALLEST).search(old))
    if tokens[source.lines[body].first].text == "raise":
        return bool((_LOW if less else _HIGH).search(done)) and not (_HIGH if less else _LOW).search(done)
    item = re.fullmatch(r"len\((\w+)\)", right)
    beyond = item and tokens[index].text == ">=" and leaves(source, body)
    return bool(beyond and item and f"{item[1]}[{left}]" in source.text[line.end :])


def _others(source: ParsedCode, index: int) -> list[tuple[int, bool, str, str]]:
    """Other order comparisons of the same line and depth that `and` or `or` joins: token, is it `<`, both operands."""
    tokens = source.tokens
    line = source.lines[tokens[index].line]
    return [
        (i, tokens[i].text in _LESS, operand(source, i, -1), operand(source, i, 1))
        for i in range(line.first, line.last)
        if i != index
        and tokens[i].text in (*_LESS, *_MORE)
        and tokens[i].depth == tokens[index].depth
        and _joined(source, i, index)
    ]


def _joined(source: ParsedCode, one: int, other: int) -> bool:
    """Whether two signs of one depth belong to one chain, or to one condition of `and` or `or`."""
    first, last = sorted((one, other))
    tokens, depth = source.tokens[first + 1 : last], source.tokens[one].depth
    return all(t.depth >= depth and (t.depth > depth or t.text not in _PARTS) for t in tokens)


def _counts(source: ParsedCode, index: int, name: str, up: bool) -> bool:
    """Whether the block of the `while` at token `index` moves `name` up or down, and moves it no other way."""
    number = source.tokens[index].line
    head = next((header for header in source.headers if header.line == number), None)
    if head is None or not re.fullmatch(r"(?:self\.)?\w+", name):
        return False
    lines = [source.lines[n] for n in source.block(head) if name in binds(source, n)]
    moves = [source.text[source.tokens[line.first].start : line.end] for line in lines]
    return bool(moves) and all(move.startswith(f"{name} {'+' if up else '-'}= ") for move in moves)


def _equality_shows(source: ParsedCode, index: int) -> bool:
    tokens, sign = source.tokens, source.tokens[index].text
    left, right = operand(source, index, -1), operand(source, index, 1)
    number = tokens[index].line
    line = source.lines[number]
    word = tokens[line.first].text
    if left == "__name__":
        return sign == "=="
    joined = "or" if sign == "==" else "and"
    if _literal(right) and any(
        tokens[i].text == sign
        and tokens[i].depth == tokens[index].depth
        and operand(source, i, -1) == left
        and _literal(operand(source, i, 1))
        and joined
        in {tokens[n].text for n in range(*sorted((i, index))) if tokens[n].depth == tokens[index].depth}
        for i in range(line.first, line.last)
        if i != index
    ):
        return True  # a == 1 or a == 2; a != 1 and a != 2
    if word == "assert":
        return sign == "==" and _literal(right) and _asserted_alike(source, number, left)
    if word not in ("if", "elif") or line.last + 1 >= len(tokens):
        return False
    if sign == "==" and _literal(right) and _chain(source, number, left) >= 3:
        return True
    body = source.lines[number + 1] if source.lines[number + 1].indent > line.indent else None
    if body is None:
        return False
    done = source.text[tokens[body.first].start : body.end]
    if right == "None" and re.fullmatch(r"[\w.]+", left):
        uses = re.search(rf"(?<![\w.]){re.escape(left)}[.\[]", done)
        return bool(uses) if sign == "!=" else re.match(rf"{re.escape(left)} = ", done) is not None
    refused = sign == "!=" and tokens[body.first].text == "raise"
    return refused and bool(_MEASURES.fullmatch(left) or left.endswith("returncode"))


def _asserted_alike(source: ParsedCode, number: int, left: str) -> bool:
    """Whether another line asserts that a call or item of the same name as `left` equals a literal."""
    name = re.match(r"[\w.]+(?=[(\[])", left)
    texts = [source.text[source.tokens[line.first].start : line.end] for line in source.lines]
    return name is not None and any(
        text.startswith(f"assert {name.group()}{left[name.end()]}") and _literal(text.rpartition(" == ")[2])
        for n, text in enumerate(texts)
        if n != number and " == " in text
    )


def _literal(text: str) -> bool:
    return text[:1] in "'\"" or text.lstrip("-").replace(".", "", 1).isdigit()


def _chain(source: ParsedCode, number: int, left: str) -> int:
    """How many branches of the chain of line `number` ask whether `left` equals a literal."""
    indent, lines, tokens = source.lines[number].indent, source.lines, source.tokens
    start = number
    while tokens[lines[start].first].text != "if" or lines[start].indent != indent:
        start -= 1
        if start < 0 or lines[start].indent < indent:
            return 0
    count = 0
    for n in range(start, len(lines)):
        line = lines[n]
        if line.indent < indent or (
            n > start and line.indent == indent and tokens[line.first].text != "elif"
        ):
            break
        if line.indent == indent:
            text = source.text[tokens[line.first + 1].start : line.end]
            count += text.startswith(f"{left} == ") and _literal(text[len(left) + 4 :])
    return count
