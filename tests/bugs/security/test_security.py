"""Every security shape breaks its rule and its repair mends it; patterns find and restore; harmless pairs are none."""

# ruff: noqa: E501  (a shape is read beside its other side)
from __future__ import annotations

import itertools
import re
import textwrap
from random import Random

import pytest

from ctm.bugs.checks.changes import changed_lines
from ctm.bugs.checks.validity import code_of, quiet
from ctm.bugs.generation.draw import mutate_text, snippet_rng
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.registry import apply, registry
from ctm.bugs.security.names import examples
from ctm.bugs.security.rewrite import CHOICES, filled, found, holes_of, pattern, splices
from ctm.bugs.security.rules import CWES, places, repaired_rules, security_rule, security_rule_of_lines
from ctm.bugs.security.texts import runs_away
from ctm.bugs.security.write import SHAPES
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.static_analysis.source import ParsedCode
from ctm.pairs.categories import categorize

KINDS = [kind for kind in registry().values() if kind.category == "security"]
LISTED = (89, 78, 22, 79, 502, 327, 328, 330, 295, 798, 377, 732, 94, 611, 400, 605, 117, 209, 1333)

# code around a pattern that is no statement of its own
AROUND = {
    "unquoted_argument": 'os.system("ls " + {})',
    "unescaped_html": '"<b>" + {}',
    "traceback_to_client": "HttpResponse({})",
    "password_default": "def f({}): pass",
    "log_line_ends": "{}",
}
VALUES = {
    "var": "name", "t": "5", "iv": "iv", "flags": "os.O_CREAT", "f": '"%s"', "x": "values['a']", "y": '""', "i": "1",
    "more": ", more=1",
}  # fmt: skip


def pairs_of(kind: str, seed: int):
    for secure, insecure in SHAPES[kind][0]:
        values = examples(holes_of(secure, insecure), Random(seed))
        yield tuple("def f():\n" + textwrap.indent(filled(t, values), "    ") for t in (secure, insecure))


def test_every_weakness_has_two_kinds_and_names():
    assert set(CWES.values()) == {f"CWE-{number}" for number in LISTED}
    for cwe in CWES.values():
        assert sum(kind.cwe == cwe for kind in KINDS) >= 2, cwe
    assert all(re.fullmatch(r"(B\d{3})?", kind.bandit) for kind in KINDS)
    assert all(not kind.cwe for kind in registry().values() if kind.category != "security")


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_each_written_shape_breaks_the_rule_of_its_weakness(kind):
    for seed in range(4):
        for secure, insecure in pairs_of(kind.name, seed):
            with quiet():
                assert code_of(secure) and code_of(insecure), (secure, insecure)
            assert kind.cwe in [CWES[rule] for rule in repaired_rules(insecure, secure)], (secure, insecure)
            assert categorize(insecure, secure, security_rule) == "security"
            assert not security_rule(secure, insecure), "the way back is no repair"


def snippet(kind: str, text: str) -> str:
    values = {hole: VALUES.get(hole, "arg") for hole in holes_of(text)}
    values |= {hole: CHOICES[hole][0] for hole in values if hole in CHOICES}
    code = filled(text, values)
    if code.startswith(("detail=", "host=")):
        code = f"HTTPException({code})"
    elif code.startswith("("):
        code = "os.mkdir" + code if "mode" in code else "call" + code
    elif code.startswith("."):
        code = "obj" + code
    elif code == "shell=False":
        code = f'subprocess.run("ls " + name, {code})'
    elif code == "ssl.CERT_REQUIRED":
        code = "c.verify_mode = " + code
    code += ", port))" if code.count("(") > code.count(")") else " parse" if code.endswith("import") else ""
    return AROUND.get(kind, "{}").format(code)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_patterns_turn_secure_code_into_insecure_and_back(kind):
    for rewrite in SHAPES[kind.name][1]:
        text = snippet(kind.name, rewrite.secure)
        secure, insecure = pattern(rewrite.secure), pattern(rewrite.insecure)
        (match, *_) = found(ParsedCode(text), secure)
        broken = apply(text, splices(match, secure, insecure))
        with quiet():
            assert code_of(text) and code_of(broken), (text, broken)
        assert security_rule(broken, text), (text, broken)
        if rewrite.reversible:
            (match, *_) = found(ParsedCode(broken), insecure)
            assert apply(broken, splices(match, insecure, secure)) == text


@pytest.mark.parametrize(
    ("kind", "secure", "insecure"),
    [
        ("request_without_timeout", "r = requests.get(\n    url,  # of the API\n    timeout=10,\n)", "r = requests.get(\n    url,\n)"),
        ("yaml_load", "x = yaml.safe_load(f.read())", "x = yaml.unsafe_load(f.read())"),
        ("sql_fields", 'c.execute("SELECT a FROM t WHERE b = ?", (x,))', "c.execute(f\"SELECT a FROM t WHERE b = '{x}'\")"),
        ("sql_percent", "c.execute('SELECT a FROM t WHERE b = %s AND c = %s', (x, y))",
         "c.execute('SELECT a FROM t WHERE b = \"%s\" AND c = \"%s\"' % (x, y))"),
        ("log_raw_value", 'log.info("no %r of %s", payload, b)', 'log.info("no %s of %s", payload, b)'),
        ("regex_nested_repeat", r"""re.match(r"^\w+$", x)""", r"""re.match(r"^(?:\w+)+$", x)"""),
        ("unchecked_name", "p = os.path.join(root, os.path.basename(name))", "p = os.path.join(root, name)"),
        ("world_writable", "os.chmod(path, 0o644)", "os.chmod(path, 0o666)"),
        ("md5_hash", "h = hashlib.sha256(a).hexdigest()", "h = hashlib.md5(a).hexdigest()"),
        ("password_argument", "connect(host, password=os.environ[\"PASSWORD\"])", 'connect(host, password="admin123")'),
    ],
)  # fmt: skip
def test_secure_code_of_the_snippet_is_taken_first(kind, secure, insecure):
    made = set()
    for seed in range(20):
        for candidate in registry()[kind].mutator(ParsedCode(secure), Random(seed)):
            made.add((apply(secure, candidate.buggy), apply(secure, candidate.fixed)))
    texts = {re.sub(r"\s+#.*", "", buggy) for buggy, fixed in made if fixed == secure}
    assert insecure in texts
    assert all(secure.splitlines()[0] in fixed for _, fixed in made), (
        "nothing is written in where it stands already"
    )


def test_insecure_code_that_is_surely_repaired_is_the_buggy_side():
    text = "def f(url):\n    return requests.get(url)"
    made = [
        c
        for s in range(9)
        for c in registry()["request_without_timeout"].mutator(ParsedCode(text), Random(s))
    ]
    assert {(apply(text, c.buggy), apply(text, c.fixed)) for c in made} == {
        (text, "def f(url):\n    return requests.get(url, timeout=10)")
    }


@pytest.mark.parametrize(
    ("buggy", "fixed"),
    [
        ("x = hashlib.md5(a)", "pass"),  # deleted, not repaired
        ("x = eval(a)", "x = a"),
        ("f(a, verify=False)", "g(a)"),
        ("x = random.choice(a)", "x = rng.choice(a)"),
        ("x = hashlib.sha256(a)", "x = hashlib.md5(a)"),  # the wrong way
        ("if a < b: pass", "if a <= b: pass"),
        ("os.chmod(a, 0o644)", "os.chmod(a, 0o600)"),
        ("x = '%s' % y", "x = f(y)"),
        ("def f(password=None): pass", "def f(password): pass"),
        ("x = (", "x = 1"),
    ],
)
def test_what_is_no_repair_of_a_weakness(buggy, fixed):
    assert not security_rule(buggy, fixed)


def test_a_repair_that_breaks_another_rule_is_none():
    before = "requests.get(u, timeout=3, verify=False)"
    assert security_rule(before, "requests.get(u, timeout=3)")
    assert not security_rule(before, "requests.get(u, verify=True)"), "the timeout is gone"


def test_places_are_counted_once():
    broken, safe = places(
        'x = mark_safe("<b>%s</b>" % y)\nz = "SELECT a FROM b WHERE c = " + d + " AND e = " + f'
    )
    assert broken == {"html": 1, "sql": 1} and not safe


@pytest.mark.parametrize(
    "pattern_text",
    [r"(a+)+", r"^(\w+\s?)*$", r"^(\w|\d)+$", r"(?:\w|\w+)+", r"(\d|\d\d)+", r"^([a-z0-9]+-?)+$", r"(\w+\.?)+@\w+", r"^(\s*)*#"],
)  # fmt: skip
def test_patterns_that_run_away(pattern_text):
    assert runs_away(pattern_text)


@pytest.mark.parametrize(
    "pattern_text",
    [r"\w+(\.\w+)*@\w+", r"(,\w+)*", r"(?:a|b)+", r"[a-z]+(-[a-z0-9]+)*", r"(\w+)", r"(\s*,\s*\w+)*",
     r"(-[a-z]|[0-9])*", r"(?:[^\"\\]|\\.)*", r"(\.\d+)+", r"^\w+(\s\w+)*$", r"(?P<x>a|b)*"],
)  # fmt: skip
def test_patterns_that_do_not(pattern_text):
    assert not runs_away(pattern_text)


@pytest.mark.parametrize("category", ["logic", "security", "complex"])
def test_the_changed_lines_tell_as_much_as_the_whole_text(category):
    around = (
        "@route('/x')\ndef f(self, path, cmd, password='s3cret'):\n"
        "    # read it\n    if os.path.abspath(path) and path:\n        with open(path) as file:\n"
        "            data = pickle.load(file)\n    log.info('user %r', cmd)\n"
        "    x = subprocess.run([cmd, (path,\n        cmd)], shell=False)\n"
        "    return requests.get(self.url + '/x', timeout=3)\n"
    )
    texts = [
        around,
        around.replace("os.path.abspath(path) and path", "cmd < 3 and path"),
        "x = hashlib.md5(a)\ny = [1, 2]\n",
    ]
    seen = {True: 0, False: 0}
    with quiet():
        for text, kind, seed in itertools.product(texts, registry().values(), range(4)):
            source = ParsedCode(text)
            if kind.category != category or (kind.needs and kind.needs.isdisjoint(source.words)):
                continue
            for candidate in itertools.islice(kind.mutator(source, Random(seed)), 4):
                buggy, fixed = apply(text, candidate.buggy), apply(text, candidate.fixed)
                if code_of(buggy) is None or code_of(fixed) is None or buggy == fixed:
                    continue
                lines = changed_lines(source, candidate, buggy, fixed)
                broken = security_rule(buggy, fixed)
                assert security_rule_of_lines(buggy, fixed, *lines) == broken, (kind.name, buggy, lines)
                assert all(part in side for part, side in zip(lines, (buggy, fixed), strict=True))
                seen[broken] += 1
    assert seen[category == "security"] > 20, seen


def test_a_guard_of_paths_counts_wherever_it_stands():
    fixed = (
        "def f(a, b):\n    p = os.path.realpath(os.path.join(a, basename(b)))\n    return p.startswith(a)\n"
    )
    buggy = fixed.replace("basename(b)", "b")
    lines = [text.split("\n")[1] + "\n" for text in (buggy, fixed)]
    assert not security_rule(buggy, fixed) and not security_rule_of_lines(buggy, fixed, *lines)
    assert security_rule(*(text.replace("startswith", "split") for text in (buggy, fixed)))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("log_raw_value", "def f(item):\n    log.info('no %r', item)\n    return item"),  # nobody outside
        ("wide_creation_mode", "def f(path):\n    os.makedirs(path, 0o755)\n    return path"),  # which mode?
    ],
)
def test_own_code_that_does_not_show_what_is_right_is_no_place(name, text):
    assert not list(registry()[name].mutator(ParsedCode(text), Random(0)))


def test_a_snippet_with_a_graver_weakness_is_no_host():
    """Which of two is the defect? Whoever reads `eval(text)` does not ask for a timeout."""
    text = "def f(text, url):\n    requests.get(url, timeout=10)\n    return {}(text)"
    mix = BugMix({"request_without_timeout": 1})
    settings = MutationSettings(shares=Shares(0, 0, 0, 1, 0))
    made = {
        word: mutate_text(text.format(word), snippet_rng(0, "a"), mix, 4, settings).kept
        for word in ("eval", "str")
    }
    assert made["str"] and not made["eval"]
