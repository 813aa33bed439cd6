"""Security kinds about texts: SQL and HTML put together, log lines, and patterns that take for ever.

What is in a string literal no token pattern reaches, so the finders here look into the literals themselves.
"""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

import re
from collections.abc import Iterator

from ctm.bugs.registry import Mutation, Splice, replace
from ctm.bugs.security.rewrite import SecurityPattern
from ctm.bugs.security.texts import looks_like_sql, runs_away
from ctm.bugs.security.visible import escapes_elsewhere
from ctm.bugs.security.write import security
from ctm.bugs.static_analysis.source import ParsedCode

_MARK = re.compile(r"\?|%s|:\w+")


def _bound_queries(source: ParsedCode) -> Iterator[tuple[str, int, int, str, list[str]]]:
    """`execute("... ? ...", (a, b))`: the literal's quotes, start of it, end of the arguments, its text, the values."""
    tokens, text = source.tokens, source.text
    for call in source.calls:
        if not tokens[call.open - 1].text.startswith("execute") or len(call.arguments) != 2:
            continue
        (first, last), (open_, close) = call.arguments
        literal = tokens[first].text
        if first != last or literal[0] not in "'\"" or literal[:3] in ("'''", '"""'):
            continue
        if tokens[open_].text not in ("(", "[") or source.partner.get(open_) != close:
            continue
        values = [text[tokens[a].start : tokens[b].end] for a, b in source.arguments_between(open_, close)]
        inside = literal[1:-1]
        plain = not any(sign in value for value in values for sign in "'\"{}\n")
        if values and plain and looks_like_sql(inside) and len(_MARK.findall(inside)) == len(values):
            yield literal[0], tokens[first].start, tokens[close].end, inside, values


def _other(quote: str) -> str:
    return "'" if quote == '"' else '"'


def _sql_fields(source: ParsedCode) -> Iterator[Mutation]:
    for quote, start, end, inside, values in _bound_queries(source):
        if "{" not in inside:
            fields = iter(values)
            inner = _other(quote)
            made = _MARK.sub(lambda _, f=fields, i=inner: f"{i}{{{next(f)}}}{i}", inside)  # type: ignore[misc]
            yield replace(start, end, f"f{quote}{made}{quote}")


def _sql_percent(source: ParsedCode) -> Iterator[Mutation]:
    for quote, start, end, inside, values in _bound_queries(source):
        inner = _other(quote)
        made = _MARK.sub(f"{inner}%s{inner}", inside)
        right = values[0] if len(values) == 1 else f"({', '.join(values)})"
        yield replace(start, end, f"{quote}{made}{quote} % {right}")


# CWE-89: SQL


def _is_jinja(source: ParsedCode) -> bool:
    """Whether an `Environment` of the snippet is one of templates."""
    names = ("jinja2", "jinja", "FileSystemLoader", "PackageLoader", "DictLoader", "BaseLoader", "get_template",
             "from_string", "select_autoescape")  # fmt: skip
    return not source.words.isdisjoint(names)


security(
    "sql_fields",
    "CWE-89",
    "B608",
    "values written into SQL by an f-string or `format`",
    [
        ('$sqlite("SELECT * FROM $table WHERE $column = ?", ($value,))', '$sqlite(f"SELECT * FROM $table WHERE $column = \'{$value}\'")'),
        ('$driver("SELECT $column FROM $table WHERE id = %s", ($user,))', '$driver(f"SELECT $column FROM $table WHERE id = {$user}")'),
        ('$sqlite("DELETE FROM $table WHERE $column = ?", ($user,))', '$sqlite(f"DELETE FROM $table WHERE $column = {$user}")'),
        ('$driver("INSERT INTO $table ($column) VALUES (%s)", ($value,))', '$driver("INSERT INTO $table ($column) VALUES (\'{}\')".format($value))'),
        ('$sqlite("UPDATE $table SET $column = ? WHERE id = ?", ($value, $user))', '$sqlite(f"UPDATE $table SET $column = \'{$value}\' WHERE id = {$user}")'),
        ('$driver("SELECT * FROM $table WHERE $column = %s", ($value,))', '$driver("SELECT * FROM $table WHERE $column = \'{}\'".format($value))'),
    ],
    finder=_sql_fields,
    finds=frozenset(("execute", "executemany")),
)  # fmt: skip
security(
    "sql_percent",
    "CWE-89",
    "B608",
    "values written into SQL by `%` or `+`",
    [
        ('$driver("SELECT * FROM $table WHERE $column = %s", ($value,))', '$driver("SELECT * FROM $table WHERE $column = \'%s\'" % $value)'),
        ('$sqlite("SELECT * FROM $table WHERE $column = ?", ($value,))', '$sqlite("SELECT * FROM $table WHERE $column = \'" + $value + "\'")'),
        ('$driver("DELETE FROM $table WHERE $column = %s", ($user,))', '$driver("DELETE FROM $table WHERE $column = %s" % $user)'),
        ('$sqlite("DELETE FROM $table WHERE id = ?", ($user,))', '$sqlite("DELETE FROM $table WHERE id = " + str($user))'),
        ('$sqlite("INSERT INTO $table ($column) VALUES (?)", ($value,))', '$sqlite("INSERT INTO $table ($column) VALUES (\'%s\')" % $value)'),
        ('$driver("UPDATE $table SET $column = %s WHERE id = %s", ($value, $user))', '$driver("UPDATE $table SET $column = \'%s\' WHERE id = %s" % ($value, $user))'),
    ],
    finder=_sql_percent,
    finds=frozenset(("execute", "executemany")),
)  # fmt: skip

# CWE-79: HTML
security(
    "autoescape_off",
    "CWE-79",
    "B701",
    "templates that escape nothing",
    [
        ("env = Environment(loader=FileSystemLoader($folder), autoescape=True)", "env = Environment(loader=FileSystemLoader($folder), autoescape=False)"),
        ("env = jinja2.Environment(loader=jinja2.FileSystemLoader($folder), autoescape=True)",
         "env = jinja2.Environment(loader=jinja2.FileSystemLoader($folder))"),
        ("env = Environment(loader=FileSystemLoader($folder), autoescape=True)\n$out = env.get_template($file)",
         "env = Environment(loader=FileSystemLoader($folder))\n$out = env.get_template($file)"),
        ("$out = Environment(autoescape=True).from_string($data)", "$out = Environment(autoescape=False).from_string($data)"),
    ],
    [
        SecurityPattern("Environment($$a, autoescape=True$$more)", "Environment($$a, autoescape=False$$more)"),
        SecurityPattern("Environment(autoescape=True$$more)", "Environment(autoescape=False$$more)"),
        SecurityPattern("Environment($$a, autoescape=True)", "Environment($$a)", reversible=True),
    ],
    contract="the `Environment` is Jinja's by what else the snippet names.",
    suits=_is_jinja,
)  # fmt: skip
security(
    "mark_safe",
    "CWE-79",
    "B703",
    "a text marked as safe HTML with fields that nobody escaped",
    [
        ('$out = format_html("<$tag>{}</$tag>", $value)', '$out = mark_safe("<$tag>%s</$tag>" % $value)'),
        ('$out = format_html("<$tag>{}</$tag>", $value)', '$out = mark_safe(f"<$tag>{$value}</$tag>")'),
        ('$out = format_html("<a href=\'{}\'>{}</a>", $url, $value)', '$out = mark_safe("<a href=\'{}\'>{}</a>".format($url, $value))'),
        ("$out = escape($value)", "$out = mark_safe($value)"),
        ('$out = format_html("<$tag class=\'$column\'>{}</$tag>", $value)', '$out = mark_safe("<$tag class=\'$column\'>" + $value + "</$tag>")'),
        ("$out = Markup.escape($value)", "$out = Markup($value)"),
    ],
    [
        SecurityPattern("format_html($f, $$a)", "mark_safe($f.format($$a))"),
        SecurityPattern("Markup.escape($x)", "Markup($x)"),
    ],
)  # fmt: skip
security(
    "unescaped_html",
    "CWE-79",
    "",
    "a value in HTML that is not escaped",
    [
        ('$out = f"<$tag>{html.escape($value)}</$tag>"', '$out = f"<$tag>{$value}</$tag>"'),
        ('$out = "<$tag>" + html.escape($value) + "</$tag>"', '$out = "<$tag>" + $value + "</$tag>"'),
        ('$out = "<$tag id=\'$column\'>%s</$tag>" % html.escape($value)', '$out = "<$tag id=\'$column\'>%s</$tag>" % $value'),
        ('self.wfile.write(f"<$tag>{html.escape($value)}</$tag>".encode())', 'self.wfile.write(f"<$tag>{$value}</$tag>".encode())'),
        ('$out = "<$tag>$column: {}</$tag>".format(html.escape($value))', '$out = "<$tag>$column: {}</$tag>".format($value)'),
    ],
    [SecurityPattern("html.escape($x)", "$x"), SecurityPattern("escape($x)", "$x", condition=escapes_elsewhere)],
)  # fmt: skip


_OUTSIDE = frozenset(("request", "requests", "environ", "headers", "cookies", "argv", "recv", "recvfrom", "input", "form",
                      "payload", "query_params", "user_agent", "remote_addr", "getpeername", "peername", "login",
                      "username", "websocket"))  # fmt: skip


def _meets_outside(source: ParsedCode) -> bool:
    """Whether a snippet has a name of what others send: only there is a value in a log line somebody else's."""
    return not _OUTSIDE.isdisjoint(source.words)


def _log_calls(source: ParsedCode) -> Iterator[int]:
    """Tokens that are the literal text of a log line."""
    tokens = source.tokens
    for call in source.calls:
        named = tokens[call.open - 1].text in ("debug", "info", "warning", "error", "exception", "critical")
        if named and call.arguments and call.open > 2 and "log" in tokens[call.open - 3].text.lower():
            yield call.arguments[0][0]


def _log_raw(source: ParsedCode) -> Iterator[Mutation]:
    for index in _log_calls(source):
        token = source.tokens[index]
        for match in re.finditer(r"%r|!r(?=\})", token.text) if token.kind == "STRING" else ():
            at = token.start + match.start()
            yield replace(at, at + 2, "%s" if match.group() == "%r" else "")


# CWE-117: log lines
security(
    "log_raw_value",
    "CWE-117",
    "",
    "a value from outside in a log line with its line ends",
    [
        ('$log.warning("$event %r", $user)', '$log.warning("$event %s", $user)'),
        ('$log.info("$event %r", $value)', '$log.info("$event %s", $value)'),
        ('$log.info(f"$event {$value!r}")', '$log.info(f"$event {$value}")'),
        ('$log.error("$event %r: %r", $file, $value)', '$log.error("$event %s: %s", $file, $value)'),
    ],
    finder=_log_raw,
    finds=frozenset(("debug", "info", "warning", "error", "exception", "critical")),
    contract="the snippet has to do with what comes from outside: elsewhere `%s` is how everybody logs.",
    suits=_meets_outside,
)
security(
    "log_line_ends",
    "CWE-117",
    "",
    "line ends of a value are not taken out before it is logged",
    [
        ('$log.info("$event " + $user.replace("\\r", " ").replace("\\n", " "))', '$log.info("$event " + $user)'),
        ('$log.warning("$event " + $value.replace("\\r", " ").replace("\\n", " "))', '$log.warning("$event " + $value)'),
        ('$log.error("$event %r" % $value)', '$log.error("$event %s" % $value)'),
        ('$log.info("$event {}".format(repr($user)))', '$log.info("$event {}".format($user))'),
    ],
    [
        SecurityPattern('logger.info("user " + $x.replace("\\r", " ").replace("\\n", " "))', 'logger.info("user " + $x)'),
    ],
    suits=_meets_outside,
    contract="the fixed side lets neither `\\\\n` nor `\\\\r` through, both of which begin a line in a viewer.",
)  # fmt: skip


def _patterns(source: ParsedCode) -> Iterator[tuple[int, str]]:
    """Start and text of each literal pattern of a call of `re`, whose text stands for itself."""
    tokens = source.tokens
    for call in source.calls:
        if call.open < 3 or tokens[call.open - 3].text != "re" or not call.arguments:
            continue
        first, last = call.arguments[0]
        text = tokens[first].text
        if first == last and text[:2] in ("r'", 'r"') and text[1:4] not in ("'''", '"""'):
            yield tokens[first].start + 2, text[2:-1]


_FOLLOWS = re.compile(r"\)?(?:\$|\\Z|(?:\\.|\[[^\]]+\]|[^\\|?*+(){}\[])(?![?*{]))")
"""What a text has to go on with behind a repetition, so that it can fail there."""


def _repeated(source: ParsedCode, shape: str) -> Iterator[Mutation]:
    """A repeated class becomes a repeated group: `\\w+` to `(?:\\w+)+`, say.

    Only where something has to follow: a group that ends the pattern matches at once and never goes back.
    """
    for start, text in _patterns(source):
        for match in re.finditer(r"(?<!\\)(\\[wds]|\[[^\]\\]+\])\+(?![?+*])", text):
            made = shape.replace("X", match.group(1))
            if not _FOLLOWS.match(text, match.end()):
                continue
            if not runs_away(text) and runs_away(text[: match.start()] + made + text[match.end() :]):
                yield Mutation((Splice(start + match.start(), start + match.end(), made),))


# CWE-1333: patterns
security(
    "regex_nested_repeat",
    "CWE-1333",
    "",
    "a pattern that repeats a repetition and takes exponential time",
    [
        ('$out = re.match(r"^\\w+$", $value)', '$out = re.match(r"^(\\w+)+$", $value)'),
        ('$out = re.match(r"^[a-z]+$", $value)', '$out = re.match(r"^([a-z]+)+$", $value)'),
        ('$out = re.match(r"^\\d*$", $value)', '$out = re.match(r"^(\\d+)*$", $value)'),
        ('pattern = re.compile(r"^\\w+(\\s\\w+)*$")', 'pattern = re.compile(r"^(\\w+\\s?)*\\w$")'),
        ('pattern = re.compile(r"^[a-z0-9]+(-[a-z0-9]+)*$")', 'pattern = re.compile(r"^([a-z0-9]+-?)*[a-z0-9]$")'),
        ('$out = re.fullmatch(r"\\w+(\\.\\w+)*@\\w+", $value)', '$out = re.fullmatch(r"(\\w+\\.?)*\\w@\\w+", $value)'),
        ('if re.search(r"^\\s*#", $value):\n    return None', 'if re.search(r"^(\\s*)*#", $value):\n    return None'),
    ],
    finder=lambda source: _repeated(source, "(?:X+)+"),
    finds=frozenset(("re",)),
)  # fmt: skip
security(
    "regex_overlap",
    "CWE-1333",
    "",
    "a repeated choice whose alternatives begin alike",
    [
        ('$out = re.match(r"^\\w+$", $value)', '$out = re.match(r"^(\\w|\\d)+$", $value)'),
        ('$out = re.match(r"^[\\w.]+$", $value)', '$out = re.match(r"^(\\w|[\\w.])+$", $value)'),
        ('pattern = re.compile(r"^[a-zA-Z0-9]*$")', 'pattern = re.compile(r"^([a-zA-Z]|[a-z0-9])*$")'),
        ('pattern = re.compile(r"^\\d+$")', 'pattern = re.compile(r"^(\\d|\\d\\d)+$")'),
        ('pattern = re.compile(r"^\\w*:$")', 'pattern = re.compile(r"^(\\w|\\w\\w)*:$")'),
    ],
    finder=lambda source: _repeated(source, "(?:X|X+)+"),
    finds=frozenset(("re",)),
)  # fmt: skip
