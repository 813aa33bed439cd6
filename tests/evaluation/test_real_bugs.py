"""The suite of real bugs is made of pinned releases that never train, and everything else is counted."""

import csv
import hashlib
import json
import re
import zipfile
from pathlib import Path

import pytest
import yaml

from ctm.evaluation.real_bugs import build, read_transitions
from ctm.pairs.record import read_rejects
from ctm.pairs.splits import project_name
from ctm.repair.evaluate import read_items
from ctm.sources.releases.collector import ReleaseSettings

CHECKOUT = Path(__file__).parents[2]
PINS = CHECKOUT / "config" / "real_bugs.csv"
GUARD = "def clamp(value, low, high):\n    if value {sign} low:\n        return low\n    return min(value, high)\n"
CLASS = (
    "class A:\n    def whole(self):\n        return 1\n\n    def {name}(self):\n        return 2\n\n{rest}"
)
CALLER = "    def call(self, a):\n        b = a + 1\n        return self.{name}() + b\n"


def wheel(
    folder: Path, name: str, version: str, code: str, before: str = "", license: str = "License: MIT"
) -> str:
    """Write a wheel into the folder of those that are there; returns its line of the list."""
    path = folder / "made.whl"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}/core.py", code)
        archive.writestr(
            f"{name}-{version}.dist-info/METADATA", f"Name: {name}\nSummary: für\n{license}\n".encode()
        )
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    path.rename(folder / digest)
    return f"{name},{version},{digest},{before}\n"


def built(tmp_path: Path, lines: list[str]) -> tuple[list[dict[str, object]], dict[str, object]]:
    """Items and counts."""
    pins = tmp_path / "pins.csv"
    pins.write_text("name,version,sha256,before\n" + "".join(lines))
    out = tmp_path / "suite.jsonl"
    counts = build(pins, tmp_path, out, tmp_path / "rejects.parquet", ReleaseSettings())
    return [json.loads(line) for line in out.read_text().splitlines()], counts


def test_a_fix_of_our_kind_is_an_item_as_evaluate_reads_it(tmp_path: Path) -> None:
    """Also between minor releases, with a license in the project's own words and a summary that is not ASCII."""
    lines = [
        wheel(tmp_path, "alpha", "1.0", GUARD.format(sign="<=")),
        wheel(tmp_path, "alpha", "1.1", GUARD.format(sign="<"), "1.0", "License: as you like"),
    ]
    (item,), counts = built(tmp_path, lines)
    assert (item["kind"], item["category"], item["project"]) == ("comparison_operator", "logic", "alpha")
    assert (item["version_from"], item["version_to"], item["qualname"]) == ("1.0", "1.1", "clamp")
    assert (item["license"], item["license_source"]) == ("as you like", "METADATA, as stated")
    assert item["tokens"] == 1
    assert (counts["items"], counts["kinds"]) == (1, {"comparison_operator": {"items": 1, "strict": 0}})
    (read,) = read_items(tmp_path / "suite.jsonl")
    assert (read.kind, read.project) == ("comparison_operator", "alpha")


def test_a_rename_is_refused_and_counted(tmp_path: Path) -> None:
    """A method that has another name in the whole new file was not called by a wrong one."""
    codes = [CLASS.format(name=name, rest=CALLER.format(name=name)) for name in ("part", "piece")]
    lines = [wheel(tmp_path, "alpha", "1.0", codes[0]), wheel(tmp_path, "alpha", "1.1", codes[1], "1.0")]
    items, counts = built(tmp_path, lines)
    assert not items
    assert counts["dropped"] == {"no shape of a kind": 1}
    (reject,) = read_rejects(tmp_path / "rejects.parquet")
    assert (reject.group, reject.detail) == ("alpha", "A.call")


def test_sweeps_reversals_duplicates_and_what_cannot_be_had(tmp_path: Path) -> None:
    """What many functions do alike is a rule; what was undone again was no fix; one fix is one item."""
    many = "\n\n".join(f"def f{n}(a, b):\n    c = {n}\n    return a {{sign}} b + c" for n in range(3)) + "\n"
    renamed = GUARD.replace("clamp", "limit").replace("value", "number")
    lines = [
        wheel(tmp_path, "alpha", "1.0", many.format(sign="<")),
        wheel(tmp_path, "alpha", "1.1", many.format(sign="<="), "1.0"),
        wheel(tmp_path, "beta", "1.0", GUARD.format(sign="<=")),
        wheel(tmp_path, "beta", "1.1", GUARD.format(sign="<"), "1.0"),
        wheel(tmp_path, "gamma", "1.0", renamed.format(sign="<=")),
        wheel(tmp_path, "gamma", "1.1", renamed.format(sign="<"), "1.0"),
        wheel(tmp_path, "delta", "1.0", GUARD.format(sign=">")),
        wheel(tmp_path, "delta", "1.1", GUARD.format(sign=">="), "1.0"),
        wheel(tmp_path, "delta", "1.2", GUARD.format(sign=">") + "\n\nX = 1\n", "1.1"),
        wheel(tmp_path, "epsilon", "1.0", GUARD.format(sign="==")),
        wheel(tmp_path, "epsilon", "1.1", GUARD.format(sign="!="), "1.0", license=""),
    ]
    items, counts = built(tmp_path, lines)
    assert [item["project"] for item in items] == ["beta"]
    assert counts["dropped"] == {
        "same exchange in many functions": 3,
        "undone by another release": 2,
        "no license stated": 1,
        "duplicate": 1,
    }


def test_a_line_that_names_no_pin_is_refused(tmp_path: Path) -> None:
    """The message names file, line and version."""
    pins = tmp_path / "pins.csv"
    pins.write_text(f"name,version,sha256,before\nalpha,1.1,{'0' * 64},1.0\n")
    with pytest.raises(ValueError, match=re.escape(f"{pins}:2: column `before` names alpha 1.0")):
        read_transitions(pins)


def test_the_pins_never_train() -> None:
    """Neither clean code nor releases nor the working projects nor what is kept for judgment shares a project."""
    pinned = {after.name for _, after in read_transitions(PINS)}
    assert len(pinned) > 100
    for name in ("corpus", "corpus_demo", "releases", "releases_demo", "working"):
        with (CHECKOUT / "config" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            assert not pinned & {project_name(row["name"]) for row in csv.DictReader(file)}, name
    config = yaml.safe_load((CHECKOUT / "config" / "config.yaml").read_text())
    kept = config["quality"]["decontamination"]["repositories"]
    assert not pinned & {project_name(name) for names in kept.values() for name in names}
    trained = {url.rsplit("/", 1)[-1] for url in config["sources"]["commits"]["repositories"]}
    assert not pinned & {project_name(name) for name in trained}
