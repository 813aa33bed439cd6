"""Tables of tokens that people confuse, and of names that only changed with a newer library."""

from __future__ import annotations

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
     "unicode", "basestring", "get_event_loop", "find_module", "load_module", "as_matrix", "ix", "array", "normalized",
     "force_text", "smart_text", "is_ajax", "s", "n", "dims", "drop", "close", "extra", "Field",
     "copy", "dict", "parse_obj")
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
