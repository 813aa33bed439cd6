"""Training samples a second against a plain transcription with the same weights: forward, loss, backward.

The loss is the pointers' part at the lowest and at the most certain tick, the same lines on both sides; the head over
the vocabulary and the optimizer, which are the same for both, are left out. Sizes as in ctm_forward; gradients agree.
`ctm_train` is the thought (gradients reach the encoded code), `ctm_train_with_encoder` goes on through the encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from _plain_ctm import BATCH, CELLS, PlainCTM, both, encode, memory_of, record
from torch import Tensor, nn

from ctm.model.heads import certainty
from ctm.model.model import CTM

ANSWERS = torch.randint(CELLS, (BATCH,), generator=torch.Generator().manual_seed(1))
"""The cell that both pointers of each sample should point to."""


def chosen(pointers: Tensor, inputs: dict[str, Tensor], answer: Tensor) -> Tensor:
    """The ticks of the loss, int64 [B, 2]: where it is lowest, and the most certain one; from [B, T, 2, N]."""
    sure = certainty(pointers, inputs["lengths"])
    return torch.stack([_losses(pointers, answer).argmin(1), sure.argmax(1)], dim=1)


def _losses(pointers: Tensor, answer: Tensor) -> Tensor:
    rows = torch.arange(len(answer))
    return -(pointers[rows, :, 0, answer] + pointers[rows, :, 1, answer])


def ours(model: CTM, h: Tensor, inputs: dict[str, Tensor], answer: Tensor) -> Tensor:
    """As in training: what all ticks say without gradient, then the chosen ones with it."""
    memory = memory_of(model, h, inputs)
    sync = model.run_ticks(memory, model.config.ticks)
    with torch.no_grad():
        ticks = chosen(model.predict_span(sync, memory)[0], inputs, answer)
    pointers, _ = model.predict_span(sync[torch.arange(len(answer))[:, None], ticks], memory)
    return _losses(pointers, answer).mean()


def rival(plain: PlainCTM, h: Tensor, inputs: dict[str, Tensor], answer: Tensor) -> Tensor:
    """The plain transcription: gradient through what all ticks say."""
    pointers, _ = plain(h, inputs)
    return _losses(pointers, answer).gather(1, chosen(pointers.detach(), inputs, answer)).mean()


def run() -> list[dict[str, Any]]:
    """Samples a second, float32, one thread."""
    model, plain, inputs = both()
    model.train(), plain.train()
    with torch.no_grad():
        encoded = encode(model, inputs)
    leaves = [encoded.clone().requires_grad_() for _ in range(2)]

    def step(module: nn.Module, loss_of: Callable[..., Tensor], h: Callable[[], Tensor]) -> Tensor:
        module.zero_grad(set_to_none=True)
        loss = loss_of(module, h(), inputs, ANSWERS)
        loss.backward()
        return loss.detach()

    def fresh(leaf: Tensor) -> Tensor:
        leaf.grad = None
        return leaf

    def mine() -> Tensor:
        return step(model, ours, lambda: fresh(leaves[0]))

    def theirs() -> Tensor:
        return step(plain, rival, lambda: fresh(leaves[1]))

    torch.testing.assert_close(mine(), theirs(), rtol=0, atol=1e-4)
    assert leaves[0].grad is not None and leaves[1].grad is not None
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad, rtol=1e-3, atol=1e-5)
    wanted = dict(plain.model.named_parameters())
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not name.startswith("nlm.layers"):
            torch.testing.assert_close(parameter.grad, wanted[name].grad, rtol=1e-3, atol=1e-4, msg=name)
    first = model.nlm.layers[0].weight.grad
    torch.testing.assert_close(first, plain.weights[0].grad.permute(2, 1, 0), rtol=1e-3, atol=1e-4)
    return [
        record("ctm_train", mine, theirs),
        record(
            "ctm_train_with_encoder",
            lambda: step(model, ours, lambda: encode(model, inputs)),
            lambda: step(plain, rival, lambda: encode(plain.model, inputs)),
        ),
    ]


if __name__ == "__main__":
    print(*run(), sep="\n")
