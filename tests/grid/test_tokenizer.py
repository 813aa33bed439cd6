"""Round trips of every kind of text, and what a token may hold."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ctm.grid.tokenizer import _SIGN, CONT, END, EOL, PAD, SPECIALS, STOP, CodeTokenizer

WORD = re.compile(r"\w")
SPACE = re.compile(r"\s")


def test_every_text_comes_back(tokenizer: CodeTokenizer, texts: list[str]) -> None:
    assert len(texts) >= 10_000
    for text in texts:
        ids = tokenizer.encode(text)
        assert tokenizer.decode(ids) == text
        assert not {PAD, CONT, END, STOP} & set(ids), f"{text!r} holds ids that no text may have"
        assert ids.count(EOL) == text.count("\n")


@settings(max_examples=1500, deadline=None, derandomize=True, database=None)
@given(
    st.one_of(
        st.text(st.characters(), max_size=60),
        st.text(st.sampled_from(" \t\r\n\f\xa0ab1_=#'\"()<>é\ud800"), max_size=60),
    )
)
def test_any_characters_come_back(tokenizer: CodeTokenizer, text: str) -> None:
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_words_share_no_token_with_white_space(tokenizer: CodeTokenizer, texts: list[str]) -> None:
    for text in texts:
        for index in set(tokenizer.encode(text)):
            try:
                held = tokenizer.text_of(index).decode()
            except UnicodeDecodeError:
                continue  # a part of a character
            assert not (WORD.search(held) and SPACE.search(held)), f"token {held!r} in {text!r}"
    ascii_word, ascii_space = re.compile(rb"[0-9A-Za-z_]"), re.compile(rb"\s")
    for index in range(tokenizer.vocab_size):
        raw = tokenizer.text_of(index)
        assert not (ascii_word.search(raw) and ascii_space.search(raw)), f"token {raw!r}"


def test_words_begin_where_identifiers_do(tokenizer: CodeTokenizer, functions: list[str]) -> None:
    """The tokens that start a word are, in order, the words of the text."""
    for text in functions[:300]:
        words: list[bytes] = []
        inside = False
        for index in tokenizer.encode(text):
            if tokenizer.starts_word(index):
                words.append(b"")
                inside = True
            inside = inside and tokenizer.is_word(index)
            if inside:
                words[-1] += tokenizer.text_of(index)
        wanted = re.findall(r"[0-9A-Za-z_]+", re.sub(r"[^\x00-\x7f]", "\0", text))
        assert [w.decode() for w in words] == wanted


def test_spacing_costs_few_cells(tokenizer: CodeTokenizer) -> None:
    """A call with a usual layout: one cell for the indentation, one a word, one an operator, one for the line's end."""
    ids = tokenizer.encode("    self = len(self, self)\n")
    assert [tokenizer.text_of(i) for i in ids] == [
        b"    ", b"self", b" = ", b"len", b"(", b"self", b", ", b"self", b")", b"\n"
    ]  # fmt: skip


@pytest.mark.parametrize("special", [*SPECIALS[:5], "<spaces:4>", "<tabs:1>"])
def test_literal_special_tokens_are_text(tokenizer: CodeTokenizer, special: str) -> None:
    ids = tokenizer.encode(f"x = '{special}'")
    assert tokenizer.decode(ids) == f"x = '{special}'"
    assert len(ids) > 6, "spelled out, not one cell"


def test_equal_texts_have_equal_ids_whatever_came_before(
    tokenizer: CodeTokenizer, functions: list[str]
) -> None:
    """The caches of lines and pieces do not change an answer."""
    fresh = CodeTokenizer.train(functions, 1500)
    assert [fresh.encode(t) for t in reversed(functions[:200])] == [
        tokenizer.encode(t) for t in functions[199::-1]
    ]


def test_answers_of_a_model_decode_to_something(tokenizer: CodeTokenizer) -> None:
    """Half a character is no error: it becomes U+FFFD."""
    half = next(i for i in tokenizer.encode("é") if len(tokenizer.text_of(i)) >= 1 and i >= len(SPECIALS))
    text = tokenizer.decode([half] if tokenizer.text_of(half) != "é".encode() else [half, half])
    assert text in ("\ufffd", "éé")
    for index in range(tokenizer.vocab_size):
        assert isinstance(tokenizer.decode([index, index]), str)


def test_swapped_tokens_are_found(tokenizer: CodeTokenizer, tmp_path: Path) -> None:
    """They would be other words to every step that comes, and the file is as long as before."""
    path = tmp_path / "tokenizer.json"
    tokenizer.save(path)
    stored = json.loads(path.read_text(encoding="utf-8"))
    first, second = stored["vocabulary"][-2:]
    stored["vocabulary"][-2:] = second, first
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(ValueError, match=r"tokenizer\.json: damaged: its checksum differs"):
        CodeTokenizer.load(path)
    del stored["sha256"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    assert CodeTokenizer.load(path).vocab_size == tokenizer.vocab_size, "files of before there were checksums"


def test_saved_and_loaded_it_is_the_same(tokenizer: CodeTokenizer, texts: list[str], tmp_path: Path) -> None:
    tokenizer.save(tmp_path / "tokenizer.json")
    again = CodeTokenizer.load(tmp_path / "tokenizer.json")
    assert again.fingerprint == tokenizer.fingerprint and again.vocab_size == tokenizer.vocab_size == 1500
    for text in texts[::20]:
        assert again.encode(text) == tokenizer.encode(text)


def test_signs_are_all_of_ascii_but_words_and_white_space() -> None:
    """They are named one by one, since the complement up to U+10FFFF takes 5 ms of every start to compile."""
    found = "".join(re.findall(_SIGN, "".join(map(chr, range(0x3000)))))
    assert found == "".join(c for c in map(chr, range(128)) if not (c.isalnum() or c == "_" or c.isspace()))


@pytest.mark.parametrize(
    "content", ["", "[]", '{"format_version": 9}', '{"version": "1.0", "model": {}}', "\x00\x01"]
)
def test_other_files_are_refused_by_name(tmp_path: Path, content: str) -> None:
    path = tmp_path / "other.json"
    path.write_text(content)
    with pytest.raises(ValueError, match=r"other\.json: (not a tokenizer|format_version 9)"):
        CodeTokenizer.load(path)


def test_training_is_deterministic_and_keeps_every_byte(functions: list[str]) -> None:
    one, two = (CodeTokenizer.train(functions[:50], 700) for _ in range(2))
    assert one.fingerprint == two.fingerprint
    assert one.decode(one.encode("".join(map(chr, range(1, 700))))) == "".join(map(chr, range(1, 700)))
    with pytest.raises(ValueError, match=r"tokenizer\.vocabulary is 100"):
        CodeTokenizer.train(functions[:50], 100)
