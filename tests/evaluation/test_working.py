"""Working code: the parts of whole files of held-out projects, without what trains; what is dropped is counted."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from ctm.evaluation.settings import WorkingSettings
from ctm.evaluation.working import read_windows, working_windows
from ctm.pairs.quality import QualitySettings
from ctm.pairs.record import Origin, make_pair, read_rejects, write_pairs
from ctm.pairs.splits import SplitSettings, split_of
from ctm.repair.windows import functions_of
from ctm.sources.clean_code.choice import CleanCode
from ctm.sources.clean_code.installed import InstalledSettings

SPLITS = SplitSettings(train=40, validation=30, test=30, always_train=())
FILE = """\
import os

LIMIT = {n}


class Reader{n}:
    def read_{n}(self, name, mode):
        with open(os.path.join(self.folder, name), mode) as file:
            return [line.strip() for line in file if line != self.mark_{n}]

    def __len__(self):
        return {n} + len(self.folder)


def total_{n}(items, start={n}):
    for item in items:
        start += item.price * item.number_{n}
    return start
"""


def names(split: str) -> list[str]:
    return [name for n in range(200) if split_of(name := f"pack{n}", SPLITS) == split]


def install(site: Path, name: str, files: dict[str, str], license: str = "MIT") -> None:
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.4\nName: {name}\nVersion: 1.0\n"
        + (f"License-Expression: {license}\n" if license else "")
    )
    for path, text in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_text(text)
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))


@pytest.fixture
def made(tmp_path: Path):
    """Runs the step over a folder of distributions."""

    def run(trained: list[str] = (), joined: dict[str, str] | None = None, per_project: int = 100):  # type: ignore[assignment]
        pairs = [
            make_pair(
                t,
                t,
                category="clean",
                kind="clean",
                source="mutation",
                split="train",
                group="t",
                origin=Origin(),
            )
            for t in trained
        ]
        write_pairs(tmp_path / "train.parquet", pairs)
        settings = InstalledSettings(paths=(str(tmp_path / "site"),))
        counts = working_windows(
            CleanCode(settings), SPLITS, QualitySettings(), WorkingSettings(per_project=per_project), joined or {},
            tmp_path / "train.parquet", tmp_path / "w.parquet", tmp_path / "r.parquet",
        )  # fmt: skip
        rejects = Counter(reject.reason for reject in read_rejects(tmp_path / "r.parquet"))
        return read_windows(tmp_path / "w.parquet"), rejects, counts

    return run


def test_windows_are_those_of_functions_of_whatever_file_they_are_in(tmp_path: Path, made) -> None:
    name = names("validation")[0]
    files = {f"{name}/code.py": FILE.format(n=11), f"{name}/tests/test_code.py": FILE.format(n=22)}
    install(tmp_path / "site", name, files)
    windows, rejects, counts = made()
    wanted = {
        (path, window.begin + 1, window.text(text.split("\n")))
        for path, text in files.items()
        for window in functions_of(text)
    }
    found = {(window.path, window.line, window.text) for window in windows["validation"]}
    assert found == wanted and len(found) == 8 and not rejects and not windows["test"]
    assert counts["windows"] == {"validation": 8} and counts["projects"]["validation"] == [name]


def test_only_projects_that_never_train_give_windows(tmp_path: Path, made) -> None:
    held, tested, trains, copied = names("validation")[0], names("test")[0], *names("train")[:2]
    for n, name in enumerate((held, tested, trains, copied)):
        install(tmp_path / "site", name, {f"{name}/code.py": FILE.format(n=100 + n)})
    windows, _, _ = made()
    assert {split: {w.project for w in found} for split, found in windows.items()} == {
        "validation": {held}, "test": {tested}
    }  # fmt: skip
    windows, _, _ = made(joined={held: trains, copied: tested})
    assert not windows["validation"], "its group trains"
    assert {w.project for w in windows["test"]} == {tested} and len(windows["test"]) == 8, "of both, as one"


def test_what_training_has_seen_is_left_out_and_counted(tmp_path: Path, made) -> None:
    name = names("validation")[0]
    text = FILE.format(n=7)
    install(tmp_path / "site", name, {f"{name}/code.py": text, f"{name}/_vendor/other.py": FILE.format(n=8)})
    lines = text.split("\n")
    shown = [window.text(lines) for window in functions_of(text)]
    read = next(item for item in shown if item.startswith("def read_7"))
    total = next(item for item in shown if item.startswith("def total_7"))
    windows, rejects, _ = made([read, total.replace("items", "goods").replace("price", "cost")])
    left = [window.text for window in windows["validation"]]
    assert read not in left and total not in left and len(left) == len(shown) - 2
    assert rejects == {"copy of a training text": 2, "vendored copy": 1}


def test_licenses_long_functions_and_the_cap_are_counted(tmp_path: Path, made) -> None:
    first, second, third = names("validation")[:3]
    long = "def long():\n" + "    x = 1\n" * 70
    install(tmp_path / "site", first, {f"{first}/a.py": FILE.format(n=1)}, "GPL-3.0-only")
    install(tmp_path / "site", second, {f"{second}/a.py": long + FILE.format(n=2), f"{second}/b.py": "x = ("})
    files = {f"{third}/f{n}.py": FILE.format(n=30 + n) for n in range(9)}
    install(tmp_path / "site", third, files)
    windows, rejects, _ = made(per_project=6)
    assert rejects == {
        "license not allowed": 1, "does not fit": 1, "does not parse": 1, "cap of the project": 1
    }  # fmt: skip
    assert Counter(w.project for w in windows["validation"]) == {second: 4, third: 8}, "whole files"


def test_secrets_are_masked(tmp_path: Path, made) -> None:
    name = names("test")[0]
    install(tmp_path / "site", name, {f"{name}/a.py": 'def who():\n    return "ann.smith@corp.io"\n'})
    windows, _, _ = made()
    assert "corp.io" not in windows["test"][0].text and "example.com" in windows["test"][0].text
