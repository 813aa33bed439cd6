"""The CTM as its users meet it: padding, growth of M, decays, sizes, the file of weights, the best spans."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from ctm.model.attention import MASK_VALUE
from ctm.model.config import CTMConfig
from ctm.model.decoding import TOP_CELLS, best_spans
from ctm.model.heads import certainty
from ctm.model.model import CTM
from ctm.model.nlm import NeuronLevelModels
from ctm.model.synchronization import draw_pairs
from ctm.model.weights import load_model, load_weights, save_weights

CONFIG = CTMConfig(
    vocabulary=40, diagnoses=6, width=32, heads=4, neurons=48, ticks=5, memory=4, nlm_hidden=4, blocks=2,
    action_pairs=24, out_pairs=24, self_pairs=4, units=4,
)  # fmt: skip


def make_model(config: CTMConfig = CONFIG, seed: int = 0) -> CTM:
    torch.manual_seed(seed)
    model = CTM(config)
    with torch.no_grad():
        for parameter in (model.sync_action.decay, model.sync_out.decay):
            parameter.uniform_(0, 1)
    return model.eval()


def make_inputs(lengths: list[int], cells: int) -> dict[str, Tensor]:
    """Random cells; what stands behind `lengths` is as random, so that nothing may depend on it."""
    draw = torch.Generator().manual_seed(1)
    inputs = {n: torch.randint(40, (len(lengths), cells), generator=draw) for n in ("tokens", "rows", "cols")}
    diagnosis = torch.stack([torch.tensor([n // 2, 3]) for n in lengths])
    return {**inputs, "lengths": torch.tensor(lengths), "diagnosis": diagnosis}


@torch.no_grad()
@pytest.mark.parametrize(("dtype", "close"), [(torch.float32, 1e-5), (torch.float64, 1e-10)])
def test_a_sample_thinks_the_same_alone_and_in_a_batch(dtype: torch.dtype, close: float) -> None:
    model = make_model().to(dtype)
    lengths = [17, 1, 30, 9]
    inputs = make_inputs(lengths, 34)
    together = model(**inputs)
    for number, length in enumerate(lengths):
        one = {k: v[number : number + 1] for k, v in inputs.items()}
        alone = model(**{k: v[:, :length] if k in ("tokens", "rows", "cols") else v for k, v in one.items()})
        for name in ("certainty", "readout"):
            torch.testing.assert_close(
                getattr(together, name)[number], getattr(alone, name)[0], rtol=close, atol=close
            )
        pointers = together.pointers[number]
        torch.testing.assert_close(pointers[..., :length], alone.pointers[0], rtol=close, atol=close)
        assert (pointers[..., length:].exp() == 0).all(), "a pointer can land on padding"


@torch.no_grad()
@pytest.mark.parametrize("nlm", ["deep", "linear"])
def test_a_longer_memory_changes_nothing_at_first(nlm: str) -> None:
    config = dataclasses.replace(CONFIG, nlm=nlm)
    before = make_model(config).double()
    after = CTM(dataclasses.replace(config, memory=9)).double()
    after.load_state_dict(after.grown(before.state_dict()))
    inputs = make_inputs([12, 7], 12)
    one, two = before(**inputs, ticks=8), after.eval()(**inputs, ticks=8)
    torch.testing.assert_close(one.pointers, two.pointers, rtol=0, atol=1e-12)
    torch.testing.assert_close(one.readout, two.readout, rtol=0, atol=1e-12)
    kept = after.nlm.layers[0].weight[:, :, -4:]
    assert torch.equal(kept, before.nlm.layers[0].weight), "the newest M weights are kept"


def test_memory_cannot_shrink() -> None:
    with pytest.raises(ValueError, match="memory is 2; the stage before has 4"):
        CTM(dataclasses.replace(CONFIG, memory=2)).grown(make_model().state_dict())


def test_grown_memory_learns() -> None:
    """Zero weights on zero traces must not stay zero: the trace fills up during a thought."""
    model = CTM(dataclasses.replace(CONFIG, memory=8))
    model.load_state_dict(model.grown(make_model().state_dict()))
    model(**make_inputs([12, 7], 12), ticks=8).pointers[:, -1, 0, 0].sum().backward()
    assert (model.nlm.layers[0].weight.grad[:, :, :4].abs().amax(dim=(0, 1)) > 0).all()


def test_decays_stay_in_range_after_a_step() -> None:
    model = make_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    model(**make_inputs([6], 6))
    for module in (model.sync_action, model.sync_out):
        module.decay.grad = torch.linspace(-40, 40, len(module.decay))
    optimizer.step()
    assert model.sync_out.decay.min() < 0
    model.after_step()
    for module in (model.sync_action, model.sync_out):
        assert module.decay.min() >= 0 and module.decay.max() <= 15
    assert model(**make_inputs([6], 6)).pointers.isfinite().all()


def test_the_full_model_has_about_15_million_parameters() -> None:
    model = CTM(CTMConfig())
    counts = model.parameter_counts()
    assert 14e6 <= counts["body"] <= 16e6
    tables = [m for m in model.modules() if isinstance(m, nn.Embedding)]
    assert counts["embedding"] == sum(t.weight.numel() for t in tables) > 8192 * 512
    assert sum(counts.values()) == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"width": 30}, "width 30 must be a multiple of heads 4"),
        ({"kernel": 4}, "kernel 4 must be odd"),
        ({"blocks": 5}, "blocks 5 must be 0 to 4"),
        ({"nlm": "wide"}, "nlm 'wide'"),
        ({"ticks": 0}, "ticks is 0 and memory"),
        ({"pairing": "all"}, "pairing 'all' must be one of random-pairing, random, first-last"),
        ({"self_pairs": 99}, "self_pairs is 99"),
    ],
)
def test_impossible_sizes_are_refused(wrong: dict[str, int | str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(CONFIG, **wrong)


def test_pairs_are_fixed_by_their_seed() -> None:
    left, right = draw_pairs(100, 60, "random-pairing", 8, 3)
    again = draw_pairs(100, 60, "random-pairing", 8, 3)
    assert torch.equal(left, again[0]) and torch.equal(right, again[1])
    assert (left[:8] == right[:8]).all() and len(set(left[:8].tolist())) == 8
    assert (draw_pairs(100, 60, "random-pairing", 8, 4)[0] != left).any()


def test_dense_pairings_take_all_pairs_of_few_neurons() -> None:
    last, first = draw_pairs(100, 55, "first-last", 0, 0), draw_pairs(100, 55, "first-last", 0, 1)
    assert max(p.max() for p in first) == 9, (
        "the out set (odd seed) is among the first ten, as in the public code"
    )
    assert min(p.min() for p in last) == 90
    assert len(set(zip(*(p.tolist() for p in first), strict=True))) == 55, (
        "every pair among ten neurons, once"
    )
    left, right = draw_pairs(1000, 55, "random", 0, 3)
    one, other = left[[0, 10, 19, 27, 34, 40, 45, 49, 52, 54]], right[:10]  # each row's first, the first row
    wanted = [(int(one[i]), int(other[j])) for i in range(10) for j in range(i, 10)]
    assert list(zip(left.tolist(), right.tolist(), strict=True)) == wanted, "two sets of ten, paired densely"
    assert len(set(one.tolist()) | set(other.tolist())) > 15, "and two different sets"
    cut = draw_pairs(1000, 50, "random", 0, 3)
    assert torch.equal(cut[0], left[:50]) and torch.equal(cut[1], right[:50])
    with pytest.raises(ValueError, match="need more than 5 neurons"):
        draw_pairs(5, 16, "first-last", 0, 0)


@torch.no_grad()
def test_neurons_do_not_share_weights() -> None:
    """Batched products over [D, M, B] equal the paper's einsum over [B, D, M], neuron for neuron."""
    torch.manual_seed(0)
    nlm = NeuronLevelModels(6, 5, 3, "deep", 0.0)
    trace = torch.randn(6, 5, 4)
    x = (
        torch.einsum("bdm,dhm->bdh", trace.permute(2, 0, 1), nlm.layers[0].weight)
        + nlm.layers[0].bias[..., 0]
    )
    x = nn.functional.glu(x, dim=-1)
    x = torch.einsum("bdm,dhm->bdh", x, nlm.layers[1].weight) + nlm.layers[1].bias[..., 0]
    torch.testing.assert_close(nlm(trace), nn.functional.glu(x, dim=-1)[..., 0])
    changed = trace.clone()
    changed[2] += 1
    assert ((nlm(changed) != nlm(trace)).any(0) == (torch.arange(6) == 2)).all()


def test_certainty_is_one_for_a_sure_pointer_and_zero_for_a_flat_one() -> None:
    flat = torch.full((1, 1, 2, 8), -torch.log(torch.tensor(8.0)).item())
    sure = torch.full((1, 1, 2, 8), MASK_VALUE)
    sure[..., 3] = 0
    lengths = torch.tensor([8])
    assert certainty(flat, lengths).item() == pytest.approx(0, abs=1e-6)
    assert certainty(sure, lengths).item() == pytest.approx(1, abs=1e-6)
    assert certainty(torch.zeros(1, 1, 2, 1), torch.tensor([1])).item() == 1, (
        "an empty text leaves nothing to doubt"
    )


def _brute_force(pointers: Tensor, cells: list[list[int]]) -> list[tuple[float, int, int]]:
    start, end = pointers.tolist()
    return sorted(((start[i] + end[j], i, j) for i in cells[0] for j in cells[1] if i <= j), reverse=True)


def test_best_spans_against_brute_force() -> None:
    draw = torch.Generator().manual_seed(2)
    for cells in (1, 2, 5, 19, TOP_CELLS, 90):
        pointers = torch.log_softmax(3 * torch.randn(3, 2, cells, generator=draw), dim=-1)
        spans, value = best_spans(pointers, 10)
        for number in range(3):
            # with more cells than TOP_CELLS only the likeliest starts and ends are combined
            likely = [row.topk(min(TOP_CELLS, cells)).indices.tolist() for row in pointers[number]]
            wanted = _brute_force(pointers[number], likely)[:10]
            assert value[number, : len(wanted)].tolist() == pytest.approx([w[0] for w in wanted], abs=1e-5)
            assert [tuple(s) for s in spans[number, : len(wanted)].tolist()] == [w[1:] for w in wanted]
            assert (value[number, len(wanted) :] < MASK_VALUE / 2).all(), (
                "fewer spans than asked for: the rest count for nothing"
            )
            assert wanted[0] == _brute_force(pointers[number], [list(range(cells))] * 2)[0]
        assert (spans >= 0).all() and (spans < cells).all() and (spans[..., 0] <= spans[..., 1]).all()


@torch.no_grad()
def test_weights_come_back_with_their_config(tmp_path: Path) -> None:
    model = make_model()
    path = tmp_path / "deep" / "stage.safetensors"
    save_weights(path, model, {"stage": "one"})
    assert [p.name for p in path.parent.iterdir()] == [path.name], "no temporary file is left"
    content = path.read_bytes()
    for _ in range(4):
        save_weights(path, model, {"stage": "one"})
        assert path.read_bytes() == content, "the same weights are the same file"
    again = load_model(path)
    assert again.config == model.config and not again.training
    inputs = make_inputs([9, 4], 9)
    assert torch.equal(again(**inputs).pointers, model(**inputs).pointers)
    assert load_weights(path)[0] == CONFIG


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    save_file({"x": torch.zeros(2)}, path, {"format_version": "1"})
    with pytest.raises(
        ValueError, match=r"other\.safetensors: weights of format_version 1; this version reads 3"
    ):
        load_model(path)


def test_any_changed_byte_of_weights_is_found(tmp_path: Path) -> None:
    """Each byte of the header, and some of the tensors'; the half, and nothing."""
    path = tmp_path / "stage.safetensors"
    save_weights(path, make_model(), {"stage": "one"})
    good, wanted = path.read_bytes(), load_weights(path)
    header = 8 + int.from_bytes(good[:8], "little")
    for place in [*range(0, header, 7), *range(header, len(good), len(good) // 40), len(good) - 1]:
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        try:
            config, tensors = load_weights(path)
        except ValueError as error:
            assert str(path) in str(error), "the file is named"
        else:  # in a space behind the header, or in the name of the checksum
            assert place < header and config == wanted[0]
            assert all(torch.equal(tensors[name], value) for name, value in wanted[1].items())
    for cut in (0, 5, header - 1, len(good) // 2, len(good) - 1):
        path.write_bytes(good[:cut])
        with pytest.raises(ValueError, match=r"stage\.safetensors: .*damaged"):
            load_weights(path)


def test_weights_of_before_there_were_checksums_load(tmp_path: Path) -> None:
    path = tmp_path / "old.safetensors"
    save_weights(path, make_model())
    with safe_open(path, "pt") as file:
        metadata = {k: v for k, v in file.metadata().items() if k != "sha256"}
        save_file({name: file.get_tensor(name) for name in file.keys()}, path, metadata)  # noqa: SIM118
    assert load_model(path).config == CONFIG


def test_ticks_can_be_chosen_at_run_time() -> None:
    model = make_model()
    inputs = make_inputs([9, 4], 9)
    few, many = model(**inputs, ticks=2), model(**inputs, ticks=7)
    assert few.certainty.shape == (2, 2) and many.pointers.shape == (2, 7, 2, 9)
    assert torch.equal(few.pointers, many.pointers[:, :2]), "a tick does not know how many follow"
