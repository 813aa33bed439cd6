"""Security kinds about settings and bounds: temporary files, modes, timeouts, open servers, leaks to clients."""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

import re

from ctm.bugs.security.rewrite import Match, SecurityPattern
from ctm.bugs.security.visible import is_folder, is_program, is_web_setting, no_timeout_near, timeouts
from ctm.bugs.security.write import security
from ctm.bugs.static_analysis.source import ParsedCode

# CWE-377: temporary files
security(
    "mktemp",
    "CWE-377",
    "B306",
    "the name of a temporary file that somebody else may take first",
    [
        ("fd, $out = tempfile.mkstemp()\nos.close(fd)", "$out = tempfile.mktemp()"),
        ('fd, $out = tempfile.mkstemp(suffix=".$stem")\nos.close(fd)', '$out = tempfile.mktemp(suffix=".$stem")'),
        ('fd, $out = tempfile.mkstemp(prefix="$stem", dir=$folder)\nos.close(fd)', '$out = tempfile.mktemp(prefix="$stem", dir=$folder)'),
        ('$out = tempfile.mkdtemp(prefix="$stem")', '$out = tempfile.mktemp(prefix="$stem")\nos.mkdir($out)'),
        ('with tempfile.NamedTemporaryFile("w", delete=False) as f:\n    f.write($data)',
         'with open(tempfile.mktemp(), "w") as f:\n    f.write($data)'),
    ],
    [
        SecurityPattern("tempfile.TemporaryFile()", 'open(tempfile.mktemp(), "w+b")'),
        SecurityPattern("tempfile.mkdtemp($$a)", "tempfile.mktemp($$a)", condition=is_folder),
    ],
    contract="the fixed side closes what it opens and keeps the file where the buggy side does.",
)  # fmt: skip
security(
    "fixed_temporary_name",
    "CWE-377",
    "B108",
    "a file of a fixed name in a folder that everybody writes to",
    [
        ('with tempfile.NamedTemporaryFile("w", delete=False) as f:\n    f.write($data)',
         'with open("/tmp/$stem.txt", "w") as f:\n    f.write($data)'),
        ('$out = tempfile.mkdtemp(prefix="$stem")', '$out = "/tmp/$stem"\nos.makedirs($out, exist_ok=True)'),
        ('$out = tempfile.mkdtemp(prefix="$stem")\nwith open(os.path.join($out, "$column.txt"), "w") as f:\n    f.write($data)',
         '$out = "/tmp/$stem"\nos.makedirs($out, exist_ok=True)\nwith open(os.path.join($out, "$column.txt"), "w") as f:\n    f.write($data)'),
        ('$out = tempfile.NamedTemporaryFile("w", suffix=".$stem")', '$out = open("/tmp/data.$stem", "w")'),
        ('with tempfile.NamedTemporaryFile("wb", suffix=".$stem", delete=False) as f:\n    f.write($data)',
         'with open("/tmp/data.$stem", "wb") as f:\n    f.write($data)'),
        ('with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False) as f:\n    json.dump($data, f)',
         'with open("/tmp/$stem.json", "w") as f:\n    json.dump($data, f)'),
    ],
    [
        SecurityPattern("tempfile.NamedTemporaryFile()", 'open("/tmp/data.tmp", "w+b")'),
    ],
    contract="the statement opens the file or makes the folder, so that it shows which of the two the name is of.",
)  # fmt: skip


# CWE-732: modes
_SEARCHED = re.compile(
    r"(?:dir|directory|folder|root|bin|exe|executable|binary|script|launcher|hook|sh)s?$", re.IGNORECASE
)


def _may_run(source: ParsedCode, name: str) -> bool:
    """Whether a path is of a folder or of a program, by its name or because the snippet makes a folder of it."""
    last = re.search(r"(\w+)\W*$", name)
    made = re.search(
        rf"(?:mkdir|makedirs|mkdtemp)\({re.escape(name)}\b|(?<!\w){re.escape(name)}\.mkdir\(", source.text
    )
    return bool(name and (made or (last and _SEARCHED.search(last[1]))))


def _runs(source: ParsedCode, match: Match) -> bool:
    """`_may_run` of the path that a match is about: its hole `f`, or what stands before its dot."""
    start = match.spans[0][0]
    before = re.search(r"[\w.]+(?:\([^()]*\))?$", source.text[source.text.rfind("\n", 0, start) + 1 : start])
    return _may_run(source, match.holes.get("f") or (before.group() if before else ""))


def _mode_elsewhere(source: ParsedCode, match: Match) -> bool:
    """Whether the snippet makes another folder with the right mode; without it three modes are equally good."""
    makes = source.text[: match.spans[0][1]].rstrip("(").endswith(("mkdir", "makedirs"))
    return makes and source.text.count("0o755") > 1


security(
    "world_writable",
    "CWE-732",
    "B103",
    "a file that everybody may write",
    [
        ("os.chmod($file, 0o644)", "os.chmod($file, 0o666)"),
        ('with open($file, "w") as f:\n    f.write($data)\nos.chmod($file, 0o644)',
         'with open($file, "w") as f:\n    f.write($data)\nos.chmod($file, 0o777)'),
        ("Path($file).chmod(0o644)", "Path($file).chmod(0o666)"),
        ("Path($file).write_text($data)\nPath($file).chmod(0o644)", "Path($file).write_text($data)\nPath($file).chmod(0o777)"),
        ("os.makedirs($folder, exist_ok=True)\nos.chmod($folder, 0o755)", "os.makedirs($folder, exist_ok=True)\nos.chmod($folder, 0o777)"),
        ("Path($folder).mkdir(exist_ok=True)\nPath($folder).chmod(0o755)", "Path($folder).mkdir(exist_ok=True)\nPath($folder).chmod(0o777)"),
        ("os.chmod($file, stat.S_IRUSR | stat.S_IWUSR | stat.S_IROTH)",
         "os.chmod($file, stat.S_IRUSR | stat.S_IWUSR | stat.S_IROTH | stat.S_IWOTH)"),
    ],
    [
        SecurityPattern("os.chmod($f, 0o644)", "os.chmod($f, 0o666)", reversible=True),
        SecurityPattern("os.chmod($f, 0o755)", "os.chmod($f, 0o777)", reversible=True, condition=_runs),
        SecurityPattern(".chmod(0o644)", ".chmod(0o666)", reversible=True),
        SecurityPattern(".chmod(0o755)", ".chmod(0o777)", reversible=True, condition=_runs),
    ],
    contract="""`0o777` becomes `0o755` for what is a folder or a program by its name, or a folder that the snippet makes,
    and `0o644` for a file that it writes; `0o666` becomes `0o644`.""",
)  # fmt: skip
security(
    "wide_creation_mode",
    "CWE-732",
    "",
    "a file or folder made with rights for everybody",
    [
        ("fd = os.open($file, os.O_WRONLY | os.O_CREAT, 0o644)", "fd = os.open($file, os.O_WRONLY | os.O_CREAT, 0o666)"),
        ("fd = os.open($file, os.O_WRONLY | os.O_CREAT, 0o644)", "fd = os.open($file, os.O_WRONLY | os.O_CREAT, 0o777)"),
    ],
    [
        SecurityPattern("os.umask(0o022)", "os.umask(0)"),
        SecurityPattern("os.makedirs($f, 0o755$$more)", "os.makedirs($f, 0o777$$more)", condition=_mode_elsewhere),
        SecurityPattern("os.mkdir($f, 0o755)", "os.mkdir($f, 0o777)", condition=_mode_elsewhere),
        SecurityPattern("os.open($f, $flags, 0o644)", "os.open($f, $flags, 0o666)"),
        SecurityPattern("($$a, mode=0o755$$more)", "($$a, mode=0o777$$more)", condition=_mode_elsewhere),
    ],
    contract="the mode of a folder stands elsewhere in the snippet too, and a file that is opened gets `0o644`.",
)  # fmt: skip

# CWE-400: no bounds
security(
    "request_without_timeout",
    "CWE-400",
    "B113",
    "a request that may wait for ever",
    [
        ("$out = requests.$verb($url, timeout=10)", "$out = requests.$verb($url)"),
        ('$out = requests.get($url, params={"$column": $value}, timeout=10)', '$out = requests.get($url, params={"$column": $value})'),
        ("$out = requests.post($url, json=$data, timeout=10)", "$out = requests.post($url, json=$data)"),
        ("$out = requests.get($url, timeout=10).json()", "$out = requests.get($url).json()"),
        ("$out = requests.$verb($url, timeout=10)", "$out = requests.$verb($url, timeout=None)"),
        ("$out = $call(requests.get($url, timeout=10).text)", "$out = $call(requests.get($url).text)"),
        ("$out = self.session.get($url, timeout=10)", "$out = self.session.get($url)"),
    ],
    [
        SecurityPattern("requests.$verb($$a, timeout=10$$more)", "requests.$verb($$a$$more)"),
        SecurityPattern("session.$verb($$a, timeout=10$$more)", "session.$verb($$a$$more)"),
        SecurityPattern("requests.$verb($$a, timeout=10)", "requests.$verb($$a)", reversible=True, condition=no_timeout_near),
        SecurityPattern("session.$verb($$a, timeout=10)", "session.$verb($$a)", reversible=True, condition=no_timeout_near),
        SecurityPattern(".session.$verb($$a, timeout=10)", ".session.$verb($$a)", reversible=True, condition=no_timeout_near),
    ],
    finder=lambda source: timeouts(source, "requests", "session", "_session"),
    finds=frozenset(("requests", "session", "_session")),
    suits=is_program,
)  # fmt: skip
security(
    "connection_without_timeout",
    "CWE-400",
    "",
    "a connection or process that may wait for ever",
    [
        ("$out = urllib.request.urlopen($url, timeout=10)", "$out = urllib.request.urlopen($url)"),
        ("with urlopen($url, timeout=10) as response:\n    $out = response.read()",
         "with urlopen($url) as response:\n    $out = response.read()"),
        ("sock = socket.create_connection(($host, $port), timeout=10)", "sock = socket.create_connection(($host, $port))"),
        ("smtp = smtplib.SMTP($host, $port, timeout=10)", "smtp = smtplib.SMTP($host, $port)"),
        ("ftp = ftplib.FTP($host, timeout=10)", "ftp = ftplib.FTP($host)"),
        ('process = subprocess.Popen(["$program", $file], stdout=subprocess.PIPE)\n$out, _ = process.communicate(timeout=60)',
         'process = subprocess.Popen(["$program", $file], stdout=subprocess.PIPE)\n$out, _ = process.communicate()'),
    ],
    [
        SecurityPattern("urlopen($$a, timeout=10$$more)", "urlopen($$a$$more)"),
        SecurityPattern("urlopen($$a, timeout=10)", "urlopen($$a)", reversible=True, condition=no_timeout_near),
        SecurityPattern(".urlopen($$a, timeout=10)", ".urlopen($$a)", reversible=True, condition=no_timeout_near),
        SecurityPattern("socket.create_connection($$a, timeout=10)", "socket.create_connection($$a)", reversible=True, condition=no_timeout_near),
        SecurityPattern(".urlopen($$a, timeout=10$$more)", ".urlopen($$a$$more)"),
        SecurityPattern("socket.create_connection($$a, timeout=10$$more)", "socket.create_connection($$a$$more)"),
        SecurityPattern("smtplib.SMTP($$a, timeout=10$$more)", "smtplib.SMTP($$a$$more)"),
        SecurityPattern(".communicate(timeout=60)", ".communicate()"),
    ],
    finder=lambda source: timeouts(source, "urlopen", "create_connection", "SMTP", "FTP"),
    finds=frozenset(("urlopen", "create_connection", "SMTP", "FTP", "communicate")),
)  # fmt: skip

# CWE-605: servers open to all
security(
    "debug_server",
    "CWE-605",
    "B201",
    "a server for all to see with its debugger on",
    [
        ("$app.run(debug=False)", "$app.run(debug=True)"),
        ("$app = Flask(__name__)\n$app.run(debug=False)", "$app = Flask(__name__)\n$app.run(debug=True)"),
        ("$app.run(host=$host, port=$port, debug=False)", "$app.run(host=$host, port=$port, debug=True)"),
        ('$app.config["DEBUG"] = False', '$app.config["DEBUG"] = True'),
        ("$app.debug = False", "$app.debug = True"),
        (
            "socketio.run($app, host=$host, port=$port, debug=False)",
            "socketio.run($app, host=$host, port=$port, debug=True)",
        ),
    ],
    [
        SecurityPattern("app.run($$a, debug=False$$more)", "app.run($$a, debug=True$$more)", reversible=True),
        SecurityPattern("app.run(debug=False$$more)", "app.run(debug=True$$more)", reversible=True),
        SecurityPattern("DEBUG = False", "DEBUG = True", condition=is_web_setting),
        SecurityPattern("app.debug = False", "app.debug = True"),
    ],
)
security(
    "bind_all",
    "CWE-605",
    "B104",
    "a server that listens on every interface",
    [
        ('$app.run(host="127.0.0.1", port=$port)', '$app.run(host="0.0.0.0", port=$port)'),
        ('sock.bind(("127.0.0.1", $port))', 'sock.bind(("0.0.0.0", $port))'),
        ('sock.bind(("localhost", $port))', 'sock.bind(("", $port))'),
        (
            '$out = HTTPServer(("127.0.0.1", $port), Handler)',
            '$out = HTTPServer(("0.0.0.0", $port), Handler)',
        ),
        ('$out = $call("127.0.0.1", $port)', '$out = $call("0.0.0.0", $port)'),
        ('uvicorn.run($app, host="127.0.0.1", port=$port)', 'uvicorn.run($app, host="0.0.0.0", port=$port)'),
    ],
    [
        SecurityPattern('"127.0.0.1"', '"0.0.0.0"'),
        SecurityPattern("'127.0.0.1'", "'0.0.0.0'"),
        SecurityPattern('bind(("localhost"', 'bind((""'),
    ],
)

# CWE-209: errors shown to clients
security(
    "error_to_client",
    "CWE-209",
    "",
    "an exception's own words in the answer to a client",
    [
        ('try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    abort(500, "$failure")',
         'try:\n    $out = $call($data)\nexcept Exception as e:\n    $log.exception("$failure")\n    abort(500, str(e))'),
        ('try:\n    $out = $call($data)\nexcept ValueError as e:\n    $log.warning("$failure")\n    raise HTTPException(status_code=400, detail="$failure") from e',
         'try:\n    $out = $call($data)\nexcept ValueError as e:\n    $log.warning("$failure")\n    raise HTTPException(status_code=400, detail=str(e)) from e'),
        ('try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    return jsonify({"error": "$failure"})',
         'try:\n    $out = $call($data)\nexcept Exception as e:\n    $log.exception("$failure")\n    return jsonify({"error": str(e)})'),
        ('try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    self.send_error(500, "$failure")',
         'try:\n    $out = $call($data)\nexcept Exception as e:\n    $log.exception("$failure")\n    self.send_error(500, str(e))'),
    ],
)  # fmt: skip
security(
    "traceback_to_client",
    "CWE-209",
    "",
    "a traceback in the answer to a client",
    [
        ('try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    self.send_error(500, "$failure")',
         'try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    self.send_error(500, traceback.format_exc())'),
        ('try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    return HttpResponse("$failure", status=500)',
         'try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    return HttpResponse(traceback.format_exc(), status=500)'),
        ('try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    return jsonify(error="$failure")',
         'try:\n    $out = $call($data)\nexcept Exception:\n    $log.exception("$failure")\n    return jsonify(error=traceback.format_exc())'),
    ],
)  # fmt: skip
