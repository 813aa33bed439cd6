"""Keywords: misspelt, capitalized, missing, doubled, of another language, or used as names; and broken names."""

from __future__ import annotations

import builtins
import re
from collections.abc import Iterator
from itertools import pairwise
from random import Random

from ctm.bugs.registry import Mutation, Splice, register, replace, shuffled
from ctm.bugs.static_analysis.evidence import binds, reads
from ctm.bugs.static_analysis.lexemes import KEYWORDS
from ctm.bugs.static_analysis.source import ParsedCode

_TYPOS = {
    "return": ("retrun", "reutrn", "retun", "returm", "rturn", "retrn"),
    "from": ("fro", "form", "frm"),
    "import": ("improt", "imoprt", "impotr", "inport", "imort", "import:"),
    "while": ("whlie", "wile", "whil", "whiel", "wihle", "While"),
    "else": ("esle", "els", "elese", "eles", "elsse"),
    "elif": ("elfi", "eilf", "elsif", "elseif", "eliff", "elf", "ellif"),
    "def": ("dfe", "de", "edf", "deff", "ded", "define"),
    "class": ("clas", "calss", "clsas", "Class", "classs"),
    "for": ("fro", "fpr", "foor", "or", "fo", "foe"),
    "if": ("fi", "of", "iff", "f", "uf"),
    "in": ("ni", "on", "im", "ij", "inn"),
    "not": ("nto", "no", "ton", "nott"),
    "and": ("adn", "nad", "an", "andd"),
    "or": ("ro", "ore", "of", "oor"),
    "is": ("si", "i", "iss"),
    "try": ("tyr", "ty", "rty"),
    "except": ("excpet", "expect", "execpt", "exept", "excep", "excetp"),
    "finally": ("finaly", "finnaly", "fianlly"),
    "raise": ("riase", "rasie", "rais", "raize"),
    "with": ("wiht", "wth", "witth", "whit"),
    "as": ("sa", "a", "ass"),
    "lambda": ("lamda", "lambada", "labmda", "lambd"),
    "yield": ("yeild", "yiedl", "yild"),
    "global": ("gobal", "globle", "golbal"),
    "del": ("dle", "delete", "de"),
    "assert": ("asert", "assret", "asser"),
    "pass": ("pas", "psas", "passs"),
    "break": ("brake", "brak", "berak"),
    "continue": ("contiue", "contine", "coninue"),
    "async": ("asyc", "aysnc", "asnyc"),
    "await": ("awiat", "awit", "awai"),
    "nonlocal": ("nonloal", "non local"),
}


_KEPT = {"def": 0.5, "return": 0.35}
"""Installed code is made of functions; what people ask about is not, and has its `class` wrong more often."""


def _keywords(source: ParsedCode, rng: Random) -> Iterator[int]:
    tokens = source.tokens
    found = [
        i
        for i, t in enumerate(tokens)
        if t.kind == "KEYWORD"
        and t.text not in ("True", "False", "None")
        and rng.random() < _KEPT.get(t.text, 1.0)
    ]
    found += [i for i in found if tokens[i].text == "class"] * 3
    return shuffled(found, rng)


@register("misspelt_keyword", "syntax", "a keyword with letters swapped, lost or doubled",
          "def f():\n    return 1", "def f():\n    retrun 1", tuple(_TYPOS))  # fmt: skip
def misspelt_keyword(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in _keywords(source, rng):
        token = source.tokens[index]
        if rng.random() < 0.7 and token.text in _TYPOS:
            new = rng.choice(_TYPOS[token.text])
        else:
            place = rng.randrange(len(token.text))
            letters = list(token.text)
            if rng.random() < 0.5 and place + 1 < len(letters):
                letters[place], letters[place + 1] = letters[place + 1], letters[place]
            elif rng.random() < 0.6 and len(letters) > 2:
                del letters[place]
            else:
                letters.insert(place, letters[place])
            new = "".join(letters)
        yield replace(token.start, token.end, new)


@register(
    "capital_keyword",
    "syntax",
    "a keyword with a capital letter",
    "if x:\n    go()",
    "If x:\n    go()",
    tuple(_TYPOS),
)
def capital_keyword(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in _keywords(source, rng):
        token = source.tokens[index]
        yield replace(
            token.start, token.end, token.text.capitalize() if rng.random() < 0.75 else token.text.upper()
        )


@register("missing_keyword", "syntax", "a keyword is missing", "for x in xs:\n    go(x)",
          "for x xs:\n    go(x)", tuple(_TYPOS))  # fmt: skip
def missing_keyword(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in _keywords(source, rng):
        token = source.tokens[index]
        blank = source.text[token.end : token.end + 1] == " "
        yield replace(token.start, token.end + blank, "")


_PAIRED = {"def": ("class def", "function def"), "import": ("from import",), "elif": ("else elif",),
           "in": ("is in", "in in"), "is": ("is is", "is =="), "not": ("is not is", "not !"),
           "for": ("for each",), "while": ("do while",), "return": ("return return", "return:", "return ="),
           "if": ("if if", "then if"), "as": ("as as", "is as"), "else": ("or else",),
           "lambda": ("def lambda",), "from": ("import from",)}  # fmt: skip


@register("extra_keyword", "syntax", "a keyword too many", "import os", "from import os", tuple(_TYPOS))
def extra_keyword(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in _keywords(source, rng):
        token = source.tokens[index]
        new = rng.choice(_PAIRED.get(token.text, (f"{token.text} {token.text}",)))
        yield replace(token.start, token.end, new)


_OTHER_LANGUAGES = {
    "def": (
        "function",
        "func",
        "fun",
        "void",
        "def function",
        "sub",
        "procedure",
        "public void",
        "define",
        "int",
    ),
    "import": ("include", "using", "require", "#include", "load", "use", "include", "import:"),
    "except": ("catch", "rescue", "else catch", "on error"),
    "raise": ("throw", "throw new", "rise"),
    "for": ("foreach", "for each", "For Each", "loop"),
    "while": ("until", "do while", "repeat while", "loop"),
    "class": ("struct", "public class", "class class", "def", "Object"),
    "try": ("try {", "do"),
    "lambda": ("function", "=>", "fn"),
    "pass": ("...;", "{}", "do nothing", "pass pass"),
    "with": ("using", "with open"),
    "from": ("using", "include"),
    "in": ("of", "=", "from", ":", "to", "in range", "is", "is", "on"),
    "elif": ("else if", "elseif", "elsif", "else if", "else if"),
    "return": ("return =", "returns", "yield return"),
    "not": ("no", "isnt", "!"),
    "global": ("public", "var", "static", "extern"),
    "break": ("break loop", "exit loop", "end loop"),
    "is": ("equals", "is equal to"),
    "if": ("when", "where", "where", "if (", "unless", "check if"),
    "and": ("plus", "AND", "also"),
}


@register("foreign_keyword", "syntax", "a keyword of another language or of plain English",
          "def f():\n    pass", "function f():\n    pass",
          tuple(k for k in _OTHER_LANGUAGES if k != "elif"))  # fmt: skip
def foreign_keyword(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for index in _keywords(source, rng):
        token = source.tokens[index]
        if token.text in _OTHER_LANGUAGES and token.text != "elif":
            yield replace(token.start, token.end, rng.choice(_OTHER_LANGUAGES[token.text]))


@register("else_if", "syntax", "`else if` for `elif`", "if a:\n    x()\nelif b:\n    y()",
          "if a:\n    x()\nelse if b:\n    y()", ("elif",), places=0.12)  # fmt: skip
def else_if(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    for token in shuffled([t for t in source.tokens if t.text == "elif"], rng):
        yield replace(
            token.start,
            token.end,
            rng.choice(("else if", "else if", "else if", "elseif", "else: if", "elsif")),
        )


_NAMES = ("class", "class", "class", "lambda", "from", "from", "is", "in", "import", "pass", "global",
          "del", "with", "as", "not", "try", "def", "return", "if", "for", "and", "or", "except", "None",
          "True", "yield", "assert")  # fmt: skip


def _bound_here(source: ParsedCode) -> set[str]:
    """Names that the snippet assigns, loops over, takes as parameters or gives as keywords; no import, no builtin."""
    bound: set[str] = set()
    imported = {"self", "cls", *dir(builtins)}
    for number, line in enumerate(source.lines):
        word = source.tokens[line.first].text
        if word in ("import", "from"):
            imported |= binds(source, number)
        elif word in ("def", "async"):
            bound |= reads(source, number)
        elif word != "class":
            bound |= binds(source, number)
    tokens = source.tokens
    bound |= {a.text for a, b in pairwise(tokens) if a.kind == "NAME" and a.depth and b.text == "="}
    return bound - imported


@register("keyword_as_name", "syntax", "a keyword used as a name", "class_ = 'a'", "class = 'a'")
def keyword_as_name(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """The fixed side has a name made from the keyword, as the answers have: `class_`, `my_class`.

    Contract: the snippet binds the name itself, so that it can be called anything; `re` of `re.compile` cannot.
    """
    own = _bound_here(source)
    for name in shuffled(source.names, rng):
        places = [t for t in source.tokens if t.text == name and t.kind == "NAME"]
        if len(places) > 3 or name not in own:
            continue
        word = rng.choice(_NAMES)
        new = rng.choice(
            (f"{word}_", f"{word}_", f"{word}_", f"my_{word}", f"{word}1", f"{word}_name", word + "s")
        )
        if new in source.words or new in KEYWORDS:
            continue
        yield Mutation(
            tuple(Splice(t.start, t.end, word) for t in places),
            tuple(Splice(t.start, t.end, new) for t in places),
        )


@register(
    "broken_name",
    "syntax",
    "a name with a space, a hyphen, another sign, or a digit first",
    "my_list = []",
    "my list = []",
)
def broken_name(source: ParsedCode, rng: Random) -> Iterator[Mutation]:
    """Contract: a digit comes first only in a name that stands elsewhere too, so that to drop it is the repair."""
    tokens = source.tokens
    for index in shuffled([i for i, t in enumerate(tokens) if t.kind == "NAME"], rng):
        token = tokens[index]
        if "_" in token.text.strip("_"):
            parts = token.text.rsplit("_", 1)
            yield replace(token.start, token.end, rng.choice((" ", " ", "-", ".-", "_ ", " _")).join(parts))
        elif token.text.isalpha() and rng.random() < 0.3:
            capital = re.search(r"(?<=[a-z])[A-Z]", token.text)
            if capital:
                place = token.start + capital.start()
                yield replace(place, place, " ")
            else:
                stem = token.text
                new = rng.choice(
                    (f"{stem}?", f"{stem}!", f"${stem}", f"@{stem}.", f"{stem}#.", f"{stem} s", f"{stem}$")
                )
                yield replace(token.start, token.end, new)
        elif not token.text.startswith("_") and rng.random() < 0.3 and _again(source, token.text):
            yield replace(token.start, token.start, rng.choice("1234567890"))


def _again(source: ParsedCode, name: str) -> bool:
    """Whether a name stands in two places or more."""
    return sum(token.text == name for token in source.tokens) > 1
