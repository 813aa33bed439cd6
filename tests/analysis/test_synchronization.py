"""The synchronization of a tiny untrained model: what ablation and patching do, and the whole analysis."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ctm.analysis.settings import SynchronizationSettings
from ctm.analysis.synchronization import reading
from ctm.analysis.synchronization.ablation import ablation_figures, log_likelihoods, pair_effects
from ctm.analysis.synchronization.analyze import analyze_synchronization
from ctm.analysis.synchronization.patching import (
    ANOTHERS_BROKEN,
    ANOTHERS_TWIN,
    BACK,
    ITS_TWIN,
    MORE,
    MORE_THAN_BROKEN,
    after_more_ticks,
    next_one,
    readout_of,
    says_no_edit,
    think_through,
)
from ctm.evaluation.thoughts import AskedItems, by_line, draw_asked, record_thoughts
from ctm.evaluation.twins import LENGTHS, SAME, SEVERAL, twin_batches, twins_of
from ctm.grid.tokenizer import CodeTokenizer
from ctm.model.model import CTM
from ctm.model.weights import save_weights
from ctm.pairs.record import Origin, make_pair, write_pairs
from ctm.pipeline.synchronization_section import synchronization_section
from ctm.training.initial import new_ctm
from helpers import real_code

SIZES = {
    "width": 32, "heads": 2, "neurons": 32, "ticks": 3, "memory": 3, "nlm_hidden": 4, "synapse_depth": 2,
    "action_pairs": 16, "out_pairs": 24, "self_pairs": 4, "blocks": 1,
}  # fmt: skip
TINY = SynchronizationSettings(
    items=60, folds=2, fewest=4, random_labels=2, ablated=20, patched=60, shown=6, dpi=50
)


@pytest.fixture(scope="module")
def tokenizer() -> CodeTokenizer:
    return CodeTokenizer.train(real_code.functions(shorter_than=8), 700)


@pytest.fixture(scope="module")
def model(tokenizer: CodeTokenizer) -> CTM:
    torch.set_num_threads(1)
    return new_ctm(SIZES, tokenizer, 3).eval()


@pytest.fixture(scope="module")
def test_pairs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pairs of four projects in three categories: lost colons, two errors, swapped names, clean code."""
    rows = []
    for number, text in enumerate(real_code.functions(shorter_than=8)[:80]):
        buggy, category, kind = real_code.broken(text, number)
        if category == "clean" and number % 2 and "self" in text:
            buggy, category, kind = text.replace("self", "text", 1), "logic", "name"
        made = {"category": category, "kind": kind, "source": "mutation", "split": "test"}
        rows.append(make_pair(buggy, text, **made, group=f"project {number % 4}", origin=Origin()))
    path = tmp_path_factory.mktemp("pairs") / "test.parquet"
    write_pairs(path, rows)
    return path


@pytest.fixture(scope="module")
def items(test_pairs: Path, tokenizer: CodeTokenizer) -> AskedItems:
    return draw_asked(test_pairs, tokenizer, 60, 0)[0]


def test_pair_that_the_heads_do_not_read_has_no_effect(
    model: CTM, items: AskedItems, tokenizer: CodeTokenizer
) -> None:
    deaf = new_ctm(SIZES, tokenizer, 3).eval()
    with torch.no_grad():
        for layer in (deaf.pointers.query, deaf.units.thought):
            layer.weight[:, 7] = 0
    thoughts = record_thoughts(deaf, items)
    effects = pair_effects(deaf, items, thoughts.at_answer(thoughts.readout))
    assert np.abs(effects.loss[:, 7]).max() < 1e-5
    assert np.abs(effects.loss).mean(axis=0).argmin() == 7 and np.abs(effects.loss[:, 8]).max() > 1e-4


@torch.inference_mode()
def test_effect_of_a_pair_is_what_setting_it_to_its_mean_costs(model: CTM, items: AskedItems) -> None:
    thoughts = record_thoughts(model, items)
    readout = thoughts.at_answer(thoughts.readout)
    effects = pair_effects(model, items, readout)
    without = readout.copy()
    without[:, 5] = readout[:, 5].mean()
    for batch in items.batches(model):
        own, other = (torch.from_numpy(x[batch.places])[:, None] for x in (readout, without))
        lost = log_likelihoods(model, own, batch) - log_likelihoods(model, other, batch)
        assert lost[:, 0].numpy() == pytest.approx(effects.loss[batch.places, 5], abs=1e-4)


def test_best_pairs_stand_beside_random_ones_and_their_variance(model: CTM, items: AskedItems) -> None:
    thoughts = record_thoughts(model, items)
    readout = thoughts.at_answer(thoughts.readout)
    effects = pair_effects(model, items, readout)
    found = ablation_figures(model, items, readout, effects, TINY, np.random.default_rng(0))
    assert [row["pairs"] for row in found["by share"]] == [1, 1, 2]
    assert all(row["variance of random"] > 0 for row in found["by share"])
    most = found["by share"][-1]
    assert f"nearest variance ({most['variance of random']:.2f} times theirs)" in reading.ablation_reading(
        found
    )


@torch.inference_mode()
def test_patching_with_itself_changes_nothing(model: CTM, items: AskedItems) -> None:
    for batch in items.batches(model):
        states, readout = think_through(model, batch.encoding)
        said = says_no_edit(model, readout, batch.encoding)
        for tick, state in enumerate(states):
            after = after_more_ticks(model, state, batch.encoding, model.config.ticks - 1 - tick)
            assert torch.equal(after, readout)
            assert (says_no_edit(model, after, batch.encoding) == said).all()
        assert not torch.equal(after_more_ticks(model, next_one(states[-1]), batch.encoding, 0), readout)
        assert torch.equal(readout_of(next_one(states[-1])), readout.roll(1, 0)), "the next sample's"


@torch.inference_mode()
def test_recorded_thought_is_the_models(model: CTM, items: AskedItems) -> None:
    thoughts = record_thoughts(model, items)
    for batch in items.batches(model, 7):  # other batches than it was recorded in
        readout = model.run_ticks(batch.encoding, model.config.ticks)
        pointers, certainty = model.predict_span(readout, batch.encoding)
        assert readout.numpy() == pytest.approx(thoughts.readout[batch.places], abs=1e-4)
        assert certainty.numpy() == pytest.approx(thoughts.certainty[batch.places], abs=1e-4)
        lines = by_line(pointers[:, :, 0].exp(), batch.encoding).sum(-1)
        end = pointers[:, :, 0].exp().gather(2, (batch.encoding.lengths - 1)[:, None, None].expand(-1, 3, 1))
        assert lines.numpy() == pytest.approx(1 - end[:, :, 0].numpy(), abs=1e-4), "all but END"
    weights = thoughts.attention_lines.sum(-1)
    assert (weights > 0).all() and (weights < 1 + 1e-5).all()


@torch.inference_mode()
def test_another_twin_is_another_text(model: CTM, items: AskedItems, tokenizer: CodeTokenizer) -> None:
    """Of two bugs of one function only the first has a twin: the control would be the own one."""
    once, left_out = twins_of(items)
    again, left_out_again = twins_of(AskedItems([*items.items, *items.items], tokenizer))
    assert len(again) == len(once) and left_out_again[SAME] == left_out.get(SAME, 0) * 2 + len(once)
    for _, _, repaired in twin_batches(model, again):
        assert ((repaired.tokens != repaired.tokens.roll(1, 0)).sum(1) > 0).all()


def test_twins_differ_in_one_span_of_equal_length(model: CTM, items: AskedItems) -> None:
    twins, left_out = twins_of(items)
    assert twins and left_out[SEVERAL] and left_out[LENGTHS]
    assert len(twins) + sum(left_out.values()) == len(items), "nothing is dropped silently"
    for places, broken, repaired in twin_batches(model, twins):
        assert (broken.lengths == repaired.lengths).all()
        assert ((broken.tokens != repaired.tokens).sum(1) > 0).all() and len(places) > 1


@pytest.fixture(scope="module")
def analyzed(
    model: CTM, tokenizer: CodeTokenizer, test_pairs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp("analysis")
    save_weights(folder / "model.safetensors", model)
    tokenizer.save(folder / "tokenizer.json")
    analyze(folder, test_pairs, TINY, 2)
    return folder


def analyze(folder: Path, pairs: Path, settings: SynchronizationSettings, threads: int) -> None:
    named = (folder / name for name in ("figures.json", "pairs.csv", "heatmaps.png", "page.md"))
    analyze_synchronization(
        folder / "model.safetensors", folder / "tokenizer.json", pairs, settings, threads, *named
    )


def test_analysis_has_all_questions_with_controls(analyzed: Path) -> None:
    figures = json.loads((analyzed / "figures.json").read_text())
    found = figures["category"]["all items"]
    assert found["synchronization"]["n"] == found["n"] == sum(figures["items"].values())
    assert found["controls"].keys() == found["ahead of"].keys()
    assert {"encoder pool", "untrained synchronization", "length", "diagnosis class"} <= found[
        "controls"
    ].keys()
    assert "security" in found["left out"] and found["p"] >= 1 / 3
    assert len(figures["category"]["by tick"]) == 3
    assert {"pointer", "compiler's error", "attention", "random places"} <= figures["place"]["by group"][
        "all"
    ].keys()
    assert figures["collapse"]["trained"]["effective rank over samples, last tick"] > 1
    assert figures["patching"]["twins"] > 0 and "why" in figures["ablation"], (
        "an untrained model is never right"
    )
    page = (analyzed / "page.md").read_text()
    assert page.count("## ") == 6 and "heatmaps.png" in page and "None" not in page and "nan" not in page
    assert (analyzed / "heatmaps.png").read_bytes().startswith(b"\x89PNG")


def test_every_pair_is_in_the_table(analyzed: Path, model: CTM) -> None:
    rows = list(csv.DictReader((analyzed / "pairs.csv").open()))
    assert sorted(int(row["pair"]) for row in rows) == list(range(24))
    first = rows[0]
    pair = int(first["pair"])
    assert (
        int(first["neuron_i"]) == model.sync_out.left[pair]
        and int(first["neuron_j"]) == model.sync_out.right[pair]
    )


def test_report_has_a_section(analyzed: Path) -> None:
    figures = json.loads((analyzed / "figures.json").read_text())
    section = synchronization_section(figures, "iVBOR")
    assert section.blocks[0].table is not None and len(section.blocks[0].table.rows) == 8
    assert section.blocks[-1].png and len(section.blocks) == 8 and all(block.note for block in section.blocks)
    assert len(synchronization_section(figures).blocks) == 7


def test_threads_change_nothing(analyzed: Path, test_pairs: Path) -> None:
    before = [(analyzed / name).read_bytes() for name in ("figures.json", "pairs.csv", "page.md")]
    analyze(analyzed, test_pairs, TINY, 1)
    assert before == [(analyzed / name).read_bytes() for name in ("figures.json", "pairs.csv", "page.md")]


def test_one_project_gives_nulls_with_reasons(
    model: CTM, tokenizer: CodeTokenizer, tmp_path: Path, items: AskedItems
) -> None:
    one = [item.case.item for item in items.items[:12]]
    made = {"source": "mutation", "split": "test", "group": "only", "origin": Origin()}
    rows = [make_pair(i.buggy, i.fixed, category=i.category, kind=i.kind, **made) for i in one]
    write_pairs(tmp_path / "pairs.parquet", rows)
    save_weights(tmp_path / "model.safetensors", model)
    tokenizer.save(tmp_path / "tokenizer.json")
    analyze(tmp_path, tmp_path / "pairs.parquet", TINY, 1)
    figures = json.loads((tmp_path / "figures.json").read_text())
    for found in (figures["category"]["all items"]["synchronization"], figures["success"]["synchronization"]):
        assert found["value"] is None and found["why"]
    assert "not known" in (tmp_path / "page.md").read_text()


def test_nothing_in_scope_is_said(tokenizer: CodeTokenizer, tmp_path: Path) -> None:
    long = make_pair(
        "x = (\n" * 70, "x = 1\n" * 70, category="syntax", kind="k", source="mutation", split="test", group="g",
        origin=Origin(),
    )  # fmt: skip
    write_pairs(tmp_path / "pairs.parquet", [long])
    with pytest.raises(ValueError, match="none of 1 pairs is in scope"):
        draw_asked(tmp_path / "pairs.parquet", tokenizer, 5, 0)


def test_what_an_interval_leaves_open_is_not_said_of_a_patch() -> None:
    def text(more: float, more_than_broken: float) -> str:
        share = {"value": 0.1, "interval": [0.0, 0.2]}
        row = {"tick": 4, **dict.fromkeys((ITS_TWIN, ANOTHERS_TWIN, ANOTHERS_BROKEN, BACK), share)}
        row[MORE] = {"value": more, "interval": [more - 0.05, more + 0.05]}
        row[MORE_THAN_BROKEN] = {"value": more_than_broken, "interval": [more_than_broken - 0.05, 0.2]}
        return reading.patching_reading({"n": 73, "by tick": [row]})

    assert "not shown that the state decides" in text(0.01, 0.01) and "no more than" not in text(0.01, 0.01)
    assert "was not told apart" in text(0.01, 0.1) and "whichever code" not in text(0.01, 0.1)
    assert "beyond what the state of other repaired code does" in text(0.1, 0.1)


def test_sentences_tell_apart_only_what_the_interval_does() -> None:
    def gap(value: float, low: float, high: float) -> dict[str, object]:
        return {"value": value, "interval": [low, high], "n": 9, "projects": 3}

    assert reading.compared(gap(0.1, 0.02, 0.2), "it") == "ahead of it (+10.0, 2.0 to 20.0 points)"
    assert reading.compared(gap(-0.1, -0.2, -0.02), "it").startswith("behind it")
    assert reading.compared(gap(0.1, -0.02, 0.2), "it").startswith("not told apart from it")
    assert reading.compared({"value": 0.4, "interval": None}, "it").startswith("not told apart from it")
