"""The collector killed at random points, started again, and compared with a run that nobody disturbed."""

from __future__ import annotations

import json
import os
import random
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ctm.pairs.record import read_rejects
from ctm.sources.git import commits
from ctm.sources.git.commits import CommitSettings
from helpers.collector_runs import kill_again_and_again, results, run

BATCH = 3


def stream(commits_of: list[tuple[str, str, str]]) -> bytes:
    """Input of `git fast-import`: (author, message, content of tool.py) of each commit."""
    lines: list[bytes] = []
    license = b'[project]\nname = "tool"\nlicense = "MIT"\n'
    for number, (author, message, text) in enumerate(commits_of):
        head = f"commit refs/heads/main\ncommitter {author} <a@example.org> {1_600_000_000 + number} +0000\n"
        lines += [head.encode(), b"data %d\n%s\n" % (len(message.encode()), message.encode())]
        for name, content in (("tool.py", text.encode()), ("pyproject.toml", license)):
            lines += [f"M 100644 inline {name}\n".encode(), b"data %d\n%s\n" % (len(content), content)]
    return b"".join(lines)


def function(number: int, sign: str) -> str:
    return (
        f"def clamp_{number}(value, low):\n    if value {sign} low:\n        return low\n    return value\n"
    )


def repository(folder: Path, changes: list[tuple[str, str, str]]) -> str:
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(folder)], check=True)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=stream(changes), check=True)
    return str(folder)


def history(seed: int, commits: int) -> list[tuple[str, str, str]]:
    draw = random.Random(seed)
    signs = ["<"] * 8
    changes = [("A", "Start", "\n\n".join(function(n, s) for n, s in enumerate(signs)))]
    for number in range(commits):
        signs[draw.randrange(8)] = draw.choice(["<", "<=", ">", ">=", "!=", "=="])
        message = f"Fix bound {number}" if draw.random() < 0.7 else f"Change {number}"
        changes.append(("A", message, "\n\n".join(function(n, s) for n, s in enumerate(signs))))
    return changes


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("repositories")
    return [repository(folder / f"tool{n}.git", history(n, 40)) for n in range(3)]


@pytest.mark.parametrize(("threads", "kills"), [(1, 20), (2, 4)])
def test_killed_at_random_points_it_ends_with_the_same_pairs(
    repositories: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, kills: int
) -> None:
    killed = kill_again_and_again(repositories, tmp_path, BATCH, threads, kills, seed=threads, pause=0.03)
    assert killed.kills == kills and killed.moved >= kills // 3, (
        "killed too early or too late to show anything"
    )
    monkeypatch.setattr(commits, "BATCH", BATCH)
    run(repositories, tmp_path / "whole")
    assert len(results(tmp_path / "whole")[0]) > 20
    for folder in killed.folders:
        assert results(folder) == results(tmp_path / "whole")
        assert not list((folder / "work").glob(".*.part")), "clones that were cut off were left"


def test_what_is_done_is_not_done_again(
    repositories: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = run(repositories, tmp_path)
    expected = results(tmp_path)
    # the next run fetches, and reads nothing where nothing moved
    monkeypatch.setattr(commits, "_scan_batch", lambda *_: pytest.fail("read again"))
    assert run(repositories, tmp_path)["pairs"] == first["pairs"]
    assert results(tmp_path) == expected


def test_other_settings_begin_anew(repositories: list[str], tmp_path: Path) -> None:
    assert run(repositories, tmp_path)["pairs"] > 0
    assert run(repositories, tmp_path, CommitSettings(min_lines=50))["pairs"] == 0


def test_a_state_that_is_damaged_is_made_anew(repositories: list[str], tmp_path: Path) -> None:
    run(repositories, tmp_path)
    expected = results(tmp_path)
    for path in (tmp_path / "state").glob("*/state.json"):
        path.write_text('{"head": ')
    run(repositories, tmp_path)
    assert results(tmp_path) == expected


def test_errors_are_in_the_state_and_tried_again(repositories: list[str], tmp_path: Path) -> None:
    later = tmp_path / "later.git"
    figures = run([str(later), repositories[0]], tmp_path)
    assert (figures["failed"], figures["repositories"]) == (1, 1)
    (state,) = (json.loads(p.read_text()) for p in (tmp_path / "state").glob("later-*/state.json"))
    assert state["errors"] and not state["done"]
    repository(later, history(9, 20))
    assert run([str(later), repositories[0]], tmp_path)["failed"] == 0


def test_it_ends_when_the_number_is_reached_whatever_the_threads(
    repositories: list[str], tmp_path: Path
) -> None:
    figures = run(repositories, tmp_path / "one", CommitSettings(pairs=20))
    assert figures["ended"] == "the number was reached" and figures["repositories"] == 1
    run(repositories, tmp_path / "two", CommitSettings(pairs=20), threads=2)
    assert results(tmp_path / "one") == results(tmp_path / "two")
    all_of_them = run(repositories, tmp_path / "all", CommitSettings(pairs=100_000))
    assert all_of_them["ended"] == "the list ended"
    counts = json.loads((tmp_path / "all" / "counts.json").read_text())
    assert counts["milestones"][-1]["milestone"] == "100%"


def test_milestones_are_logged_with_the_rate(
    repositories: list[str], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    run(repositories, tmp_path)
    said = [m for m in caplog.messages if m.startswith("milestone")]
    assert [m.split(":")[0] for m in said] == [f"milestone {q}%" for q in (25, 50, 75, 100)]
    assert all(m.endswith("pairs/h") for m in said)
    counts = json.loads((tmp_path / "counts.json").read_text())
    assert [m["milestone"] for m in counts["milestones"]] == ["25%", "50%", "75%", "100%"]


def test_a_mirror_without_a_name_of_its_own_is_its_origins(tmp_path: Path) -> None:
    mirror = Path(repository(tmp_path / "repo", history(1, 12)))
    files = "from setuptools import setup\nsetup()\n"
    change = b"commit refs/heads/main\ncommitter A <a@example.org> 1700000000 +0000\ndata 5\nStart"
    change += b"\nfrom refs/heads/main^0\nD pyproject.toml\nM 100644 inline setup.py\ndata %d\n%s\n"
    change = change % (len(files), files.encode())
    change += b"M 100644 inline LICENSE\ndata 12\nMIT License\n\n"
    subprocess.run(["git", "fast-import", "--quiet"], cwd=mirror, input=change, check=True)
    for url, expected in (("", "repo"), ("https://example.org/someone/Nice_Tool.git", "nice-tool")):
        if url:
            subprocess.run(["git", "config", "remote.origin.url", url], cwd=mirror, check=True)
        run([str(mirror)], tmp_path / expected)
        assert {pair.group for pair in results(tmp_path / expected)[0]} == {expected}


def test_opted_out_repositories_are_not_read_and_counted(repositories: list[str], tmp_path: Path) -> None:
    figures = run(repositories, tmp_path, CommitSettings(opt_out=(repositories[1],)))
    assert (figures["opted out"], figures["repositories"]) == (1, 2)
    reasons = Counter(item.reason for item in read_rejects(tmp_path / "rejects.parquet"))
    assert reasons["opted out"] == 1
    assert not list((tmp_path / "work").glob("tool1-*"))


def test_a_list_adds_repositories_and_its_license_where_they_state_none(tmp_path: Path) -> None:
    bare = tmp_path / "bare.git"
    changes = [("A", "Start", function(0, "<=")), ("A", "Fix the bound", function(0, "<"))]
    subprocess.run(["git", "init", "-q", "--bare", "-b", "main", str(bare)], check=True)
    given = stream(changes).replace(b'license = "MIT"', b"             \n ")
    subprocess.run(["git", "fast-import", "--quiet"], cwd=bare, input=given, check=True)
    listed = tmp_path / "list.csv"
    listed.write_text(f"url,license\n{bare},Apache-2.0\n")
    run([], tmp_path, listed=listed)
    ((pair,), _) = results(tmp_path)
    assert (pair.origin.license, pair.origin.license_source) == ("Apache-2.0", "list of repositories")


def test_reverts_bots_and_formatting_are_counted_and_may_be_kept(tmp_path: Path) -> None:
    bad, good = function(0, "<="), function(0, "<")
    spaced = good.replace("value <", "(value <").replace("low:", "low) :")
    folder = tmp_path / "r.git"
    changes = [("A", "Start", bad), ("A", "Fix the bound", good)]
    repository(folder, changes)
    sha = subprocess.check_output(["git", "rev-parse", "main"], cwd=folder, text=True).strip()
    more = [
        ("A", f'Back\n\nThis reverts commit {sha}.', bad),
        ("dependabot[bot]", "Fix the bound again", good),
        ("A", "Fix the crash", good.replace("value <", "value  <")),
        ("A", "Fix the brackets", spaced.replace("value <", "value  <")),
    ]  # fmt: skip
    given = stream(more).replace(b"refs/heads/main\n", b"refs/heads/main\n", 1)
    given = given.replace(b"\nM 100644", b"\nfrom refs/heads/main^0\nM 100644", 1)
    subprocess.run(["git", "fast-import", "--quiet"], cwd=folder, input=given, check=True)
    assert run([str(folder)], tmp_path)["pairs"] == 0
    reasons = Counter(item.reason for item in read_rejects(tmp_path / "rejects.parquet"))
    assert reasons == {
        "reverted later": 1, "reverts a commit": 1, "bot": 1, "formatting only": 1, "no change of the code": 1,
    }  # fmt: skip
    kept = run([str(folder)], tmp_path, CommitSettings(bots=True, reverted=True, same_meaning=True))
    assert kept["pairs"] == 4


def test_merges_are_counted(tmp_path: Path) -> None:
    work = tmp_path / "merged"
    repository(work, history(3, 5))
    tree = subprocess.check_output(["git", "rev-parse", "main^{tree}"], cwd=work, text=True).strip()
    identity = {f"GIT_{who}_{what}": "a@b" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    merge = subprocess.check_output(
        ["git", "commit-tree", tree, "-p", "main", "-p", "main~1", "-m", "Fix by merging"],
        cwd=work, text=True, env=os.environ | identity,
    ).strip()  # fmt: skip
    subprocess.run(["git", "update-ref", "refs/heads/main", merge], cwd=work, check=True)
    run([str(work)], tmp_path)
    reasons = Counter(item.reason for item in read_rejects(tmp_path / "rejects.parquet"))
    assert reasons["merge commit"] == 1
