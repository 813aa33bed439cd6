"""Security rules about calls: which function is called, and with which keywords."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ctm.bugs.security.texts import runs_away

_VERBS = frozenset(("get", "post", "put", "delete", "head", "patch", "options", "request"))
_SUBPROCESS = frozenset(("run", "call", "Popen", "check_call", "check_output"))
_SAFE_TEXT = frozenset(("mark_safe", "Markup", "markupsafe.Markup", "SafeString", "SafeText"))
_LISTENERS = frozenset(("run", "run_app", "serve", "serve_forever"))

# last one or two parts of a dotted name -> (rule, whether the call is broken)
_NAMED: dict[str, list[tuple[str, bool]]] = {}


def _known(rule: str, broken: bool, *names: str) -> None:
    for name in names:
        _NAMED.setdefault(name, []).append((rule, broken))


_known("shell", True, "os.popen", "commands.getoutput", "subprocess.getoutput", "subprocess.getstatusoutput")
_known("shell", False, "asyncio.create_subprocess_exec", "os.execv", "os.execvp")
_known(
    "html",
    False,
    "format_html",
    "conditional_escape",
    "html.escape",
    "Markup.escape",
    "escape",
    "format_html_join",
)
_known("deserialization", True, "pickle.loads", "pickle.load", "cPickle.loads", "cPickle.load", "dill.loads",
       "dill.load", "marshal.loads", "marshal.load", "shelve.open", "yaml.unsafe_load", "yaml.full_load",
       "jsonpickle.decode", "pickle.Unpickler")  # fmt: skip
_known("deserialization", False, "json.loads", "json.load", "yaml.safe_load", "msgpack.unpackb", "toml.loads",
       "yaml.safe_load_all", "RestrictedUnpickler", "ast.literal_eval")  # fmt: skip
_known("cipher", True, "DES.new", "DES3.new", "ARC4.new", "ARC2.new", "Blowfish.new", "modes.ECB", "algorithms.ARC4",
       "algorithms.Blowfish", "algorithms.TripleDES", "algorithms.IDEA", "algorithms.CAST5")  # fmt: skip
_known("cipher", False, "ChaCha20_Poly1305.new", "modes.GCM", "modes.CBC", "modes.CTR", "algorithms.AES",
       "algorithms.ChaCha20", "Fernet", "AESGCM")  # fmt: skip
_known("hash", True, "MD5.new", "SHA.new", "SHA1.new", "MD4.new", "hashes.MD5", "hashes.SHA1")
_known("hash", False, "SHA256.new", "SHA512.new", "hashes.SHA256", "hashes.SHA512", "hashlib.pbkdf2_hmac",
       "hashlib.scrypt", "bcrypt.hashpw")  # fmt: skip
_known("random", True, *(f"random.{name}" for name in ("random", "choice", "choices", "randint", "randrange",
       "sample", "getrandbits", "uniform", "randbytes", "Random", "shuffle")), "uuid.uuid1")  # fmt: skip
_known("random", False, *(f"secrets.{name}" for name in ("token_hex", "token_bytes", "token_urlsafe", "choice",
       "randbelow", "randbits", "SystemRandom")), "os.urandom", "random.SystemRandom", "uuid.uuid4")  # fmt: skip
_known("certificate", True, "ssl._create_unverified_context", "ssl._create_stdlib_context")
_known("certificate", False, "ssl.create_default_context")
_known("temporary", True, "tempfile.mktemp", "os.tempnam", "os.tmpnam")
_known("temporary", False, "tempfile.mkstemp", "tempfile.NamedTemporaryFile", "tempfile.TemporaryDirectory",
       "tempfile.mkdtemp", "tempfile.TemporaryFile", "tempfile.gettempdir")  # fmt: skip
_known("eval", False, "ast.literal_eval", "literal_eval", "json.loads", "int", "float", "getattr", "setattr",
       "importlib.import_module", "import_module", "Fraction", "Decimal", "runpy.run_path")  # fmt: skip
_known("path", False, "secure_filename", "safe_join", "send_from_directory", "os.path.basename")
_PARSERS = (
    "parse",
    "fromstring",
    "iterparse",
    "XML",
    "XMLParser",
    "parseString",
    "make_parser",
    "ParserCreate",
)


def dotted(node: ast.AST) -> str:
    """`a.b.c` of a name or attribute; what is not a name counts as "?"."""
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def keywords(call: ast.Call) -> dict[str, ast.expr]:
    """Keyword arguments by name; `**more` is "**"."""
    return {item.arg or "**": item.value for item in call.keywords}


def constant(node: ast.AST | None) -> object:
    """Value of a literal; the class `object` for anything else, which equals no literal."""
    return node.value if isinstance(node, ast.Constant) else object


def call_places(node: ast.AST, done: set[int]) -> Iterator[tuple[str, bool]]:
    """(rule, broken) of a call; nothing for other nodes."""
    if not isinstance(node, ast.Call):
        return
    name = dotted(node.func)
    parts = name.split(".")
    given = keywords(node)
    yield from _NAMED.get(".".join(parts[-2:]), ())
    yield from _processes(node, name, given)
    yield from _requests(parts, given)
    yield from _xml(name, parts, given)
    yield from _others(node, name, parts, given)
    if name in _SAFE_TEXT and node.args:
        done.update(map(id, ast.walk(node.args[0])))  # a text marked as safe is one place with the call


def _processes(call: ast.Call, name: str, given: dict[str, ast.expr]) -> Iterator[tuple[str, bool]]:
    first = call.args[0] if call.args else None
    if name in ("os.system", "asyncio.create_subprocess_shell"):
        yield "shell", not quoted(first)
    elif name.startswith("subprocess.") and name.split(".")[-1] in _SUBPROCESS:
        yield "shell", constant(given.get("shell")) is True and not quoted(first)
    elif name in ("eval", "exec"):
        yield "eval", not isinstance(first, ast.Constant)


def quoted(command: ast.AST | None) -> bool:
    """Whether a shell command is a literal, or a text in which every field goes through `quote`."""
    if isinstance(command, ast.Constant):
        return True
    if isinstance(command, ast.JoinedStr):
        fields = [part.value for part in command.values if isinstance(part, ast.FormattedValue)]
    elif isinstance(command, ast.BinOp) and isinstance(command.op, ast.Add):
        fields = [side for side in (command.left, command.right) if not quoted(side)]
    elif isinstance(command, ast.BinOp) and isinstance(command.op, ast.Mod):
        right = command.right
        fields = list(right.elts) if isinstance(right, ast.Tuple) else [right]
    else:
        fields = [command] if isinstance(command, ast.expr) else []
    return bool(fields or command) and all(
        isinstance(field, ast.Call)
        and dotted(field.func)
        in ("shlex.quote", "pipes.quote", "quote", "shlex.join", "subprocess.list2cmdline")
        for field in fields
    )


def _requests(parts: list[str], given: dict[str, ast.expr]) -> Iterator[tuple[str, bool]]:
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if "verify" in given or "verify_ssl" in given or "ssl_verify" in given:
        value = given.get("verify") or given.get("verify_ssl") or given.get("ssl_verify")
        yield "certificate", constant(value) is False
    elif last in _VERBS or last in ("Session", "Client", "AsyncClient", "TCPConnector"):
        yield "certificate", False
    if "cert_reqs" in given:
        yield "certificate", "CERT_NONE" in ast.dump(given["cert_reqs"])
    session = before.lower().endswith("session")
    if (last in _VERBS and (before == "requests" or session)) or last in ("urlopen", "create_connection"):
        if "**" not in given:
            yield "timeout", "timeout" not in given or constant(given["timeout"]) is None
    elif parts[-2:] in (
        ["smtplib", "SMTP"],
        ["smtplib", "SMTP_SSL"],
        ["ftplib", "FTP"],
        ["telnetlib", "Telnet"],
    ):
        yield "timeout", "timeout" not in given
    elif last in ("settimeout", "communicate", "wait"):
        yield "timeout", last == "communicate" and "timeout" not in given


def _xml(name: str, parts: list[str], given: dict[str, ast.expr]) -> Iterator[tuple[str, bool]]:
    if name.startswith("defusedxml."):
        yield "xml", False
    elif name.startswith("xml.") and parts[-1] in _PARSERS:
        yield "xml", True
    elif parts[-2:] == ["etree", "XMLParser"]:
        yield "xml", constant(given.get("resolve_entities")) is not False
    elif parts[-1] == "setFeature":
        yield "xml", False


def _others(
    call: ast.Call, name: str, parts: list[str], given: dict[str, ast.expr]
) -> Iterator[tuple[str, bool]]:
    last, first = parts[-1], call.args[0] if call.args else None
    if name in _SAFE_TEXT:
        yield "html", not isinstance(first, ast.Constant)
    elif last == "Environment" and (len(parts) == 1 or parts[-2] == "jinja2"):
        yield "html", "autoescape" not in given or constant(given["autoescape"]) is False
    elif name in ("yaml.load", "yaml.load_all"):
        loader = given.get("Loader") or (call.args[1] if len(call.args) > 1 else None)
        yield "deserialization", loader is None or "SafeLoader" not in dotted(loader)
    elif parts[-2:] in (["torch", "load"], ["np", "load"], ["numpy", "load"]):
        pickles = constant(given.get("allow_pickle")) is True
        yield (
            "deserialization",
            constant(given.get("weights_only")) is not True if parts[-2] == "torch" else pickles,
        )
    elif name == "AES.new":
        yield "cipher", any(dotted(item).endswith("MODE_ECB") for item in (*call.args, *given.values()))
    elif name == "hashlib.new":
        yield "hash", constant(first) in ("md5", "sha1", "md4")
    elif last in ("extractall", "extract") and len(parts) > 1:
        yield "path", not given.keys() & {"filter", "members"}
    elif parts[0] == "re" and len(parts) == 2 and isinstance(constant(first), str):
        yield "regex", runs_away(str(constant(first)))
    elif last in _LISTENERS:
        yield "exposure", constant(given.get("debug")) is True
