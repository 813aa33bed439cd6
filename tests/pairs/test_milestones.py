"""Milestones: each quarter once, whatever the steps, in the log and in the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ctm.pairs.milestones import Milestones


def test_each_quarter_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    milestones = Milestones("snippets")
    for done in (0.1, 0.3, 0.3, 0.8, 1.0, 1.5):
        milestones.record(done, int(done * 100), projects=3)
    said = [message.partition(" after")[0] for message in caplog.messages]
    assert said == [
        "milestone 25%: 30 snippets, 3 projects",
        "milestone 50%: 80 snippets, 3 projects",
        "milestone 75%: 80 snippets, 3 projects",
        "milestone 100%: 100 snippets, 3 projects",
    ]
    assert all(message.endswith("snippets/h") for message in caplog.messages)
    milestones.write(tmp_path / "deep" / "counts.json", 150, {"files": 9})
    content = json.loads((tmp_path / "deep" / "counts.json").read_text())
    assert (content["items"], content["unit"], content["files"]) == (150, "snippets", 9)
    assert [m["milestone"] for m in content["milestones"]] == ["25%", "50%", "75%", "100%"]
    assert content["items_per_hour"] > 0
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["counts.json"]
