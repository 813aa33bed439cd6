"""Search in parts of at most 1,000 results: nothing lost, nothing twice, whatever stops it; and the lists it makes."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from ctm.pairs.record import read_rejects
from ctm.sources.git.github import HEADERS, RepositorySearch, RepositorySearchSettings
from ctm.sources.git.repositories import OptOut, discover, read_list
from ctm.sources.rest.client import RestClient, RestError
from ctm.sources.rest.etags import ResponseCache
from helpers.api_server import TOKEN, Api, Clock, FakeGitHub, Reply
from helpers.leaks import assert_nowhere

ROOT = Path(__file__).resolve().parents[3]
FROM, TO = 1_577_836_800, 1_609_459_199  # the year 2020
YEAR = RepositorySearchSettings(created_from="2020-01-01", created_to="2020-12-31", attempts=4, forks=True)


def times(number: int, seed: int = 0) -> list[int]:
    """Creation times, most of them within one week, some at the very ends."""
    draw = random.Random(seed)
    week = [draw.randrange(FROM + 5_000_000, FROM + 5_600_000) for _ in range(number * 3 // 4)]
    return [FROM, TO, *week, *(draw.randint(FROM, TO) for _ in range(number - 2 - len(week)))]


def connect(api: Api, clock: Clock, folder: Path, settings: RepositorySearchSettings = YEAR) -> RestClient:
    draw = random.Random(1).random
    etags = ResponseCache(folder / "etags.sqlite")
    return RestClient(api.url, etags, settings, TOKEN, HEADERS, clock.sleep, clock, draw)


def ids(search: RepositorySearch) -> list[int]:
    return sorted(int(item.name.rsplit("-", 1)[1]) for item in search.found())


def test_more_than_a_thousand_results_are_all_found_once(api: Api, clock: Clock, tmp_path: Path) -> None:
    github = FakeGitHub(api, times(3500))
    search = RepositorySearch(connect(api, clock, tmp_path), YEAR, tmp_path / "state.sqlite")
    search.run()
    assert ids(search) == list(range(3500))
    assert search.counts() == {
        "parts": search.counts()["parts"], "counted": 3500, "found": 3500, "never shown": 0, "incomplete parts": 0,
    }  # fmt: skip
    assert max(github.totals) == 3500 and api.early == 0, "a request came before the limit allowed it"
    assert sum(clock.slept) > 0, "the limit of 30 a minute never bound"


def test_faults_on_the_way_lose_nothing(api: Api, clock: Clock, tmp_path: Path) -> None:
    github = FakeGitHub(api, times(2500, seed=1), per_minute=1000)
    draw = random.Random(7)
    faults = (
        Reply(403, {"message": "secondary"}, {"retry-after": "30"}, hold=30),
        Reply(429, {"message": "secondary"}),
        Reply(502, raw=b"bad gateway"),
        Reply(body={"total_count": 5}, cut=7),
        Reply(raw=b'{"total_count": 3, "items": ['),
    )
    api.answer = lambda *given: draw.choice(faults) if draw.random() < 0.25 else github.answer(*given)
    patient = RepositorySearchSettings(
        created_from="2020-01-01", created_to="2020-12-31", attempts=12, max_backoff=100
    )
    search = RepositorySearch(connect(api, clock, tmp_path, patient), patient, tmp_path / "state.sqlite")
    search.run()
    assert ids(search) == list(range(2500))
    assert api.early == 0


@pytest.mark.parametrize("seed", range(6))
def test_stopped_anywhere_it_goes_on_and_asks_nothing_twice(
    api: Api, clock: Clock, tmp_path: Path, seed: int
) -> None:
    github = FakeGitHub(api, times(1800, seed), per_minute=1000)
    draw = random.Random(seed)

    class Killed(Exception):
        pass

    def sleep(seconds: float) -> None:
        clock.sleep(seconds)

    for _ in range(200):
        client = connect(api, clock, tmp_path)
        left = draw.randint(1, 12)

        def get(*given: object, client: RestClient = client, left: list[int] = [left]) -> object:  # noqa: B006
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            return RestClient.get(client, *given)  # type: ignore[arg-type]

        client.get = get  # type: ignore[method-assign,assignment]
        search = RepositorySearch(client, YEAR, tmp_path / "state.sqlite")
        try:
            search.run()
            break
        except Killed:
            search.close()
    else:
        pytest.fail("never ended: a restart begins anew")
    assert ids(search) == list(range(1800))
    asked = Counter((params["q"], params.get("page", "1")) for _, params, _ in api.requests)
    new = Counter(
        (p["q"], p.get("page", "1")) for _, p, headers in api.requests if "if-none-match" not in headers
    )
    assert max(new.values()) == 1 and sum(asked.values()) > len(new), "an answer was paid for twice"
    assert github.used == len(new)


def test_one_second_with_too_many_is_counted_not_hidden(api: Api, clock: Clock, tmp_path: Path) -> None:
    FakeGitHub(api, [FROM + 1000] * 1200, per_minute=1000)
    search = RepositorySearch(connect(api, clock, tmp_path), YEAR, tmp_path / "state.sqlite")
    search.run()
    counts = search.counts()
    assert (counts["found"], counts["counted"], counts["never shown"]) == (1000, 1200, 200)


def test_another_query_begins_anew(api: Api, clock: Clock, tmp_path: Path) -> None:
    FakeGitHub(api, times(30))
    state = tmp_path / "state.sqlite"
    first = RepositorySearch(connect(api, clock, tmp_path), YEAR, state)
    first.run()
    requests = len(api.requests)
    RepositorySearch(connect(api, clock, tmp_path), YEAR, state).run()
    assert len(api.requests) == requests, "it was done"
    other = RepositorySearchSettings(created_from="2020-01-01", created_to="2020-01-01")
    second = RepositorySearch(connect(api, clock, tmp_path), other, state)
    second.run()
    assert len(ids(second)) < 30


def test_an_answer_of_another_shape_is_an_error(api: Api, clock: Clock, tmp_path: Path) -> None:
    for body in ([], {"items": []}, {"total_count": 1, "items": [{"id": 1}]}):
        api.answer = lambda *_, body=body: Reply(body=body)
        search = RepositorySearch(connect(api, clock, tmp_path), YEAR, tmp_path / "state.sqlite")
        with pytest.raises(RestError, match="search/repositories"):
            search.run()


def discovered(
    folder: Path, settings: RepositorySearchSettings, given: Path | None, client: RestClient | None
) -> dict:
    return discover(
        settings, given, folder / "state.sqlite", folder / "etags.sqlite", folder / "list.csv",
        folder / "rejects.parquet", folder / "counts.json", client,
    )  # fmt: skip


def test_the_list_is_filtered_counted_and_without_token(api: Api, clock: Clock, tmp_path: Path) -> None:
    FakeGitHub(api, times(300))
    settings = RepositorySearchSettings(
        created_from="2020-01-01", created_to="2020-12-31", archived=False, licenses=("MIT",), most=50
    )
    discovered(tmp_path, settings, None, connect(api, clock, tmp_path, settings))
    listed = list(read_list(tmp_path / "list.csv"))
    assert len(listed) == 50
    assert all(item.license == "MIT" and not item.fork and not item.archived for item in listed)
    assert [item.stars for item in listed] == sorted((item.stars for item in listed), reverse=True)
    reasons = Counter(item.reason for item in read_rejects(tmp_path / "rejects.parquet"))
    assert set(reasons) == {"fork", "archived", "license not known", "beyond the number asked for"}
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert counts["left out"] == dict(reasons) and sum(reasons.values()) + 50 == counts["found"] == 300
    for path in tmp_path.iterdir():
        assert TOKEN.encode() not in path.read_bytes(), path


def test_a_list_of_ones_own_needs_no_network(tmp_path: Path) -> None:
    given = tmp_path / "mine.csv"
    given.write_text(
        "url,license,stars\nhttps://github.com/a/one.git,MIT,3\n/srv/mirrors/two.git,,9\nhttps://GitHub.com/A/one,,1\n"
    )
    figures = discovered(tmp_path, RepositorySearchSettings(), given, None)
    assert [item.url for item in read_list(tmp_path / "list.csv")] == [
        "/srv/mirrors/two.git",
        "https://github.com/a/one.git",
    ]
    assert figures["left out"] == {"listed twice": 1}
    assert not (tmp_path / "state.sqlite").exists()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name\na/b\n", "1: no column 'url'"),
        ("url\nhttps://x.org/a\n--upload-pack=evil\n", "3: '--upload-pack=evil' is not a URL"),
        ("url,stars\nhttps://x.org/a,many\n", "2: stars must be a number, not 'many'"),
    ],
)
def test_a_bad_list_is_refused_by_line(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text)
    with pytest.raises(ValueError, match=rf"mine\.csv:{words}"):
        list(read_list(path))


@pytest.mark.parametrize("settings", [{"created_from": "2020-13-01"}, {"created_to": "2000-01-01"}])
def test_bad_days_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="created_"):
        RepositorySearchSettings(**settings)  # type: ignore[arg-type]


def test_opt_out_knows_a_repository_however_it_is_written() -> None:
    out = OptOut(["Owner/Name", "whole/*", "https://gitlab.com/x/y.git", "/srv/mirrors/z"])
    for url in (
        "https://github.com/owner/name",
        "https://user:pass@github.com/OWNER/name.git",
        "git@github.com:owner/name.git",
        "https://github.com/whole/anything/",
        "https://gitlab.com/x/y",
        "/srv/mirrors/z",
    ):
        assert out.covers(url), url
    for url in ("https://github.com/owner/other", "https://github.com/x/name", "/srv/mirrors/zz"):
        assert not out.covers(url), url


def test_the_program_takes_the_token_from_the_environment_and_writes_it_nowhere(
    api: Api, clock: Clock, tmp_path: Path
) -> None:
    FakeGitHub(api, times(150), per_minute=1000)
    settings = {"api": api.url, "created_from": "2020-01-01", "created_to": "2020-12-31", "forks": True}
    command = [sys.executable, str(ROOT / "workflow/scripts/discover_repositories.py")]
    command += ["--settings", json.dumps(settings)]
    for option, name in (("state", "s.sqlite"), ("etags", "e.sqlite"), ("out", "list.csv")):
        command += [f"--{option}", str(tmp_path / name)]
    command += ["--rejects", str(tmp_path / "r.parquet"), "--counts", str(tmp_path / "c.json")]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "GITHUB_TOKEN": TOKEN}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    assert len(list(read_list(tmp_path / "list.csv"))) == 150
    assert all(headers["authorization"] == f"Bearer {TOKEN}" for _, _, headers in api.requests)
    assert "150 repositories found" in done.stderr
    assert_nowhere([TOKEN], [done.stdout, done.stderr], tmp_path)
