"""Random pairs a second in batches as the trainer makes them, against a DataLoader over the rows of the Zarr store.

Ours is what a stage does: the split in memory, visits in the order of its plan, edits made on the way, batches of 64
with the words that can be copied and the units of the answer. The rival reads row by row at random from the same shard
and pads the buggy side, no more. Both give the same tokens for the same pairs. Rounds alternate; medians of processor
time of one core.
"""

from __future__ import annotations

import json
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
import zarr
from _pairs import pairs
from torch import Tensor
from torch.nn.utils.rnn import pad_sequence
from torch.utils.data import DataLoader, Dataset
from zarr.storage import ZipStore

from ctm.grid.store import sidecar_of, write_manifest, write_shard
from ctm.grid.tokenizer import CONT, PAD, CodeTokenizer
from ctm.pairs.record import Origin, make_pair, write_pairs
from ctm.training.batch import batches
from ctm.training.data import Plan, TrainingSet, load_split, plan_visits
from ctm.training.settings import StageSettings, TrainingSettings

PAIRS, VISITS, BATCH, ROUNDS = 4000, 40_000, 64, 5
RIVAL_BATCHES = 10


class Rows(Dataset[Tensor]):
    """Cells of the buggy side of each row."""

    def __init__(self, store: Path) -> None:
        self.array = zarr.open_array(ZipStore(store, mode="r"), mode="r")

    def __len__(self) -> int:
        return int(self.array.shape[0])

    def __getitem__(self, row: int) -> Tensor:
        flat = np.asarray(self.array[row, 0]).reshape(-1)
        return torch.from_numpy(flat[(flat != PAD) & (flat != CONT)].astype(np.int64))


def padded(states: list[Tensor]) -> tuple[Tensor, Tensor]:
    """(tokens, lengths) of a batch."""
    return pad_sequence(states, batch_first=True), torch.tensor([len(state) for state in states])


def loaded(store: Path, order: list[int]) -> DataLoader[Tensor]:
    """Batches of the rows in this order."""
    return DataLoader(Rows(store), batch_size=BATCH, sampler=order, collate_fn=padded)


def stored(folder: Path) -> tuple[TrainingSet, CodeTokenizer, Path]:
    """The split as the trainer has it, and its shard."""
    both = pairs(PAIRS)
    CodeTokenizer.train((whole for _, whole in both), 8192).save(folder / "tokenizer.json")
    write_pairs(
        folder / "pairs.parquet",
        (
            make_pair(
                buggy, fixed, category="syntax", kind="cut", source="mutation", split="train", group="stdlib",
                origin=Origin(),
            )
            for buggy, fixed in both
        ),
    )  # fmt: skip
    out = folder / "01-of-01.zarr.zip"
    names = (folder / "pairs.parquet", folder / "tokenizer.json")
    write_shard(*names, 0, 1, out, sidecar_of(out), folder / "rejects.parquet")
    write_manifest([out], folder / "manifest.json")
    return load_split(folder / "manifest.json"), CodeTokenizer.load(folder / "tokenizer.json"), out


def check(data: TrainingSet, tokenizer: CodeTokenizer, store: Path) -> None:
    """Both give the same cells of the same pairs."""
    pair = np.random.default_rng(1).permutation(len(data))[:BATCH].astype(np.int32)
    (batch,) = batches(data, Plan(pair, np.zeros(BATCH, np.int8), BATCH, {}, BATCH), tokenizer)
    ((tokens, lengths),) = loaded(store, pair.tolist())
    assert (batch.inputs["lengths"] == lengths + 1).all()  # ours ends each state with END
    for mine, theirs, length in zip(batch.inputs["tokens"], tokens, lengths.tolist(), strict=True):
        assert (mine[:length] == theirs[:length]).all()


def rate(work: Callable[[], Iterable[Any]]) -> float:
    """Pairs a second of processor time."""
    started, count = time.process_time(), 0
    for batch in work():
        count += len(batch[1]) if isinstance(batch, list | tuple) else len(batch.start)
    return count / (time.process_time() - started)


def run() -> dict[str, Any]:
    """Medians of alternating rounds, one thread."""
    torch.set_num_threads(1)
    stage = StageSettings(
        ticks=16, batch=BATCH, accumulation=2, learning_rate=3e-4, epochs=VISITS // PAIRS, samples=PAIRS
    )  # fmt: skip
    mine, theirs = [], []
    with tempfile.TemporaryDirectory() as name:
        data, tokenizer, store = stored(Path(name))
        check(data, tokenizer, store)
        plan = plan_visits(data, stage, TrainingSettings(), 1)
        order = np.random.default_rng(0).permutation(len(data))[: RIVAL_BATCHES * BATCH].tolist()
        for _ in range(ROUNDS):
            mine.append(rate(lambda: batches(data, plan, tokenizer)))
            theirs.append(rate(lambda: loaded(store, order)))
    fast, slow = statistics.median(mine), statistics.median(theirs)
    return {
        "name": "batch_pairs", "unit": "pairs/s", "ours": fast, "rival": slow,
        "rival_name": "DataLoader over the rows of the Zarr store", "ratio": fast / slow, "n": len(plan.pair),
        "threads": 1,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
