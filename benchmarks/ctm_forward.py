"""Thoughts a second without gradient against a plain transcription with the same weights.

D 1024, M 32, B 24, 256 cells, attention width 512, T from CTM_BENCH_TICKS (16). Both give the same pointers to 1e-4.
`ctm_forward` is the thought from the encoded code on, `ctm_forward_with_encoder` the whole of it.
"""

from __future__ import annotations

from typing import Any

import torch
from _plain_ctm import both, encode, record, think


@torch.no_grad()
def run() -> list[dict[str, Any]]:
    """Samples a second, float32, one thread."""
    model, plain, inputs = both()
    model.eval(), plain.eval()
    h = encode(model, inputs)
    for mine, theirs, whole in zip(
        think(model, h, inputs), plain(h, inputs), _said(model, inputs), strict=True
    ):
        torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-4)
        torch.testing.assert_close(mine, whole, rtol=0, atol=1e-4)
    return [
        record("ctm_forward", lambda: think(model, h, inputs), lambda: plain(h, inputs)),
        record(
            "ctm_forward_with_encoder",
            lambda: model(**inputs),
            lambda: plain(encode(plain.model, inputs), inputs),
        ),
    ]


def _said(model, inputs) -> tuple[torch.Tensor, torch.Tensor]:  # type: ignore[no-untyped-def]
    thought = model(**inputs)
    return thought.pointers, thought.readout


if __name__ == "__main__":
    print(*run(), sep="\n")
