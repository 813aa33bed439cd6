"""Training samples a second against a plain transcription with the same weights: forward, loss, backward.

The loss is the pointers' part at the lowest and at the most certain tick, the same lines on both sides; the head over
the vocabulary and the optimiser, which are the same for both, are left out. Sizes as in ctm_forward; gradients agree.
`ctm_train` is the thought (gradients reach the encoded code), `ctm_train_with_encoder` goes on through the encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from _plain_ctm import BATCH, CELLS, both, encode, record, think
from torch import Tensor, nn

from ctm.model.heads import certainty


def two_tick_loss(pointers: Tensor, inputs: dict[str, Tensor], answer: Tensor) -> Tensor:
    """Mean of the loss at the lowest and at the most certain tick, from log-probabilities [B, T, 2, N]."""
    rows = torch.arange(len(answer))
    loss = -(pointers[rows, :, 0, answer] + pointers[rows, :, 1, answer])
    sure = torch.stack([certainty(p, inputs["lengths"]) for p in pointers.detach().unbind(1)], dim=1)
    return (loss[rows, loss.argmin(1)] + loss[rows, sure.argmax(1)]).mean() / 2


def run() -> list[dict[str, Any]]:
    """Samples a second, float32, one thread."""
    model, plain, inputs = both()
    model.train(), plain.train()
    answer = torch.randint(CELLS, (BATCH,), generator=torch.Generator().manual_seed(1))
    with torch.no_grad():
        encoded = encode(model, inputs)
    leaves = [encoded.clone().requires_grad_() for _ in range(2)]

    def step(module: nn.Module, pointers: Callable[[], Tensor]) -> Tensor:
        module.zero_grad(set_to_none=True)
        loss = two_tick_loss(pointers(), inputs, answer)
        loss.backward()
        return loss.detach()

    def ours() -> Tensor:
        leaves[0].grad = None
        return step(model, lambda: think(model, leaves[0], inputs)[0])

    def rival() -> Tensor:
        leaves[1].grad = None
        return step(plain, lambda: plain(leaves[1], inputs)[0])

    torch.testing.assert_close(ours(), rival(), rtol=0, atol=1e-4)
    assert leaves[0].grad is not None and leaves[1].grad is not None
    torch.testing.assert_close(leaves[0].grad, leaves[1].grad, rtol=1e-3, atol=1e-5)
    wanted = dict(plain.model.named_parameters())
    for name, parameter in model.named_parameters():
        if parameter.grad is not None and not name.startswith("nlm.layers"):
            torch.testing.assert_close(parameter.grad, wanted[name].grad, rtol=1e-3, atol=1e-4, msg=name)
    first = model.nlm.layers[0].weight.grad
    torch.testing.assert_close(first, plain.weights[0].grad.permute(2, 1, 0), rtol=1e-3, atol=1e-4)
    return [
        record("ctm_train", ours, rival),
        record(
            "ctm_train_with_encoder",
            lambda: step(model, lambda: model(**inputs).pointers),
            lambda: step(plain, lambda: plain(encode(plain.model, inputs), inputs)[0]),
        ),
    ]


if __name__ == "__main__":
    print(*run(), sep="\n")
