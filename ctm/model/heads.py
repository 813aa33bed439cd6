"""The heads, which turn a readout into an edit: pointers to the span, their certainty, and the replacement's units."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ctm.model.attention import MASK_VALUE
from ctm.model.config import ModelSizes


class PointerHead(nn.Module):
    """Start and end of the span: <W S_out, W' h_p> over the cells p <= L.

    Taken as <W'^T W S_out, h_p>: W' meets a tick's one query instead of all cells, and nothing but h is remembered. A
    bias of W' would add the same to all cells, so there is none.
    """

    def __init__(self, sync: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(sync, 2 * width)
        self.key = nn.Linear(width, 2 * width, bias=False)

    def forward(self, sync: Tensor, h: Tensor, mask: Tensor) -> Tensor:
        """Log-probabilities [B, T, 2, N], at least float32, from sync [B, T, n], h [B, N, d] and mask [B, N]."""
        batch, ticks, _ = sync.shape
        width = h.shape[2]
        asked = self.query(sync).view(batch * ticks, 2, width).transpose(0, 1)
        asked = (
            (asked @ self.key.weight.view(2, width, width)).transpose(0, 1).reshape(batch, 2 * ticks, width)
        )
        logits = (asked @ h.transpose(1, 2)).view(batch, ticks, 2, -1) / math.sqrt(width)
        logits = logits if logits.dtype == torch.float64 else logits.float()
        return torch.log_softmax(logits + mask[:, None, None, :], dim=-1)


def certainty(log_probability: Tensor, lengths: Tensor) -> Tensor:
    """1 - mean(entropy of start, of end) / log(L + 1), [B, T]; 1 where L = 0.

    log_probability: [B, T, 2, N]. lengths: L + 1, [B].
    """
    entropy = -(log_probability.exp() * log_probability).sum(-1).mean(2)
    most = torch.log(lengths.to(entropy.dtype)).clamp(min=1e-6)[:, None]
    return torch.where(lengths[:, None] > 1, 1 - entropy / most, torch.ones_like(entropy))


class ReplacementHead(nn.Module):
    """Parallel slots over the vocabulary (STOP among it) and copies of the words that begin at cells.

    Output embeddings are the input ones (tied), so a token learns from every place it stands in.
    """

    starts_word: Tensor

    def __init__(self, config: ModelSizes) -> None:
        super().__init__()
        width = config.width
        self.thought = nn.Linear(config.readout_width, width)
        self.place = nn.Linear(2 * width, width)
        self.slot = nn.Embedding(config.units, width)
        self.hidden = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, 2 * width),
            nn.GELU(approximate="tanh"),
            nn.Linear(2 * width, width),
        )
        self.norm = nn.LayerNorm(width)
        self.token = nn.Linear(width, width)
        self.bias = nn.Parameter(torch.zeros(config.vocabulary))
        self.copy_query = nn.Linear(width, width)
        self.copy_key = nn.Linear(width, width)
        self.register_buffer("starts_word", torch.zeros(config.vocabulary, dtype=torch.bool))

    def copy_keys(self, h: Tensor) -> Tensor:
        """Keys of the copies [B, d, N], from h [B, N, d]; once a thought."""
        return self.copy_key(h).transpose(1, 2).contiguous()

    def span_features(self, h: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """What lies at the ends of k spans, [B, k, d], from h [B, N, d] and their cells, int64 [B, k]."""
        width = h.shape[-1]
        first, last = (h.gather(1, cell[:, :, None].expand(-1, -1, width)) for cell in (start, end))
        return self.place(torch.cat([first, last], dim=-1))

    def slot_features(self, x: Tensor) -> Tensor:
        """States of slots [..., d], from the sum of `thought(sync)`, `span_features` and the slots' embeddings."""
        return self.norm(x + self.hidden(x))

    def slots(self, sync: Tensor, h: Tensor, start: Tensor, end: Tensor) -> Tensor:
        """States of all slots [B, k, units, d] from sync [B, n], h [B, N, d] and k spans' cells, int64 [B, k]."""
        spans = self.thought(sync)[:, None] + self.span_features(h, start, end)
        return self.slot_features(spans[:, :, None] + self.slot.weight)

    def vocabulary(self, slots: Tensor, embedding: Tensor) -> Tensor:
        """Logits [..., V] of slots [..., d] with the embedding [V, d]."""
        return F.linear(self.token(slots), embedding, self.bias)

    def copies(self, slots: Tensor, keys: Tensor, tokens: Tensor) -> Tensor:
        """Logits [B, u, N] of slots [B, u, d]: copy the word that begins at a cell; MASK_VALUE where none begins."""
        logits = self.copy_query(slots) @ keys / math.sqrt(keys.shape[1])
        allowed = self.starts_word[tokens][:, None, :]
        return torch.where(allowed, logits, torch.full_like(logits, MASK_VALUE))
