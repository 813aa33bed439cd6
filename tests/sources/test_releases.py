import hashlib
import json
import zipfile
from collections import Counter
from pathlib import Path

import pytest

from ctm.pairs.record import read_pairs, read_rejects
from ctm.sources import wheels
from ctm.sources.releases import ReleaseSettings, collect
from ctm.sources.wheels import read_pins

CODE = "def clamp(value, low, high):\n    if value {sign} low:\n        return low\n    return min(value, high)\n"
CHECKOUT = Path(__file__).parents[2]


def wheel(folder: Path, name: str, version: str, code: str, licence: str = "License: MIT") -> str:
    """Write a wheel; returns its line of the list."""
    folder.mkdir(exist_ok=True)
    path = folder / f"{name}-{version}-py3-none-any.whl"
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/core.py", code)
        archive.writestr(f"{name}/tests/test_core.py", code)
        archive.writestr(
            f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{licence}\n"
        )
        archive.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        archive.writestr(f"{info}/RECORD", "")
    return f"{name},{version},{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that pip takes wheels from, instead of an index."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_fixes_of_consecutive_patch_releases_become_pairs(tmp_path: Path, index: Path) -> None:
    lines = [
        wheel(index, "alpha", "1.0.0", CODE.format(sign="<=")),
        wheel(index, "alpha", "1.0.1", CODE.format(sign="<")),
        wheel(index, "alpha", "1.1.0", CODE.format(sign=">")),  # another series
        wheel(index, "beta", "1.0.0", CODE.format(sign="<="), licence="License: mine"),
        wheel(index, "beta", "1.0.1", CODE.format(sign="<"), licence="License: mine"),
        f"gamma,1.0.0,{'0' * 64}\n",
    ]
    pins = tmp_path / "releases.csv"
    pins.write_text("name,version,sha256\n" + "".join(lines))
    out, rejects, work = tmp_path / "out.parquet", tmp_path / "rejects.parquet", tmp_path / "work"
    counts = collect(pins, 0, 1, ReleaseSettings(), work, out, rejects, tmp_path / "counts.json")
    written = json.loads((tmp_path / "counts.json").read_text())
    assert (written["items"], written["wheels"]) == (1, 5)
    assert [m["transitions"] for m in written["milestones"]] == [1, 1, 2, 2]
    (pair,) = read_pairs(out)
    assert (pair.buggy, pair.fixed) == (CODE.format(sign="<=").rstrip(), CODE.format(sign="<").rstrip())
    assert (pair.source, pair.group, pair.origin.licence) == ("release", "alpha", "MIT")
    assert (pair.origin.version_from, pair.origin.version_to) == ("1.0.0", "1.0.1")
    assert counts["wheels"] == 5
    reasons = {(item.group, item.reason) for item in read_rejects(rejects)}
    assert reasons == {
        ("alpha", "test file"), ("beta", "test file"), ("beta", "no licence stated"), ("gamma", "source failed"),
    }  # fmt: skip

    for path in index.iterdir():
        path.unlink()  # a second run needs no index
    assert collect(pins, 0, 1, ReleaseSettings(), work, out, rejects)["pairs"] == 1


def test_sweeps_speed_and_large_releases_are_counted_and_left_out(
    tmp_path: Path, index: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def code(body: str, functions: int) -> str:
        return "\n\n".join(f"def f{n}(a):\n    {body.format(n=n)}\n    return x" for n in range(functions))

    quick = "x = max(a)  # faster"
    lines = [
        *(
            wheel(index, "alike", f"1.0.{v}", code(b, 3))
            for v, b in enumerate(("x = float(a{n})", "x = a{n}"))
        ),
        *(wheel(index, "large", f"1.0.{v}", code(f"x = a{{n}} {b} y{{n}}", 11)) for v, b in enumerate("+-")),
        *(wheel(index, "speed", f"1.0.{v}", code(b, 1)) for v, b in enumerate(("x = sorted(a)[-1]", quick))),
        *(wheel(index, "small", f"1.0.{v}", code(b, 1)) for v, b in enumerate(("x = min(a)", "x = max(a)"))),
    ]
    (tmp_path / "releases.csv").write_text("name,version,sha256\n" + "".join(lines))
    caplog.set_level("INFO")
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    collect(tmp_path / "releases.csv", 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)
    assert [pair.group for pair in read_pairs(out)] == ["small"]
    reasons = Counter(
        (item.group, item.reason) for item in read_rejects(rejects) if item.reason != "test file"
    )
    assert reasons == {
        ("alike", "same exchange in many functions"): 3,
        ("large", "release changes too many functions"): 11,
        ("speed", "comment names speed"): 1,
    }
    said = [message for message in caplog.messages if message.startswith("milestone")]
    assert len(said) == 4 and "1 pairs, 4 transitions" in said[-1]


def test_a_wheel_of_another_content_is_not_used(tmp_path: Path, index: Path) -> None:
    line = wheel(index, "alpha", "1.0.0", CODE.format(sign="<"))
    wheel(index, "alpha", "1.0.0", "import os\n")
    (tmp_path / "releases.csv").write_text("name,version,sha256\n" + line)
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    assert (
        collect(tmp_path / "releases.csv", 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)["wheels"]
        == 0
    )
    (reject,) = read_rejects(rejects)
    assert reject.reason == "source failed" and "hash" in reject.detail.lower()


def test_without_an_index_pip_is_not_asked_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []
    monkeypatch.setattr(wheels, "_download", lambda pins, *_: calls.append(len(pins)) or "no index")
    text = "".join(f"p{n},1.0.{v},{n:063x}{v}\n" for n in range(9) for v in range(4))
    (tmp_path / "releases.csv").write_text("name,version,sha256\n" + text)
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    collect(tmp_path / "releases.csv", 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)
    assert calls == [9, 1, 1, 1]
    assert [item.reason for item in read_rejects(rejects)] == ["source failed"] * 36


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("click,8.0.0,abc", "sha256"),
        (f"--index-url,8.0.0 x,{'0' * 64}", "not a name and a version"),
        (f"click,1.0.0,{'0' * 64}\nclick,1.0.0,{'0' * 64}", "twice"),
    ],
)
def test_lists_that_cannot_be_used_name_the_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "releases.csv"
    path.write_text(f"name,version,sha256\n{line}\n")
    with pytest.raises(ValueError, match=rf"releases\.csv:\d: .*{message}"):
        read_pins(path)


def test_the_list_of_the_project_is_usable() -> None:
    names = {pin.name for pin in read_pins(CHECKOUT / "config" / "releases.csv")}
    assert names >= {"click", "jinja2", "urllib3", "requests", "pytest"}
