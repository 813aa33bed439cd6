"""The REST client against a server that misbehaves in every way that we know of."""

from __future__ import annotations

import random
import traceback
from collections.abc import Iterator
from email.utils import formatdate
from pathlib import Path

import pytest

from ctm.sources.rest.client import RestClient, RestError, RestSettings
from ctm.sources.rest.etags import ResponseCache
from helpers.api_server import TOKEN, Api, Clock, Reply
from helpers.leaks import assert_nowhere, everything_logged
from helpers.silent_server import silent_server

SETTINGS = RestSettings(attempts=5, timeout=5)


@pytest.fixture
def client(api: Api, clock: Clock, tmp_path: Path) -> Iterator[RestClient]:
    made = connect(api, clock, tmp_path)
    yield made
    made.close()


def connect(api: Api, clock: Clock, folder: Path, settings: RestSettings = SETTINGS) -> RestClient:
    etags = ResponseCache(folder / "etags.sqlite")
    draw = random.Random(0).random
    return RestClient(api.url, etags, settings, TOKEN, sleep=clock.sleep, clock=clock, draw=draw)


def test_a_plain_answer_is_authorized_and_parsed(api: Api, client: RestClient) -> None:
    api.script = [Reply(body={"a": 1})]
    assert client.get("thing", {"q": "x y", "n": 3}).data == {"a": 1}
    ((path, params, headers),) = api.requests
    assert (path, params) == ("/thing", {"q": "x y", "n": "3"})
    assert headers["authorization"] == f"Bearer {TOKEN}"


def test_all_pages_come_once_and_in_order(api: Api, client: RestClient) -> None:
    def page(path: str, params: dict[str, str], headers: dict[str, str]) -> Reply:
        number = int(params.get("page", "1"))
        link = f'<{api.url}/list?page={number + 1}>; rel="next", <{api.url}/list?page=9>; rel="last"'
        return Reply(body=[number], headers={"link": link} if number < 9 else {})

    api.answer = page
    assert [answer.data[0] for answer in client.pages("list")] == list(range(1, 10))


def test_an_answer_not_modified_comes_from_the_store_also_after_a_restart(
    api: Api, client: RestClient, clock: Clock, tmp_path: Path
) -> None:
    link = f'<{api.url}/thing?page=2>; rel="next"'
    api.script = [Reply(body={"a": 1}, headers={"etag": '"one"', "link": link}), Reply(304), Reply(304)]
    first = client.get("thing")
    again = client.get("thing")
    later = connect(api, clock, tmp_path).get("thing")
    assert first.data == again.data == later.data
    assert (first.fresh, again.fresh, later.fresh) == (True, False, False)
    assert first.next == again.next == later.next == f"{api.url}/thing?page=2"
    assert [headers.get("if-none-match") for _, _, headers in api.requests] == [None, '"one"', '"one"']


@pytest.mark.parametrize("status", [403, 429, 503])
def test_retry_after_is_waited_for_by_every_request(
    api: Api, client: RestClient, clock: Clock, status: int
) -> None:
    api.script = [Reply(status, {"message": "slow down"}, {"retry-after": "77"}, hold=77), Reply(body=1)]
    assert client.get("one", bucket="search").data == 1
    assert api.early == 0 and sum(clock.slept) == 77


def test_retry_after_may_be_a_date(api: Api, client: RestClient, clock: Clock) -> None:
    at = formatdate(clock.now + 50, usegmt=True)
    api.script = [Reply(429, {}, {"retry-after": at}, hold=50), Reply(body=1)]
    client.get("one")
    assert api.early == 0 and 50 <= sum(clock.slept) < 53


def test_exhausted_limit_waits_for_its_reset_and_does_not_bind_other_limits(
    api: Api, client: RestClient, clock: Clock
) -> None:
    reset = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(clock.now) + 40)}
    api.script = [Reply(body=1, headers=reset), Reply(body=2), Reply(body=3)]
    client.get("one", bucket="search")
    client.get("two", bucket="core")
    assert clock.slept == [], "the core limit has nothing to do with the search limit"
    api.allowed = clock.now + 40
    client.get("three", bucket="search")
    assert api.early == 0 and 40 <= sum(clock.slept) < 43


def test_reset_is_read_by_the_clock_of_the_server(api: Api, client: RestClient, clock: Clock) -> None:
    behind = clock.now - 500  # ours is ahead: by our own clock the reset is long past
    headers = {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(behind) + 30)}
    api.script = [
        Reply(403, {}, headers | {"date": formatdate(behind, usegmt=True)}, hold=30),
        Reply(body=1),
    ]
    client.get("one")
    assert api.early == 0 and 30 <= sum(clock.slept) < 33


@pytest.mark.parametrize("status", [403, 429])
def test_a_limit_that_says_nothing_is_backed_off_from_with_jitter(
    api: Api, client: RestClient, clock: Clock, status: int
) -> None:
    api.script = [Reply(status, {"message": "secondary rate limit"})] * 3 + [Reply(body=1)]
    assert client.get("one").data == 1
    for base, slept in zip((60, 120, 240), clock.slept, strict=True):
        assert base <= slept <= 1.5 * base
    assert len({round(slept % 60, 3) for slept in clock.slept}) == 3, "no jitter"


BROKEN = {
    "server error": Reply(502, raw=b"<html>Bad Gateway</html>"),
    "connection cut within the body": Reply(body=list(range(1000)), cut=50),
    "connection cut before the body": Reply(body=[1, 2, 3], cut=0),
    "malformed JSON": Reply(raw=b'{"items": [1, 2'),
    "not UTF-8": Reply(raw=b'{"a": "\xff"}'),
    "a false gzip": Reply(raw=b"no gzip", headers={"content-encoding": "gzip"}),
    "304 without a question": Reply(304),
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_what_breaks_is_asked_again_with_growing_waits(
    api: Api, client: RestClient, clock: Clock, broken: Reply
) -> None:
    api.script = [broken, broken, Reply(body={"whole": True})]
    assert client.get("one").data == {"whole": True}
    assert 1 <= clock.slept[0] <= 1.5 and 2 <= clock.slept[1] <= 3
    assert client.counts["retries"] == 2


def test_a_broken_answer_is_not_kept_as_the_answer(api: Api, client: RestClient) -> None:
    api.script = [Reply(raw=b"{", headers={"etag": '"bad"'}), Reply(body=5), Reply(body=6)]
    assert client.get("one").data == 5
    assert client.get("one").data == 6
    assert not any("if-none-match" in headers for _, _, headers in api.requests)


def test_it_gives_up_after_the_attempts(api: Api, client: RestClient) -> None:
    api.answer = lambda *_: Reply(500, {"message": "boom"})
    with pytest.raises(RestError, match=r"status 500: boom; gave up after 5 attempts") as failed:
        client.get("one")
    assert failed.value.status == 500 and len(api.requests) == 5


@pytest.mark.parametrize("through", ["server", "proxy", "nobody"])
def test_a_host_that_never_answered_is_given_one_time_limit(
    through: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And not `attempts` times as long: seven minutes, in each of the three tries that Snakemake makes."""
    settings = RestSettings(attempts=99, timeout=0.3, backoff=0.05, max_backoff=0.1)
    with silent_server() as server:
        bases = {"server": server.url, "proxy": "https://api.example.org", "nobody": "http://127.0.0.1:9"}
        for name in ("https_proxy", "HTTPS_PROXY"):
            monkeypatch.setenv(name, server.url)
        client = RestClient(bases[through], ResponseCache(tmp_path / "e.sqlite"), settings, TOKEN)
        with pytest.raises(RestError, match=r"no answer in 0.3 s; is a proxy in the way\?"):
            client.get("one")
        client.close()
        assert len(server.connections) == (0 if through == "nobody" else 1)


def test_a_host_that_falls_silent_is_asked_again(api: Api, clock: Clock, tmp_path: Path) -> None:
    """It has answered in this run, and what was found so far is worth waiting for."""
    client = connect(api, clock, tmp_path, RestSettings(attempts=4, timeout=0.2))
    api.script = [Reply(body=1), Reply(late=0.5), Reply(late=0.5), Reply(body=2)]
    assert (client.get("one").data, client.get("two").data) == (1, 2)
    client.close()


@pytest.mark.parametrize(("status", "word"), [(401, "set it again"), (404, "Not here"), (422, "Not here")])
def test_what_will_not_get_better_fails_at_once(api: Api, client: RestClient, status: int, word: str) -> None:
    api.script = [Reply(status, {"message": "Not here"})]
    with pytest.raises(RestError, match=word):
        client.get("one")
    assert len(api.requests) == 1


def test_a_wait_survives_a_restart(api: Api, client: RestClient, clock: Clock, tmp_path: Path) -> None:
    one_attempt = RestSettings(attempts=1)
    first = connect(api, clock, tmp_path, one_attempt)
    api.script = [Reply(429, {}, {"retry-after": "600"}, hold=600)]
    with pytest.raises(RestError):
        first.get("one")
    first.close()
    clock.now += 100
    api.script = [Reply(body=1)]
    assert connect(api, clock, tmp_path).get("one").data == 1
    assert api.early == 0 and sum(clock.slept) == 500


def test_a_sleep_that_ends_early_is_gone_on_with(api: Api, clock: Clock, tmp_path: Path) -> None:
    def short(seconds: float) -> None:
        clock.sleep(min(seconds, 7))

    client = RestClient(
        api.url,
        ResponseCache(tmp_path / "e.sqlite"),
        SETTINGS,
        TOKEN,
        sleep=short,
        clock=clock,
        draw=lambda: 0.0,
    )
    api.script = [Reply(429, {}, {"retry-after": "30"}, hold=30), Reply(body=1)]
    client.get("one")
    assert api.early == 0 and sum(clock.slept) == 30


def test_a_wait_that_is_too_long_is_an_error(api: Api, client: RestClient) -> None:
    api.script = [Reply(429, {}, {"retry-after": "90000"})]
    with pytest.raises(RestError, match=r"asks to wait 90000 s, more than max_wait"):
        client.get("one")


def test_an_answer_that_is_too_large_is_an_error(api: Api, clock: Clock, tmp_path: Path) -> None:
    client = connect(api, clock, tmp_path, RestSettings(max_answer_mb=1))
    api.script = [Reply(raw=b'"' + b"x" * 1_100_000 + b'"')]
    with pytest.raises(RestError, match="larger than 1 MB"):
        client.get("one")


def test_redirects_are_followed_at_home_only(api: Api, client: RestClient) -> None:
    api.script = [Reply(301, {}, {"location": "/renamed"}), Reply(body=1)]
    assert client.get("one").data == 1
    api.script = [Reply(302, {}, {"location": "http://example.org/steal"})]
    with pytest.raises(RestError, match="refused to follow"):
        client.get("one")
    api.script = [Reply(body=1, headers={"link": '<http://example.org/2>; rel="next"'})]
    with pytest.raises(RestError, match="refused to follow"):
        client.get("two")


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "ключ"])
def test_a_token_that_cannot_be_one_is_refused_without_being_shown(token: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError) as refused:
        RestClient("https://api.example.org", ResponseCache(tmp_path / "e.sqlite"), SETTINGS, token)
    assert token not in str(refused.value)


def test_an_unencrypted_address_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="https"):
        RestClient("http://api.example.org", ResponseCache(tmp_path / "e.sqlite"), SETTINGS, TOKEN)


def test_a_damaged_store_is_named(tmp_path: Path) -> None:
    path = tmp_path / "etags.sqlite"
    path.write_bytes(b"no database" * 100)
    with pytest.raises(ValueError, match=r"etags\.sqlite: .*delete it"):
        ResponseCache(path)


def test_the_token_is_in_no_log_file_or_error(
    api: Api, clock: Clock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A server that sends the token back in every way, every logger at its most talkative."""
    echo = {"message": f"Bearer {TOKEN} is wrong", "token": TOKEN}
    texts = []
    with everything_logged() as written:
        client = connect(api, clock, tmp_path, RestSettings(attempts=2))
        api.script = [Reply(body=echo, headers={"etag": '"1"'})]
        texts.append(str(client.get("one").data))
        for failing in (
            Reply(401, echo),
            Reply(500, echo),
            Reply(403, raw=TOKEN.encode()),
            Reply(body=echo, cut=20),
            Reply(raw=f"{{{TOKEN}".encode()),
            Reply(301, echo, {"location": f"http://example.org/{TOKEN}"}),
        ):
            api.script = [failing] * 2
            with pytest.raises(RestError) as failed:
                client.get("two")
            texts += ["".join(traceback.format_exception(failed.value)), repr(failed.value)]
        texts += [repr(client), str(vars(client).get("counts"))]
        client.close()
    assert len(texts) > 10 and written.getvalue()
    captured = capfd.readouterr()
    assert_nowhere([TOKEN], (*texts, written.getvalue(), captured.out, captured.err), tmp_path)
    stored = ResponseCache(tmp_path / "etags.sqlite").get(f"{api.url}/one")
    assert stored is not None and TOKEN.encode() not in stored.body, "bodies are compressed on disk"
