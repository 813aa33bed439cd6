from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ctm.pairs import record
from ctm.pairs.record import (
    PAIR_SCHEMA,
    ROW_GROUP,
    Origin,
    Pair,
    Reject,
    Writer,
    column_of,
    day,
    make_pair,
    make_snippet,
    pair_id,
    read_pairs,
    read_rejects,
    read_snippets,
    write_pairs,
    write_rejects,
    write_snippets,
)


def a_pair(number: int = 0) -> Pair:
    origin = Origin(project="p", path="a/b.py", line=number, license="MIT", date="2020-02-29")
    return make_pair(
        f"x = {number}\n\t\u2028é",
        "y",
        category="logic",
        kind="k",
        source="mutation",
        split="train",
        group="p",
        origin=origin,
    )


def test_a_day_is_one_of_the_calendar_or_nothing() -> None:
    assert day("2019-04-01T12:00:00.000") == day("2019-04-01") == "2019-04-01"
    assert [day(text) for text in ("", "2019", "2019-02-30", "10000-01-01", "yesterday!")] == [""] * 5


def test_identity_depends_on_where_the_texts_join() -> None:
    assert pair_id("ab", "c") != pair_id("a", "bc")
    assert len(pair_id("a", "b")) == 32


def test_every_record_comes_back_as_it_was(tmp_path: Path) -> None:
    pairs = [a_pair(number) for number in range(ROW_GROUP + 5)]  # more than one row group
    assert write_pairs(tmp_path / "pairs.parquet", iter(pairs)) == len(pairs)
    assert list(read_pairs(tmp_path / "pairs.parquet")) == pairs
    snippet = make_snippet("x = 1", "statements", "p", Origin(project="p"))
    write_snippets(tmp_path / "snippets.parquet", [snippet])
    assert list(read_snippets(tmp_path / "snippets.parquet")) == [snippet]
    reject = Reject("step", "reason", "item", "p", "detail")
    write_rejects(tmp_path / "rejects.parquet", [reject])
    assert list(read_rejects(tmp_path / "rejects.parquet")) == [reject]


def test_columns_that_were_not_asked_for_are_empty(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    write_pairs(path, [a_pair(7)])
    (pair,) = read_pairs(path, ["buggy", "license"])
    assert (pair.buggy, pair.origin.license) == (a_pair(7).buggy, "MIT")
    assert (pair.fixed, pair.origin.line) == ("", 0)
    with pytest.raises(ValueError, match="no column nonsense"):
        list(read_pairs(path, ["nonsense"]))


def test_other_formats_and_versions_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "file.parquet"
    write_rejects(path, [])
    with pytest.raises(ValueError, match=r"file\.parquet: format is ctm\.rejects"):
        list(read_pairs(path))
    table = PAIR_SCHEMA.empty_table().replace_schema_metadata({"format": "ctm.pairs", "format_version": "99"})
    pq.write_table(table, path)
    with pytest.raises(ValueError, match="format_version is 99"):
        list(read_pairs(path))


def test_a_writer_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "pairs.parquet"
    write_pairs(path, [a_pair(1)])
    with pytest.raises(RuntimeError), Writer(path, PAIR_SCHEMA) as writer:
        writer.write(a_pair(2))
        raise RuntimeError
    assert list(read_pairs(path)) == [a_pair(1)]
    assert [item.name for item in tmp_path.iterdir()] == ["pairs.parquet"]


def test_only_rows_that_are_asked_for_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(record, "ROW_GROUP", 10)
    pairs = [
        make_pair(
            f"a{n}", "b", category="logic", kind="k", source="mutation",
            split="test" if n < 25 else "train", group="g", origin=Origin(line=n),
        )
        for n in range(60)
    ]  # fmt: skip
    write_pairs(tmp_path / "pairs.parquet", pairs)
    for split in ("train", "test", "validation"):
        found = list(read_pairs(tmp_path / "pairs.parquet", where=("split", split.__eq__)))
        assert found == [pair for pair in pairs if pair.split == split]
    some = read_pairs(tmp_path / "pairs.parquet", ["buggy"], ("pair_id", lambda name: name < "8"))
    assert [pair.buggy for pair in some] == [pair.buggy for pair in pairs if pair.pair_id < "8"]


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (["a", "", "é€😀", "a"], pa.string()),
        ([], pa.string()),
        (["b", "a", "b", "ü"], pa.dictionary(pa.int16(), pa.string())),
        ([3, 0, -1], pa.int32()),
    ],
)
def test_a_column_is_what_arrow_makes_of_the_values(values: list[Any], type_: pa.DataType) -> None:
    column = column_of(values, type_)
    column.validate(full=True)
    assert column.equals(pa.array(values, type_)) and column.type == type_


def test_a_column_of_texts_takes_no_lone_surrogates() -> None:
    with pytest.raises(UnicodeEncodeError):
        column_of(["\ud800"], pa.string())
