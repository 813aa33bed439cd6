"""What comes along when code is pasted: prompts, prose, shell lines, line numbers, markup, typographic characters."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.source import ParsedCode


def _spaced(source: ParsedCode, at: int, new: str) -> Mutation:
    return replace(at, at, new)


@register(
    "prompt", "syntax", "prompts of the interactive interpreter", "x = 1\nprint(x)", ">>> x = 1\n>>> print(x)"
)
def prompt(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    lines = source.lines
    sign = rng.choice((">>> ", ">>> ", ">>>", "In [1]: ", ">> "))
    if len(lines) <= 6 and rng.random() < 0.7:
        yield Mutation(
            tuple(
                Splice(line.start, line.start, "... " if line.indent and sign.startswith(">>>") else sign)
                for line in lines
            )
        )
    for number in shuffled([0, 0, *range(len(lines))], rng):
        yield replace(lines[number].start, lines[number].start, sign)


_PROSE = ("Here is my code", "I get this error", "and this is the output", "My code so far",
          "it should print the list", "Output is", "and then", "what am I doing wrong",
          "File name is main.py", "any help would be appreciated", "this part works", "some more code here",
          "enter code here",
          "the rest of the code", "the output I want", "Code", "Error here", "and so on",
          "etc etc")  # fmt: skip
_RULERS = ("....", "-----", "*****", "=====", ".....", ". . .", "...etc", "[...", "<code>", "</code>",
           "<snip>", "-->", "^", "```", "EOF;", "$", "...snip...", "<more code>", "~~~~", "+++", ">>>", ">>>",
           "   ...:", "^      ^", "^^^^^", "@")  # fmt: skip
_RUNS = ("$ python {name}.py", "python {name}.py", "pip install {name}", "python3 {name}.py",
         "> python {name}.py", "C:\\> python {name}.py", "Traceback (most recent call last):",
         'File "{name}.py", line {n}', "SyntaxError: invalid syntax", "cd {name}",
         "#!usr/bin python;")  # fmt: skip


def _inserted(source: ParsedCode, rng: Random, new: str, ends: float) -> Mutation:
    """A line of its own: at an end of the snippet with probability `ends`, else before a random line."""
    lines = source.lines
    if rng.random() < ends:
        return (
            _spaced(source, 0, new + "\n")
            if rng.random() < 0.5
            else _spaced(source, len(source.text), "\n" + new)
        )
    line = rng.choice(lines)
    indent = source.text[line.start : line.start + line.indent]
    return replace(line.start, line.start, f"{indent}{new}\n")


@register("prose_line", "syntax", "a line of prose among the code", "x = 1", "Here is my code:\nx = 1")
def prose_line(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for _ in range(3):
        yield _inserted(source, rng, rng.choice(_PROSE) + rng.choice(("", ":", ":", "...", ".")), 0.6)


@register(
    "ruler_line",
    "syntax",
    "an ellipsis, a ruler or markup on a line of its own",
    "x = 1\ny = 2",
    "x = 1\n....\ny = 2",
)
def ruler_line(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for _ in range(3):
        yield _inserted(source, rng, rng.choice(_RULERS), 0.3)


@register(
    "shell_line",
    "syntax",
    "a shell command or a traceback's line among the code",
    "x = 1",
    "$ python main.py\nx = 1",
)
def shell_line(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for _ in range(3):
        name = rng.choice(("main", "test", "script", "app", "hello", *source.names[:3]))
        yield _inserted(source, rng, rng.choice(_RUNS).format(name=name, n=rng.randrange(1, 60)), 0.8)


@register("line_numbers", "syntax", "line numbers before the code", "x = 1\ny = 2", "1 x = 1\n2 y = 2")
def line_numbers(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    lines = source.lines
    first = rng.choice((1, 1, 1, rng.randrange(2, 99)))
    form = rng.choice(("{} ", "{}. ", "{}: ", "{}   ", "{}| ", "{}) "))
    if len(lines) <= 7:
        yield Mutation(tuple(Splice(x.start, x.start, form.format(first + n)) for n, x in enumerate(lines)))
    line = rng.choice(lines)
    yield replace(line.start, line.start, form.format(first))


@register(
    "html", "syntax", "HTML entities or tags in the code", "if a < b:\n    go()", "if a &lt; b:\n    go()"
)
def html(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    entities = {
        "<": "&lt;",
        ">": "&gt;",
        "<=": "&lt;=",
        ">=": "&gt;=",
        "&": "&amp;",
        "->": "-&gt;",
        "<<": "&lt;&lt;",
        ">>": "&gt;&gt;",
    }
    found = [t for t in source.tokens if t.text in entities]
    if found and rng.random() < 0.7:
        yield Mutation(tuple(Splice(t.start, t.end, entities[t.text]) for t in found[:6]))
    strings = [t for t in source.tokens if t.kind == "STRING" and t.text[0] == '"' and t.text[:3] != '"""']
    if strings and rng.random() < 0.4:
        token = rng.choice(strings)
        yield Mutation(
            (Splice(token.start, token.start + 1, "&quot;"), Splice(token.end - 1, token.end, "&quot;"))
        )
    for line in shuffled(source.lines, rng):
        tag = rng.choice(("<br>", "<br/>", "<br />", "</p>", "&nbsp;"))
        place = line.end if rng.random() < 0.7 else source.tokens[line.first].start
        yield replace(place, place, tag)


@register("markdown", "syntax", "Markdown around the code", "x = 1", "```python\nx = 1\n```")
def markdown(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    end = len(source.text)
    choice = rng.random()
    if choice < 0.25:
        yield Mutation(
            (Splice(0, 0, rng.choice(("```python\n", "```\n", "```py\n"))), Splice(end, end, "\n```"))
        )
    elif choice < 0.4:
        yield replace(end, end, rng.choice(("\n```", "```")))
    elif choice < 0.5:
        yield replace(0, 0, rng.choice(("```python\n", "```\n", "```", "`")))
    sign = rng.choice(("**", "**", "*", "`", "__", "***"))
    for line in shuffled(source.lines, rng):
        start = source.tokens[line.first].start
        if source.text.count("\n", start, line.end) == 0 and rng.random() < 0.8:
            yield Mutation((Splice(start, start, sign), Splice(line.end, line.end, sign)))
        else:
            yield replace(start, start, rng.choice(("> ", "- ", "* ", "` ", "+ = ")))


@register("smart_quotes", "syntax", "typographic quotes around strings", "print('hi')", "print(‘hi’)")
def smart_quotes(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    strings = [
        t
        for t in source.tokens
        if t.kind == "STRING" and t.text[0] in "'\"" and t.text[:3] not in ("'''", '"""')
    ]

    def splices(token_start: int, token_end: int, double: bool) -> tuple[Splice, Splice]:
        left, right = rng.choice(
            (("“", "”"), ("“", "”"), ("”", "”"), ("„", "“"))
            if double
            else (("‘", "’"), ("‘", "’"), ("’", "’"), ("`", "'"), ("´", "´"))
        )
        return Splice(token_start, token_start + 1, left), Splice(token_end - 1, token_end, right)

    if 1 < len(strings) <= 4 and rng.random() < 0.6:
        yield Mutation(tuple(s for t in strings for s in splices(t.start, t.end, t.text[0] == '"')))
    for token in shuffled(strings, rng):
        both = splices(token.start, token.end, token.text[0] == '"')
        yield Mutation(both if rng.random() < 0.8 else both[:1] if rng.random() < 0.5 else both[1:])


_LOOKALIKES = {",": ("，", "‚"), ":": ("：", "："), "(": ("（",), ")": ("）",), "-": ("–", "—", "−"), "*": ("×",
               "∗", "•"), "=": ("＝",), ".": ("。",), "<": ("‹", "＜"), ">": ("›", "＞"), "/": ("÷",),
               "!=": ("≠",), "<=": ("≤",), ">=": ("≥",), "...": ("…",), "[": ("［",), "+": ("＋",)}  # fmt: skip


@register(
    "odd_character", "syntax", "a full-width, invisible or other look-alike character", "f(a, b)", "f(a， b)"
)
def odd_character(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for index in shuffled(range(len(tokens)), rng):
        token = tokens[index]
        if token.text in _LOOKALIKES:
            yield replace(token.start, token.end, rng.choice(_LOOKALIKES[token.text]))
        elif rng.random() < 0.3:
            place = token.start if rng.random() < 0.5 else token.end
            if source.text[place - 1 : place] == " " and place:
                yield replace(place - 1, place, "\u00a0")
            else:
                yield replace(place, place, rng.choice(("\u200b", "\ufeff", "\u00a0", "\u200b", "\u2028")))


@register(
    "truncated_end", "syntax", "the last characters of the snippet are missing", "print(f(x))", "print(f(x"
)
def truncated_end(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    tokens = source.tokens
    for count in (rng.choice((1, 1, 2, 2, 3)), 1, 2):
        if count < len(tokens) and all(t.text in ")]}:" for t in tokens[-count:]):
            last = tokens[-count - 1]
            quote = last.kind == "STRING" and rng.random() < 0.4
            yield replace(last.end - quote, len(source.text), "")


@register(
    "stray_character", "syntax", "a stray character, as from a slip on the keyboard", "x = f(a)", "x = f(a)]"
)
def stray_character(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in shuffled(range(len(source.tokens)), rng):
        token = source.tokens[index]
        place = token.end if rng.random() < 0.7 else token.start
        yield replace(place, place, rng.choice("`$?!;:.,'\"\\/])}>|&^%#@~=-+*0q"))


_SIDES = (("**", "**"), ("**", "**"), ("**", "**"), ("** ", "**"), ("**", "**"), ("**", ""), ("", "**"), ("*", "*"),
          ("*", ""), ("", "*"))  # fmt: skip


@register("bold", "syntax", "the asterisks of Markdown's bold type round a part of the code",
          "f(a, b=1)", "f(a, **b=1**)")  # fmt: skip
def bold(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """What people mark for their readers: a statement, two or three lines, a name, an argument."""
    tokens, lines = source.tokens, source.lines
    left, right = rng.choice(_SIDES)
    for number in shuffled(range(len(lines)), rng):
        first, last = lines[number].first, lines[number].last
        sort = rng.random()
        arguments = [call.arguments for call in source.calls if first <= call.open <= last and call.arguments]
        if sort < 0.12:
            last = lines[min(number + rng.choice((1, 2)), len(lines) - 1)].last
        elif sort < 0.35 and arguments:
            first, last = rng.choice(rng.choice(arguments))
        elif sort < 0.55 and tokens[first].kind == "NAME":
            last = first
        start, end = tokens[first].start, tokens[last].end
        yield Mutation(tuple(Splice(at, at, sign) for at, sign in ((start, left), (end, right)) if sign))


_REMARKS = ("code here", "enter code here", "enter code here", "works perfectly", "this works", "sort by",
            "here is the error", "new list", "and so on", "does not work", "this form.", "returns None",
            "I get an error here", "prints {n}", "gives {n}", "output is {n}", "this line", "problem here",
            "as expected", "not working", "splits the string", "my code", "this is the problem",
            "<-- this line", "<--- error here", "if needed", "error", "it only")  # fmt: skip


@register(
    "trailing_words",
    "syntax",
    "a remark at the end of a line without the sign of a comment",
    "x = f(a)",
    "x = f(a) this works",
)
def trailing_words(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for line in shuffled(source.lines, rng):
        words = rng.choice(_REMARKS).format(n=rng.randrange(1, 100))
        if rng.random() < 0.12:
            start = source.tokens[line.first].start
            yield replace(start, start, "enter code here" + rng.choice(("", " ")))
        elif source.text[line.end : line.end + 1] in ("", "\n"):
            yield replace(line.end, line.end, rng.choice(("", " ", " ", "  ", "    ")) + words)
