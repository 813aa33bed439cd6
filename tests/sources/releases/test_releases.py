import json
from collections import Counter
from itertools import groupby, pairwise
from pathlib import Path

import pytest
import yaml
from packaging.version import Version

from ctm.pairs.record import read_pairs, read_rejects
from ctm.pairs.splits import project_name
from ctm.sources.pypi.pins import read_pins
from ctm.sources.releases.collector import ReleaseSettings, collect
from helpers import fake_index
from helpers.fake_index import FakeIndex

CODE = "def clamp(value, low, high):\n    if value {sign} low:\n        return low\n    return min(value, high)\n"
CHECKOUT = Path(__file__).parents[3]


def wheel(index: FakeIndex, name: str, version: str, code: str, license: str = "MIT") -> str:
    """Offer a wheel; returns its line of the list."""
    files = {f"{name}/core.py": code, f"{name}/tests/test_core.py": code}
    content = fake_index.wheel(name, files, version, license)
    return index.add(name, f"{name}-{version}-py3-none-any.whl", content, version)


def listed(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "releases.csv"
    path.write_text("\n".join(["name,version,sha256,file", *lines]) + "\n")
    return path


def test_fixes_of_consecutive_patch_releases_become_pairs(tmp_path: Path, index: FakeIndex) -> None:
    lines = [
        wheel(index, "alpha", "1.0.0", CODE.format(sign="<=")),
        wheel(index, "alpha", "1.0.1", CODE.format(sign="<")),
        wheel(index, "alpha", "1.1.0", CODE.format(sign=">")),  # another series
        wheel(index, "beta", "1.0.0", CODE.format(sign="<="), license="mine"),
        wheel(index, "beta", "1.0.1", CODE.format(sign="<"), license="mine"),
        f"gamma,1.0.0,{'0' * 64},gamma-1.0.0-py3-none-any.whl",
    ]
    pins = listed(tmp_path, *lines)
    out, rejects, work = tmp_path / "out.parquet", tmp_path / "rejects.parquet", tmp_path / "work"
    counts = collect(pins, 0, 1, ReleaseSettings(), work, out, rejects, tmp_path / "counts.json")
    written = json.loads((tmp_path / "counts.json").read_text())
    assert (written["items"], written["wheels"]) == (1, 5)
    assert [m["transitions"] for m in written["milestones"]] == [1, 1, 2, 2]
    (pair,) = read_pairs(out)
    assert (pair.buggy, pair.fixed) == (CODE.format(sign="<=").rstrip(), CODE.format(sign="<").rstrip())
    assert (pair.source, pair.group, pair.origin.license) == ("release", "alpha", "MIT")
    assert (pair.origin.version_from, pair.origin.version_to) == ("1.0.0", "1.0.1")
    assert counts["wheels"] == 5
    reasons = {(item.group, item.reason) for item in read_rejects(rejects)}
    assert reasons == {
        ("alpha", "test file"), ("beta", "no license stated"), ("gamma", "source failed"),
    }  # fmt: skip

    index.projects["alpha"].clear()  # what has come is not asked for again
    assert collect(pins, 0, 1, ReleaseSettings(), work, out, rejects)["pairs"] == 1


def test_sweeps_speed_and_large_releases_are_counted_and_left_out(
    tmp_path: Path, index: FakeIndex, caplog: pytest.LogCaptureFixture
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
    pins = listed(tmp_path, *lines)
    caplog.set_level("INFO")
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    collect(pins, 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)
    assert [pair.group for pair in read_pairs(out)] == ["small"]
    reasons = Counter(
        (item.group, item.reason) for item in read_rejects(rejects) if item.reason != "test file"
    )
    assert reasons == {
        ("alike", "same exchange in many functions"): 3,
        ("large", "release changes too many functions"): 1,
        ("speed", "comment names speed"): 1,
    }
    said = [message for message in caplog.messages if message.startswith("milestone")]
    assert len(said) == 4 and "1 pairs, 4 transitions" in said[-1]


def test_a_change_that_goes_with_another_one_is_counted_and_left_out(
    tmp_path: Path, index: FakeIndex
) -> None:
    """A function alone does not show why it calls what the release defines elsewhere: nobody could find that fix."""
    function = "def f(a):\n    b = {}(a)\n    return b\n"
    helper = "\n\ndef {}(a):\n    return a + 1\n"
    codes = {
        "added": (function.format("g"), function.format("new") + helper.format("new")),
        "taken": (function.format("old") + helper.format("old"), function.format("g")),
        "known": (
            function.format("g") + helper.format("there"),
            function.format("there") + helper.format("there"),
        ),
        "local": (
            function.format("g"),
            function.format("g").replace("return b", "c = b or 1\n    return c + c"),
        ),
        "python": (function.format("unicode"), function.format("str")),
        "default": (
            function.format("g").replace("a):", "a=1):"),
            function.format("g").replace("a):", "a=2):"),
        ),
        "shorter": (
            function.format("g").replace("    return", "    h()\n    h()\n    return"),
            function.format("g"),
        ),
        "version": (function.format("'1.0.0'.join"), function.format("'1.0.1'.join")),
        "form": (function.format("g"), "def f(a):\n    # one line\n    return g(a)\n"),
    }
    lines = [
        wheel(index, name, f"1.0.{n}", code) for name, both in codes.items() for n, code in enumerate(both)
    ]
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    collect(listed(tmp_path, *lines), 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)
    assert {pair.group for pair in read_pairs(out)} == {"known", "local"}
    assert {(item.group, item.reason) for item in read_rejects(rejects) if item.reason != "test file"} == {
        ("added", "goes with a change elsewhere"),
        ("taken", "goes with a change elsewhere"),
        ("python", "leaves an old Python"),
        ("default", "another default only"),
        ("shorter", "takes lines away"),
        ("version", "names its own version"),
        ("form", "does the same in another form"),
    }


def test_a_license_in_letters_of_its_own_is_read(tmp_path: Path, index: FakeIndex) -> None:
    """A field of METADATA with bytes beyond ASCII ended the whole collection once."""
    lines = [
        wheel(
            index,
            "alpha",
            f"1.0.{n}",
            CODE.format(sign=sign),
            license="Zoë's own\nClassifier: License :: OSI Approved :: MIT License",
        )
        for n, sign in enumerate("<>")
    ]
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    counts = collect(listed(tmp_path, *lines), 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)
    assert counts["pairs"] == 1


def test_a_wheel_of_another_content_is_not_used(tmp_path: Path, index: FakeIndex) -> None:
    line = wheel(index, "alpha", "1.0.0", CODE.format(sign="<"))
    wheel(index, "alpha", "1.0.0", "import os\n")
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    counts = collect(listed(tmp_path, line), 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)
    assert counts["wheels"] == 0
    (reject,) = read_rejects(rejects)
    assert reject.reason == "source failed" and "no file of alpha with sha256" in reject.detail


def test_an_index_out_of_reach_is_an_error_and_what_has_come_stays(tmp_path: Path, index: FakeIndex) -> None:
    """Half a list would be another list; thousands of wheels must not begin anew after a cut connection."""
    lines = [wheel(index, "alpha", f"1.0.{n}", CODE.format(sign=sign)) for n, sign in enumerate("<>")]
    index.broken["alpha-1.0.1-py3-none-any.whl"] = 99
    where = (listed(tmp_path, *lines), 0, 1, ReleaseSettings(), tmp_path / "work")
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    with pytest.raises(OSError, match="1 of 2 archives are missing"):
        collect(*where, out, rejects)
    index.broken.clear()
    index.asked.clear()
    assert collect(*where, out, rejects)["pairs"] == 1
    assert index.asked == ["/simple/alpha/", "/files/alpha/alpha-1.0.1-py3-none-any.whl"]


def test_a_project_of_many_wheels_asks_for_its_page_once(tmp_path: Path, index: FakeIndex) -> None:
    """A page lists all files of a project and may have megabytes; a list names dozens of them."""
    lines = [wheel(index, "alpha", f"1.0.{n}", CODE.format(sign="<")) for n in range(9)]
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    collect(listed(tmp_path, *lines), 0, 1, ReleaseSettings(), tmp_path / "work", out, rejects)
    assert index.asked.count("/simple/alpha/") == 1 and len(index.asked) == 10


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("click,8.0.0,abc", "sha256"),
        (f"--index-url,8.0.0 x,{'0' * 64}", "not a name and a version"),
        (f"click,1.0.0,{'0' * 64}\nclick,1.0.0,{'0' * 64}", "twice"),
        (f"a_b,1.0.0,{'0' * 64}\nA-b,1.0.0,{'0' * 64}", "a-b 1.0.0 is listed twice"),
    ],
)
def test_lists_that_cannot_be_used_name_the_line(tmp_path: Path, line: str, message: str) -> None:
    path = tmp_path / "releases.csv"
    path.write_text(f"name,version,sha256\n{line}\n")
    with pytest.raises(ValueError, match=rf"releases\.csv:\d: .*{message}"):
        read_pins(path)


def test_a_line_is_named_by_its_number_in_the_file(tmp_path: Path) -> None:
    """An editor jumps to it, so blank lines before it count."""
    path = tmp_path / "releases.csv"
    path.write_text("name,version,sha256\n\n\nclick,8.0.0,abc\n")
    with pytest.raises(ValueError, match=r"releases\.csv:4: sha256"):
        read_pins(path)


@pytest.mark.parametrize(
    ("name", "packages", "wheels"), [("releases.csv", 300, 5000), ("releases_demo.csv", 10, 100)]
)
def test_the_lists_are_of_their_size_and_have_series_in_order(name: str, packages: int, wheels: int) -> None:
    """Neighbors of one series are compared, so a version out of place would turn a fix round."""
    pins = read_pins(CHECKOUT / "config" / name)
    assert len({pin.name for pin in pins}) >= packages and len(pins) >= wheels
    assert len([name for name, _ in groupby(pins, key=lambda pin: pin.name)]) == len(
        {pin.name for pin in pins}
    )
    for before, after in pairwise(pins):
        if (before.name, before.series) == (after.name, after.series):
            assert Version(before.version) < Version(after.version), f"{after.name} {after.version}"


def test_the_large_list_has_packages_that_train_anyway_and_none_that_something_is_judged_on() -> None:
    """Then its fixes are in the split of their package's code, and a suite of other packages shares none with it."""
    names = {pin.name for pin in read_pins(CHECKOUT / "config/releases.csv")}
    assert names <= {pin.name for pin in read_pins(CHECKOUT / "config/corpus.csv")}
    full = yaml.safe_load((CHECKOUT / "config/config.yaml").read_text())
    held_out = full["quality"]["decontamination"]["repositories"].values()
    judged = {project_name(item) for items in held_out for item in items}
    assert not names & (judged | {pin.name for pin in read_pins(CHECKOUT / "config/working.csv")})
