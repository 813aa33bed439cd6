"""Security rules about texts, values and names: SQL, HTML, file modes, passwords, logs, answers to clients."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ctm.bugs.security.calls import constant, dotted, keywords
from ctm.bugs.security.texts import is_secret, looks_like_html, looks_like_sql, names_secret

_LOGGING = frozenset(("debug", "info", "warning", "warn", "error", "exception", "critical"))
_ANSWERS = frozenset(("jsonify", "HttpResponse", "Response", "JsonResponse", "JSONResponse", "HTTPException", "abort",
                      "make_response", "send_error", "HttpResponseServerError", "PlainTextResponse", "HTMLResponse",
                      "json_response"))  # fmt: skip
_MODES = {"chmod": 1, "fchmod": 1, "lchmod": 1, "mkdir": 1, "makedirs": 1, "mkfifo": 1, "open": 2}
_ESCAPES = frozenset(
    ("escape", "conditional_escape", "format_html", "urlize", "quote", "quote_plus", "int", "float")
)
_WEAK = frozenset(("md5", "sha1", "md4"))
_STRONG = frozenset(("sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s"))


def other_places(node: ast.AST, done: set[int]) -> Iterator[tuple[str, bool]]:
    """(rule, broken) of a node; `done` collects nodes that must not be counted again."""
    if id(node) in done:
        return
    yield from _texts(node, done)
    if isinstance(node, ast.Attribute):
        yield from _attributes(node, done)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _constants(node.value)
    elif isinstance(node, (ast.Assign, ast.AnnAssign)):
        yield from _assignments(node)
    elif isinstance(node, (ast.Import, ast.ImportFrom)):
        yield from _imports(node)
    elif isinstance(node, ast.Call):
        yield from _calls(node, done)
    elif isinstance(node, ast.Compare) and names_secret(dotted(node.left).split(".")[-1]):
        value = constant(node.comparators[0])
        yield "password", isinstance(value, str) and is_secret(value)
    elif isinstance(node, ast.arguments):
        yield from _parameters(node)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and _is_folder(node.left):
        yield "path", isinstance(node.right, (ast.Name, ast.Subscript))


def _is_folder(node: ast.AST) -> bool:
    """Whether the left side of `/` is a folder by its name."""
    name = (dotted(node.func) if isinstance(node, ast.Call) else dotted(node)).split(".")[-1].lower()
    return name.endswith(("path", "dir", "folder", "root", "base", "directory"))


def _texts(node: ast.AST, done: set[int]) -> Iterator[tuple[str, bool]]:
    """Texts with fields: SQL is broken by any field, HTML by one that is not escaped."""
    text, fields = parts_of(node)
    if text is None:
        return
    sql, html = looks_like_sql(text), bool(fields) and looks_like_html(text)
    if not (sql or html):
        return
    done.update(
        id(part) for part in ast.walk(node) if isinstance(part, (ast.Constant, ast.JoinedStr, ast.BinOp))
    )
    if sql:
        yield "sql", bool(fields)
    if html:
        yield "html", any(not _escaped(field) for field in fields)


def _escaped(field: ast.expr) -> bool:
    return isinstance(field, ast.Constant) or (
        isinstance(field, ast.Call) and dotted(field.func).split(".")[-1] in _ESCAPES
    )


def parts_of(node: ast.AST) -> tuple[str | None, list[ast.expr]]:
    """A text's literal part and the fields put into it (f-string, `%`, `+`, `.format`); (None, []) for no text."""
    if isinstance(node, ast.Constant):
        return (node.value, []) if isinstance(node.value, str) else (None, [])
    if isinstance(node, ast.JoinedStr):
        literal = "".join(str(part.value) if isinstance(part, ast.Constant) else "?" for part in node.values)
        return literal, [part.value for part in node.values if isinstance(part, ast.FormattedValue)]
    if isinstance(node, ast.BinOp) and isinstance(node.op, (ast.Add, ast.Mod)):
        text, fields = parts_of(node.left)
        if text is None:
            return None, []
        if isinstance(node.op, ast.Mod):
            right = node.right
            return text, [*fields, *(right.elts if isinstance(right, ast.Tuple) else [right])]
        more, inner = parts_of(node.right)
        return text + (more or "?"), [*fields, *(inner if more is not None else [node.right])]
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        pattern = constant(node.func.value)
        return (pattern, [*node.args, *keywords(node).values()]) if isinstance(pattern, str) else (None, [])
    return None, []


def _attributes(node: ast.Attribute, done: set[int]) -> Iterator[tuple[str, bool]]:
    name = dotted(node)
    if name.startswith("hashlib."):
        if node.attr in _WEAK or node.attr in _STRONG:
            yield "hash", node.attr in _WEAK
    elif name.startswith("ssl.PROTOCOL_"):
        yield "cipher", node.attr in ("PROTOCOL_SSLv2", "PROTOCOL_SSLv3", "PROTOCOL_TLSv1", "PROTOCOL_SSLv23")


def _constants(value: str) -> Iterator[tuple[str, bool]]:
    if value.startswith(("/tmp/", "/var/tmp/")):
        yield "temporary", True
    elif value in ("0.0.0.0", "::"):
        yield "exposure", True
    elif value in ("127.0.0.1", "localhost", "::1"):
        yield "exposure", False


def _assignments(node: ast.Assign | ast.AnnAssign) -> Iterator[tuple[str, bool]]:
    for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
        key = constant(target.slice) if isinstance(target, ast.Subscript) else dotted(target).split(".")[-1]
        name, value = str(key), constant(node.value)
        if names_secret(name) and value is not None:
            yield "password", isinstance(value, str) and is_secret(value)
        elif name == "check_hostname":
            yield "certificate", value is False
        elif name == "verify_mode" and node.value is not None:
            yield "certificate", dotted(node.value).endswith("CERT_NONE")
        elif name in ("debug", "DEBUG") and value is not None:
            yield "exposure", value is True


def _parameters(node: ast.arguments) -> Iterator[tuple[str, bool]]:
    plain = [*node.posonlyargs, *node.args]
    defaults = [None] * (len(plain) - len(node.defaults)) + list(node.defaults)
    for parameter, default in [
        *zip(plain, defaults, strict=True),
        *zip(node.kwonlyargs, node.kw_defaults, strict=True),
    ]:
        if names_secret(parameter.arg):
            value = constant(default)
            yield "password", isinstance(value, str) and is_secret(value)


def _imports(node: ast.Import | ast.ImportFrom) -> Iterator[tuple[str, bool]]:
    names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else [node.module or ""]
    for name in names:
        if name.split(".")[0] == "defusedxml":
            yield "xml", False
        elif name.startswith(("xml.etree", "xml.dom", "xml.sax")) or name == "xml":
            yield "xml", True
        elif name in ("pickle", "cPickle", "marshal", "dill"):
            yield "deserialization", True
        elif name == "json":
            yield "deserialization", False


def _calls(node: ast.Call, done: set[int]) -> Iterator[tuple[str, bool]]:
    name = dotted(node.func)
    parts, given = name.split("."), keywords(node)
    last = parts[-1]
    if name.startswith("hashlib.") and constant(given.get("usedforsecurity")) is False:
        done.add(id(node.func))
        yield "hash", False
    if last in _MODES:
        yield from _mode(node, parts, given)
    if last == "umask" and node.args and isinstance(constant(node.args[0]), int):
        yield "mode", not int(str(constant(node.args[0]))) & 0o002
    if last == "join" and "path" in parts and node.args:
        final = node.args[-1]
        checked = isinstance(final, ast.Call) and dotted(final.func).split(".")[-1] in (
            "basename",
            "secure_filename",
        )
        if not isinstance(final, ast.Constant):
            yield "path", not checked
    if last in _LOGGING and len(parts) > 1 and re.search(r"log", parts[-2], re.IGNORECASE) and node.args:
        yield from _log(node.args)
    if last in _ANSWERS:
        values = [*node.args, *given.values()]
        yield "leak", any(_leaks(part) for value in values for part in ast.walk(value))
    first = node.args[0] if node.args else None
    if last == "bind" and isinstance(first, ast.Tuple) and first.elts and constant(first.elts[0]) == "":
        yield "exposure", True
    if last == "new" and parts[0] == "hmac":
        digest = given.get("digestmod") or (node.args[2] if len(node.args) > 2 else None)
        if isinstance(constant(digest), str):
            yield "hash", constant(digest) in _WEAK
    for key, value in given.items():
        if names_secret(key):
            text = constant(value)
            yield "password", isinstance(text, str) and is_secret(text)


def _mode(node: ast.Call, parts: list[str], given: dict[str, ast.expr]) -> Iterator[tuple[str, bool]]:
    last, method = parts[-1], parts[0] != "os"
    if last == "open" and method:
        return
    at = 0 if method and last in ("chmod", "mkdir") else _MODES[last]
    mode = given.get("mode") or (node.args[at] if len(node.args) > at else None)
    value = constant(mode)
    if isinstance(value, int) and not isinstance(value, bool):
        yield "mode", bool(value & 0o002)
    elif mode is not None and "S_I" in ast.dump(mode):
        dump = ast.dump(mode)
        yield "mode", "S_IRWXO" in dump or "S_IWOTH" in dump


def _log(arguments: list[ast.expr]) -> Iterator[tuple[str, bool]]:
    """A field of a log line is safe as `%r` or without its line ends."""
    text, fields = parts_of(arguments[0])
    fields = [*fields, *arguments[1:]]
    if text is None or not fields:
        return
    marks = re.findall(r"%(?:\(\w+\))?[-\d.]*([srdif])", text)
    raw = {
        id(part.value)
        for part in (arguments[0].values if isinstance(arguments[0], ast.JoinedStr) else ())
        if isinstance(part, ast.FormattedValue) and part.conversion == ord("r")
    }
    for number, field in enumerate(fields):
        if not isinstance(field, (ast.Name, ast.Attribute, ast.Call, ast.Subscript)):
            continue
        mark = marks[number] if number < len(marks) else "s"
        called = dotted(field.func).split(".")[-1] if isinstance(field, ast.Call) else ""
        safe = mark == "r" or id(field) in raw or called in ("repr", "replace", "translate", "quote", "dumps")
        if mark in "sr":
            yield "log", not safe


def _leaks(node: ast.AST) -> bool:
    """An exception's own words or a traceback."""
    if not isinstance(node, ast.Call):
        return False
    name = dotted(node.func)
    if name in ("str", "repr") and node.args:
        return dotted(node.args[0]) in ("e", "err", "error", "exc", "ex", "exception")
    return name.split(".")[-1] in ("format_exc", "format_exception", "exc_info")
