"""What was read out of modules before: the same digests, and never from a damaged file."""

from __future__ import annotations

from pathlib import Path

import pytest

from ctm.pipeline import module_cache
from ctm.pipeline.code import Code
from ctm.pipeline.module_cache import Found, ModuleCache

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "workflow" / "scripts" / "mutate.py"


class Reader:
    """Finds the text of a module, and counts how often it is asked."""

    def __init__(self) -> None:
        self.read = 0

    def __call__(self, source: bytes, path: str) -> Found:
        self.read += 1
        return frozenset({"ctm"}), source.decode()


def cache(folder: Path, read: Reader) -> ModuleCache:
    return ModuleCache(read, Path(__file__), folder)


def test_digests_from_the_cache_are_those_of_the_modules(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = Code(ROOT, tmp_path)
    fresh = first.digests(SCRIPT)
    first.keep()
    monkeypatch.setattr("ctm.pipeline.code._module", None)  # so that nothing can be read
    again = Code(ROOT, tmp_path)
    assert again.digests(SCRIPT) == fresh


def test_only_what_changed_is_read(tmp_path: Path) -> None:
    names = [tmp_path / name for name in ("a.py", "b.py")]
    for name in names:
        name.write_text(name.stem)
    first = cache(tmp_path, Reader())
    assert [first.of(name)[1] for name in names] == ["a", "b"]
    first.keep()
    names[0].write_text("other")
    second = Reader()
    again = cache(tmp_path, second)
    assert [again.of(name)[1] for name in names] == ["other", "b"] and second.read == 1
    again.keep()
    names[0].write_text("a")
    third = Reader()
    assert cache(tmp_path, third).of(names[0])[1] == "a" and third.read == 0, "what was before is kept"


@pytest.mark.parametrize("damage", ["half", "digit", "nothing", "list"])
def test_damaged_file_counts_as_none(tmp_path: Path, damage: str) -> None:
    module = tmp_path / "a.py"
    module.write_text("text")
    first = cache(tmp_path, Reader())
    first.of(module)
    first.keep()
    content = first.file.read_text()
    damaged = {
        "half": content[:50],
        "digit": content.replace('"text"', '"tixt"'),
        "nothing": "",
        "list": "[1]",
    }
    assert damaged[damage] != content
    first.file.write_text(damaged[damage])
    read = Reader()
    assert cache(tmp_path, read).of(module)[1] == "text" and read.read == 1


def test_another_reader_has_a_file_of_its_own(tmp_path: Path) -> None:
    other = tmp_path / "reader.py"
    other.write_text("# another")
    assert ModuleCache(Reader(), other, tmp_path).file != cache(tmp_path, Reader()).file


def test_folder_that_cannot_be_written_costs_time_only(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    module = tmp_path / "a.py"
    module.write_text("text")
    nowhere = cache(tmp_path / "file" / "below", Reader())
    assert nowhere.of(module)[1] == "text"
    nowhere.keep()


def test_the_latest_used_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module_cache, "MOST", 2)
    for name in "abc":
        (tmp_path / f"{name}.py").write_text(name)
        one = cache(tmp_path, Reader())
        one.of(tmp_path / f"{name}.py")
        one.keep()
    read = Reader()
    last = cache(tmp_path, read)
    assert [last.of(tmp_path / f"{name}.py")[1] for name in "bca"] == ["b", "c", "a"] and read.read == 1
