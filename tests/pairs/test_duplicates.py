from pathlib import Path

from ctm.pairs.clean import clean_snippets
from ctm.pairs.duplicates import DuplicateFilter, exact_key, renamed_key
from ctm.pairs.record import Origin, make_snippet, read_rejects, read_snippets, write_snippets
from ctm.pairs.splits import SplitSettings, split_of


def test_spacing_within_a_line_does_not_tell_texts_apart() -> None:
    assert exact_key("x = 1\n\n\ny  =  2  ") == exact_key("x = 1\ny = 2")
    assert exact_key("if x:\n    y\n    z") != exact_key("if x:\n    y\nz")  # indentation does


def test_names_are_numbered_in_order_of_first_use() -> None:
    assert renamed_key("a = b + a") == renamed_key("x = y + x  # sum")
    assert renamed_key("a = b + a") != renamed_key("x = y + y")
    assert renamed_key("print(a)") != renamed_key("len(a)")  # builtins mean something
    assert renamed_key("x = 'a'") != renamed_key("x = 'b'")
    assert renamed_key("f'{a}'") == renamed_key("f'{a}'")


def test_both_sides_of_a_pair_share_their_names() -> None:
    assert renamed_key("a", "b") != renamed_key("a", "a")
    assert renamed_key("a", "b") == renamed_key("x", "y")


def test_the_first_of_equal_texts_passes() -> None:
    first_come = DuplicateFilter()
    assert first_come.refuse("a = 1") == ""
    assert first_come.refuse("a  = 1") == "duplicate"
    assert first_come.refuse("b = 1") == "duplicate but for names"
    assert first_come.refuse("b = 2") == ""


def test_no_text_is_in_two_splits_and_every_drop_is_counted(tmp_path: Path) -> None:
    settings = SplitSettings(seed=0, train=34, validation=33, test=33)
    groups = {split_of(name, settings): name for name in map("p{}".format, range(50))}
    texts = [f"value = f({number})" for number in range(5)]
    raw = [
        make_snippet(text, "statements", group, Origin(project=group, license="MIT"))
        for group in groups.values()
        for text in (*texts, f"only = '{group}'")
    ]
    write_snippets(tmp_path / "raw.parquet", raw)
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    counts = clean_snippets([tmp_path / "raw.parquet"], settings, out, rejects)
    kept = list(read_snippets(out))
    assert len({item.text for item in kept}) == len(kept) == 8
    assert {item.split for item in kept if item.text in texts} == {"test"}  # the test set keeps common code
    assert all(split_of(item.group, settings) == item.split for item in kept)
    assert counts["snippets"] == {"test": 6, "validation": 1, "train": 1}
    assert counts["rejects"] == {"duplicate": len(list(read_rejects(rejects)))} == {"duplicate": 10}
