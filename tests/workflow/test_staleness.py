"""Plans follow the ledger: what is stale is made again, what was only copied or touched is not."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from ctm.pipeline.ledger import DONE, Entry, File, latest, read
from ctm.pipeline.staleness import stale
from helpers.fake_checkout import Checkout

LATER = {"train_stage3", "train_stage4", "export_onnx", "bundle", "benchmark", "report"}


def entry(rule: str, lineage: str, inputs: dict[str, str], outputs: dict[str, str]) -> Entry:
    files = [tuple(File(path, content, 1) for path, content in of.items()) for of in (inputs, outputs)]
    return Entry("1", None, rule, (), lineage, DONE, 0, "", "", "", (), None, *files, {})


def test_stale_is_what_another_lineage_or_another_input_made(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).touch()
    entries = [
        entry("first", "L1", {}, {"a": "old"}),
        entry("second", "M", {"a": "old"}, {"b": "x"}),
        entry("first", "L1", {}, {"a": "new"}),
        entry("third", "N", {"a": "new"}, {"c": "y"}),
        entry("gone", "G", {}, {"not there": "z"}),
    ]

    def exists(path: str) -> bool:
        return (tmp_path / path).exists()

    assert stale(entries, {"first": "L1", "second": "M", "third": "N", "gone": "H"}, exists).keys() == {"b"}
    assert stale(entries, {"first": "L2", "third": "N"}, exists).keys() == {"a"}


def change_a_rate(checkout: Checkout) -> None:
    checkout.overlay["training"] = {"stages": {"stage3": {"learning_rate": 1e-4}}}


def test_a_run_without_records_knows_its_lineage(checkout: Checkout) -> None:
    shutil.rmtree(checkout.root / "run" / ".snakemake")
    assert checkout.planned() == set()
    change_a_rate(checkout)
    planned = checkout.planned()
    assert planned >= LATER and "train_stage2" not in planned


@pytest.mark.parametrize(
    "arguments", [["--touch"], ["--cleanup-metadata", "results/checkpoints/stage3.safetensors"]]
)
def test_touch_and_lost_records_hide_nothing(checkout: Checkout, arguments: list[str]) -> None:
    change_a_rate(checkout)
    checkout.snakemake("all", *arguments)
    assert checkout.planned() >= LATER


def test_mtime_alone_as_trigger_hides_nothing(checkout: Checkout) -> None:
    change_a_rate(checkout)
    run, weights = checkout.root / "run", "results/checkpoints/stage3.safetensors"
    before = latest(read(run))[weights].lineage
    checkout.snakemake("all", "--rerun-triggers", "mtime")
    assert latest(read(run))[weights].lineage != before
    assert checkout.planned() == set()


def test_touched_and_copied_files_run_nothing(checkout: Checkout) -> None:
    run = checkout.root / "run"
    now = time.time()
    for number, path in enumerate(sorted(run.rglob("*"))):
        if path.is_file() and ".snakemake" not in path.parts:
            os.utime(path, (now + 60 * (number % 7), now + 60 * (number % 7)))
    assert checkout.planned() == set()
    shutil.rmtree(run / ".snakemake")
    assert checkout.planned() == set()


def test_a_damaged_artifact_is_refused_and_named(checkout: Checkout) -> None:
    run = checkout.root / "run"
    damaged = run / "results" / "checkpoints" / "stage2.safetensors"
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"!")
    change_a_rate(checkout)
    before = damaged.read_bytes()
    checkout.snakemake("all", "--retries", "0", check=False)
    log = (run / "logs" / "train_stage3.log").read_text()
    assert "results/checkpoints/stage2.safetensors is not what rule train_stage2 made" in log
    assert damaged.read_bytes() == before and not (run / "results/checkpoints/stage3.safetensors").exists()
    damaged.unlink()
    checkout.snakemake("all")
    assert checkout.planned() == set()
