"""Shapes of other languages: braces, comments, declarations, `then`, `end`, C loops."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import BLOCK_WORDS, Header, ParsedCode

_HEADERS = ("if", "for", "while", "def", "class", "try", "with")


def _blocks(source: ParsedCode, rng: Random, longest: int) -> Iterator[tuple[Header, range]]:
    for header in shuffled(source.headers, rng):
        if source.opens_block(header):
            block = source.block(header)
            if len(block) <= longest:
                yield header, block


@register("braces", "syntax", "braces around a block", "if x:\n    go()", "if x {\n    go()\n}", _HEADERS)
def braces(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header, block in _blocks(source, rng, 8):
        colon, line = source.tokens[header.colon], source.lines[header.line]
        opening = Splice(colon.start, colon.end, rng.choice((" {", "{", ": {", ":{")))
        indent = source.text[line.start : line.start + line.indent]
        if rng.random() < 0.3:
            yield Mutation((opening,))
        else:
            end = source.lines[block[-1]].end
            yield Mutation((opening, Splice(end, end, f"\n{indent}}}")))


@register("block_end", "syntax", "a word or brace that closes a block", "while x:\n    go()",
          "while x:\n    go()\nend while", _HEADERS)  # fmt: skip
def block_end(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header, block in _blocks(source, rng, 12):
        line, end = source.lines[header.line], source.lines[block[-1]].end
        indent = source.text[line.start : line.start + line.indent]
        word = rng.choice(
            ("}", "}", "};", ")", "end;", f"end {header.word}", "loop;", "done;", "fi;", f"end{header.word}:")
        )
        yield replace(end, end, f"\n{indent}{word}")


@register("then", "syntax", "`then` or `do` in a block's header", "if x > 3:\n    go()",
          "if x > 3 then:\n    go()", ("if", "elif", "while", "for"))  # fmt: skip
def then(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for header in shuffled(source.headers, rng):
        if header.word in ("if", "elif", "while", "for"):
            word = "then" if header.word in ("if", "elif") else "do"
            colon = source.tokens[header.colon]
            yield replace(
                colon.start,
                colon.end,
                rng.choice((f" {word}:", f" {word}:", f" {word}", f": {word}", f", {word}:")),
            )


_REMARKS = ("loop over the items", "get the input", "this does not work", "check the value",
            "open the file", "print result", "here is the problem", "my code", "set up", "TODO fix this",
            "initialize variables", "the error is here")  # fmt: skip


@register(
    "foreign_comment",
    "syntax",
    "`//`, `/* */`, `--` or `;` for a comment",
    "x = 1  # the start",
    "x = 1  // the start",
)
def foreign_comment(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for start, end in shuffled(source.comments, rng):
        words = source.text[start + 1 : end].strip()
        if words:
            yield replace(start, end, _comment(words, rng))
    for line in shuffled(source.lines, rng):
        words = rng.choice(_REMARKS)
        rest = source.text[line.end : line.end + 1]
        if rest in ("", "\n"):
            yield Mutation(
                (Splice(line.end, line.end, "  " + _comment(words, rng)),),
                (Splice(line.end, line.end, f"  # {words}"),),
            )


def _comment(words: str, rng: Random) -> str:
    return rng.choice((f"// {words}", f"// {words}", f"//{words}", f"/* {words} */", f"/*{words}*/",
                      f"-- {words}", f"<!-- {words} -->", words))  # fmt: skip


@register(
    "declared_type",
    "syntax",
    "a declaration with a type, `var`, `let`, `new` or `$`",
    "x = 5",
    "int x = 5",
    ("=",),
)
def declared_type(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for line in shuffled(source.lines, rng):
        if (
            line.first + 2 > line.last
            or tokens[line.first].kind != "NAME"
            or tokens[line.first + 1].text != "="
        ):
            continue
        name, value = tokens[line.first], tokens[line.first + 2]
        if value.kind == "NAME" and value.text[0].isupper() and rng.random() < 0.6:
            yield replace(value.start, value.start, "new ")
            continue
        sort = {
            "STRING": ("String ", "string ", "char "),
            "NUMBER": ("int ", "int ", "float ", "double "),
        }.get(value.kind, ("list ", "dim "))
        new = rng.choice((*sort, "var ", "var ", "let ", "const ", "$", "set ", "str "))
        yield replace(name.start, name.start, new)
    for call in shuffled(source.calls, rng):
        made, before = tokens[call.open - 1], tokens[call.open - 2].text if call.open > 1 else ""
        if made.text[0].isupper() and before not in (".", "class", "@", "def"):
            yield replace(made.start, made.start, "new ")


@register("statement_end", "syntax",
          "a semicolon or other sign inside a line or at a line's end that is no statement",
          "for x in xs:\n    go(x)", "for x in xs:;\n    go(x)")  # fmt: skip
def statement_end(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for line in shuffled(source.lines, rng):
        if source.tokens[line.first].text in BLOCK_WORDS:
            yield replace(line.end, line.end, rng.choice((";", ";", ";", " \\ ", ".")))
        else:
            yield replace(
                line.end, line.end, rng.choice((";;", ",;", ".", ":;", " ;;", "/", "\\ ", "?", "!", "`"))
            )


@register("c_for_loop", "syntax", "a for loop as in C or JavaScript", "for i in range(n):\n    go(i)",
          "for (i = 0; i < n; i++):\n    go(i)", ("for",), places=0.17)  # fmt: skip
def c_for_loop(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens, text = source.tokens, source.text
    for header in shuffled(source.headers, rng):
        line = source.lines[header.line]
        inside = header.colon - line.first
        if header.word != "for" or inside < 4 or tokens[line.first + 2].text != "in":
            continue
        name, start = tokens[line.first + 1], tokens[line.first + 3]
        values = text[start.start : tokens[header.colon - 1].end]
        brace = rng.choice((":", ":", " {", ""))
        if start.text == "range" and inside <= 14:
            bounds = values[6:-1].split(",")
            low, high = ("0", bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
            new = f"({name.text} = {low.strip()}; {name.text} < {high.strip()}; {name.text}++)"
        elif len(values) <= 40:
            new = rng.choice((f"({name.text} in {values})", f"(var {name.text} in {values})",
                             f"({name.text} of {values})", f"each {name.text} in {values}",
                             f"{values} as {name.text}", f"(auto {name.text} : {values})"))  # fmt: skip
        else:
            continue
        yield replace(name.start, tokens[header.colon].end, new + brace)


@register("c_cast", "syntax", "a type in brackets before a value, as C has it", "n = int(text)", "n = (int) text",
          ("int", "float", "str"), places=0.04)  # fmt: skip
def c_cast(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for call in shuffled(source.calls, rng):
        name, opening, close = tokens[call.open - 1], tokens[call.open], tokens[call.close]
        if name.text not in ("int", "float", "str") or len(call.arguments) != 1:
            continue
        if call.open > 1 and tokens[call.open - 2].text == ".":
            continue
        value = tokens[call.open + 1]
        atom = call.close == call.open + 2 or source.partner.get(call.open + 2) == call.close - 1
        if atom and value.kind in ("NAME", "STRING") and opening.end == value.start:
            new = f"({name.text})" + rng.choice((" ", ""))
            yield Mutation((Splice(name.start, opening.end, new), Splice(close.start, close.end, "")))
