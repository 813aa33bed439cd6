"""Security bugs go where somebody could have written them: own code first, then places that fit, few others."""

from __future__ import annotations

from random import Random

import pytest

from ctm.bugs.generation.draw import generator, mutate_text
from ctm.bugs.generation.mix import Mix
from ctm.bugs.generation.quotas import drawing_mix, quotas_of
from ctm.bugs.registry import apply, registry
from ctm.bugs.security.hosts import SUBJECTS, fitting
from ctm.bugs.security.write import with_own
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.static_analysis.source import Source
from ctm.pairs.record import Origin, make_snippet

OWN = "def load_{n}(text):\n    value = json.loads(text)\n    return value[{n}]"
FIT = "def store_{n}(self, path):\n    self.save(path)\n    self.count += {n}\n    return path"
NONE = "def area_{n}(width, height):\n    size = width * height\n    return size + {n}"


def fit(kind: str, text: str) -> set[tuple[str, str]]:
    made = [c for n in range(20) for c in registry()[kind].hosts["fit"](Source(text), Random(n))]
    return {(apply(text, c.fixed), apply(text, c.buggy)) for c in made}


def test_every_security_kind_has_a_subject():
    assert set(SUBJECTS) == {kind.name for kind in registry().values() if kind.category == "security"}


def test_a_written_statement_stands_beside_one_of_its_subject_about_the_same_variable():
    text = FIT.format(n=1)
    sides = fit("world_writable", text)
    written = "    self.save(path)\n    os.chmod(path, {})\n    self.count += 1"
    before = "    self.save(path)\n    self.count += 1"
    assert (
        text.replace(before, written.format("0o644")),
        text.replace(before, written.format("0o666")),
    ) in sides
    assert all(line in pair[0].splitlines() for pair in sides for line in text.splitlines()), (
        "nothing is taken away"
    )


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_nothing_fits_a_function_that_has_to_do_with_nothing_of_it(kind):
    assert not fit(kind, NONE.format(n=1)), (
        "a statement about files, hashes or requests in a computation of an area"
    )


def test_no_variable_that_is_not_there_is_written_about():
    assert fit("world_writable", FIT.format(n=1))
    assert not fit("world_writable", FIT.format(n=1).replace("path", "thing"))


def test_a_parameter_that_nobody_reads_shows_what_was_lost():
    """`password=password` may become a literal only where the parameter is left to tell what it was."""
    own = registry()["password_argument"].hosts["own"]
    text = "def go(host, password):\n    return connect(host, password=password)"
    (candidate,) = own(Source(text), Random(0))
    assert "def go(host, password):" in apply(text, candidate.buggy) and "password=password" not in apply(
        text, candidate.buggy
    )
    assert not list(own(Source("connect(host, password=password)"), Random(0)))
    default = "def go(host, secret=password):\n    return connect(host, password=password)"
    assert not list(own(Source(default), Random(0))), "a default of that name tells nothing"
    timeout = registry()["request_without_timeout"].hosts["own"]
    text = "def go(url, timeout):\n    return requests.get(url, timeout=timeout)"
    assert {apply(text, c.buggy) for c in timeout(Source(text), Random(0))} == {
        text.replace(", timeout=timeout", "")
    }


@pytest.mark.parametrize(
    "name",
    ["password", "db_passwd", "smtp_pass", "pwd", "secret", "SECRETKEY", "secret_key", "apikey", "api_token"],
)
def test_own_code_is_found_by_the_words_of_its_names(name):
    """Places are told by words before they are looked for, so each name of a secret needs a word there."""
    kind, source = registry()["password_literal"], Source(f"def f(self, {name}):\n    self.{name} = {name}")
    assert list(kind.hosts["own"](source, Random(0)))
    assert kind.name in with_own(source) and kind.own and kind.own(source)


def test_samples_are_asked_of_the_snippets_that_have_a_place():
    """One snippet in ten has code of its own, one in ten a place that fits: these give nearly all security samples."""
    texts = [(OWN, FIT, *[NONE] * 8)[n % 10].format(n=n) for n in range(400)]
    snippets = [make_snippet(text, "function", "g", Origin(), "train") for text in texts]
    settings = MutationSettings(shares=Shares(syntax=0.9, logic=0, clean=0, security=0.1), surveyed=400)
    kinds = {kind.name: 1.0 for kind in registry().values() if kind.category == "security"} | {
        "missing_colon": 1.0
    }
    quotas = quotas_of(snippets, settings, Mix(kinds))
    assert quotas.hosts["own"] > 2 and quotas.hosts["fit"] > 2 and not quotas.hosts["unfit"]
    mix, hosts = drawing_mix(quotas), {"own": 0, "fit": 0, "unfit": 0}
    for snippet in snippets:
        tally = mutate_text(snippet.text, generator(0, snippet.snippet_id), mix, 3, settings).tally
        for sort, (made, training) in tally.hosts.items():
            assert made == training
            hosts[sort] += made
    assert hosts["own"] and hosts["fit"] and not hosts["unfit"], hosts


def test_words_are_parts_of_names():
    assert "md5_hash" in fitting(Source("fileChecksum = 1")) and "md5_hash" not in fitting(
        Source("shape = 1")
    )
