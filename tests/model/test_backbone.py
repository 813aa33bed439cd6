"""How far a cell is to the same token: against counting cell by cell."""

from __future__ import annotations

import pytest
import torch

from ctm.model.backbone import GAP_CLASSES, gaps


@pytest.mark.parametrize("cells", [1, 2, 33, 700, 3073])
def test_gaps_are_those_of_counting(cells: int) -> None:
    draw = torch.Generator().manual_seed(cells)
    tokens = torch.randint(max(2, cells // 3), (2, cells), generator=draw)
    before, behind = gaps(tokens)
    for number, row in enumerate(tokens.tolist()):
        last: dict[int, int] = {}
        for place, token in enumerate(row):
            distance = place - last[token] if token in last else 0
            size = min(GAP_CLASSES - 1, distance.bit_length())
            assert int(before[number, place]) == size
            if token in last:
                assert int(behind[number, last[token]]) == size
            last[token] = place
        assert all(int(behind[number, place]) == 0 for place in last.values())
