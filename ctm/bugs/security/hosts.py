"""Where a written statement fits: beside a statement of its subject, about a variable of the snippet.

Only statements with an effect are written there. To put one in the place of a call of the same subject was tried: what
the snippet did is lost then, so that its fixed side is wrong in its own way, as two readers found of 9 in 11. Nothing
gets a parameter for it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache
from random import Random

from ctm.bugs.registry import Candidate, Splice, shuffled
from ctm.bugs.security.names import INPUTS, OWNERS, Filler, surely
from ctm.bugs.security.rewrite import filled, holes_of
from ctm.bugs.static_analysis.source import Source, parts_of_name

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

_OWN_NAMES = ("session", "ssh", "socketio", "app", "sock", "send_error", "wfile", "driver", "input")
_RESULT = re.compile(r"^( *)(\$out|(?:self\.)?\$holder|[a-z_]+) = ", re.MULTILINE)
Gap = tuple[int, int, str]
"""A logical line before which a statement can stand, where it would begin, and its indentation."""


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
    effects = [
        pair
        for pair in shapes
        if _called(pair[0]) <= source.words and not _RESULT.search(pair[0]) and not clashes(source, *pair)
    ]
    places = [gap for gap in gaps(source) if _is_about(source, gap, subject)] if effects else []
    for gap in shuffled(places, rng):
        made = (_beside(source, rng, gap, pair) for pair in shuffled(effects, rng))
        if (first := next((candidate for candidate in made if candidate is not None), None)) is not None:
            yield first


def clashes(source: Source, *texts: str) -> bool:
    """Whether a statement binds a name of its own that means something else in the snippet: `with open(...) as f`."""
    return any(name in source.words for text in texts for name in _bound_by(text))


@lru_cache(maxsize=1024)
def _bound_by(text: str) -> frozenset[str]:
    found = re.findall(r"\bas ([a-z_]\w*)|^ *([a-z_]\w*) = ", text, re.MULTILINE)
    return frozenset(name for pair in found for name in pair if name)


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


@lru_cache(maxsize=1024)
def _called(text: str) -> frozenset[str]:
    """What a statement calls by a usual name (`session.get`, `self.x`), which the snippet must have."""
    names = ("self", *_OWN_NAMES)
    return frozenset(name for name in names if re.search(rf"(?<![\w$.]){name}[.(]|\.{name}[.(]", text))


def _beside(source: Source, rng: Random, gap: Gap, pair: tuple[str, str]) -> Candidate | None:
    """The statement before a logical line, where the one before is about a variable of it."""
    number, start, indent = gap
    line = source.lines[number - 1]
    names = tuple(
        source.tokens[index].text
        for index in range(line.first, line.last + 1)
        if source.tokens[index].kind == "NAME" and source.tokens[index - 1].text != "."
    )
    values = _values(source, rng, number, names, pair)
    if values is None:
        return None
    secure, insecure = (
        "".join(f"{indent}{part}\n" for part in filled(text, values).split("\n")) for text in pair
    )
    return Candidate((Splice(start, start, insecure),), (Splice(start, start, secure),))


def _values(
    source: Source, rng: Random, line: int, near: Sequence[str], texts: Sequence[str]
) -> dict[str, str] | None:
    """A text for each hole, of variables bound at a line, one of them in the statement before; None where one lacks."""
    holes = holes_of(*texts)
    asked = [hole for hole in holes if hole in INPUTS]
    if not all(any(surely(hole, name) for name in source.names) for hole in asked):
        return None  # before anything is asked about the variables there
    filler = Filler(source, rng, line)
    values: dict[str, str] = {}
    bound = [name for name in near if name in filler.bound]
    inputs = 0
    for hole in holes:
        if hole == "env":
            continue
        if hole in INPUTS:
            mine = filler.fitting(hole, bound)
            inputs += 1 if mine else 0
            found = mine or filler.fitting(hole, filler.bound)
        elif hole in OWNERS:
            found = filler.owners(hole)
        elif hole == "call":
            return None  # of a function of the snippet, whose result nobody would use here
        else:
            found = [filler.made(hole)]
        if not found:
            return None
        values[hole] = rng.choice(found)
        filler.taken.add(values[hole])
    if asked and not inputs:
        return None
    if "env" in holes:
        values["env"] = values.get("holder", values.get("secret", "password")).rsplit(".", 1)[-1].upper()
    return values
