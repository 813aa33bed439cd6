"""Which kind of bug a real fix undoes, by the shape of its edit.

The mutators make a bug only where the snippet shows what is right, which few real fixes do. So what counts here is what
changed: one place, at most three lexical tokens on either side, of a shape that a kind makes the other way round. Four
kinds are longer by nature: two arguments, operands or statements swapped, a statement at another level, a guard before
what it guards, a mutable default; and a security fix is what the taxonomy's rules say, up to `LONGEST` tokens.
"""

from __future__ import annotations

import ast
import builtins
import io
import keyword
import re
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rapidfuzz.distance import OSA

from ctm.bugs.security_rules import repaired_rules
from ctm.pairs.lexical import DEDENT, INDENT, NEWLINE, exact_match

MOST = 3
"""Lexical tokens that change on either side."""
LONGEST = 12
"""The same of swaps, guards and security fixes."""
LEVELS = 40
"""Tokens between the old and the new end of a block."""

COMPARISONS = frozenset(("<", "<=", ">", ">=", "==", "!="))
ARITHMETIC = frozenset(("+", "-", "*", "/", "//", "%", "**", "@"))
BITWISE = frozenset(("&", "|", "^", "<<", ">>"))
AUGMENTED = frozenset(("+=", "-=", "*=", "/=", "//=", "%=", "|=", "&=", "^=", "<<=", ">>=", "**="))
ORDERED = frozenset(("-", "/", "//", "%", "**", "<", "<=", ">", ">=", "in", "<<", ">>"))
"""Operators whose two sides are not the same."""
JUMPS = frozenset(("break", "continue", "pass", "return"))
CONSTANTS = frozenset(("True", "False", "None"))
SAYING = frozenset(
    ("critical", "debug", "echo", "error", "exception", "info", "log", "print", "raise", "assert", "warn", "warning")
)  # fmt: skip
CALLS = frozenset(
    ("min", "max", "any", "all", "int", "float", "round", "sum", "len", "abs", "sorted", "reversed", "list", "tuple",
     "set", "dict", "repr", "ord", "chr", "range", "enumerate", "getattr", "hasattr", "isinstance", "issubclass",
     "iter", "next", "bool", "frozenset")
)  # fmt: skip
"""Builtins of which one is written for another."""
MODERN = frozenset(
    ("iteritems", "itervalues", "iterkeys", "has_key", "warn", "getchildren", "getiterator", "isAlive", "utcnow",
     "utcfromtimestamp", "encodestring", "decodestring", "fromstring", "tostring", "readfp", "getargspec", "setDaemon",
     "getName", "setName", "currentThread", "notifyAll", "isSet", "clock", "ugettext", "ugettext_lazy", "xrange",
     "unicode", "basestring", "get_event_loop", "assertEquals", "append_map", "appendlist", "find_module", "inspect",
     "load_module", "as_matrix", "ix", "force_text", "smart_text", "is_ajax", "copy", "dict", "parse_obj")
)  # fmt: skip
"""Attributes that a newer Python or library has another name for."""
ALIKE = (
    frozenset(("append", "extend", "add", "update", "insert")),
    frozenset(("keys", "values", "items")),
    frozenset(("read", "readline", "readlines")),
    frozenset(("write", "writelines")),
    frozenset(("strip", "lstrip", "rstrip", "removeprefix", "removesuffix")),
    frozenset(("split", "rsplit", "splitlines", "partition", "rpartition")),
    frozenset(("find", "rfind", "index", "rindex")),
    frozenset(("startswith", "endswith")),
    frozenset(("lower", "upper", "title", "capitalize", "casefold")),
    frozenset(("remove", "discard", "pop", "popitem", "popleft", "clear")),
    frozenset(("get", "pop", "setdefault")),
    frozenset(("sort", "reverse")),
    frozenset(("match", "search", "fullmatch", "findall", "finditer")),
    frozenset(("group", "groups", "groupdict")),
    frozenset(("start", "end", "span")),
    frozenset(("encode", "decode")),
    frozenset(("isdigit", "isalpha", "isalnum", "isdecimal", "isnumeric", "isidentifier")),
    frozenset(("union", "intersection", "difference", "symmetric_difference")),
    frozenset(("year", "month", "day", "hour", "minute", "second", "microsecond")),
    frozenset(("seconds", "total_seconds", "days", "microseconds")),
    frozenset(("isdir", "isfile", "exists", "islink", "lexists")),
    frozenset(("dirname", "basename", "abspath", "realpath", "relpath", "normpath")),
    frozenset(("name", "stem", "suffix", "parent")),
    frozenset(("min", "max", "sum", "mean")),
    frozenset(("ceil", "floor", "round", "trunc")),
    frozenset(("stdout", "stderr", "stdin")),
    frozenset(("date", "datetime", "time", "timestamp")),
    frozenset(("lineno", "col_offset", "end_lineno", "end_col_offset")),
    frozenset(("args", "kwargs", "keywords")),
    frozenset(("left", "right", "top", "bottom")),
    frozenset(("width", "height")),
    frozenset(("first", "last")),
    frozenset(("x", "y", "z")),
)
"""Attributes of the language and its library that are written for one another."""

SECURITY_KINDS = {
    "sql": "sql_fields", "shell": "shell_true", "path": "unchecked_name", "html": "unescaped_html",
    "deserialization": "pickle_load", "cipher": "weak_cipher", "hash": "md5_hash", "random": "random_token",
    "certificate": "unverified_request", "password": "password_literal", "temporary": "fixed_temporary_name",
    "mode": "world_writable", "eval": "eval_input", "xml": "xml_parser", "timeout": "request_without_timeout",
    "exposure": "bind_all", "log": "log_raw_value", "leak": "error_to_client", "regex": "regex_nested_repeat",
}  # fmt: skip
"""Rules of the taxonomy, and the kind that stands for each."""
_TELLTALE = {
    "sha1": "sha1_hash", "SHA1": "sha1_hash", "mktemp": "mktemp", "extractall": "unchecked_archive",
    "extract": "unchecked_archive", "system": "os_system", "choice": "random_choice", "yaml": "yaml_load",
    "mark_safe": "mark_safe", "Markup": "mark_safe", "autoescape": "autoescape_off", "debug": "debug_server",
    "exec": "exec_text", "marshal": "marshal_load", "format_exc": "traceback_to_client",
    "urlopen": "connection_without_timeout", "_create_unverified_context": "unverified_context",
    "check_hostname": "unverified_context", "MODE_ECB": "ecb_mode", "makedirs": "wide_creation_mode",
}  # fmt: skip
"""Words of the fixed line by which another kind of the same rule is known."""

_WORD = re.compile(r"[^\W\d]\w*")
_VERSION = re.compile(r"(?i)version|deprecat|hexversion|copyright")
_IGNORED = {tokenize.COMMENT, tokenize.NL, tokenize.ENDMARKER, tokenize.ENCODING, tokenize.TYPE_COMMENT}
_STRUCTURE = {tokenize.NEWLINE: NEWLINE, tokenize.INDENT: INDENT, tokenize.DEDENT: DEDENT}
_BORDERS = frozenset((NEWLINE, INDENT, DEDENT))


@dataclass(frozen=True, slots=True)
class Undone:
    """What a fix undoes, and the two texts that differ in nothing else."""

    kind: str
    category: str
    """"logic" or "security"."""
    buggy: str
    fixed: str
    old: tuple[str, ...]
    new: tuple[str, ...]
    """Lexical tokens that the fix takes away, and those that it puts there."""


class NotUndone(ValueError):
    """The change undoes no kind; the message is the reason that is counted."""


@dataclass(frozen=True, slots=True)
class _Token:
    text: str
    begin: int
    end: int


@dataclass(frozen=True, slots=True)
class _Edit:
    """The one place where two lists of tokens differ: [at, stop) of `before` became [at, new_stop) of `after`."""

    before: list[_Token]
    after: list[_Token]
    at: int
    stop: int
    new_stop: int

    @property
    def old(self) -> tuple[str, ...]:
        return tuple(token.text for token in self.before[self.at : self.stop])

    @property
    def new(self) -> tuple[str, ...]:
        return tuple(token.text for token in self.after[self.at : self.new_stop])

    @property
    def previous(self) -> str:
        return self.before[self.at - 1].text if self.at else NEWLINE

    @property
    def following(self) -> str:
        return self.before[self.stop].text if self.stop < len(self.before) else NEWLINE

    def line(self) -> list[str]:
        """Tokens of the logical line of `after` in which the edit begins."""
        texts = [token.text for token in self.after]
        begin = self.at
        while begin and texts[begin - 1] not in _BORDERS:
            begin -= 1
        end = max(self.at, self.new_stop - 1)
        while end < len(texts) and texts[end] not in _BORDERS:
            end += 1
        return texts[begin:end]


def undone(
    before: str, after: str, old_words: Mapping[str, int], new_words: Mapping[str, int]
) -> Undone:
    """What the change of a function undoes; both texts compile. Raises NotUndone.

    old_words, new_words: how often each name stands in the whole file, before and after. The fixed side is `before`
    with the one edit made, so that a comment or docstring that changed as well says nothing.
    """
    edit = _only_edit(before, after)
    if edit is None:
        if (pair := _mutable_default(before, after)) is not None:
            return Undone("mutable_default", "logic", before, after, *pair)
        raise NotUndone("more than one edit")
    if not edit.old and not edit.new:
        raise NotUndone("comments and docstrings only")
    fixed = _made(before, after, edit)
    kind, category = _kind(edit, before, fixed, _File(old_words, new_words))
    return Undone(kind, category, before, fixed, edit.old, edit.new)


def words_of(text: str) -> Counter[str]:
    """How often each name, keyword or word of a string or comment stands in a text."""
    return Counter(_WORD.findall(text))


# --- the one edit ---------------------------------------------------------------------------------------------------


def _only_edit(before: str, after: str) -> _Edit | None:
    """The edit, of any size up to `LEVELS` tokens; None where the texts differ in more or cannot be tokenised."""
    old, new = _tokens(before), _tokens(after)
    if old is None or new is None:
        return None
    first, last, shorter = 0, 0, min(len(old), len(new))
    while first < shorter and old[first].text == new[first].text:
        first += 1
    while last < shorter - first and old[-1 - last].text == new[-1 - last].text:
        last += 1
    edit = _Edit(old, new, first, len(old) - last, len(new) - last)
    return edit if max(edit.stop, edit.new_stop) - first <= LEVELS else None


def _tokens(text: str) -> list[_Token] | None:
    """Lexical tokens without comments and texts that stand by themselves, with their places in `text`."""
    starts = [0]
    for line in io.StringIO(text):
        starts.append(starts[-1] + len(line))
    found: list[_Token] = []
    try:
        for item in tokenize.generate_tokens(io.StringIO(text).readline):
            if item.type in _IGNORED:
                continue
            begin = min(starts[item.start[0] - 1] + item.start[1], len(text))
            end = min(starts[min(item.end[0], len(starts)) - 1] + item.end[1], len(text))
            found.append(_Token(_STRUCTURE.get(item.type, item.string), begin, max(begin, end)))
    except (tokenize.TokenError, SyntaxError, ValueError, RecursionError):
        return None
    return list(_without_documentation(found))


def _without_documentation(tokens: list[_Token]) -> Iterator[_Token]:
    skip = False
    for place, token in enumerate(tokens):
        if skip:
            skip = False
            continue
        stands_alone = (
            token.text[-1:] in "'\""
            and place
            and tokens[place - 1].text in _BORDERS
            and place + 1 < len(tokens)
            and tokens[place + 1].text == NEWLINE
        )
        if stands_alone and place > 1 and tokens[place - 1].text == INDENT and tokens[place - 2].text == NEWLINE:
            skip = place + 2 < len(tokens) and tokens[place + 2].text != DEDENT  # else it is the whole body
            if skip:
                continue
        yield token


def _made(before: str, after: str, edit: _Edit) -> str:
    """`before` with the edit; `after` itself where blocks moved, or where the edit alone makes something else."""
    if not _BORDERS.isdisjoint(edit.old + edit.new):
        return after
    begin, new_begin = (tokens[edit.at - 1].end if edit.at else 0 for tokens in (edit.before, edit.after))
    end, new_end = edit.before[edit.stop].begin, edit.after[edit.new_stop].begin
    made = before[:begin] + after[new_begin:new_end] + before[end:]
    tokens = _tokens(made)
    return made if tokens and [t.text for t in tokens] == [t.text for t in edit.after] else after


# --- its kind -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _File:
    old: Mapping[str, int]
    new: Mapping[str, int]


def _kind(edit: _Edit, before: str, fixed: str, file: _File) -> tuple[str, str]:
    """(kind, category). Raises NotUndone."""
    header = _header(edit)
    if _is_self_parameter(edit, header):
        return "missing_self_parameter", "logic"
    if edit.at <= header:
        raise NotUndone("decorator, parameter or default changed")
    line = edit.line()
    if _VERSION.search(" ".join(line)):
        raise NotUndone("about versions")
    if max(len(edit.old), len(edit.new)) <= LONGEST and (rules := repaired_rules(before, fixed)):
        if not repaired_rules(fixed, before):
            return _security_kind(rules[0], line), "security"
    if _says(line):
        raise NotUndone("message or log")
    for same in _rotations(edit):
        kind = _longer(same)
        if not kind and max(len(edit.old), len(edit.new)) <= MOST:
            kind = _short(same, before, file)
        if kind:
            return kind, "logic"
    raise NotUndone("no shape of a kind")


def _rotations(edit: _Edit) -> Iterator[_Edit]:
    """The edit, and where tokens only come or only go the same one seen further to the left: `self.a and` + `self.`."""
    yield edit
    if edit.old and edit.new:
        return
    longer, at = (edit.old or edit.new), edit.at
    for shift in range(1, len(longer)):
        at -= 1
        if at < 0 or edit.before[at].text != longer[-shift]:
            return
        yield _Edit(edit.before, edit.after, at, edit.stop - shift, edit.new_stop - shift)


def _header(edit: _Edit) -> int:
    """Index of the last token of the function's header in `before`, its colon."""
    depth, seen = 0, False
    for place, token in enumerate(edit.before):
        seen = seen or token.text == "def"
        depth += token.text in ("(", "[", "{")
        depth -= token.text in (")", "]", "}")
        if seen and not depth and token.text == ":":
            return place
    return 0


def _is_self_parameter(edit: _Edit, header: int) -> bool:
    if edit.at > header or edit.old or edit.new not in (("self", ","), ("self",)):
        return False
    return edit.at > 2 and edit.previous == "(" and edit.before[edit.at - 3].text == "def"


def _says(line: list[str]) -> bool:
    """Whether a line raises, asserts, warns, logs or prints."""
    if line[:1] and line[0] in ("raise", "assert"):
        return True
    place = line.index("(") if "(" in line else 0
    return bool(place) and line[place - 1] in SAYING


def _security_kind(rule: str, line: list[str]) -> str:
    return next((_TELLTALE[word] for word in line if word in _TELLTALE), SECURITY_KINDS[rule])


def _longer(edit: _Edit) -> str:
    """Kinds whose edit may be longer: what moves, and guards."""
    old, new = edit.old, edit.new
    if INDENT in old + new or DEDENT in old + new:
        return _level(old, new)
    if len(old) > LONGEST or len(new) > LONGEST:
        return ""
    if not old and (new[-1] in ("and", "or") or new[0] in ("and", "or")):
        return _guard(edit)
    return _swap(edit) if Counter(old) == Counter(new) and old else ""


def _level(old: tuple[str, ...], new: tuple[str, ...]) -> str:
    borders = (INDENT, DEDENT)
    same = [t for t in old if t not in borders] == [t for t in new if t not in borders]
    moved = sum(token == NEWLINE for token in old)
    return "wrong_level" if same and Counter(old) == Counter(new) and 1 <= moved <= 2 else ""


def _guard(edit: _Edit) -> str:
    """`x and`, `x is not None and`, `not x or` before what reads an attribute or item of x."""
    new = edit.new
    guard = new[:-1] if new[-1] in ("and", "or") else new[1:]
    if not guard or "(" in guard or len(guard) > 6:
        return ""
    names = [word for word in guard if _is_name(word)]
    if not names:
        return ""
    path = tuple(t for t in guard if t not in ("not", "is", "None", "!=", "=="))
    if any(token != "." and not _is_name(token) for token in path):
        return ""
    line = edit.line()
    n = len(path)
    reads = any(
        tuple(line[i : i + n]) == path and line[i + n : i + n + 1] and line[i + n] in (".", "[")
        for i in range(len(line) - n)
    )
    return "dropped_condition" if reads else ""


def _swap(edit: _Edit) -> str:
    """Two balanced parts on the two sides of one token, the other way round."""
    for left in range(5):
        for right in range(5):
            begin, end, new_end = edit.at - left, edit.stop + right, edit.new_stop + right
            if begin < 1 or end >= len(edit.before) or new_end >= len(edit.after):
                continue
            old = [token.text for token in edit.before[begin:end]]
            new = [token.text for token in edit.after[begin:new_end]]
            middle = _swapped_at(old, new)
            if not middle:
                continue
            before, behind = edit.before[begin - 1].text, edit.before[end].text
            if before == "." or behind in (".", "(", "["):
                continue
            if middle == NEWLINE:
                return "wrong_order" if _depends(new) and not _depends(old) else ""
            if middle == "," and before in ("(", ",") and behind in (")", ","):
                return "swapped_arguments" if _in_call(edit, begin) else ""
            if middle in ORDERED and not _is_operand(before) and not _is_operand(behind):
                return "swapped_operands"
    return ""


def _swapped_at(old: list[str], new: list[str]) -> str:
    for place in range(1, len(old) - 1):
        left, middle, right = old[:place], old[place], old[place + 1 :]
        if new == [*right, middle, *left] and left != right and _balanced(left) and _balanced(right):
            return middle
    return ""


def _balanced(tokens: list[str]) -> bool:
    depth = 0
    for token in tokens:
        depth += token in ("(", "[", "{")
        depth -= token in (")", "]", "}")
        if depth < 0 or (not depth and token in (",", "=", ":")):
            return False
    return not depth


def _is_operand(token: str) -> bool:
    return token in (*ARITHMETIC, ")", "]") or _is_name(token)


def _in_call(edit: _Edit, begin: int) -> bool:
    """Whether the bracket around token `begin` is that of a call."""
    depth = 0
    for place in range(begin - 1, 0, -1):
        token = edit.before[place].text
        depth += token in (")", "]", "}")
        if token in ("(", "[", "{"):
            if not depth:
                name = edit.before[place - 1].text
                return token == "(" and (_is_name(name) or name in (")", "]"))
            depth -= 1
    return False


def _depends(statements: list[str]) -> bool:
    """Whether the first of two statements sets a name that the second one reads."""
    place = statements.index(NEWLINE)
    first, second = statements[:place], statements[place + 1 :]
    return len(first) > 2 and first[1] == "=" and first[0] in second and second[0] != first[0]


def _short(edit: _Edit, before: str, file: _File) -> str:
    old, new = edit.old, edit.new
    if len(old) == len(new) == 1:
        return _operator(old[0], new[0], edit) or _exchange(edit, before, file)
    if old == ("is", "not") and new == ("!=",):
        return "identity_for_equality"
    if not old:
        return _inserted(edit, before, file)
    if not new:
        return _removed(edit)
    return ""


def _operator(old: str, new: str, edit: _Edit) -> str:
    both = {old, new}
    begins = edit.previous in _BORDERS
    if both <= COMPARISONS:
        return "comparison_operator"
    if both == {"and", "or"}:
        return "boolean_operator"
    if both <= ARITHMETIC:
        return "arithmetic_operator"
    if both <= BITWISE:
        return "bitwise_operator"
    if both <= AUGMENTED | {"="}:
        return "augmented_operator"
    if (old, new) == ("is", "=="):
        return "identity_for_equality"
    if (old, new) == ("==", "="):
        return "equality_for_assignment"
    if both <= JUMPS and begins and edit.following == NEWLINE:
        return "wrong_jump"
    if old == "if" and new in ("elif", "while") and begins:
        return "if_for_elif"
    return ""


def _exchange(edit: _Edit, before: str, file: _File) -> str:
    """One number, constant or name for another."""
    (old,), (new,) = edit.old, edit.new
    if old in CONSTANTS and new in CONSTANTS:
        return "constant"
    if old.isdecimal() and new.isdecimal():
        return "off_by_one" if abs(int(old) - int(new)) == 1 else ""
    if not (_is_name(old) and _is_name(new)):
        return ""
    if edit.previous == ".":
        return _attribute(old, new, file)
    if edit.following == "=" and edit.previous in ("(", ","):
        return ""  # a keyword of a call: it has the name that the other side gives it
    bound = _bound(before)
    if old in CALLS and new in CALLS and edit.following == "(" and not {old, new} & bound:
        return "wrong_attribute"
    if old in bound and new in bound and edit.following != "=" and _still(old, edit):
        return "variable_misuse"
    known = old in bound or hasattr(builtins, old) or file.old.get(old, 0) > 1
    if not known and _is_similar(old, new) and file.new.get(new, 0) > 1:
        return "misspelt_name"
    return ""


def _attribute(old: str, new: str, file: _File) -> str:
    if old in MODERN or new in MODERN:
        return ""
    if file.old.get(old, 0) == 1 and _is_similar(old, new) and file.old.get(new, 0) > 0:
        return "misspelt_name"
    if any(old in group and new in group for group in ALIKE):
        return "wrong_attribute"
    if file.new.get(old, 0) and file.old.get(new, 0):
        return "wrong_attribute"
    return ""


def _is_similar(old: str, new: str) -> bool:
    """Whether one is the other misspelt: one letter more, less, other or two swapped; two in long names."""
    return min(len(old), len(new)) > 2 and OSA.distance(old, new) <= (2 if len(new) > 7 else 1)


def _still(name: str, edit: _Edit) -> bool:
    """Whether a name is still used behind the fix: one that is gone was renamed, or is dead code."""
    return any(token.text == name for token in edit.after)


def _inserted(edit: _Edit, before: str, file: _File) -> str:
    new, previous, following = edit.new, edit.previous, edit.following
    if new == ("not",):
        return "membership" if following == "in" else "dropped_not"
    if new == ("(", ")"):
        return "missing_call" if _is_name(previous) or previous in (")", "]") else ""
    if new == ("await",):
        return "dropped_await"
    if new == ("return",) and previous in (*_BORDERS, ":"):
        return "dropped_return"
    if previous == "return" and following == NEWLINE and new != ("None",):
        return "dropped_return"
    if new == ("self", ".") and _is_name(following):
        known = following in _bound(before) or hasattr(builtins, following)
        used = file.old.get(following, 0) and not re.search(rf"^(?:{following}\b\s*[=:]|import)", before, re.M)
        return "dropped_self" if used and not known else ""
    return "bound" if _is_one(new) else ""


def _removed(edit: _Edit) -> str:
    if edit.old == ("not",):
        return "membership" if edit.following == "in" else "negated_condition"
    return "bound" if _is_one(edit.old) else ""


def _is_one(tokens: tuple[str, ...]) -> bool:
    return tokens in (("+", "1"), ("-", "1"))


def _is_name(token: str) -> bool:
    return token.isidentifier() and not keyword.iskeyword(token)


def _bound(text: str) -> frozenset[str]:
    """Names that a function's text binds: parameters, targets, imports, handlers, nested definitions."""
    names: set[str] = set()
    tree = ast.parse(text)
    outer = tree.body[0] if tree.body else None
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                names.add(name)
            case ast.alias(name=name, asname=other):
                names.add((other or name).split(".")[0])
            case ast.ExceptHandler(name=str() as name):
                names.add(name)
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                if node is not outer:
                    names.add(name)
    return frozenset(names)


# --- mutable defaults -----------------------------------------------------------------------------------------------


def _mutable_default(before: str, after: str) -> tuple[tuple[str, ...], tuple[str, ...]] | None:
    """The default and None, where `after` has None for it and sets the name to what the default was."""
    trees = ast.parse(before), ast.parse(after)
    functions = [tree.body[0] for tree in trees if tree.body]
    if len(functions) != 2 or not all(isinstance(f, (ast.FunctionDef, ast.AsyncFunctionDef)) for f in functions):
        return None
    old, new = functions
    assert isinstance(old, (ast.FunctionDef, ast.AsyncFunctionDef))
    assert isinstance(new, (ast.FunctionDef, ast.AsyncFunctionDef))
    if ast.unparse(_bare(old.args)) != ast.unparse(_bare(new.args)):
        return None
    defaults = list(zip(old.args.defaults, new.args.defaults, strict=False))
    changed = [(a, b) for a, b in defaults if ast.dump(a) != ast.dump(b)]
    if len(old.args.defaults) != len(new.args.defaults) or len(changed) != 1:
        return None
    (mutable, none), names = changed[0], [item.arg for item in (*new.args.posonlyargs, *new.args.args)]
    name = names[len(names) - len(defaults) + [a for a, _ in defaults].index(mutable)]
    is_none = isinstance(none, ast.Constant) and none.value is None
    if not is_none or ast.unparse(mutable) not in ("[]", "{}", "set()", "list()", "dict()"):
        return None
    bodies = [[ast.dump(item) for item in function.body] for function in (old, new)]
    guards = [item for item in new.body if ast.dump(item) not in bodies[0]]
    rest = [text for text in bodies[1] if text in bodies[0]]
    if len(guards) != 1 or rest != bodies[0] or not _sets(guards[0], name):
        return None
    return (ast.unparse(mutable),), ("None",)


def _bare(arguments: ast.arguments) -> ast.arguments:
    """Parameters alone."""
    return ast.arguments(
        [ast.arg(item.arg) for item in arguments.posonlyargs],
        [ast.arg(item.arg) for item in arguments.args],
        arguments.vararg and ast.arg(arguments.vararg.arg),
        [ast.arg(item.arg) for item in arguments.kwonlyargs],
        [None for _ in arguments.kwonlyargs],  # type: ignore[misc]
        arguments.kwarg and ast.arg(arguments.kwarg.arg),
        [],
    )


def _sets(statement: ast.stmt, name: str) -> bool:
    """Whether a statement gives `name` another value where it is None."""
    text = ast.unparse(statement)
    return bool(
        re.match(rf"(?:if {name} is None:\s+{name} = |{name} = {name} or |if not {name}:\s+{name} = |{name} = )", text)
    )


def same(first: Undone, second: Undone) -> bool:
    """Whether two fixes are one another's undoing."""
    return exact_match(first.buggy, second.fixed) and exact_match(first.fixed, second.buggy)
