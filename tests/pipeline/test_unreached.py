"""What was out of reach is told when a run ends, with the command that asks again."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctm.pairs.record import Reject, write_rejects
from ctm.pipeline import unreached


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """Two shards of commits with seven repositories out of reach, one that is none, and a damaged file."""
    raw = tmp_path / "results" / "raw"
    missed = [
        Reject("collect_commits", "source out of reach", f"https://x/{n}", "", "git: no answer in 60 s")
        for n in range(7)
    ]
    other = [Reject("collect_commits", "source failed", "https://x/none", "", "not found")]
    write_rejects(raw / "commits" / "01-of-02.rejects.parquet", [*missed[:4], *other])
    write_rejects(raw / "commits" / "02-of-02.rejects.parquet", missed[4:])
    write_rejects(raw / "releases" / "01-of-01.rejects.parquet", [])
    (raw / "releases" / "02-of-02.rejects.parquet").write_bytes(b"half")
    return tmp_path


def test_sources_out_of_reach_are_told_with_the_command(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    unreached.tell(run)
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "7 sources out of reach, missing in the data:"
    assert said[1] == "  https://x/0: git: no answer in 60 s" and "and 2 more" in said[-2]
    assert said[-1].endswith("the same command with --forcerun collect_commits")
    assert not any("none" in line for line in said), "a repository that is not there will not come"


def test_where_all_were_reached_nothing_is_said(tmp_path: Path) -> None:
    assert unreached.lines(tmp_path) == []
