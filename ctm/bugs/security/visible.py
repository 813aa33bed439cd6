"""Finds secure code that token patterns cannot describe, such as secrets and timeouts passed through parameters.

A parameter that nobody reads any more shows what a call or attribute should have been given (`timeout=timeout`,
`password=password`); a list in the snippet shows that a command needs no shell; a folder that is joined or removed
shows that a temporary name was one.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from ctm.bugs.registry import Mutation, Splice, replace
from ctm.bugs.security.names import NAMES
from ctm.bugs.security.rewrite import Match
from ctm.bugs.security.texts import names_secret
from ctm.bugs.static_analysis.source import ParsedCode


def is_parameter(source: ParsedCode, name: str) -> bool:
    """Whether a function of the snippet has a parameter of this name."""
    tokens = source.tokens
    for index, token in enumerate(tokens):
        if token.text != "def" or index + 2 >= len(tokens) or tokens[index + 2].text != "(":
            continue
        depth = tokens[index + 2].depth + 1  # a default or annotation may be called so too
        if any(
            tokens[at].text == name and tokens[at].depth == depth and tokens[at - 1].text in ("(", ",")
            for at in range(index + 3, source.partner.get(index + 2, index))
        ):
            return True
    return False


def _literal(name: str, source: ParsedCode) -> str:
    """A password that depends on the snippet, in its quotes."""
    words = NAMES["literal"]
    quote = "'" if source.text.count("'") > source.text.count('"') else '"'
    return f"{quote}{words[zlib.crc32((name + source.text[:80]).encode('utf-8', 'replace')) % len(words)]}{quote}"


def _secrets(source: ParsedCode) -> Iterator[int]:
    """Tokens that are called like a secret and are followed by `=`."""
    tokens = source.tokens
    for index, token in enumerate(tokens[:-2]):
        if token.kind == "NAME" and tokens[index + 1].text == "=" and names_secret(token.text):
            yield index


def secret_defaults(source: ParsedCode) -> Iterator[Mutation]:
    """`def f(api_key=None)`: the default becomes a literal; a call's `password=None` too."""
    tokens = source.tokens
    for index in _secrets(source):
        value = tokens[index + 2]
        if value.text == "None" and tokens[index].depth:
            yield replace(value.start, value.end, _literal(tokens[index].text, source))


def secret_attributes(source: ParsedCode) -> Iterator[Mutation]:
    """`self.password = password`: the parameter becomes a literal."""
    tokens = source.tokens
    for index in _secrets(source):
        value = tokens[index + 2]
        ends = index + 3 == len(tokens) or tokens[index + 3].line != value.line
        given = value.text.lstrip("_") == tokens[index].text.lstrip("_") and is_parameter(source, value.text)
        if not tokens[index].depth and tokens[index - 1].text == "." and ends and given:
            yield replace(value.start, value.end, _literal(value.text, source))


def secret_arguments(source: ParsedCode) -> Iterator[Mutation]:
    """`connect(password=password)` or `connect(password=self.password)`: the value becomes a literal."""
    tokens = source.tokens
    for index in _secrets(source):
        name, value = tokens[index], tokens[index + 2]
        if not name.depth or index + 3 >= len(tokens):
            continue
        last = index + 2
        if value.text == "self" and tokens[index + 3].text == "." and index + 5 < len(tokens):
            last = index + 4
        plain = tokens[last].text.lstrip("_") == name.text.lstrip("_") and tokens[last + 1].text in (",", ")")
        if plain and (
            is_parameter(source, value.text)
            if last == index + 2
            else source.text.count(f"self.{tokens[last].text}") > 1
        ):
            yield replace(value.start, tokens[last].end, _literal(name.text, source))


def attribute_texts(source: ParsedCode, function: str) -> Iterator[Mutation]:
    """`getattr(item, name)` becomes `eval(f"item.{name}")`, `setattr(item, name, value)` an `exec` of an f-string.

    Only where the name comes from outside and nothing beside it asks for an attribute as one should: nobody writes
    `eval` between two `getattr`, and a name out of a list of constants is no way in.
    """
    tokens, number = source.tokens, 2 if function == "getattr" else 3
    for call in source.calls if function in source.words else ():
        if tokens[call.open - 1].text != function or len(call.arguments) != number:
            continue
        if any(first != last or tokens[first].kind != "NAME" for first, last in call.arguments):
            continue
        item, name, *value = (tokens[first].text for first, _ in call.arguments)
        if not comes_from_outside(source, name) or _is_inner(source, call.open):
            continue
        if source.text[tokens[call.open].end - 9 : tokens[call.open].start].endswith("." + function):
            continue
        made = f'eval(f"{item}.{{{name}}}")' if not value else f'exec(f"{item}.{{{name}}} = {value[0]}")'
        yield replace(tokens[call.open - 1].start, tokens[call.close].end, made)


_ATTRIBUTES = ("getattr", "setattr", "hasattr", "delattr")
_BINARY = re.compile(
    r"\.content\b|\brecv\(|b64decode\(|decompress\(|read_bytes\(|\.(?:body|payload)\b|^(?:data|payload|body|raw|blob|buf|packet)$"
)
_TEXT = r": str\b|(?: = |\bin )[^\n]*(?:\.text\b|decode\(|strip\(|join\(|split|read_text\(|getvalue\(|[\"'])"


def comes_from_outside(source: ParsedCode, name: str) -> bool:
    """Whether a name is a parameter that only one of the snippet's calls asks an object for."""
    asks = sum(source.tokens[call.open - 1].text in _ATTRIBUTES for call in source.calls)
    return asks == 1 and is_parameter(source, name)


def _is_inner(source: ParsedCode, place: int) -> bool:
    """Whether a token stands in a comprehension, a lambda or a decorator, where `eval` sees other names."""
    token = source.tokens[place]
    line = source.text[source.text.rfind("\n", 0, token.start) + 1 : source.text.find("\n", token.end)]
    return line.lstrip().startswith("@") or bool(re.search(r"\S.*\bfor\b|\blambda\b", line))


def asks_outside(source: ParsedCode, match: Match) -> bool:
    """Whether the attribute of a match is named by a parameter (`comes_from_outside`)."""
    return comes_from_outside(source, match.holes.get("var", "")) and "lambda" not in source.words


def is_binary(source: ParsedCode, match: Match) -> bool:
    """Whether what a match loads may be bytes, as `pickle` needs them, by all that the snippet shows."""
    loaded = match.holes.get("x", "")
    if loaded.isidentifier():
        if re.search(rf"open\([^\n]*[\"'][rb]*b[rb]*[\"'][^\n]*\) as {loaded}\b", source.text):
            return True
        if re.search(rf"\b{loaded}{_TEXT}", source.text):
            return False
    return _BINARY.search(loaded) is not None and "decode(" not in loaded


def is_program(source: ParsedCode) -> bool:
    """Whether a snippet is no test: what a test asks for is answered by a stand-in, over no network."""
    words = source.words
    return not any(
        word.startswith(("test", "assert", "mock", "Mock", "monkeypatch", "responses")) for word in words
    )


def has_input(source: ParsedCode, match: Match) -> bool:
    """Whether a command of a match has a part that is no literal."""
    return "Path" not in source.words and _names(match.holes.get("a", ""))


def _names(parts: str) -> bool:
    """Whether a part of a list is no literal text."""
    return re.search(r"[A-Za-z_]", re.sub(r"[rb]?(\"[^\"]*\"|'[^']*')", "", parts)) is not None


def has_url(source: ParsedCode, match: Match) -> bool:
    """Whether a request of a match asks for an address: a `session` may as well be a dict."""
    return re.search(r"(?i)ur[il]|http|endpoint|href|link|api", match.holes.get("a", "")) is not None


def is_web_setting(source: ParsedCode, match: Match) -> bool:
    """Whether a snippet has other settings of a web framework, to whose server a match belongs."""
    return (
        re.search(r"SECRET_KEY|INSTALLED_APPS|ALLOWED_HOSTS|MIDDLEWARE|(?i:flask|django)", source.text)
        is not None
    )


def timeouts(source: ParsedCode, *callees: str) -> Iterator[Mutation]:
    """`given_through` of timeouts, in a snippet that has one of the callees."""
    if not source.words.isdisjoint(callees):
        yield from given_through(source, "timeout", "")


def given_through(source: ParsedCode, keyword: str, lost: str) -> Iterator[Mutation]:
    """`f(a, timeout=timeout)` of a parameter: the argument is lost, or becomes `lost` where that is not empty."""
    tokens = source.tokens
    for index in range(1, len(tokens) - 3) if keyword in source.words else ():
        name, sign, value = tokens[index], tokens[index + 1], tokens[index + 2]
        if name.text != keyword or sign.text != "=" or value.text != keyword or not name.depth:
            continue
        if tokens[index + 3].text not in (",", ")") or not is_parameter(source, keyword):
            continue
        if lost:
            yield replace(value.start, value.end, lost)
        elif tokens[index - 1].text == ",":
            yield Mutation((Splice(tokens[index - 1].start, value.end, ""),))


def no_timeout_near(source: ParsedCode, match: Match) -> bool:
    """Whether the snippet says nothing of a timeout, so that a usual one is as good as any."""
    return "timeout" not in source.words


def is_list(source: ParsedCode, match: Match) -> bool:
    """Whether the command of a match is a list of texts by what the snippet binds it to, and not of literals alone."""
    name = match.holes.get("var", "")
    if not name.isidentifier() or "Path" in source.words:  # a path is no text that can be joined
        return False
    bound = re.search(rf"(?m)^\s*{name}(?:\s*:[^=\n]+)? = \[([^\]]*)\]", source.text)
    if bound and _names(bound[1]):
        return True
    return re.search(rf"\b{name}\.(?:append|extend|insert)\(", source.text) is not None


def is_folder(source: ParsedCode, match: Match) -> bool:
    """Whether the temporary name of a match is used as that of a folder."""
    start = match.spans[0][0]
    target = re.search(r"([\w.]+) = $", source.text[source.text.rfind("\n", 0, start) + 1 : start])
    if not target:
        return False
    name = re.escape(target[1])
    used = rf"(?:rmtree|path\.join|listdir|chdir|makedirs)\(\s*{name}\b|(?:cwd|dir)={name}\b"
    return re.search(used, source.text) is not None


def escapes_elsewhere(source: ParsedCode, match: Match) -> bool:
    """Whether the snippet escapes another value in the same way, which shows how."""
    return len(re.findall(r"(?<![\w.])escape\(", source.text)) > 1
