"""Security bugs go where somebody could have written them: own code first, then places that fit, few others."""

from __future__ import annotations

from random import Random

import pytest

from ctm.bugs.draw import Mix, generator, mutate_text
from ctm.bugs.quotas import drawing_mix, quotas_of
from ctm.bugs.registry import apply, registry
from ctm.bugs.security_hosts import SUBJECTS, fitting
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.source import Source
from ctm.pairs.record import Origin, make_snippet

OWN = "def load_{n}(text):\n    value = json.loads(text)\n    return value[{n}]"
FIT = "def digest_{n}(self, data):\n    checksum = self.hash_of(data)\n    return checksum + {n}"
NONE = "def area_{n}(width, height):\n    size = width * height\n    return size + {n}"


def fit(kind: str, text: str) -> set[tuple[str, str]]:
    made = [c for n in range(20) for c in registry()[kind].hosts["fit"](Source(text), Random(n))]
    return {(apply(text, c.fixed), apply(text, c.buggy)) for c in made}


def test_every_security_kind_has_a_subject():
    assert set(SUBJECTS) == {kind.name for kind in registry().values() if kind.category == "security"}


def test_a_written_statement_takes_the_place_of_one_of_its_subject_and_its_result_is_used():
    sides = fit("md5_hash", FIT.format(n=1))
    assert (
        FIT.format(n=1).replace("self.hash_of(data)", "hashlib.sha256(data).hexdigest()"),
        FIT.format(n=1).replace("self.hash_of(data)", "hashlib.md5(data).hexdigest()"),
    ) in sides
    assert all(
        "return checksum + 1" in text and "def digest_1(self, data):" in text
        for pair in sides
        for text in pair
    ), "the function keeps its parameters, and what follows uses the result"


@pytest.mark.parametrize("kind", sorted(SUBJECTS))
def test_nothing_fits_a_function_that_has_to_do_with_nothing_of_it(kind):
    assert not fit(kind, NONE.format(n=1)), (
        "a statement about files, hashes or requests in a computation of an area"
    )


def test_no_variable_that_is_not_there_is_written_about():
    assert not fit("request_without_timeout", "def f(self):\n    page = self.fetch(self.at)\n    return page")
    assert fit("request_without_timeout", "def f(self, url):\n    page = self.fetch(url)\n    return page")


def test_a_handler_is_written_around_the_statement_of_the_snippet():
    text = "def view(request, pk):\n    item = find_item(pk)\n    return item"
    for fixed, buggy in fit("error_to_client", text):
        assert "try:\n        item = find_item(pk)\n    except" in fixed and "str(e)" in buggy


def test_a_parameter_that_nobody_reads_shows_what_was_lost():
    """`password=password` may become a literal only where the parameter is left to tell what it was."""
    own = registry()["password_argument"].hosts["own"]
    text = "def go(host, password):\n    return connect(host, password=password)"
    (candidate,) = own(Source(text), Random(0))
    assert "def go(host, password):" in apply(text, candidate.buggy) and "password=password" not in apply(
        text, candidate.buggy
    )
    assert not list(own(Source("connect(host, password=password)"), Random(0)))
    timeout = registry()["request_without_timeout"].hosts["own"]
    text = "def go(url, timeout):\n    return requests.get(url, timeout=timeout)"
    assert {apply(text, c.buggy) for c in timeout(Source(text), Random(0))} == {
        text.replace(", timeout=timeout", "")
    }


def test_samples_are_asked_of_the_snippets_that_have_a_place():
    """One snippet in ten has code of its own, one in ten a place that fits: these give nearly all security samples."""
    texts = [(OWN, FIT, *[NONE] * 8)[n % 10].format(n=n) for n in range(400)]
    snippets = [make_snippet(text, "function", "g", Origin(), "train") for text in texts]
    settings = MutationSettings(shares=Shares(syntax=0.9, logic=0, clean=0, security=0.1), surveyed=400)
    kinds = {kind.name: 1.0 for kind in registry().values() if kind.category == "security"} | {
        "missing_colon": 1.0
    }
    quotas = quotas_of(snippets, settings, Mix(kinds))
    assert quotas.hosts["own"] > 2 and quotas.hosts["fit"] > 2 > quotas.hosts["unfit"]
    mix, hosts = drawing_mix(quotas), {"own": 0, "fit": 0, "unfit": 0}
    for snippet in snippets:
        tally = mutate_text(snippet.text, generator(0, snippet.snippet_id), mix, 3, settings).tally
        for sort, (made, training) in tally.hosts.items():
            assert made == training
            hosts[sort] += made
    assert 0 < hosts["unfit"] < 0.2 * (hosts["own"] + hosts["fit"]), hosts


def test_words_are_parts_of_names():
    assert "md5_hash" in fitting(Source("fileChecksum = 1")) and "md5_hash" not in fitting(
        Source("shape = 1")
    )
