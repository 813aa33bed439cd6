"""Where a written statement fits: about variables of the snippet, in code of its subject, with its result used.

A statement with a result takes the place of one that calls something of the same subject (`data = load(path)` becomes
`data = np.load(path, allow_pickle=False)` and its insecure twin), so that what follows uses it; one with an effect
alone goes beside a statement about the same variable. Nothing gets a parameter for it. Where a handler of errors is
written, the snippet's own statement stands in its `try`.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random
from typing import NamedTuple

from ctm.bugs.registry import Candidate, Splice, shuffled
from ctm.bugs.rewrite import filled, holes_of
from ctm.bugs.security_names import INPUTS, OWNERS, Filler, surely
from ctm.bugs.security_texts import names_secret
from ctm.bugs.source import Source, parts_of_name

_RECORDS = "load loads parse decode deserialize read restore unpack unpickle pickle json config settings"
_QUERIES = "sql query execute cursor rows row select insert table conn"
_PAGES = "html render page markup label title escape link"
_LOGS = "log logger logging debug info warning warn error"
_REQUESTS = "request requests response resp fetch download http httpx"
_COMMANDS = "subprocess cmd command run exec system shell popen execute spawn"
_HASHES = "hash hashed hasher digest checksum fingerprint etag signature hashlib hmac md5 sha"
_TOKENS = "token nonce salt secret sid uuid challenge csrf"
_ANSWERS = "abort jsonify flask django fastapi route view views endpoint handler request"
_PATTERNS = "re regex regexp pattern match search valid validate"
_CIPHERS = "encrypt encrypted cipher crypt ciphertext aes des encryption"
_PATHS = "path paths filename filepath file join open folder directory upload download"
_SECRETS = "password passwd passphrase secret key login auth credentials"
_TEMPORARY = "tempfile temporary tmpfile tmpdir tempdir tmppath mktemp mkstemp mkdtemp"
_SUBJECTS: dict[str, str] = {
    "shell_true": _COMMANDS, "os_system": _COMMANDS, "unquoted_argument": _COMMANDS,
    "unchecked_name": _PATHS, "unchecked_path": _PATHS,
    "unchecked_archive": "archive tar tarfile extract extractall unpack untar targz tarball",
    "pickle_load": _RECORDS, "yaml_load": _RECORDS + " yaml yml", "marshal_load": _RECORDS,
    "eval_input": "eval evaluate literal expr expression input prompt",
    "exec_text": "import plugin importlib setattr getattr exec runpy script",
    "xml_import": "xml etree dom minidom soup", "xml_parser": "xml etree dom minidom soup",
    "weak_cipher": _CIPHERS + " ssl tls context ctx", "ecb_mode": _CIPHERS,
    "md5_hash": _HASHES, "sha1_hash": _HASHES, "random_token": _TOKENS, "random_choice": _TOKENS,
    "unverified_request": _REQUESTS, "unverified_context": "ssl tls context ctx https certificate cert urlopen",
    "password_literal": _SECRETS, "password_argument": _SECRETS + " connect connection client",
    "password_default": _SECRETS, "mktemp": _TEMPORARY, "fixed_temporary_name": _TEMPORARY,
    "world_writable": "write save dump mkdir makedirs chmod copy touch rename copyfile permissions symlink",
    "wide_creation_mode": "mkdir makedirs mkdirs umask daemonize fork ensure",
    "request_without_timeout": _REQUESTS,
    "connection_without_timeout": "connect connection socket sock smtp ftp urlopen download fetch popen process proc",
    "debug_server": "flask serve socketio", "bind_all": "bind sock socket listen server serve httpd",
    "error_to_client": _ANSWERS, "traceback_to_client": _ANSWERS,
    "sql_fields": _QUERIES, "sql_percent": _QUERIES,
    "autoescape_off": "env environment jinja jinja2 template templates loader",
    "mark_safe": _PAGES, "unescaped_html": _PAGES, "log_raw_value": _LOGS, "log_line_ends": _LOGS,
    "regex_nested_repeat": _PATTERNS, "regex_overlap": _PATTERNS,
}  # fmt: skip
SUBJECTS = {kind: frozenset(words.split()) for kind, words in _SUBJECTS.items()}
"""Of each kind: words, of which one must be part of a name in the code that its statement goes to."""

_BUILTINS = frozenset(dir(builtins)) - {"open", "eval", "exec"}
_OWN_NAMES = ("session", "ssh", "socketio", "app", "sock", "send_error", "wfile", "driver", "input")
_RESULT = re.compile(r"^( *)(\$out|(?:self\.)?\$holder|[a-z_]+) = ", re.MULTILINE)
_LAST_PART = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")
_ALIKE = {
    "context": "context ctx ssl tls sslctx", "conn": "conn connection connect db database", "db": "conn db database",
    "sock": "sock socket conn connection", "client": "client http httpx session", "env": "env environment jinja jinja2",
    "pattern": "pattern patterns regex regexp re rx match", "smtp": "smtp mail mailer server", "ftp": "ftp",
    "cipher": "cipher aes des crypt encryptor", "iv": "cipher aes encryptor", "nonce": "nonce cipher aes encryptor",
    "process": "process proc popen child", "h": "h hash hasher digest md", "digest": "digest hash hasher",
    "rng": "rng random", "fd": "fd file", "salt": "salt", "parser": "parser", "response": "response resp",
    "real_base": "path file full filename",
}  # fmt: skip
_ANSWERING = ("abort", "jsonify", "HTTPException", "HttpResponse", "send_error")
_VERBS = {"post": "post", "put": "put", "delete": "delete", "patch": "patch", "head": "head"}
_GUARDED = "$out = $call($data)"


@lru_cache(maxsize=65536)
def _parts(dotted: str) -> frozenset[str]:
    return frozenset(part for name in dotted.split(".") for part in parts_of_name(name))


LOGS = frozenset(_LOGS.split())
Gap = tuple[int, int, str]
"""A logical line before which a statement can stand, where it would begin, and its indentation."""


class Host(NamedTuple):
    """A statement `TARGET = CALLEE(...)`, `return CALLEE(...)` or `CALLEE(...)` on one line of the text."""

    line: int
    start: int
    end: int
    target: str
    """"return" for a return, "" for a bare call."""
    callee: str
    names: tuple[str, ...]
    """Plain names in the arguments."""

    @property
    def parts(self) -> frozenset[str]:
        """Words of which the names of target and callee are made."""
        return _parts(f"{self.target}.{self.callee}")


_KINDS_OF: dict[str, list[str]] = {}
for _kind, _words in SUBJECTS.items():
    for _word in _words:
        _KINDS_OF.setdefault(_word, []).append(_kind)


def fitting(source: Source) -> set[str]:
    """Kinds with whose subject a snippet has to do at all, by the words in its names."""
    return {kind for part in source.parts if part in _KINDS_OF for kind in _KINDS_OF[part]}


def hosted(
    source: Source,
    rng: Random,
    kind: str,
    shapes: Sequence[tuple[str, str]],
    gaps: Callable[[Source], list[Gap]],
) -> Iterator[Candidate]:
    """Places where one of the shapes fits, in random order."""
    subject = SUBJECTS[kind]
    known = [pair for pair in shapes if _called(pair[0]) <= source.words]
    results = [pair for pair in known if _RESULT.search(pair[0]) or _GUARDED in pair[0]]
    effects = [pair for pair in known if pair not in results]
    places: list[Host | Gap] = []
    if results:
        places += [host for host in source_hosts(source) if _may_take(host, subject, results)]
    if effects:
        places += [gap for gap in gaps(source) if _is_about(source, gap, subject)]
    for place in shuffled(places, rng):
        for pair in shuffled(results if isinstance(place, Host) else effects, rng):
            if isinstance(place, Host):
                made = _replaced(source, rng, place, pair, subject)
            else:
                made = _beside(source, rng, place, pair)
            if made is not None:
                yield made
                break


def clashes(source: Source, *texts: str) -> bool:
    """Whether a statement binds a name of its own that means something else in the snippet: `with open(...) as f`."""
    return any(name in source.words for text in texts for name in _bound_by(text))


@lru_cache(maxsize=1024)
def _bound_by(text: str) -> frozenset[str]:
    found = re.findall(r"\bas ([a-z_]\w*)|^ *([a-z_]\w*) = ", text, re.MULTILINE)
    return frozenset(name for pair in found for name in pair if name)


def _may_take(host: Host, subject: frozenset[str], shapes: Sequence[tuple[str, str]]) -> bool:
    if _GUARDED in shapes[0][0]:
        return host.target != "return" and LOGS.isdisjoint(host.parts)
    return bool(host.target) and not subject.isdisjoint(host.parts)


def _is_about(source: Source, gap: Gap, subject: frozenset[str]) -> bool:
    """Whether the statement before a gap, in the same block, is about a subject."""
    if not gap[0]:
        return False
    line, tokens = source.lines[gap[0] - 1], source.tokens
    if line.indent != source.lines[gap[0]].indent or tokens[line.last].text == ":":
        return False
    return any(
        not subject.isdisjoint(parts_of_name(tokens[index].text))
        for index in range(line.first, line.last + 1)
    )


@lru_cache(maxsize=8)  # each kind asks for those of a snippet
def source_hosts(source: Source) -> list[Host]:
    """Statements whose call a written one may take the place of."""
    found = []
    for number, line in enumerate(source.lines):
        tokens = source.tokens
        last = line.last
        opening = source.partner.get(last, -1) if tokens[last].text == ")" else -1
        if opening <= line.first or "\n" in source.text[tokens[line.first].start : tokens[last].end]:
            continue
        before = [tokens[index].text for index in range(line.first, opening)]
        sign = before.index("=") if "=" in before else 0
        left = "return" if before[0] == "return" else "".join(before[:sign])
        callee = "".join(before[sign + 1 :] if sign else before[left == "return" :])
        dotted = callee.replace(".", "")
        if not dotted.isidentifier() or not (left.replace(".", "").isidentifier() or not left):
            continue
        final = callee.rsplit(".", 1)[-1]
        if final[:1].isupper() or callee in _BUILTINS or before[0] in ("raise", "yield", "del", "assert"):
            continue
        names = tuple(
            tokens[index].text
            for index in range(opening + 1, last)
            if tokens[index].kind == "NAME"
            and tokens[index - 1].text != "."
            and tokens[index + 1].text not in ("=", "(")
        )
        found.append(Host(number, tokens[line.first].start, tokens[last].end, left, callee, names))
    return found


@lru_cache(maxsize=1024)
def _called(text: str) -> frozenset[str]:
    """What a statement calls by a usual name (`session.get`, `self.x`), which the snippet must have."""
    names = ("self", *_OWN_NAMES)
    return frozenset(name for name in names if re.search(rf"(?<![\w$.]){name}[.(]|\.{name}[.(]", text))


def _replaced(
    source: Source, rng: Random, host: Host, pair: tuple[str, str], subject: frozenset[str]
) -> Candidate | None:
    statement = source.text[host.start : host.end]
    if _GUARDED in pair[0]:
        words = [word for word in _ANSWERING if word in source.words]
        if not source.lines[host.line].indent or not (words or "request" in source.words):
            return None  # a handler answers a client from within a function
        if words and not any(word in pair[0] for word in words):
            return None
        values = _values(source, rng, host, [text.replace(_GUARDED, "") for text in pair], {})
        texts = [text.replace(_GUARDED, statement.replace("$", "$$")) for text in pair]
        return None if values is None else _at(source, host, texts, values, statement)
    fixed: dict[str, str] = {}
    texts = list(pair)
    _, name = _RESULT.search(pair[0]).groups()  # type: ignore[union-attr]
    if INPUTS.isdisjoint(holes_of(*pair)) and host.target != "return":
        wanted = frozenset(_ALIKE.get(name, "").split()) or subject
        last = _LAST_PART.findall(host.target)
        if not last or last[-1].lower() not in wanted:
            return None  # of what has no input, the result must be of the subject
    if name in _ALIKE and frozenset(_ALIKE[name].split()).isdisjoint(host.parts):
        return None
    if host.target == "return":
        if "\n" in pair[0] + pair[1]:
            return None
        texts = [_RESULT.sub("return ", text, count=1) for text in pair]
    elif name.endswith("$holder"):
        if not names_secret(host.target.rsplit(".", 1)[-1]):
            return None
        texts = [text.replace(name, "$holder") for text in pair]
        fixed = {"holder": host.target}
    elif "$out" in pair[0]:
        fixed = {"out": host.target}
    elif "\n" in pair[0] + pair[1]:
        return None
    else:
        texts = [f"{host.target} = {text[len(name) + 3 :]}" for text in pair]
    values = _values(source, rng, host, texts, fixed)
    return None if values is None else _at(source, host, texts, values, "")


def _at(source: Source, host: Host, texts: list[str], values: dict[str, str], kept: str) -> Candidate:
    indent = source.text[source.lines[host.line].start : host.start]
    sides = []
    for text in texts:
        made = kept.join(filled(part, values) for part in text.split(kept)) if kept else filled(text, values)
        sides.append((Splice(host.start, host.end, made.replace("\n", "\n" + indent)),))
    return Candidate(sides[1], sides[0])


def _beside(source: Source, rng: Random, gap: Gap, pair: tuple[str, str]) -> Candidate | None:
    """The statement before a logical line, where the one before is about a variable of it."""
    number, start, indent = gap
    if clashes(source, *pair):
        return None
    line = source.lines[number - 1]
    names = tuple(
        source.tokens[index].text
        for index in range(line.first, line.last + 1)
        if source.tokens[index].kind == "NAME" and source.tokens[index - 1].text != "."
    )
    values = _values(source, rng, Host(number, start, start, "", "", names), list(pair), {})
    if values is None:
        return None
    secure, insecure = (
        "".join(f"{indent}{part}\n" for part in filled(text, values).split("\n")) for text in pair
    )
    return Candidate((Splice(start, start, insecure),), (Splice(start, start, secure),))


def _values(
    source: Source, rng: Random, host: Host, texts: list[str], fixed: dict[str, str]
) -> dict[str, str] | None:
    """A text for each hole, of variables that are bound there, one of them in the host; None where one is missing."""
    beside = not host.callee
    asked = [hole for hole in holes_of(*texts) if hole in INPUTS]
    near = source.names if beside else host.names
    if asked and not (
        any(surely(hole, name) for hole in asked for name in near)
        and all(any(surely(hole, name) for name in source.names) for hole in asked)
    ):
        return None  # before anything is asked about the variables there
    filler = Filler(source, rng, host.line)
    values = dict(fixed)
    near = [name for name in host.names if name in filler.bound]
    holes, inputs = holes_of(*texts), 0
    for hole in holes:
        if hole in values or hole == "env":
            continue
        if hole in INPUTS:
            mine = filler.fitting(hole, near)
            inputs += 1 if mine else 0
            found = mine or filler.fitting(hole, filler.bound)
        elif hole in OWNERS:
            found = filler.owners(hole)
        elif hole == "verb":
            parts = parts_of_name(host.callee.rsplit(".", 1)[-1])
            found = [next((verb for word, verb in _VERBS.items() if word in parts), "get")]
        elif hole == "call":
            found = [host.callee] if host.callee else []
        else:
            found = [filler.made(hole)]
        if not found:
            return None
        values[hole] = rng.choice(found)
        filler.taken.add(values[hole])
    if asked and not inputs and not beside:
        return None
    if "env" in holes:
        values["env"] = values.get("holder", values.get("secret", "password")).rsplit(".", 1)[-1].upper()
    return values
