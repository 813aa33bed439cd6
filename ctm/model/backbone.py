"""The encoder, which runs once per sample: cell embeddings, a local convolution, 0 to 4 attention blocks.

Empty grid cells do not exist here (packed cells), the parser's diagnosis enters as a class and as every
cell's distance to the cell that the parser names, each cell knows how far it is to the same token before and behind it
(a name that stands there once is suspect, and attention averages instead of counting), and order inside the attention
comes from rotary positions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ctm.model.attention import MASK_VALUE, product_dtype
from ctm.model.config import ModelSizes

ROWS, COLS = 64, 48
GAP_CLASSES = 12  # classes of the distance to the same token: none, 1, 2 or 3, 4 to 7, ... 1,024 or more
MAX_POSITIONS = (
    4096  # more cells than a grid has; N itself would be one more thing that the ONNX exporter must know
)
EXACT_DISTANCES = (
    16  # distances to the diagnosed cell that have a class of their own; farther ones share powers of two
)


class Block(nn.Module):
    """Pre-norm self-attention with rotary positions, then an MLP of four times the width: [B, N, d] -> [B, N, d]."""

    def __init__(self, width: int, heads: int, dropout: float) -> None:
        super().__init__()
        self.heads = heads
        self.norm_attention = nn.LayerNorm(width)
        self.norm_mlp = nn.LayerNorm(width)
        self.query_key_value = nn.Linear(width, 3 * width, bias=False)
        self.out = nn.Linear(width, width, bias=False)
        self.mlp: nn.Module = nn.Sequential(
            nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width)
        )
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        x = x + self.dropout(self.attend(self.norm_attention(x), mask, rotation))
        return x + self.dropout(self.mlp(self.norm_mlp(x)))

    def attend(self, x: Tensor, mask: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
        """What each cell reads of the others: [B, N, d] -> [B, N, d]; mask [B, 1, 1, N], rotation from `rotary`."""
        batch, cells, width = x.shape
        mixed = self.query_key_value(x).view(batch, cells, 3, self.heads, -1)
        mixed = mixed.permute(2, 0, 3, 1, 4)  # [3, B, heads, N, d/heads]
        query, key = rotate(mixed[:2], rotation)
        read = self._read(query, key, mixed[2], mask)
        return self.out(read.transpose(1, 2).reshape(batch, cells, width))

    @staticmethod
    def _read(query: Tensor, key: Tensor, value: Tensor, mask: Tensor) -> Tensor:
        if query.device.type == "cpu" and query.dtype == torch.bfloat16:
            # fused attention's backward is ten times slower than the two products in bfloat16 on CPU (torch 2.13)
            scores = (query * query.shape[-1] ** -0.5) @ key.transpose(-1, -2) + mask.to(query.dtype)
            return torch.softmax(scores, dim=-1).to(value.dtype) @ value
        return F.scaled_dot_product_attention(query, key, value, attn_mask=mask.to(value.dtype))


def rotary(cells: int, size: int, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Cosines and sines [N, size/2] of rotary position embedding (arXiv 2104.09864)."""
    rate = 10_000.0 ** (-torch.arange(0, size, 2, device=device, dtype=dtype) / size)
    angle = torch.arange(cells, device=device, dtype=dtype)[:, None] * rate
    return angle.cos(), angle.sin()


def rotation_of(x: Tensor, heads: int) -> tuple[Tensor, Tensor]:
    """`rotary` for the cells of x [B, N, d] and heads that many, in the type of its products."""
    cos, sin = rotary(x.shape[1], x.shape[2] // heads, x.device, x.dtype)
    return cos.to(product_dtype(x)), sin.to(product_dtype(x))


def rotate(x: Tensor, rotation: tuple[Tensor, Tensor]) -> Tensor:
    """Turn the halves of the last dimension of x [..., N, size] by the angles of `rotary`."""
    cos, sin = rotation
    first, second = x.chunk(2, dim=-1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


class Backbone(nn.Module):
    """tokens, rows, cols int64 [B, N], diagnosis int64 [B, 2], mask [B, N] -> h [B, N, d]."""

    def __init__(self, config: ModelSizes) -> None:
        super().__init__()
        width = config.width
        self.heads, self.kernel = config.heads, config.kernel
        self.token = nn.Embedding(config.vocabulary, width)
        self.row = nn.Embedding(ROWS, width)
        self.col = nn.Embedding(COLS, width)
        self.kind = nn.Embedding(config.diagnoses, width)
        self.distance = nn.Embedding(2 * (EXACT_DISTANCES + 8) + 2, width)
        self.before = nn.Embedding(GAP_CLASSES, width)
        self.behind = nn.Embedding(GAP_CLASSES, width)
        self.local = nn.Linear(config.kernel * width, width)
        self.norm_local = nn.LayerNorm(width)
        self.blocks = nn.ModuleList(Block(width, config.heads, config.dropout) for _ in range(config.blocks))
        self.norm = nn.LayerNorm(width)
        places = (self.row, self.col, self.kind, self.distance, self.before, self.behind)
        for table in (self.token, *places):
            nn.init.normal_(table.weight, std=0.02 if table is not self.token else 0.05)

    def forward(self, tokens: Tensor, rows: Tensor, cols: Tensor, diagnosis: Tensor, mask: Tensor) -> Tensor:
        cells = tokens.shape[1]
        x = self.token(tokens) + self.row(rows) + self.col(cols)
        x = x + self.kind(diagnosis[:, 1])[:, None] + self.distance(self._distance(cells, diagnosis[:, 0]))
        before, behind = gaps(tokens.masked_fill(mask != 0, self.token.num_embeddings))
        x = x + self.before(before) + self.behind(behind)
        real = (mask == 0).unsqueeze(-1).to(x.dtype)
        x = x + self._convolve(self.norm_local(x) * real)
        if len(self.blocks):
            rotation = rotation_of(x, self.heads)
            wide_mask = mask[:, None, None, :]
            for block in self.blocks:
                x = block(x, wide_mask, rotation)
        return self.norm(x)

    def _convolve(self, x: Tensor) -> Tensor:
        """Convolution over `kernel` cells as one matrix product of shifted copies."""
        half = self.kernel // 2
        padded = F.pad(x.to(product_dtype(x)), (0, 0, half, half))
        cells = x.shape[1]
        near = torch.cat([padded[:, k : k + cells] for k in range(self.kernel)], dim=-1)
        return F.relu(self.local(near))

    def _distance(self, cells: int, cell: Tensor) -> Tensor:
        """Class of every cell's signed distance to the diagnosed cell: int64 [B, N]; 0 where there is none."""
        steps = torch.arange(cells, device=cell.device)[None, :] - cell[:, None]
        size = steps.abs()
        far = EXACT_DISTANCES + torch.log2(
            (size.clamp(min=EXACT_DISTANCES).float()) / EXACT_DISTANCES
        ).long().clamp(max=7)
        size = torch.where(size < EXACT_DISTANCES, size, far)
        signed = torch.where(steps < 0, -size, size) + EXACT_DISTANCES + 8 + 1
        return torch.where(cell[:, None] >= 0, signed, torch.zeros_like(signed))


def gaps(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Class of every cell's distance to the same token before it and behind it, int64 [B, N] each; 0 where none is.

    tokens: int64 [B, N], N up to MAX_POSITIONS; padding has an id outside of the vocabulary.

    Sorted by token and place, equal tokens are neighbors: N log N where comparing all cells takes N squared.
    """
    order = torch.sort(
        tokens * MAX_POSITIONS + torch.arange(tokens.shape[1], device=tokens.device), dim=1
    ).values
    place, token = order % MAX_POSITIONS, order // MAX_POSITIONS
    steps = (place[:, 1:] - place[:, :-1]).clamp(min=1)
    size = (1 + torch.log2(steps.float()).long()).clamp(max=GAP_CLASSES - 1)
    size = torch.where(token[:, 1:] == token[:, :-1], size, torch.zeros_like(size))
    none = torch.zeros_like(place)
    return (
        none.scatter(1, place, F.pad(size, (1, 0))),
        none.scatter(1, place, F.pad(size, (0, 1))),
    )


def padding_mask(lengths: Tensor, cells: int, dtype: torch.dtype) -> Tensor:
    """[B, N]: 0 on the first `lengths` cells (END included), MASK_VALUE behind them."""
    inside = torch.arange(cells, device=lengths.device)[None, :] < lengths[:, None]
    return torch.where(inside, 0.0, MASK_VALUE).to(dtype)
