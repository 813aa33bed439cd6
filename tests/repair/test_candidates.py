"""What candidates make of a state: the quick way to the text equals the plain one, for every text and every edit."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from ctm.grid.edits import Edit, apply_edit
from ctm.grid.tokenizer import EOL
from ctm.repair.candidates import Candidate, Proposal, edited_text, make_state, options

PIECES = st.sampled_from(
    ["def f(a)", "\n", "    ", " ", "x", "é", "\t", "(", "'''", "1.5", " = ", "\r", "\x0c", "#"]
)


@given(data=st.data(), text=st.lists(PIECES, max_size=30).map("".join))
@settings(max_examples=300, deadline=None)
def test_only_touched_lines_need_decoding(data, text, tokenizer):
    state = make_state(text, tokenizer)
    start = data.draw(st.integers(0, len(state.ids)))
    end = data.draw(st.integers(start, len(state.ids)))
    tokens = tuple(data.draw(st.lists(st.integers(2, tokenizer.vocab_size - 1), max_size=6)))
    ends = [place for place, index in enumerate(state.ids) if index == EOL]
    plain = tokenizer.decode(apply_edit(state.ids, Edit(start, end, tokens)))
    assert edited_text(state, Edit(start, end, tokens), ends, tokenizer) == plain


def test_copies_and_edits_that_change_nothing(tokenizer):
    state = make_state("foo = bar", tokenizer)
    place = int((state.packed.word_numbers == 1).argmax())
    cells = len(state.ids)
    copy = Candidate(cells, cells, (tokenizer.encode("+")[1], tokenizer.vocab_size + place), -0.1)
    nothing = Candidate(0, 1, (state.ids[0],), -0.2)
    no_edit = Candidate(cells, cells, (), -0.3)
    found = list(options(state, Proposal((copy, nothing, no_edit), 1.0, 1), tokenizer))
    assert [item.text for item in found] == ["foo = bar+bar", "foo = bar", "foo = bar"]
    assert [item.is_edit for item in found] == [True, False, False]


def test_a_text_of_too_many_cells_has_no_state_though_it_has_few_rows(tokenizer):
    line = "x = [" + ", ".join(f"f({n})" for n in range(60)) + "]"
    assert make_state(line, tokenizer) is not None
    assert make_state("\n".join([line] * 12), tokenizer) is None, "memory grows with the square of the cells"
