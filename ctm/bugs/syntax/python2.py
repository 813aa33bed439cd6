"""Python 2 remains, above all `print` without parentheses: one in six of the errors people ask about."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import Call, ParsedCode


def _statement(source: ParsedCode, call: Call, rng: Random) -> tuple[Splice, ...]:
    """Splices that turn `print(a, b)` into the statement `print a, b` (with `>>f,` or a last comma where asked)."""
    tokens, text = source.tokens, source.text
    opening, close = tokens[call.open], tokens[call.close]
    arguments, tail, stream = list(call.arguments), "", ""
    while arguments:
        first, last = arguments[-1]
        name = tokens[first].text
        if first == last or tokens[first + 1].text != "=":
            break
        value = text[tokens[first + 2].start : tokens[last].end]
        if name == "end":
            tail = ","
        elif name == "file":
            stream = f" >>{value}," if rng.random() < 0.8 else f" >> {value},"
        elif name not in ("sep", "flush"):
            return ()
        arguments.pop()
    if not arguments or tokens[arguments[0][0]].text in ("*", "**"):
        return ()
    end = tokens[arguments[-1][1]].end
    blank = "" if rng.random() < 0.04 and tokens[arguments[0][0]].kind == "STRING" else " "
    return (Splice(opening.start, opening.end, stream + blank), Splice(end, close.end, tail))


@register("print_statement", "syntax", "`print` as a statement, everywhere in the snippet or once",
          "print('a', x)", "print 'a', x", ("print",))  # fmt: skip
def print_statement(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    single = [splices for call in source.prints if (splices := _statement(source, call, rng))]
    if 1 < len(single) <= 4 and rng.random() < 0.75:  # code for Python 2 has all of its prints so
        yield Mutation(tuple(splice for splices in single for splice in splices))
    for splices in shuffled(single, rng):
        if len(splices) == 2 and rng.random() < 0.05:  # half converted: `print "a" % x)`
            splices = splices[:1]
        yield Mutation(splices)


@register("except_comma", "syntax", "`except X, e:`", "try:\n    a()\nexcept OSError as e:\n    b()",
          "try:\n    a()\nexcept OSError, e:\n    b()", ("except",), places=0.11)  # fmt: skip
def except_comma(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for header in shuffled([h for h in source.headers if h.word == "except"], rng):
        line = source.lines[header.line]
        end = tokens[header.colon - 1].end
        if tokens[header.colon - 2].text == "as":
            sign = "," if rng.random() < 0.88 else ""  # `except X e:`
            yield replace(tokens[header.colon - 3].end, tokens[header.colon - 2].end, sign)
        elif header.colon == line.first + 2:
            name = rng.choice(("e", "e", "err", "ex"))
            yield Mutation((Splice(end, end, f", {name}"),), (Splice(end, end, f" as {name}"),))


@register(
    "backticks",
    "syntax",
    "backticks for `repr`",
    "x = 'n=' + repr(n)",
    "x = 'n=' + `n`",
    ("repr", "str", "("),
)
def backticks(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for call in shuffled(source.calls, rng):
        if len(call.arguments) != 1:
            continue
        (first, last), name = call.arguments[0], tokens[call.open - 1]
        inside = source.text[tokens[first].start : tokens[last].end]
        if name.text in ("repr", "str"):
            yield replace(name.start, tokens[call.close].end, f"`{inside}`")
        elif last - first <= 4 and "=" not in inside:
            span = (tokens[first].start, tokens[last].end)
            yield Mutation((Splice(*span, f"`{inside}`"),), (Splice(*span, f"repr({inside})"),))


@register(
    "exec_statement", "syntax", "`exec` as a statement", "exec(code)", "exec code", ("exec", "("), places=0.29
)
def exec_statement(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for call in shuffled(source.calls, rng):
        name, opening, close = tokens[call.open - 1], tokens[call.open], tokens[call.close]
        if name.text == "exec" and call.arguments and tokens[call.open - 2].text != ".":
            inside = source.text[tokens[call.arguments[0][0]].start : tokens[call.arguments[-1][1]].end]
            if len(call.arguments) == 2:
                inside = inside.replace(", ", " in ", 1)
            yield replace(opening.start, close.end, f" {inside}")
        elif name.kind == "NAME" and len(call.arguments) == 1 and opening.depth == 0:
            line = source.lines[name.line]
            first, last = call.arguments[0]
            if (
                line.first == call.open - 1
                and line.last == call.close
                and tokens[first].text != "*"
                and last - first <= 8
            ):
                inside = source.text[tokens[first].start : tokens[last].end]
                if "=" not in inside:
                    yield Mutation(
                        (Splice(name.start, close.end, f"exec {inside}"),),
                        (Splice(name.start, close.end, f"exec({inside})"),),
                    )


@register(
    "raise_comma",
    "syntax",
    "`raise X, 'message'`",
    "raise ValueError('bad')",
    "raise ValueError, 'bad'",
    ("raise",),
    places=0.11,
)
def raise_comma(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for call in shuffled(source.calls, rng):
        line = source.lines[tokens[call.open].line]
        if (
            call.arguments
            and tokens[line.first].text == "raise"
            and line.last == call.close
            and tokens[call.open].depth == 0
        ):
            inside = source.text[tokens[call.arguments[0][0]].start : tokens[call.arguments[-1][1]].end]
            yield replace(tokens[call.open].start, tokens[call.close].end, f", {inside}")


@register(
    "old_number",
    "syntax",
    "a number with a leading zero or a suffix",
    "os.chmod(p, 0o755)",
    "os.chmod(p, 0755)",
    places=0.48,
)
def old_number(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.kind == "NUMBER"], rng):
        if token.text.startswith("0o"):
            yield replace(token.start + 1, token.start + 2, "")
        elif token.text.isdigit() and rng.random() < 0.6:
            if token.text == "0":
                yield replace(token.start, token.end, rng.choice(("0L", "0x", "00L")))
            else:
                yield replace(token.start, token.start, "0" * rng.choice((1, 1, 2)))
        elif token.text.isdigit():
            yield replace(token.end, token.end, rng.choice(("L", "L", "l", "f", "px", "k", "%")))


@register("old_string_prefix", "syntax", "a string prefix that Python 3 has no more", "x = r'a'", "x = ur'a'")
def old_string_prefix(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.kind == "STRING"], rng):
        if token.text[0] in "rR":
            yield replace(token.start, token.start, "u")
        elif token.text[0] in "'\"":
            prefix = rng.choice(("ur", "ub", "s", "fu", "L", "p", "rf r"))
            new = "r" if prefix == "ur" else ""
            fixed = (Splice(token.start, token.start, new),) if new else ()
            yield Mutation((Splice(token.start, token.start, prefix),), fixed)


@register("missing_async", "syntax", "`await` in a function that is not async",
          "async def f():\n    await g()", "def f():\n    await g()", ("await", "async"),
          places=0.01)  # fmt: skip
def missing_async(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.text == "async"], rng):
        yield replace(token.start, token.end + 1, "")


_TUPLES = (("k", "v"), ("key", "value"), ("key", "value"), ("a", "b"), ("x", "y"), ("name", "count"), ("word", "count"),
           ("row", "index"), ("i", "item"))  # fmt: skip


@register("tuple_parameter", "syntax", "a lambda that takes a tuple apart, as in Python 2", "f = lambda k_v: k_v[1]",
          "f = lambda (k, v): v", ("lambda", "sorted", "max", "min"), places=0.02)  # fmt: skip
def tuple_parameter(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Contract: the fixed side has one parameter, of both names joined, as `2to3` writes it."""
    tokens = source.tokens
    names = rng.choice(_TUPLES)
    joined = "_".join(names)
    heads = f"({', '.join(names)})", joined
    for index in shuffled([i for i, t in enumerate(tokens[:-3]) if t.text == "lambda"], rng):
        name, line = tokens[index + 1], tokens[index].line
        if name.kind != "NAME" or tokens[index + 2].text != ":":
            continue
        places = [
            i for i in range(index + 3, len(tokens)) if (tokens[i].text, tokens[i].line) == (name.text, line)
        ]
        parts = [[token.text for token in tokens[i + 1 : i + 4]] for i in places]
        if not parts or any(part not in (["[", "0", "]"], ["[", "1", "]"]) for part in parts):
            continue
        values = [names[int(part[1])] for part in parts]
        if source.words.isdisjoint((*names, joined)):
            yield Mutation(
                (
                    Splice(name.start, name.end, heads[0]),
                    *(
                        Splice(tokens[i].start, tokens[i + 3].end, v)
                        for i, v in zip(places, values, strict=True)
                    ),
                ),
                tuple(Splice(tokens[i].start, tokens[i].end, joined) for i in (index + 1, *places)),
            )
    for call in shuffled(source.calls, rng):  # a key is added on both sides
        if tokens[call.open - 1].text in ("sorted", "max", "min") and len(call.arguments) == 1:
            place, part = tokens[call.arguments[0][1]].end, rng.randrange(2)
            yield Mutation(
                (Splice(place, place, f", key=lambda {heads[0]}: {names[part]}"),),
                (Splice(place, place, f", key=lambda {joined}: {joined}[{part}]"),),
            )
