"""The rival of ctm_forward and ctm_train: the thought as the public reference is built, with our weights.

Structure of SakanaAI/continuous-thought-machines (models/ctm.py), written anew: keys and values are projected from the
code at every tick, the trace lies as [B, D, M], and the neuron-level models are an einsum "bdm,mhd->bdh". Encoder,
synapse, synchronization and pointers are the same modules on both sides. Each benchmark gives two ratios: of the
thought alone (from the encoded code on), and with the encoder, whose cost is the same for both.
"""

from __future__ import annotations

import copy
import math
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ctm.model.attention import KeyValues
from ctm.model.backbone import padding_mask
from ctm.model.config import CTMConfig
from ctm.model.model import CTM, CTMEncoding

NAME = "plain transcription: keys and values at every tick, einsum NLM"
TICKS = int(os.environ.get("CTM_BENCH_TICKS", "64"))
ROUNDS = int(os.environ.get("CTM_BENCH_ROUNDS", "3"))
BATCH, CELLS = 24, 256


class PlainCTM(nn.Module):
    """A copy of `model` that thinks as the reference does; NLM weights [M, H, D]."""

    def __init__(self, model: CTM) -> None:
        super().__init__()
        self.model = copy.deepcopy(model)
        layers = self.model.nlm.layers
        self.weights = nn.ParameterList(
            layer.get_parameter("weight").detach().permute(2, 1, 0).contiguous() for layer in layers
        )
        self.biases = nn.ParameterList(
            layer.get_parameter("bias").detach().squeeze(2).unsqueeze(0).contiguous() for layer in layers
        )

    def neurons(self, trace: Tensor) -> Tensor:
        """Trace [B, D, M] -> post-activations [B, D]."""
        x = trace
        for weight, bias, temperature in zip(
            self.weights, self.biases, self.model.nlm.temperature, strict=True
        ):
            x = F.glu((torch.einsum("bdm,mhd->bdh", x, weight) + bias) / temperature, dim=-1)
        return x.squeeze(-1)

    def read(self, sync: Tensor, normed: Tensor, mask: Tensor) -> Tensor:
        """One query a sample over keys and values made now: [B, n], [B, N, d] -> [B, d]."""
        attention = self.model.attention
        batch, cells, width = normed.shape
        query = attention.query(sync).view(batch, attention.heads, 1, -1)
        key, value = (
            part.view(batch, cells, attention.heads, -1).transpose(1, 2)
            for part in attention.key_value(normed).chunk(2, dim=-1)
        )
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        weights = torch.softmax(scores + mask[:, None, None, :], dim=-1)
        return attention.out((weights @ value).transpose(1, 2).reshape(batch, width))

    def forward(self, h: Tensor, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
        """Log-probabilities of start and end [B, T, 2, N] and S_out [B, T, n] from the encoding h."""
        model = self.model
        encoding = memory_of(model, h, inputs, with_attention=False)
        state = model.start(encoding)
        assert isinstance(state.trace, Tensor)  # without attention: no buffer
        normed = model.attention.norm(h)
        trace = state.trace.permute(2, 0, 1)
        z, alpha, beta = state.z, state.alpha_action, state.beta_action
        alpha_out, beta_out = state.alpha_out, state.beta_out
        pointers, syncs = [], []
        for _ in range(model.config.ticks):
            sync, alpha, beta = model.sync_action(z, alpha, beta)
            pre = model.synapse(torch.cat([self.read(sync, normed, encoding.mask), z], dim=-1))
            trace = torch.cat([trace[:, :, 1:], pre.unsqueeze(-1)], dim=-1)
            z = self.neurons(trace)
            sync_out, alpha_out, beta_out = model.sync_out(z, alpha_out, beta_out)
            syncs.append(sync_out)
            pointers.append(model.pointers(sync_out[:, None], h, encoding.mask))
        return torch.cat(pointers, dim=1), torch.stack(syncs, dim=1)


def encode(model: CTM, inputs: dict[str, Tensor]) -> Tensor:
    """The code's encoding h [B, N, d], the same work on both sides."""
    places = (inputs[name] for name in ("tokens", "rows", "cols", "diagnosis"))
    return model.backbone(*places, padding_mask(inputs["lengths"], CELLS, torch.float32))


def memory_of(model: CTM, h: Tensor, inputs: dict[str, Tensor], with_attention: bool = True) -> CTMEncoding:
    """What `model.encode` makes of h."""
    code = model.attention.keys_and_values(h) if with_attention else KeyValues(h, h)
    mask = padding_mask(inputs["lengths"], CELLS, h.dtype)
    copies = h.transpose(1, 2)  # not part of what is compared
    return CTMEncoding(inputs["tokens"], inputs["lengths"], mask, h, h, code, copies)


def think(model: CTM, h: Tensor, inputs: dict[str, Tensor]) -> tuple[Tensor, Tensor]:
    """Ours: pointers [B, T, 2, N] and S_out [B, T, n], with the model's own ticks."""
    encoding = memory_of(model, h, inputs)
    synchronization = model.run_ticks(encoding, model.config.ticks)
    return model.predict_span(synchronization, encoding)[0], synchronization


def both() -> tuple[CTM, PlainCTM, dict[str, Tensor]]:
    """Both models at D 1024, M 32, d 512 (the full-scale defaults) with the same weights, and a batch."""
    torch.manual_seed(0)
    model = CTM(CTMConfig(ticks=TICKS))
    inputs = {
        "tokens": torch.randint(5, model.config.vocabulary, (BATCH, CELLS)),
        "rows": (torch.arange(CELLS) // 8).expand(BATCH, -1).contiguous(),
        "cols": (torch.arange(CELLS) % 8).expand(BATCH, -1).contiguous(),
        "lengths": torch.full((BATCH,), CELLS),
        "diagnosis": torch.tensor([[20, 3]]).expand(BATCH, -1).contiguous(),
    }
    return model, PlainCTM(model), inputs


def medians(ours: Callable[[], object], rival: Callable[[], object]) -> tuple[float, float]:
    """Median seconds of each over ROUNDS alternating rounds, on one thread; one unmeasured round before."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        seconds: tuple[list[float], list[float]] = ([], [])
        for number in range(ROUNDS + 1):
            for side, work in enumerate((ours, rival)):
                started = time.perf_counter()
                work()
                if number:
                    seconds[side].append(time.perf_counter() - started)
        return statistics.median(seconds[0]), statistics.median(seconds[1])
    finally:
        torch.set_num_threads(threads)


def record(name: str, ours: Callable[[], object], rival: Callable[[], object]) -> dict[str, Any]:
    """Samples a second of both as a record of `benchmarks/run.py`."""
    fast, slow = (BATCH / seconds for seconds in medians(ours, rival))
    return {
        "name": name, "unit": "samples/s", "ours": fast, "rival": slow, "rival_name": NAME, "ratio": fast / slow,
        "n": ROUNDS, "threads": 1,
    }  # fmt: skip
