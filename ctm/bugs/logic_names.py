"""Wrong names: another variable in scope, swapped operands, a similar attribute, a lost `self.`."""

from __future__ import annotations

import keyword
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from random import Random

from rapidfuzz.distance import DamerauLevenshtein

from ctm.bugs.registry import Candidate, Splice, register, replace, shuffled
from ctm.bugs.source import Source, Token


@register(
    "variable_misuse",
    "logic",
    "another variable in scope",
    "def f(a, b):\n    return a + b",
    "def f(a, b):\n    return a + a",
    traced=True,
)
def variable_misuse(source: Source, rng: Random) -> Iterator[Candidate]:
    for read in shuffled(source.variables.reads, rng):
        if read.others:
            yield replace(read.start, read.end, rng.choice(read.others))


@register("swapped_operands", "logic", "the two sides of an operator that does not commute swapped",
          "x = a - b", "x = b - a", ("-", "/", "//", "%", "<", ">", "<=", ">=", "in", "**"),
          places=0.31)  # fmt: skip
def swapped_operands(source: Source, rng: Random) -> Iterator[Candidate]:
    signs = ("-", "/", "//", "%", "<", ">", "<=", ">=", "in", "**", "<<", ">>", "not in")
    for node in shuffled(source.nodes("binary_operator", "comparison_operator"), rng):
        parts = node.children
        if len(parts) != 3 or parts[1].type not in signs or "string" in parts[0].type:
            continue
        left, right = source.site(parts[0]), source.site(parts[2])
        a, b = source.text[left.start : left.end], source.text[right.start : right.end]
        if a != b and len(a) + len(b) <= 60:
            yield Candidate((Splice(left.start, left.end, b), Splice(right.start, right.end, a)))


_SIMILAR = (("append", "extend", "insert", "add"), ("strip", "lstrip", "rstrip"), ("keys", "values",
            "items"), ("upper", "lower", "title"), ("startswith", "endswith"), ("find", "index", "rfind"),
            ("split", "rsplit", "splitlines", "partition"), ("read", "readline", "readlines"), ("write",
            "writelines"), ("min", "max"), ("any", "all"), ("pop", "remove", "popitem"), ("encode",
            "decode"), ("sort", "reverse"), ("sorted", "reversed"), ("floor", "ceil"), ("union",
            "intersection", "difference"), ("isdigit", "isalpha", "isalnum"), ("ljust", "rjust"), ("load",
            "loads"), ("dump", "dumps"), ("match", "search", "fullmatch"), ("first", "last"), ("start",
            "end", "stop"), ("width", "height"), ("left", "right"), ("get", "pop", "setdefault"), ("update",
            "add"), ("isfile", "isdir", "exists"), ("basename", "dirname"), ("getattr", "hasattr"),
            ("isinstance", "issubclass"), ("int", "float"), ("str", "repr"), ("args", "kwargs"), ("rows",
            "columns"), ("next", "prev"), ("popleft", "pop"), ("appendleft", "append"), ("sum", "max"),
            ("discard", "remove"), ("acquire", "release"), ("lock", "unlock"), ("open", "close"), ("x",
            "y"), ("list", "tuple", "set"), ("row", "col"), ("staticmethod", "classmethod"), ("enumerate",
            "zip"), ("mean", "median"), ("parent", "parents"), )  # fmt: skip


@lru_cache(maxsize=1)
def _similar() -> dict[str, list[str]]:
    table: dict[str, list[str]] = {}
    for group in _SIMILAR:
        for name in group:
            table.setdefault(name, []).extend(other for other in group if other != name)
    return table


@register(
    "wrong_attribute",
    "logic",
    "an attribute, method or function of a similar name or meaning",
    "xs.append(y)",
    "xs.extend(y)",
)
def wrong_attribute(source: Source, rng: Random) -> Iterator[Candidate]:
    tokens, table = source.tokens, _similar()
    dotted, places = _attributes(source)
    for index in shuffled(places, rng):
        name = tokens[index].text
        others = list(table.get(name, ()))
        if tokens[index - 1].text == ".":
            # what the same object is asked for elsewhere in the same way
            owner = _owner(source, index)
            others += [
                tokens[i].text
                for i in dotted
                if tokens[i].text != name
                and owner
                and _owner(source, i) == owner
                and _called(source, i) == _called(source, index)
                and (_close(tokens[i].text, name) or rng.random() < 0.5)
            ]
        if others and tokens[source.lines[tokens[index].line].first].text not in ("import", "from"):
            yield replace(tokens[index].start, tokens[index].end, rng.choice(others))


@lru_cache(maxsize=1)  # kinds of several bugs ask again and again
def _attributes(source: Source) -> tuple[list[int], list[int]]:
    """Tokens that are attributes, and with them those that call a function of a similar name to others."""
    tokens, table = source.tokens, _similar()
    dotted = [i for i in range(1, len(tokens)) if tokens[i].kind == "NAME" and tokens[i - 1].text == "."]
    called = [c.open - 1 for c in source.calls if tokens[c.open - 1].text in table]
    return dotted, list(dict.fromkeys(dotted + called))


def _owner(source: Source, index: int) -> str:
    """What stands before the dot of an attribute, like `self.rows`; "" unless it is a name with attributes."""
    tokens, first = source.tokens, index - 2
    while first >= 2 and tokens[first].kind == "NAME" and tokens[first - 1].text == ".":
        first -= 2
    return source.text[tokens[first].start : tokens[index - 2].end] if tokens[first].kind == "NAME" else ""


def _called(source: Source, index: int) -> bool:
    return index + 1 < len(source.tokens) and source.tokens[index + 1].text == "("


def _close(a: str, b: str) -> bool:
    """Whether two names are easily taken for each other: few letters apart, or the same first or last word."""
    if DamerauLevenshtein.normalized_distance(a, b) <= 0.4:
        return True
    first, second = a.strip("_").split("_"), b.strip("_").split("_")
    return len(a) > 3 and len(b) > 3 and (first[0] == second[0] or first[-1] == second[-1])


@lru_cache(maxsize=1)
def _names(source: Source) -> tuple[list[Token], Counter[str]]:
    """Names of more than three letters, and how often each token stands in the text."""
    names = [token for token in source.tokens if token.kind == "NAME" and len(token.text) > 3]
    return names, Counter(token.text for token in source.tokens)


@register(
    "misspelt_name",
    "logic",
    "a name misspelt in one place",
    "total = 1\nprint(total)",
    "total = 1\nprint(totl)",
)
def misspelt_name(source: Source, rng: Random) -> Iterator[Candidate]:
    names, count = _names(source)
    for token in shuffled(names, rng):
        if count[token.text] < 2:
            continue
        name, place = token.text, rng.randrange(1, len(token.text) - 1)
        choice = rng.random()
        if choice < 0.35:
            new = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        elif choice < 0.65:
            new = name[:place] + name[place + 1 :]
        elif choice < 0.8:
            new = name[:-1] if name.endswith("s") else name + "s"
        elif choice < 0.9:
            new = name.replace("_", "") if "_" in name[1:] else name[0].swapcase() + name[1:]
        else:
            new = name[:place] + name[place] + name[place:]
        if new != name and new not in source.words and not keyword.iskeyword(new):
            yield replace(token.start, token.end, new)


@register(
    "dropped_self",
    "logic",
    "`self.` is missing",
    "self.n = self.n + 1",
    "self.n = n + 1",
    ("self", "cls"),
    places=0.41,
    traced=True,
)
def dropped_self(source: Source, rng: Random) -> Iterator[Candidate]:
    tokens = source.tokens
    found = [
        i for i in range(len(tokens) - 2) if tokens[i].text in ("self", "cls") and tokens[i + 1].text == "."
    ]  # fmt: skip
    for index in shuffled(found, rng):
        yield replace(tokens[index].start, tokens[index + 1].end, "")


@register("missing_self_parameter", "logic", "a method without `self`",
          "class A:\n    def f(self, x):\n        return x", "class A:\n    def f(x):\n        return x",
          ("self",), places=0.32, traced=True)  # fmt: skip
def missing_self_parameter(source: Source, rng: Random) -> Iterator[Candidate]:
    tokens = source.tokens
    found = [i for i in range(len(tokens) - 4) if tokens[i].text == "def" and tokens[i + 3].text == "self"]
    for index in shuffled(found, rng):
        comma = tokens[index + 4].text == ","
        end = tokens[index + 5].start if comma else tokens[index + 3].end
        yield replace(tokens[index + 3].start, end, "")


@register(
    "missing_call",
    "logic",
    "a method or function named, not called",
    "x = s.strip()",
    "x = s.strip",
    ("(",),
    places=0.3,
)
def missing_call(source: Source, rng: Random) -> Iterator[Candidate]:
    tokens = source.tokens
    for call in shuffled(source.calls, rng):
        raised = (
            tokens[source.lines[tokens[call.open].line].first].text == "raise"
        )  # a class is raised as well
        if not call.arguments and call.close == call.open + 1 and not raised:
            yield replace(tokens[call.open].start, tokens[call.close].end, "")
