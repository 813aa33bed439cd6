"""The Stack Exchange API as a source: nothing lost or twice, no request too early, and the key nowhere."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import traceback
from collections import Counter
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest

from ctm.pairs.record import Pair, read_pairs, read_rejects
from ctm.sources.rest.client import RestError
from ctm.sources.rest.etags import ResponseCache
from ctm.sources.stackoverflow.api import StackExchange
from ctm.sources.stackoverflow.collector import collect_from_api
from ctm.sources.stackoverflow.settings import ApiSettings, StackOverflowSettings
from helpers.api_server import KEY, Api, Clock, FakeStackExchange, Reply, zipped
from helpers.leaks import assert_nowhere, everything_logged

ROOT = Path(__file__).resolve().parents[3]
FROM = 1_577_836_800  # the year 2020
API = ApiSettings(
    questions=1000, created_from="2020-01-01", created_to="2020-12-31", attempts=12, max_backoff=100
)
SETTINGS = StackOverflowSettings(accept_dump_terms=True, min_lines=2, api=API)


def times(number: int) -> list[int]:
    """Creation times: one crowded second, the first and the last of the year, and others."""
    draw = random.Random(0)
    crowd = [FROM + 999] * 230
    return [
        FROM,
        FROM + 366 * 86_400 - 1,
        *crowd,
        *(FROM + draw.randrange(31_000_000) for _ in range(number - 232)),
    ]


def connect(api: Api, clock: Clock, folder: Path, settings: ApiSettings = API) -> StackExchange:
    etags, draw = ResponseCache(folder / "etags.sqlite"), random.Random(1).random
    return StackExchange(
        api.url, etags, settings, KEY, parameter="key", sleep=clock.sleep, clock=clock, draw=draw
    )


def run(
    folder: Path, client: StackExchange | None, settings: StackOverflowSettings = SETTINGS
) -> tuple[list[Pair], Counter[str]]:
    out, rejects = folder / "out.parquet", folder / "rejects.parquet"
    state, etags = folder / "state.sqlite", folder / "etags.sqlite"
    collect_from_api(settings, state, etags, folder / "work", out, rejects, folder / "counts.json", client)
    return list(read_pairs(out)), Counter(item.reason for item in read_rejects(rejects))


def numbers(pairs: list[Pair]) -> list[int]:
    return sorted(int(pair.origin.version_from.removeprefix("q/").partition("#")[0]) for pair in pairs)


def test_questions_meet_their_answers_as_in_a_dump(api: Api, clock: Clock, tmp_path: Path) -> None:
    FakeStackExchange(api, [FROM + 5, FROM + 86_400])
    pairs, reasons = run(tmp_path, connect(api, clock, tmp_path))
    first, second = sorted(pairs, key=lambda pair: pair.origin.date)
    assert first.buggy == "def total1(items)\n    return sum(items)"
    assert first.fixed == "def total1(items):\n    return sum(items)"
    assert (first.source, first.kind, first.group) == (
        "stackoverflow",
        "stackoverflow",
        "stackoverflow.com-user-101",
    )
    origin = first.origin
    assert (origin.version_from, origin.version_to) == ("q/1#1", "a/10001#1")
    assert origin.url == "https://stackoverflow.com/a/10001"
    assert (origin.license, origin.license_source) == ("CC-BY-SA-4.0", "ContentLicense of the API")
    assert (origin.author, origin.author_url) == ("Zoë", "https://stackoverflow.com/users/101")
    assert (origin.date, second.origin.date) == ("2020-01-01", "2020-01-02")
    assert not reasons
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert (counts["items"], counts["rows"]) == (2, 4)


def test_every_page_comes_also_of_a_crowded_second_and_no_request_is_early(
    api: Api, clock: Clock, tmp_path: Path
) -> None:
    server = FakeStackExchange(api, times(700))
    server.gone = {3, 40}
    pairs, reasons = run(tmp_path, connect(api, clock, tmp_path))
    assert numbers(pairs) == [n for n in range(1, 701) if n not in server.gone]
    assert reasons == {"accepted answer not in the API": 2}
    assert sorted(server.shown) == list(range(1, 701)), "each answer is asked for once"
    assert api.early == 0 and sum(clock.slept) > 0, "backoff never bound"


def test_no_more_questions_are_used_than_asked_for(api: Api, clock: Clock, tmp_path: Path) -> None:
    server = FakeStackExchange(api, times(700))
    few = replace(SETTINGS, api=replace(API, questions=250))
    assert numbers(run(tmp_path, connect(api, clock, tmp_path), few)[0]) == list(range(1, 251))
    assert len(server.shown) == 250
    requests = len(api.requests)
    more = replace(SETTINGS, api=replace(API, questions=400))
    assert numbers(run(tmp_path, connect(api, clock, tmp_path), more)[0]) == list(range(1, 401))
    assert len(server.shown) == 400 and len(api.requests) < 2 * requests, "it went on from what was there"


def test_faults_on_the_way_lose_nothing(api: Api, clock: Clock, tmp_path: Path) -> None:
    server = FakeStackExchange(api, times(700))
    draw = random.Random(7)
    throttled = {"error_id": 502, "error_name": "throttle_violation"}
    wait = {
        **throttled,
        "error_message": "too many requests from this IP, more requests available in 90 seconds",
    }
    faults = (
        Reply(429, {"message": "slow down"}, {"retry-after": "30"}, hold=30),
        Reply(429, {"message": "slow down"}),
        Reply(502, raw=b"<html>bad gateway</html>"),
        zipped(wait, 400, hold=90),
        zipped({**throttled, "error_message": "slow down"}, 400, hold=60),
        zipped({"error_id": 503, "error_name": "temporarily_unavailable", "backoff": 20}, 400, hold=20),
        Reply(body={"items": [], "has_more": False}, cut=7),
        Reply(raw=b'{"items": [{"question_id": 1'),
        Reply(raw=b"no gzip", headers={"content-encoding": "gzip"}),
    )
    api.answer = lambda *given: draw.choice(faults) if draw.random() < 0.4 else server.answer(*given)
    pairs, reasons = run(tmp_path, connect(api, clock, tmp_path))
    assert numbers(pairs) == list(range(1, 701)) and not reasons
    assert sorted(server.shown) == list(range(1, 701)) and api.early == 0


@pytest.mark.parametrize("seed", range(4))
def test_stopped_anywhere_it_goes_on_and_asks_nothing_twice(
    api: Api, clock: Clock, tmp_path: Path, seed: int
) -> None:
    server = FakeStackExchange(api, times(500))
    draw = random.Random(seed)

    class Killed(Exception):
        pass

    for _ in range(100):
        client = connect(api, clock, tmp_path)
        left = [draw.randint(1, 4)]

        def get(*given: object, client: StackExchange = client, left: list[int] = left) -> object:
            answer = StackExchange.get(client, *given)  # type: ignore[arg-type]
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return answer

        client.get = get  # type: ignore[method-assign,assignment]
        try:
            pairs, _ = run(tmp_path, client)
            break
        except Killed:
            assert not (tmp_path / "out.parquet").exists(), "a file that exists is whole"
    else:
        pytest.fail("never ended: a restart begins anew")
    assert numbers(pairs) == list(range(1, 501))
    asked = Counter((path, params.get("fromdate"), params["page"]) for path, params, _ in api.requests)
    assert max(asked.values()) <= 2, "only what was under way when it was stopped is asked for again"
    assert api.early == 0 and set(server.shown) == set(range(1, 501))


def test_a_used_up_quota_ends_the_run_and_the_next_day_goes_on(
    api: Api, clock: Clock, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    clock.now = 1_700_000_000.0 // 86_400 * 86_400 + 3600
    FakeStackExchange(api, times(700), quota=5)
    for _ in range(2):
        with pytest.raises(RestError, match=r"allows no request for \d+ s"):
            run(tmp_path, connect(api, clock, tmp_path))
        assert len(api.requests) == 5, "a second try asks nothing"
    assert "quota of the day is used up" in caplog.text
    for _ in range(10):
        clock.now = (clock.now // 86_400 + 1) * 86_400 + 10
        try:
            pairs, _ = run(tmp_path, connect(api, clock, tmp_path))
            break
        except RestError:
            pass
    assert numbers(pairs) == list(range(1, 701)) and api.early == 0


def test_a_wait_that_is_too_long_ends_the_run_and_is_kept(api: Api, clock: Clock, tmp_path: Path) -> None:
    said = "too many requests from this IP, more requests available in 33838 seconds"
    api.script = [zipped({"error_id": 502, "error_message": said}, 400)]
    with pytest.raises(RestError, match="asks to wait 33838 s"):
        run(tmp_path, connect(api, clock, tmp_path))
    with pytest.raises(RestError, match="allows no request for 33838 s"):
        run(tmp_path, connect(api, clock, tmp_path))
    assert len(api.requests) == 1


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ([], 'no list "items"'),
        ({"items": 3}, 'no list "items"'),
        ({"items": [], "has_more": True}, "empty page"),
        ({"items": [{"question_id": "x", "creation_date": 5}]}, "question_id is 'x'"),
        ({"items": [{"question_id": 2**70, "creation_date": 5}]}, "question_id is '1180591"),
        ({"items": [{"question_id": 1, "creation_date": True}]}, "creation_date is 'True'"),
        (
            {"error_id": 400, "error_name": "bad_parameter", "error_message": "key"},
            "error 400, bad_parameter: key",
        ),
    ],
)
def test_an_answer_of_another_shape_is_one_clear_error(
    api: Api, clock: Clock, tmp_path: Path, body: object, said: str
) -> None:
    api.answer = lambda *_: zipped(body)
    with pytest.raises(RestError, match=said) as failed:
        run(tmp_path, connect(api, clock, tmp_path))
    assert "search/advanced" in str(failed.value) or "search:" in str(failed.value)
    assert "\n" not in str(failed.value) and not (tmp_path / "out.parquet").exists()


def test_posts_that_make_no_sense_are_counted(api: Api, clock: Clock, tmp_path: Path) -> None:
    server = FakeStackExchange(api, [FROM] * 6)
    odd: list[dict[str, object]] = [
        {"body": "x" * 300_000},
        {"content_license": None},
        {"owner": "nobody", "body": None},
        {"owner": {"user_id": "many"}},
        {"tags": 5},
    ]
    plain = server.question
    server.question = lambda number: plain(number) | dict(enumerate(odd, 1)).get(number, {})  # type: ignore
    pairs, reasons = run(tmp_path, connect(api, clock, tmp_path))
    assert numbers(pairs) == [6]
    assert reasons == {
        "row cannot be read": 2, "no license stated": 1, "question without code": 1, "question without the tag": 1,
        "answer that is not accepted": 1,
    }  # fmt: skip


def test_without_accepted_terms_nothing_is_asked(api: Api, clock: Clock, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="accept_dump_terms must be true"):
        run(tmp_path, connect(api, clock, tmp_path), replace(SETTINGS, accept_dump_terms=False))
    assert not api.requests


@pytest.mark.parametrize("settings", [{"created_from": "2020-13-01"}, {"created_to": "2000-01-01"}])
def test_bad_settings_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="created_"):
        ApiSettings(**settings)  # type: ignore[arg-type]


def test_a_damaged_state_is_named(api: Api, clock: Clock, tmp_path: Path) -> None:
    (tmp_path / "state.sqlite").write_bytes(b"no database" * 100)
    with pytest.raises(ValueError, match=r"state\.sqlite: .*delete it"):
        run(tmp_path, connect(api, clock, tmp_path))


FORMS = (KEY, quote(KEY), quote(KEY, safe=""))


def test_the_key_is_in_no_log_file_or_error(
    api: Api, clock: Clock, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A server that sends the key back in every way, every logger at its most talkative."""
    server = FakeStackExchange(api, times(250))
    normal = server.answer
    echo = {
        "error_id": 400,
        "error_name": "bad_parameter",
        "error_message": f"key {KEY} of ?key={FORMS[2]} is wrong",
    }
    few = replace(SETTINGS, api=replace(API, attempts=2))
    texts = []
    with everything_logged() as written:
        for failing in (
            zipped(echo, 400),
            zipped({**echo, "error_id": 502}, 400),
            Reply(500, echo),
            Reply(403, raw=KEY.encode()),
            Reply(body=echo, cut=30),
            Reply(301, echo, {"location": f"http://example.org/?key={FORMS[1]}"}),
            Reply(301, echo, {"location": f"/search/advanced?key={FORMS[2]}&again=1"}),
        ):
            api.answer = lambda *_, failing=failing: failing
            with pytest.raises(RestError) as failed:
                run(tmp_path, connect(api, clock, tmp_path, few.api), few)
            texts += ["".join(traceback.format_exception(failed.value)), repr(failed.value)]
        api.answer = lambda *given: replace(
            normal(*given), headers={"content-encoding": "gzip", "etag": '"1"'}
        )
        plain = server.post
        server.post = lambda number, text: plain(number, f"{text}  # {KEY}")  # type: ignore[method-assign]
        client = connect(api, clock, tmp_path)
        pairs, _ = run(tmp_path, client)
        assert numbers(pairs) == list(range(1, 251))
        texts += [repr(client), str(vars(client).get("counts"))]
    assert written.getvalue() and len(texts) > 10
    captured = capfd.readouterr()
    said = (*texts, written.getvalue(), captured.out, captured.err, *map(repr, pairs))
    assert_nowhere(FORMS, said, tmp_path)


def test_the_program_takes_the_key_from_the_environment(api: Api, clock: Clock, tmp_path: Path) -> None:
    FakeStackExchange(api, times(300), backoff=0)
    settings = {
        "accept_dump_terms": True,
        "min_lines": 2,
        "api": {
            "questions": 300,
            "address": api.url,
            "created_from": "2020-01-01",
            "created_to": "2020-12-31",
        },
    }
    command = [sys.executable, str(ROOT / "workflow/scripts/collect_stackoverflow.py"), "--shard", "01-of-01"]
    command += ["--settings", json.dumps(settings)]
    for option, name in (
        ("state", "s.sqlite"), ("etags", "e.sqlite"), ("work", "work"), ("out", "o.parquet"),
        ("rejects", "r.parquet"), ("counts", "c.json"),
    ):  # fmt: skip
        command += [f"--{option}", str(tmp_path / name)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "STACKEXCHANGE_KEY": KEY}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert len(list(read_pairs(tmp_path / "o.parquet"))) == 300
    assert "300 of 300 questions, 300 accepted answers" in done.stderr
    assert_nowhere(FORMS, [done.stdout, done.stderr], tmp_path)
