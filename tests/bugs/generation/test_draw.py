"""Mutants of a snippet: checked, repeatable, of the asked sorts; reshaped snippets compile."""

from __future__ import annotations

import inspect
import textwrap
from collections import Counter
from itertools import accumulate
from random import Random

import pytest

from ctm.bugs.checks.validity import code_of, quiet, same_code
from ctm.bugs.generation.draw import mutate_text, snippet_rng
from ctm.bugs.generation.mix import BugMix, _pick
from ctm.bugs.generation.shapes import _Shaper, reshaped
from ctm.bugs.registry import apply, registry
from ctm.bugs.security.rules import security_rule
from ctm.bugs.settings import MutationSettings, Shares
from ctm.bugs.static_analysis.source import ParsedCode
from ctm.pairs.categories import categorize
from ctm.python.compiling import compiles

SNIPPETS = [
    textwrap.dedent(inspect.getsource(f)) for _, f in inspect.getmembers(textwrap, inspect.isfunction)
] + [
    "import os\nfor name in os.listdir('.'):\n    print(name)\n    count += 1",
    "x = 1",
    "async def f(a, b=None):\n    while a != b:\n        await g(a)\n    return a if b else None",
]
MIX = BugMix(dict.fromkeys(registry(), 1))


@pytest.mark.parametrize("held_out", [False, True])
def test_every_mutant_is_what_it_says(held_out):
    kinds = Counter()
    for number, text in enumerate(SNIPPETS * 6):
        made = mutate_text(text, snippet_rng(1, str(number)), MIX, 8, held_out=held_out)
        for mutant in made.kept:
            kinds[mutant.category] += 1
            assert compiles(mutant.fixed)
            assert categorize(mutant.buggy, mutant.fixed, security_rule) == mutant.category, mutant
            if mutant.category != "clean":
                assert mutant.buggy != mutant.fixed
        assert len({(m.buggy, m.fixed) for m in made.kept}) == len(made.kept), "no mutant twice"
    assert kinds["syntax"] > kinds["logic"] > 20 and kinds["clean"] > 20


def test_repeatable_and_seeded():
    def draw(seed: int) -> list[object]:
        return [mutate_text(text, snippet_rng(seed, "id"), MIX, 4) for text in SNIPPETS]

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


def test_shares_are_followed():
    settings = MutationSettings(shares=Shares(0, 0, 1))
    assert {m.kind for m in mutate_text(SNIPPETS[0], Random(0), MIX, 5, settings).kept} == {"clean"}
    settings = MutationSettings(shares=Shares(1, 0, 0), two_errors=0.0, three_errors=1.0, reshape=0.0)
    kept = [
        m for n in range(20) for m in mutate_text(SNIPPETS[0], snippet_rng(0, str(n)), MIX, 3, settings).kept
    ]
    assert sum(m.kind == "several_syntax" for m in kept) > 0.7 * len(kept)


def test_print_statements_come_even_from_code_without_prints():
    mix = BugMix({"print_statement": 1})
    settings = MutationSettings(shares=Shares(1, 0, 0), two_errors=0, three_errors=0, reshape=0)
    made = [
        m for n in range(20) for m in mutate_text("x = f(1)", snippet_rng(0, str(n)), mix, 1, settings).kept
    ]
    assert len(made) >= 15
    assert all("print" in m.fixed and m.kind == "print_statement" for m in made)


def test_code_that_does_not_compile_gives_one_counted_drop():
    made = mutate_text("def f(:", Random(0), MIX, 3)
    assert made.kept == [] and made.dropped == [("fixed side does not compile", "")]
    assert mutate_text("# only a comment", Random(0), MIX, 3).dropped == [("no code", "")]


def test_same_code_sees_types_of_constants_and_not_lines():
    def same(a: str, b: str) -> bool:
        return same_code(code_of(a), code_of(b))  # type: ignore[arg-type]

    with quiet():
        assert same("def f():\n    return 1", "\n\n# c\ndef f( ):\n\n    return (1)")
        for a, b in (("x = 1", "x = 1.0"), ("x = 0.0", "x = -0.0"), ("x = (1, True)", "x = (1, 1)"), ("x = 1", "y = 1"),
                     ("def f(a=1): pass", "def f(a=2): pass"), ("x in {1, 2}", "x in {1.0, 2}")):  # fmt: skip
            assert not same(a, b), (a, b)


def test_reshaped_snippets_mostly_compile_and_keep_strings_whole():
    rng, good = Random(3), 0
    text = SNIPPETS[0]
    with quiet():
        for _ in range(200):
            new = reshaped(ParsedCode(text), rng, whole=True)
            good += code_of(new) is not None
            assert text.split('"""')[1] in new, "nothing is put inside a docstring"
    assert good > 150


def test_settings_bound_hostile_code():
    nested = (
        "".join(f"{'    ' * i}try:\n{'    ' * i}    pass\n{'    ' * i}finally:\n" for i in range(25))
        + "    " * 25
        + "pass"
    )
    assert mutate_text(nested, Random(0), MIX, 3).kept == [], "the compiler never sees it"


@pytest.mark.parametrize(
    ("kind", "traced", "lost"),
    [
        ("missing_self_parameter", "def f(self):\n    return self.n", "def f(self):\n    return 1"),
        ("variable_misuse", "a = 1\nb = 2\nprint(a, b)", "a = 1\nprint(a, b, a)"),
    ],
)
def test_training_sees_no_bug_whose_repair_could_only_be_guessed(kind: str, traced: str, lost: str):
    mix, only = BugMix({kind: 1}), Shares(0, 1, 0)
    settings = MutationSettings(shares=only, heldout_shares=only, reshape_logic=0)

    def made(text: str, held_out: bool) -> int:
        return sum(
            len(mutate_text(text, snippet_rng(0, str(n)), mix, 1, settings, held_out).kept) for n in range(20)
        )

    assert made(traced, False) == 20
    assert made(lost, True) == 20, "held-out sets keep every place"
    if kind == "variable_misuse":
        kept = [
            m for n in range(20) for m in mutate_text(lost, snippet_rng(0, str(n)), mix, 1, settings).kept
        ]
        assert kept and all("b" in m.buggy for m in kept), "the only `b` stays"
    else:
        assert made(lost, False) == 0


def test_a_missing_pair_is_never_that_of_a_call_or_subscript():
    text = "rows.rename(columns={'a': 'b'}, key=(1, 2))\nx = sum(n for n in [1, 2])\ny = rows['a', 'b']\n"
    kind = registry()["missing_pair"]
    made = {apply(text, candidate.buggy) for candidate in kind.mutator(ParsedCode(text), Random(0))}
    assert made == {
        text.replace("{'a': 'b'}", "'a': 'b'"),
        text.replace("(1, 2)", "1, 2"),
        text.replace("[1, 2]", "1, 2"),
    }


def test_a_dictionary_without_colons_has_the_same_sign_for_each():
    text = "d = {'a': 1, 'b': 2, 'c': 3}"
    kind = registry()["missing_dict_colon"]
    for seed in range(20):
        made = [apply(text, candidate.buggy) for candidate in kind.mutator(ParsedCode(text), Random(seed))]
        signs = {item.replace("d = {", "").replace("'", "") for item in made}
        assert len(signs) == 3, "each colon may go"
        [wrong] = {candidate.buggy[0].text for candidate in kind.mutator(ParsedCode(text), Random(seed))}
        assert wrong != ":"


def test_data_among_the_shapes_compile_and_are_long():
    source = ParsedCode(
        "def f(total, rows):\n    for row in rows:\n        total += row.value\n    return total\n"
    )
    data = ["\n".join(_Shaper(source, Random(seed)).literal()) for seed in range(300)]
    for text in data:
        compile(text, "data", "exec")
    openings = sorted(sum(text.count(sign) for sign in "([{") for text in data)
    assert openings[150] >= 2, "nested brackets, whose end is far from where the parser complains"
    assert sum("\n" in text for text in data) > 90, "some have a line for each item"


def test_kinds_come_by_weight_and_small_moves_of_many_weights_move_few_draws():
    """Another Python's files move all weights a little; the same seed has to give nearly the same bugs."""
    rng = Random(1)
    weights = [rng.random() if n % 5 else 0.0 for n in range(120)]
    moved = [weight * (1 + 0.02 * (rng.random() - 0.5)) for weight in weights]
    sums, others = list(accumulate(weights)), list(accumulate(moved))
    drawn = [_pick(sums, Random(n)) for n in range(20_000)]
    counts = Counter(drawn)
    assert all(weights[place] for place in counts)
    for place, weight in enumerate(weights):
        assert counts[place] / 20_000 == pytest.approx(weight / sums[-1], abs=0.004)
    again = [_pick(others, Random(n)) for n in range(20_000)]
    assert sum(a != b for a, b in zip(drawn, again, strict=True)) < 0.02 * 20_000
