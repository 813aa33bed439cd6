"""The mix that is asked for is the mix that is drawn, for kinds with few places too; what falls short has a reason."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from ctm.bugs.generation.draw import mutate_text, snippet_rng
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.generation.quotas import (
    Quota,
    asked_and_drawn,
    balance_mix,
    drawing_mix,
    quotas_of,
    read_quotas,
)
from ctm.bugs.settings import MutationSettings, Shares
from ctm.pairs.record import Origin, Snippet, make_snippet, write_snippets

COMMON = "def f{n}(a, b):\n    if a == {n}:\n        return g(a, b)\n    return h{n}(b)"
RARE = "def f{n}(a):\n    x = a.y{n} if a == {n} else None\n    return g(x)"
MIX = BugMix({"missing_colon": 5, "unclosed_bracket": 5, "c_conditional": 2, "else_if": 1})
SETTINGS = MutationSettings(
    shares=Shares(1, 0, 0), two_errors=0, three_errors=0, reshape=0, per_snippet=2, surveyed=400
)


def corpus(number: int = 600) -> list[Snippet]:
    """One snippet in twelve has a conditional expression, none an `elif`."""
    texts = [(RARE if n % 12 == 0 else COMMON).format(n=n) for n in range(number)]
    return [make_snippet(text, "function", "g", Origin(), "train") for text in texts]


def drawn(snippets: list[Snippet], mix: BugMix) -> Counter[str]:
    return Counter(
        mutant.kind
        for s in snippets
        for mutant in mutate_text(s.text, snippet_rng(0, s.snippet_id), mix, 2, SETTINGS).kept
    )


@pytest.fixture(scope="module")
def quotas() -> dict[str, Quota]:
    return quotas_of(corpus(), SETTINGS, MIX)


def test_rare_kind_comes_near_its_share(quotas):
    rows = {r.kind: r for r in asked_and_drawn(quotas, drawn(corpus(), drawing_mix(quotas)))}
    by_weight = {r.kind: r for r in asked_and_drawn(quotas, drawn(corpus(), MIX))}
    assert by_weight["c_conditional"].ratio < 0.2, "luck by snippet gives a fraction of what is asked"
    assert rows["c_conditional"].drawn > 2 * by_weight["c_conditional"].drawn
    assert rows["c_conditional"].drawn == pytest.approx(quotas["c_conditional"].expected, rel=0.5)
    for kind in ("missing_colon", "unclosed_bracket"):
        assert 0.5 < rows[kind].ratio < 2


def test_kind_with_enough_places_is_within_a_factor_of_two():
    mix = BugMix({"missing_colon": 10, "unclosed_bracket": 10, "c_conditional": 0.5})
    quotas = quotas_of(corpus(), SETTINGS, mix)
    assert quotas["c_conditional"].expected == pytest.approx(quotas["c_conditional"].asked, rel=0.1)
    rows = asked_and_drawn(quotas, drawn(corpus(), drawing_mix(quotas)))
    assert all(0.5 < row.ratio < 2 and not row.why for row in rows), rows


def test_kind_without_places_is_said_with_its_reason(quotas):
    rows = {r.kind: r for r in asked_and_drawn(quotas, drawn(corpus(), drawing_mix(quotas)))}
    assert rows["else_if"].number == 0 and "no place" in rows["else_if"].why
    assert "at most half" in quotas["c_conditional"].reason(), "asked of 15 %, and 8 % have a place"
    assert quotas["c_conditional"].expected <= 0.6 * quotas["c_conditional"].places


def test_a_snippet_gives_a_kind_once():
    text = "\n".join(f"x{n} = a if b else c" for n in range(9))
    mix = BugMix({"c_conditional": 1})
    for most in (1, 3):
        settings = replace(SETTINGS, kind_per_snippet=most)
        assert len(mutate_text(text, snippet_rng(0, "a"), mix, 6, settings).kept) == most


def test_quotas_do_not_depend_on_workers_batches_or_order(tmp_path: Path):
    config = tmp_path / "mix.yaml"
    config.write_text("missing_colon: 5\nc_conditional: 1\nexcept_comma: 1\n")
    snippets = corpus(300)
    held = make_snippet("try:\n    f()\nexcept E as e:\n    g()", "statements", "h", Origin(), "test")
    files = []
    for name, order, workers, batch in (("a", snippets, 1, 64), ("b", snippets[::-1], 2, 7)):
        path = tmp_path / f"{name}.parquet"
        write_snippets(path, [*order, held])
        settings = replace(SETTINGS, workers=workers, batch=batch)
        made = balance_mix(path, settings, config, tmp_path / f"{name}.json")
        files.append((tmp_path / f"{name}.json").read_bytes())
        assert read_quotas(tmp_path / f"{name}.json") == made
    assert files[0] == files[1]
    assert made["except_comma"].places == 0, "held-out snippets are not looked at"


def test_quotas_of_another_format_are_refused_with_the_file(tmp_path: Path):
    (tmp_path / "q.json").write_text("{}")
    with pytest.raises(ValueError, match=r"q\.json: expected quotas of format 3"):
        read_quotas(tmp_path / "q.json")


def test_one_snippet_more_or_less_hardly_moves_the_weights():
    """Another Python compiles a few other files; a common kind's donors must not all be dealt anew for that."""
    rng = Random(3)
    parts = ("if a == {n}:\n    b = {n}", "c = g({n})", "d = [{n}, a]", "import m{n}", "e = 'x' + '{n}'")
    texts = ["\n".join(rng.sample(parts, 2)).format(n=n) for n in range(400)]
    snippets = [make_snippet(text, "statements", "g", Origin(), "train") for text in texts]
    mix = BugMix(
        {
            "missing_colon": 1,
            "unclosed_bracket": 1,
            "unclosed_quote": 1,
            "missing_comma": 1,
            "c_conditional": 1,
        }
    )
    whole = quotas_of(snippets, SETTINGS, mix)
    for gone in (230, 300, 390):
        less = quotas_of(snippets[:gone] + snippets[gone + 1 :], SETTINGS, mix)
        moved = {name: less[name].weight / quota.weight for name, quota in whole.items() if quota.weight}
        assert all(abs(ratio - 1) < 0.03 for ratio in moved.values()), (gone, moved)
