"""The drawn thought: which item is chosen, what the pictures say, and an animation that can be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, ImageSequence

from ctm.analysis.drawn_thought import shown_ticks, thought_figures, where_from, write_gif
from ctm.analysis.thought_choice import choose
from ctm.analysis.thought_picture import edit_in_words, frames, title
from ctm.evaluation.items import ITEMS, write_items
from ctm.evaluation.recorded_thought import RecordedThought, TickEdit
from ctm.pairs.record import Origin, Pair, make_pair, write_pairs

TEXT = "def add(a, b)\n    total = a + b\n    log(total)\n\n    return total"
FIXED = TEXT.replace(")\n", "):\n", 1)
MARK = 13  # where the colon lacks
TICKS = 4


def made(edits: list[TickEdit] | None = None) -> RecordedThought:
    """A thought whose cells are the characters of TEXT; it finds the place at tick 3."""
    draw = np.random.default_rng(0)
    cells = (*((n, n + 1) for n in range(len(TEXT))), (len(TEXT), len(TEXT)))
    attention = draw.random((TICKS, 2, len(cells))).astype(np.float32)
    edits = edits or [
        TickEdit(4, 7, "sum", 0.25, False, False),
        TickEdit(len(TEXT), len(TEXT), "", 0.4, True, False),
        TickEdit(MARK, MARK, ":", 0.6, False, True),
        TickEdit(MARK, MARK, ":", 0.9, False, True),
    ]
    return RecordedThought(
        TEXT,
        cells,
        attention / attention.sum(axis=2, keepdims=True),
        np.zeros((TICKS, 2, len(cells)), np.float32),
        np.array([0.3, 0.5, 0.8, 0.7], np.float32),
        draw.normal(size=(TICKS, 24)).astype(np.float32),
        tuple(edits),
        (),
    )


def pair(number: int, text: str = TEXT) -> Pair:
    origin = Origin(project="calc", path="calc/add.py", version_to="1.2", license="MIT")
    return make_pair(
        f"{text}  # {number}", f"{text.replace(')', '):', 1)}  # {number}", category="syntax", kind="lost_colon",
        source="mutation", split="test", group="calc", origin=origin,
    )  # fmt: skip


def chosen(tmp_path: Path, real: dict[int, str], test: dict[int, str]) -> tuple[str, int]:
    """The suite and number of the item that is chosen; R marks the ticks at which one is right."""
    rows, files = [], {}
    for suite, given in (("real", real), ("test", test)):
        pairs = {n: pair(n, "x = (1\n" * 30 if "long" in right else TEXT) for n, right in given.items()}
        for number, right in given.items():
            row: dict[str, Any] = dict.fromkeys(ITEMS.names)
            ticks = [letter == "R" for letter in right.removeprefix("long")]
            certainty = np.linspace(0.2, 0.9 + number / 1000, len(ticks))
            rows.append(
                row
                | {"suite": suite, "id": pairs[number].pair_id, "edits": 1, "tick_right": ticks or None}
                | {"tick_certainty": certainty.tolist()}
            )
        files[suite] = tmp_path / f"{suite}.parquet"
        write_pairs(files[suite], list(pairs.values()))
    write_items(tmp_path / "items.parquet", rows)
    suite, found = choose(tmp_path / "items.parquet", files)
    return suite, int(found.buggy.rsplit("# ", 1)[1])


@pytest.mark.parametrize(
    ("real", "test", "found"),
    [
        ({1: "RRRR"}, {2: "..RR"}, ("real", 1)),
        ({1: "...."}, {2: "..RR"}, ("test", 2)),
        ({}, {1: "RRRR", 2: "..RR", 3: "R.RR"}, ("test", 2)),
        ({}, {1: "RRR.", 2: "RRRR"}, ("test", 2)),
        ({}, {1: "long..RR", 2: "RRRR"}, ("test", 2)),
        ({}, {1: "..RR", 20: "..RR"}, ("test", 20)),
        ({1: "...."}, {2: "...."}, ("real", 1)),
    ],
)
def test_the_item_is_real_right_and_turns_right_where_there_is_one(
    tmp_path: Path, real: dict[int, str], test: dict[int, str], found: tuple[str, int]
) -> None:
    assert chosen(tmp_path, real, test) == found


def test_without_an_item_it_says_where_to_look(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"asked about no broken item.*column `reason`"):
        chosen(tmp_path, {}, {1: ""})


def test_each_tick_says_what_it_would_do() -> None:
    thought = made()
    assert [title(thought, tick) for tick in (1, 3)] == [
        "Tick 1 of 4: a wrong edit",
        "Tick 3 of 4 answers: the right edit",
    ]
    assert [edit_in_words(thought, edit) for edit in thought.edits[:3]] == [
        "It would replace “add” by “sum” (25 % likely)",
        "It would change nothing (40 % likely)",
        "It would insert “:” at the mark (60 % likely)",
    ]
    line = TickEdit(TEXT.index("\n    log"), TEXT.index("\n\n"), "", 0.5, False, False)
    assert edit_in_words(thought, line) == "It would delete “↵    log(total)” (50 % likely)"


def test_the_animation_has_a_frame_for_each_tick_and_can_be_read(tmp_path: Path) -> None:
    thought = made()
    source = where_from("test", pair(1))
    assert source == "calc 1.2, calc/add.py, MIT, made bug: lost colon"
    for name in ("one.gif", "two.gif"):
        write_gif(frames(thought, source, shown_ticks(thought, 16)), tmp_path / name)
    with Image.open(tmp_path / "one.gif") as animation:
        pictures = [frame.convert("RGB") for frame in ImageSequence.Iterator(animation)]
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(animation)]
    assert durations == [900, 900, 900, 3000]
    assert all(picture.size[0] == 1000 and 500 < picture.size[1] < 1000 for picture in pictures)
    assert len({picture.tobytes() for picture in pictures}) == TICKS
    assert pictures[0].getpixel((999, 0)) == (255, 255, 255)
    blue = [int((np.abs(np.asarray(p, int) - (0, 114, 178)).sum(axis=2) < 40).sum()) for p in pictures]
    assert min(blue) > 500, "the words in blue are on every frame"
    assert blue[0] > blue[1], "a span is framed, 'no edit' is not"
    assert (tmp_path / "one.gif").read_bytes() == (tmp_path / "two.gif").read_bytes()
    assert (tmp_path / "one.gif").stat().st_size < 1_000_000


def test_of_many_ticks_the_first_the_last_and_the_answer_are_shown() -> None:
    thought = made()
    assert shown_ticks(thought, 16) == [1, 2, 3, 4]
    assert shown_ticks(thought, 2) == [1, 3, 4]
    assert shown_ticks(thought, 1) == [3, 4], "the last, and the one that answers"


def test_the_figures_say_where_the_text_comes_from() -> None:
    figures = thought_figures("test", pair(1), made())
    assert (figures["answering_tick"], figures["right"], figures["project"]) == (3, True, "calc")
    assert [tick["right"] for tick in figures["ticks"]] == [False, False, True, True]
    first = made().attention.mean(axis=1)[0]
    assert figures["ticks"][0]["attention_there"] == pytest.approx(first.max())
    assert [tick["replaced"] for tick in figures["ticks"]] == ["add", "", "", ""]
    assert figures["ticks"][0]["most_attended"] == TEXT[int(first.argmax())]
