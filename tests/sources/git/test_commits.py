import os
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from ctm.pairs.record import read_pairs, read_rejects
from ctm.sources.git import plumbing
from ctm.sources.git.collector import collect
from ctm.sources.git.commits import CommitSettings
from ctm.sources.git.process import GitError

CODE = "def clamp(value, low, high):\n    if value {sign} low:\n        return low\n    return min(value, high)\n"


def run(folder: Path, *arguments: str) -> str:
    identity = {"GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org"}
    identity |= {"GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org"}
    identity |= {"GIT_AUTHOR_DATE": "2011-01-01T00:00:00Z", "GIT_COMMITTER_DATE": "2014-06-07T00:00:00Z"}
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env=os.environ | identity, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def commit(folder: Path, message: str, files: dict[str, str]) -> str:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    run(folder, "add", "--all")
    run(folder, "commit", "--quiet", "--message", message)
    return run(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "my-tool"
    folder.mkdir()
    run(folder, "init", "--quiet", "--initial-branch=main")
    metadata = '[project]\nname = "My.Tool"\nlicense = "MIT"\n'
    commit(folder, "Start", {"tool/core.py": CODE.format(sign=">"), "pyproject.toml": metadata})
    commit(folder, "Compare otherwise", {"tool/core.py": CODE.format(sign="<=")})
    commit(
        folder,
        "Fix the lower bound",
        {"tool/core.py": CODE.format(sign="<"), "tests/test_core.py": "x = 1\n"},
    )
    commit(folder, "Fix the tests", {"tests/test_core.py": "x = 2\n"})
    commit(folder, "Fix a bug in a comment", {"tool/core.py": "# clamps\n" + CODE.format(sign="<")})
    return folder


def collected(
    repositories: list[str],
    tmp_path: Path,
    settings: CommitSettings = CommitSettings(),  # noqa: B008
) -> tuple[list, Counter[str]]:
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    collect(repositories, None, 0, 1, settings, tmp_path / "work", tmp_path / "state", out, rejects)
    return list(read_pairs(out)), Counter(item.reason for item in read_rejects(rejects))


def test_a_fix_becomes_a_pair_with_its_origin(repository: Path, tmp_path: Path) -> None:
    pairs, reasons = collected([str(repository)], tmp_path)
    (pair,) = pairs
    assert (pair.buggy, pair.fixed) == (CODE.format(sign="<=").rstrip(), CODE.format(sign="<").rstrip())
    assert (pair.source, pair.group, pair.split) == ("commit", "my-tool", "")
    origin = pair.origin
    assert (origin.path, origin.qualname, origin.line) == ("tool/core.py", "clamp", 1)
    assert (origin.license, origin.license_source) == ("MIT", "pyproject.toml")
    assert run(repository, "rev-parse", f"{origin.commit}^") == origin.parent
    assert origin.date == "2014-06-07", "of the committer, not the author"
    assert reasons["message names no fix"] == 1
    assert reasons["no Python file outside tests"] == 1, (
        "what the subject calls tests is judged by what changed"
    )
    assert reasons["no function changed"] == 1


def test_a_subject_that_names_typos_or_tests_is_judged_by_what_changed(
    repository: Path, tmp_path: Path
) -> None:
    messages = {
        "Fix typo in the result": CODE.format(sign="<").replace("return low", "return lo"),
        "Fix typo": CODE.format(sign="<"),
        "Fix typo in a name": CODE.format(sign="<").replace("value", "number"),
        "Fix failing tests": CODE.format(sign="<").replace("value", "number").replace("min", "max"),
        "Fix docs": CODE.format(sign="<").replace("value", "number").replace("min", "max") + "# no code\n",
        "Fix flake8": CODE.format(sign="<"),
    }
    changed = {
        commit(repository, message, {"tool/core.py": text}): message for message, text in messages.items()
    }
    pairs, reasons = collected([str(repository)], tmp_path, CommitSettings(parameters=True))
    kept = [changed.get(pair.origin.commit, "") for pair in pairs]
    assert kept == ["Fix failing tests", "Fix typo", "Fix typo in the result", ""]
    assert reasons["does what its subject names"] == 1, (
        "the parameter has another name, and nothing else is new"
    )
    assert reasons["message names another change"] == 1, "what linters ask for is seldom a fix"


def test_the_group_of_a_mirror_is_not_the_name_of_its_folder(repository: Path, tmp_path: Path) -> None:
    commit(
        repository,
        "Hide the name",
        {"pyproject.toml": "", "LICENSE": "MIT License", "setup.py": "setup(**read())"},
    )
    mirror = repository.rename(tmp_path / "repo")
    run(mirror, "remote", "add", "origin", "https://example.org/owner/My_Tool.git")
    (pair,), _ = collected([str(mirror)], tmp_path)
    assert pair.group == pair.origin.project == "my-tool"


def test_new_commits_are_fetched_into_the_clone(repository: Path, tmp_path: Path) -> None:
    assert len(collected([str(repository)], tmp_path)[0]) == 1
    commit(repository, "Fix the upper bound", {"tool/core.py": CODE.format(sign="<").replace("min", "max")})
    assert len(collected([str(repository)], tmp_path)[0]) == 2


def test_urls_are_cloned_without_contents_and_give_the_same(repository: Path, tmp_path: Path) -> None:
    run(repository, "config", "uploadpack.allowFilter", "true")
    run(repository, "config", "uploadpack.allowAnySHA1InWant", "true")
    for number in range(5):
        code = CODE.format(sign="<").replace("low\n", f"low + {number}\n")
        commit(repository, f"Fix the sum {number}", {"tool/core.py": code, f"docs/{number}.md": "text"})
    pairs, _ = collected([f"file://{repository}"], tmp_path)
    assert len(pairs) == 6 and pairs == collected([str(repository)], tmp_path / "whole")[0]
    (clone,) = (tmp_path / "work").glob("*.git")
    assert plumbing.is_partial(clone)
    unread = run(repository, "rev-parse", "HEAD:tests/test_core.py")
    listed = run(clone, "cat-file", "--batch-all-objects", "--batch-check=%(objectname)")
    assert pairs[0].origin.commit in listed and unread not in listed
    packs = list(clone.glob("objects/pack/*.promisor"))
    assert len(packs) == 3, "the clone, pyproject.toml, and the contents in one go"


def test_a_source_that_fails_is_a_reject_and_the_others_go_on(repository: Path, tmp_path: Path) -> None:
    missing = f"file://name:secret@{tmp_path}/nowhere"
    pairs, reasons = collected([missing, "ext::sh -c true", str(repository)], tmp_path)
    assert len(pairs) == 1
    assert reasons["source failed"] == 2
    rejects = [item for item in read_rejects(tmp_path / "rejects.parquet") if item.reason == "source failed"]
    assert not any("secret" in item.item + item.detail for item in rejects)


def test_a_clone_is_stopped_past_its_limits(repository: Path, tmp_path: Path) -> None:
    with pytest.raises(GitError, match="more than 0 MB"):
        plumbing.clone_or_fetch(str(repository), tmp_path / "small.git", 60, 10)
    with pytest.raises(GitError, match="more than 0 s"):
        plumbing.clone_or_fetch(str(repository), tmp_path / "quick.git", 0, 10_000_000)
    assert not list(tmp_path.glob("*.part")) and not list(tmp_path.glob(".*.part"))


def test_nothing_of_a_hostile_repository_runs(repository: Path, tmp_path: Path) -> None:
    witness = tmp_path / "witness"
    for hook in ("post-checkout", "reference-transaction", "post-merge", "pre-auto-gc"):
        path = repository / ".git" / "hooks" / hook
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\ntouch {witness}\n")
        path.chmod(0o755)
    commit(repository, "Fix crash", {".gitattributes": "*.py diff=evil filter=evil\n"})
    witness.unlink(missing_ok=True)
    for key in ("core.fsmonitor", "diff.evil.textconv", "filter.evil.smudge", "diff.external"):
        run(repository, "config", key, f"touch {witness}")
    assert len(collected([str(repository)], tmp_path)[0]) == 1
    assert not witness.exists()


def test_commits_that_change_too_much_are_left_out(repository: Path, tmp_path: Path) -> None:
    many = "\n\n".join(CODE.format(sign="<=").replace("clamp", f"clamp_{n}") for n in range(5))
    commit(repository, "More of them", {"tool/many.py": many})
    commit(repository, "Fix all of them", {"tool/many.py": many.replace("<=", "<")})
    pairs, reasons = collected([str(repository)], tmp_path)
    assert len(pairs) == 1
    assert reasons["commit changes too many functions"] == 5


def test_large_blobs_are_skipped(repository: Path, tmp_path: Path) -> None:
    pairs, reasons = collected([str(repository)], tmp_path, CommitSettings(max_bytes=50))
    assert not pairs
    assert reasons["file too large"] == 2


def test_every_commit_is_a_pair_or_a_reject(repository: Path, tmp_path: Path) -> None:
    commit(repository, "Fix a constant", {"tool/core.py": "LIMIT = 1\n" + CODE.format(sign="<")})
    pairs, _ = collected([str(repository)], tmp_path)
    named = {item.origin.commit for item in pairs}
    rejects = list(read_rejects(tmp_path / "rejects.parquet"))
    named |= {item.item.split(":")[0] for item in rejects}
    assert named == set(run(repository, "log", "--min-parents=1", "--format=%H").split())
    assert [item.item for item in rejects if item.reason == "no function changed"] == [
        run(repository, "rev-parse", name) for name in ("HEAD", "HEAD~1")
    ], "a constant, and a comment"


def test_merges_and_tests_may_be_read(repository: Path, tmp_path: Path) -> None:
    run(repository, "checkout", "--quiet", "-b", "side", "HEAD~1")
    commit(repository, "Work", {"tool/core.py": CODE.format(sign="<=").replace("min", "max")})
    commit(repository, "More work", {"tests/test_core.py": CODE.format(sign=">=")})
    run(repository, "checkout", "--quiet", "main")
    run(
        repository,
        "merge",
        "--quiet",
        "--no-ff",
        "-X",
        "theirs",
        "-m",
        "Merge branch 'side'\n\nFix the upper end",
        "side",
    )
    pairs, reasons = collected([str(repository)], tmp_path)
    assert len(pairs) == 1 and reasons["merge commit"] == 1
    pairs, _ = collected([str(repository)], tmp_path / "merges", CommitSettings(merges=True))
    assert len(pairs) == 2 and pairs[0].origin.commit == run(repository, "rev-parse", "HEAD")
    assert pairs[0].origin.parent == run(repository, "rev-parse", "HEAD^1")
    commit(repository, "Fix the lower end", {"tests/test_core.py": CODE.format(sign=">")})
    pairs, _ = collected([str(repository)], tmp_path / "tests", CommitSettings(tests=True))
    assert pairs[0].origin.path == "tests/test_core.py"
