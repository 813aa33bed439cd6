"""The profile of a step, tiny and on a CPU: every part is timed and counted, and the step is the trainer's own."""

from __future__ import annotations

import dataclasses
import importlib.util
import sys
from pathlib import Path

import pytest
import torch

from ctm.pipeline.config import Config, read_config
from helpers import real_code

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def gpu():
    spec = importlib.util.spec_from_file_location("gpu_run", ROOT / "benchmarks/gpu/run.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    path, argv = list(sys.path), sys.modules.get("step_profile")
    spec.loader.exec_module(module)
    yield module
    sys.path[:] = path
    if argv is None:
        del sys.modules["step_profile"]


@pytest.fixture(scope="module")
def config() -> Config:
    config = read_config([ROOT / "config/config.yaml", ROOT / "config/test.yaml"])
    stage = dataclasses.replace(config.training.stages["stage1"], ticks=2, memory=2, batch=4, accumulation=2)
    training = dataclasses.replace(
        config.training, optimizer="muon", order=["stage1"], stages={"stage1": stage}
    )
    return dataclasses.replace(config, training=training)


@pytest.fixture(scope="module")
def found(gpu, config: Config) -> list[dict]:
    torch.set_num_threads(1)
    texts = real_code.functions(("heapq", "shlex"), shorter_than=8)[:24]
    pairs = [(text.replace("(", "", 1), text) for text in texts]
    with pytest.MonkeyPatch.context() as patch:  # parsing the whole standard library takes seconds
        patch.setattr(sys.modules["batch_pairs"], "pairs", lambda count: pairs)
        return list(gpu.profiles(config, "stage1", 1, CPU, torch.float32))


def test_each_part_has_its_time_and_what_it_launches(found: list[dict]) -> None:
    plain, replayed = found
    parts = plain["parts"]
    assert list(parts) == [
        "batches", "copy to the device", "forward", "loss", "backward", "clipping", "optimizer", "clearing"
    ]  # fmt: skip
    assert all(part["ms"] > 0 for part in parts.values()) and plain["step_ms"] > 0
    for name in ("forward", "loss", "backward", "clipping", "optimizer"):
        assert parts[name]["launched"] > 5, name
    assert list(replayed["parts"]) == ["batches", "gradient", "clipping", "optimizer", "clearing"]
    together = sum(parts[name]["launched"] for name in ("forward", "loss", "backward"))
    assert replayed["parts"]["gradient"]["launched"] == pytest.approx(together, rel=0.3), "the same work"


def test_no_part_reads_a_number_back_from_the_device(found: list[dict]) -> None:
    """Else the host waits for it, once for each micro-batch. Muon's part: tests/training/test_muon.py.

    On a CPU fused AdamW reads its counters, and the ticks are drawn from tensors of the host: both are not on a GPU.
    """
    waits = {name: found[0]["parts"][name]["waits"] for name in ("forward", "loss", "backward", "clipping")}
    assert set(waits.values()) == {0}, waits


def test_stacks_launch_less_than_torchs_muon(found: list[dict]) -> None:
    """Even with AdamW's part, which torch's row has not."""
    assert found[0]["parts"]["optimizer"]["launched"] < found[0]["torch_muon_launched"]


def test_the_table_has_a_row_for_each_part(gpu, found: list[dict]) -> None:
    lines = gpu.step_profile.table(found)
    assert lines[0] == "| stage | option | part | ms a step | operators | waits |"
    assert len(lines) == 2 + (8 + 2) + (5 + 2) and all(line.count("|") == 7 for line in lines)


def test_kernels_are_counted_by_hand(gpu) -> None:
    """A sum and a product are two operators; reading a number back is a wait."""
    a = torch.ones(3)
    assert gpu.step_profile.launches(lambda: (a + a) * a, CPU) == (2, 0)
    assert gpu.step_profile.launches(lambda: float(a[0]), CPU)[1] == 1
