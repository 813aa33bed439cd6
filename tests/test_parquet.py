"""Parquet files of ours: damage is found where it is read, named, and never taken for other data."""

from __future__ import annotations

import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctm.parquet import parquet_file, read_parquet, write_parquet

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def table() -> pa.Table:
    """Texts that repeat (a dictionary page) and texts that do not, so that pages are what the file is made of."""
    texts = [f"def f{n * n}(a, b):\n    return a[{n * 7919}] + b\n" for n in range(4000)]
    return pa.table({"text": texts, "kind": ["syntax", "logic"] * 2000})


def test_a_changed_byte_is_found_and_named(table: pa.Table, tmp_path: Path) -> None:
    """Of 100 flips in a file without checksums most are read as other texts."""
    path = tmp_path / "pairs.parquet"
    write_parquet(path, table)
    assert read_parquet(path).equals(table)
    good = path.read_bytes()
    silent = []
    for n in range(100):
        place = n * (len(good) - 1) // 99
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        try:
            found = read_parquet(path)
        except ValueError as error:
            assert str(path) in str(error)
        else:
            if not found.equals(table):
                silent.append(place)
    assert not silent, f"read as another table: bytes {silent} of {len(good)}"


def test_half_a_file_and_another_file_are_named(table: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    write_parquet(path, table)
    for content in (path.read_bytes()[:5000], b"", b"no Parquet"):
        path.write_bytes(content)
        with pytest.raises(ValueError, match=r"pairs\.parquet: damaged, or no Parquet .* copy it again"):
            read_parquet(path)


def test_files_without_checksums_are_read(table: pa.Table, tmp_path: Path) -> None:
    path = tmp_path / "old.parquet"
    pq.write_table(table, path, compression="zstd")
    assert read_parquet(path, ["kind"]).equals(table.select(["kind"]))


def test_other_errors_stay_what_they_are(table: pa.Table, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        read_parquet(tmp_path / "none.parquet")
    path = tmp_path / "pairs.parquet"
    write_parquet(path, table)
    with pytest.raises(KeyError), parquet_file(path):
        raise KeyError("of who reads")


def test_everything_goes_through_this_module() -> None:
    """What is written elsewhere has no checksums, what is read elsewhere compares none."""
    direct = re.compile(r"\bpq\.(read_table|write_table|ParquetFile|ParquetWriter)\(")
    places = [
        *(ROOT / "ctm").rglob("*.py"),
        *(ROOT / "workflow").rglob("*.py"),
        *(ROOT / "benchmarks").rglob("*.py"),
    ]
    found = [path.relative_to(ROOT) for path in places if direct.search(path.read_text(encoding="utf-8"))]
    assert found == [Path("ctm/parquet.py")]
