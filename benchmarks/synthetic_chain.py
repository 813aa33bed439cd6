"""Synthetic pairs a second and core from clean snippets to a Zarr shard with checksums, against what one would write.

Ours are the steps of the workflow with their files in between: `mutate_shard` (its worker is a process of its own,
whose time counts), `build_pairs`, `write_shard`, with the shares of the full scale, four samples a snippet. The rival
keeps all in memory: a libcst transform that swaps operators and numbers, printed and compiled; a set of the texts; a
ByteLevelBPETokenizer on the lines; grids padded by numpy; a Zarr array with checksums, written 64 rows at a time. Both
start from snippets of the standard library. Rounds alternate; medians, in processor time. The survey of 2,000 snippets
that sets the weights is made before: it costs the same for 4,000 snippets and for a million.
"""

from __future__ import annotations

import json
import os
import random
import statistics
import sysconfig
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import yaml
import zarr
from encode import rival as rival_grids
from tokenizers import ByteLevelBPETokenizer
from zarr.codecs import ZstdCodec

from ctm.bugs.generation.mutate import mutate_shard
from ctm.bugs.generation.quotas import balance_mix
from ctm.bugs.security.rules import security_rule
from ctm.bugs.settings import MutationSettings, Shares
from ctm.grid.store import sidecar_of, write_shard
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.build import PairSettings, build_pairs
from ctm.pairs.record import Origin, make_snippet, write_snippets
from ctm.pairs.snippets import cut
from ctm.pairs.splits import STDLIB, SplitSettings
from mutate import PER_SNIPPET, libcst_texts

ROOT = Path(__file__).resolve().parents[1]
SNIPPETS, RIVAL_SNIPPETS, VOCABULARY, ROUNDS = 4000, 80, 8192, 3
SETS = ("train", "validation", "test", "real")


def snippets(limit: int) -> list[tuple[str, str]]:
    """(text, shape) of snippets of the standard library, as the pipeline cuts them."""
    found: dict[str, str] = {}
    for path in sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py")):
        found |= {text: shape for text, shape, _, _ in cut(path.read_text(encoding="utf-8")).snippets}
    return random.Random(0).sample(sorted(found.items()), limit)


def bug_settings() -> tuple[MutationSettings, Path]:
    """Settings of the full scale, and its mix."""
    bugs = yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))["bugs"]
    return MutationSettings(shares=Shares(**bugs["shares"]), per_snippet=PER_SNIPPET), ROOT / bugs["mix"]


def ours(source: Path, tokenizer: Path, quotas: Path, folder: Path) -> int:
    """Pairs that are in the shard in the end."""
    settings, _ = bug_settings()
    mutants, rejects, out = (
        folder / "mutants.parquet",
        folder / "rejects.parquet",
        folder / "01-of-01.zarr.zip",
    )
    mutate_shard(source, 0, 1, settings, quotas, mutants, rejects, folder / "mutants.counts.json")
    sets = {name: folder / f"{name}.parquet" for name in SETS}
    build_pairs(
        [mutants], [], SplitSettings(), PairSettings(), sets, rejects, folder / "counts.json", security_rule
    )
    return write_shard(sets["train"], tokenizer, 0, 1, out, sidecar_of(out), rejects)


def rival(texts: list[str], tokenizer: ByteLevelBPETokenizer, folder: Path) -> int:
    """The same the usual way."""
    pairs = dict.fromkeys(libcst_texts(texts))
    grids = [np.stack(rival_grids(list(pair), tokenizer)) for pair in pairs]
    array = zarr.create_array(
        folder / "rival.zarr", shape=(len(grids), 2, 64, 48), chunks=(64, 2, 64, 48), dtype="uint16",
        compressors=[ZstdCodec(level=1, checksum=True)], overwrite=True,
    )  # fmt: skip
    for start in range(0, len(grids), 64):
        array[start : start + 64] = np.stack(grids[start : start + 64])
    return len(grids)


def _rate(work: Callable[..., int], *arguments: Any) -> tuple[float, int]:
    """Results a second of processor time, that of processes that were started and have ended included."""
    before = os.times()
    made = work(*arguments)
    return made / sum(after - start for after, start in zip(os.times()[:4], before[:4], strict=True)), made


def run() -> dict[str, Any]:
    """Medians of alternating rounds, pairs a second of one core."""
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    chosen = snippets(SNIPPETS)
    texts = [text for text, _ in chosen]
    functions = [text for text, shape in chosen if shape in ("function", "method")]
    other = ByteLevelBPETokenizer()
    other.train_from_iterator(texts, vocab_size=VOCABULARY, show_progress=False)
    mine, theirs, made = [], [], 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        CodeTokenizer.train(texts, VOCABULARY).save(folder / "tokenizer.json")
        origin = Origin(project=STDLIB, license="PSF-2.0")
        write_snippets(
            folder / "snippets.parquet",
            (make_snippet(text, shape, STDLIB, origin, "train") for text, shape in chosen),
        )
        quotas = folder / "quotas.json"
        balance_mix(folder / "snippets.parquet", *bug_settings(), quotas)
        for _ in range(ROUNDS):
            rate, made = _rate(ours, folder / "snippets.parquet", folder / "tokenizer.json", quotas, folder)
            mine.append(rate)
            theirs.append(_rate(rival, functions[:RIVAL_SNIPPETS], other, folder)[0])
    fast, slow = statistics.median(mine), statistics.median(theirs)
    return {
        "name": "synthetic_chain", "unit": "pairs/s", "ours": fast, "rival": slow,
        "rival_name": "libcst, compile, a set, ByteLevelBPETokenizer, Zarr", "ratio": fast / slow, "n": made,
        "threads": 1,
    }  # fmt: skip


if __name__ == "__main__":
    print(json.dumps(run(), indent=2))
