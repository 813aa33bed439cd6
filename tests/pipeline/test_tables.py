"""Tables of the pages: keys become words, shares become percent, names stay as they are."""

from __future__ import annotations

from ctm.pipeline.tables import LONG, Block, Cell, Section, blocks_of, cell, rows
from ctm.pipeline.words import SHARES, WORDS, is_key, plain


def test_keys_become_words_and_names_stay() -> None:
    assert plain("exact_at_1") == "exactly right at the first answer"
    assert plain("missing_colon") == "missing colon", "a key without words of its own loses its underscores"
    assert plain("train_x, y") == "train_x, y", "what is no key is left alone"
    assert cell("missing_colon").text == "missing colon"
    assert cell(Cell("ruamel_yaml", mark="code")).text == "ruamel_yaml"
    for key, words in WORDS.items():
        assert not is_key(words) and "_" not in words, key


def test_shares_are_percent_wherever_they_stand() -> None:
    table = rows(["kind", "n", "exact"], [["missing_colon", 40, 0.75]])
    assert table.head == ["kind", "items", SHARES["exact"]]
    assert [c.text for c in table.rows[0]] == ["missing colon", "40", "75.0%"]
    _, block = blocks_of("", {"accuracy": {"syntax": 0.5, "logic": None}, "score": 0.5})
    assert block.table is not None
    assert [[c.text for c in row] for row in block.table.rows] == [["syntax", "50.0%"], ["logic", "-"]]
    [block] = blocks_of("", {"bifi": {"test": 0.7025}, "n": {"test": 2584}})
    assert block.table is not None
    assert [row[1].text for row in block.table.rows] == ["70.2%", "2,584"]
    [block] = blocks_of("", {"ece": [0.125, 0.25], "score": 0.5})
    assert block.table is not None
    assert [row[1].text for row in block.table.rows] == ["12.5 to 25.0%", "0.5"]


def test_long_tables_are_folded_and_others_where_asked() -> None:
    short, long = (rows(["n"], [[1]] * n) for n in (LONG, LONG + 1))
    assert [Block(table=t).folded for t in (short, long)] == [False, True]
    assert Block(table=short, fold=True).folded
    assert not Block(svg="<svg/>").folded


def test_what_needs_the_whole_width_has_it() -> None:
    few, many, wordy = (
        [["a", 1]],
        [["a", 1, 2, 3, 4, 5]],
        [["a", "words that go on and on and on, to the end"]],
    )
    assert [Block(table=rows([], items)).wide for items in (few, many, wordy)] == [False, True, True]
    assert Block(svg="<svg/>").wide and Block("Does it?", "It does.").wide


def test_pictures_are_told_by_how_they_begin() -> None:
    assert Block(png="R0lGODlhAQAB").image.startswith("data:image/gif;")
    assert Block(png="iVBORw0KGgo").image.startswith("data:image/png;")
    assert Section("What it is: CTM, and why?").id == "what-it-is-ctm-and-why"
