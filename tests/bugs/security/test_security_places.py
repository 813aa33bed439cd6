"""Security bugs go where somebody could have written them: into a snippet's own code, where it shows the repair."""

from __future__ import annotations

from random import Random

import pytest

from ctm.bugs.generation.draw import BugMix, mutate_text, snippet_rng
from ctm.bugs.generation.quotas import drawing_mix, quotas_of
from ctm.bugs.registry import apply, registry
from ctm.bugs.security.write import with_own
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.static_analysis.source import ParsedCode
from ctm.pairs.record import Origin, make_snippet

OWN = "def load_{n}(url):\n    value = requests.get(url)\n    return value[{n}]"
NONE = "def area_{n}(width, height):\n    size = width * height\n    return size + {n}"


def buggy(kind: str, text: str) -> set[str]:
    """What a kind makes of a snippet: every buggy side, whole."""
    return {apply(text, c.buggy) for c in registry()[kind].mutator(ParsedCode(text), Random(0))}


def test_nothing_is_written_in():
    """Of statements put where they seemed to fit, readers found one in ten right and such as a person would write."""
    for kind in registry().values():
        if kind.category == "security":
            assert not buggy(kind.name, NONE.format(n=1)), kind.name


def test_eval_takes_a_name_from_outside_that_nothing_else_asks_for():
    """Two readers called `eval` over a list of constants no weakness, and one beside a `hasattr` unreal."""
    call = "def call(device, method):\n    return getattr(device, method)()"
    assert buggy("eval_input", call) == {call.replace("getattr(device, method)", 'eval(f"device.{method}")')}
    for text in (
        "for name in NAMES:\n    print(getattr(item, name))",
        "def call(device, method):\n    if hasattr(device, method):\n        return getattr(device, method)()",
        "def call(device, method):\n    return [getattr(item, method) for item in device]",
        "@wraps(getattr(Bottle, name))\ndef call(name):\n    return name",
    ):
        assert not buggy("eval_input", text), text


def test_pickle_takes_bytes():
    """`pickle.loads` of a text raises at once: nobody leaves that in their code."""
    for text in (
        "def read(response):\n    return json.loads(response.content)",
        'with open(path, "rb") as f:\n    data = json.load(f)',
        "def read(payload):\n    return json.loads(payload)",
    ):
        assert buggy("pickle_load", text) == {text.replace("json", "pickle")}, text
    for text in (
        "def read(response):\n    return json.loads(response.text)",
        "with open(path) as f:\n    data = json.load(f)",
        "def read(payload: str):\n    return json.loads(payload)",
        "data = path.read_text()\nvalue = json.loads(data)",
        "value = json.loads(body.decode('utf-8'))",
    ):
        assert not buggy("pickle_load", text), text


def test_a_request_of_a_test_goes_nowhere():
    """What a test asks for is answered by a stand-in: neither a timeout nor a certificate matters there."""
    text = "def fetch(url):\n    return requests.get(url)"
    assert buggy("unverified_request", text) == {text.replace("get(url)", "get(url, verify=False)")}
    assert not buggy("unverified_request", text.replace("fetch", "test_fetch"))
    assert not buggy("unverified_request", text.replace("(url):", '(url="http://localhost"):'))
    mocked = "def check(mocker):\n    assert requests.get('https://a.b', timeout=10).ok"
    assert not buggy("request_without_timeout", mocked)


@pytest.mark.parametrize(
    ("kind", "place", "none"),
    [
        (
            "regex_nested_repeat",
            're.match(r"^[a-z]+$", x)',
            're.match(r"^[a-z]+", x)',
        ),  # nothing can fail behind it
        ("regex_nested_repeat", 're.search(r"(\\w+)@", x)', 're.search(r"@(\\w+):?", x)'),
        ("debug_server", "DEBUG = False\nSECRET_KEY = key", "DEBUG = False\nSIZE = 3"),
        ("unverified_request", "r = session.get(url)", "r = session.get('_user_id')"),  # a dict
        (
            "shell_true",
            "cmd = ['ls', path]\nrun = subprocess.run(cmd)",
            "cmd = ['ls', '-l']\nrun = subprocess.run(cmd)",
        ),
        ("shell_true", "subprocess.run(['ls', path])", "subprocess.run(['ls', Path(path)])"),  # no text
    ],
)
def test_what_readers_called_no_weakness_is_no_place(kind, place, none):
    """Each left side is a place, each right side was one until a reader said why it is none."""
    assert buggy(kind, place) and not buggy(kind, none)


def test_a_shell_command_has_a_part_that_somebody_else_gives():
    """A command of nothing but literals is what it says, with a shell or without."""
    text = "subprocess.run(['ls', folder])"
    assert buggy("shell_true", text) == {"subprocess.run(\" \".join(['ls', folder]), shell=True)"}
    assert not buggy("shell_true", "subprocess.run(['ls', '-l'])")


def test_a_parameter_that_nobody_reads_shows_what_was_lost():
    """`password=password` may become a literal only where the parameter is left to tell what it was."""
    own = registry()["password_argument"].mutator
    text = "def go(host, password):\n    return connect(host, password=password)"
    (candidate,) = own(ParsedCode(text), Random(0))
    assert "def go(host, password):" in apply(text, candidate.buggy) and "password=password" not in apply(
        text, candidate.buggy
    )
    assert not list(own(ParsedCode("connect(host, password=password)"), Random(0)))
    default = "def go(host, secret=password):\n    return connect(host, password=password)"
    assert not list(own(ParsedCode(default), Random(0))), "a default of that name tells nothing"
    timeout = registry()["request_without_timeout"].mutator
    text = "def go(url, timeout):\n    return requests.get(url, timeout=timeout)"
    assert {apply(text, c.buggy) for c in timeout(ParsedCode(text), Random(0))} == {
        text.replace(", timeout=timeout", "")
    }


@pytest.mark.parametrize(
    "name",
    ["password", "db_passwd", "smtp_pass", "pwd", "secret", "SECRETKEY", "secret_key", "apikey", "api_token"],
)
def test_own_code_is_found_by_the_words_of_its_names(name):
    """Places are told by words before they are looked for, so each name of a secret needs a word there."""
    kind, source = (
        registry()["password_literal"],
        ParsedCode(f"def f(self, {name}):\n    self.{name} = {name}"),
    )
    assert list(kind.mutator(source, Random(0)))
    assert kind.name in with_own(source) and kind.own and kind.own(source)


def test_samples_are_asked_of_the_snippets_that_have_a_place():
    """One snippet in ten has a place: it is asked for more than its share, the others for none."""
    texts = [(OWN, *[NONE] * 9)[n % 10].format(n=n) for n in range(400)]
    snippets = [make_snippet(text, "function", "g", Origin(), "train") for text in texts]
    settings = MutationSettings(shares=Shares(syntax=0.9, logic=0, clean=0, security=0.1), surveyed=400)
    kinds = {kind.name: 1.0 for kind in registry().values() if kind.category == "security"} | {
        "missing_colon": 1.0
    }
    quotas = quotas_of(snippets, settings, BugMix(kinds))
    assert quotas.hosting > 2
    mix = drawing_mix(quotas)
    for snippet in snippets:
        tally = mutate_text(snippet.text, snippet_rng(0, snippet.snippet_id), mix, 3, settings).tally
        assert ("security" in tally.asked) <= ("requests" in snippet.text), (
            "a snippet without a place was asked"
        )
