"""What ships is smaller, says what it is, and answers as the bundle that was measured."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from ctm.export import shipping
from ctm.export.shipping import ShippingError, ship
from ctm.repair.bundle import Release, find_bundle, load_bundle, read_release

RELEASE = Release("small", "3", "2026-11-28")


@pytest.fixture(scope="module")
def bundle(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle with its card, which a rule of its own writes."""
    folder = Path(shutil.copytree(bundle, tmp_path_factory.mktemp("carded") / "final"))
    (folder / "MODEL_CARD.md").write_text("# A model\n")
    return folder


@pytest.fixture(scope="module")
def shipped(bundle: Path, exported, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("package") / "pretrained"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(shipping, "MAX_CHANGED", 0.2)  # an untrained model's candidates are nearly ties
        changed, items = ship(bundle, exported.pairs, RELEASE, out, items=30)
    assert changed <= 6 and items == 30
    return out


def test_it_is_smaller_and_standard_onnx(shipped: Path, bundle: Path) -> None:
    """Others may open it with another runtime; a pip install brings it each time."""
    assert (shipped / "ctm.onnx").stat().st_size < 0.8 * (bundle / "ctm.onnx").stat().st_size
    graph = onnx.load(shipped / "ctm.onnx")
    assert {node.domain for node in graph.graph.node} <= {"", "ai.onnx"}, "no operator of onnxruntime's own"
    metadata = {item.key: item.value for item in graph.metadata_props}
    assert metadata["title"] == "ctm-code-repair" and metadata["license"] == "Apache-2.0"


def test_it_says_which_release_it_is(shipped: Path, bundle: Path) -> None:
    """Whoever reports a bad repair can name the model, whatever the version of the code."""
    loaded = load_bundle(shipped)
    assert loaded.release == RELEASE == read_release(shipped) and str(RELEASE) == "small 3"
    assert loaded.unchecked == (), "its own checksum stands in it"
    assert load_bundle(bundle).release is None, "a bundle of one's own has no name"


def test_nothing_but_what_the_command_reads_ships(shipped: Path) -> None:
    assert sorted(path.name for path in shipped.iterdir()) == [
        "MODEL_CARD.md", "SHA256SUMS", "ctm.onnx", "final_config.yaml", "tokenizer.json",
    ]  # fmt: skip


def test_a_graph_that_answers_otherwise_does_not_ship(
    bundle: Path, exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rounding may hurt one model and not another; what ships was not measured again."""
    honest = shipping.prepare

    def spoiled(graph: Path, out: Path) -> None:
        honest(graph, out)
        model = onnx.load(out)
        for tensor in model.graph.initializer:
            if tensor.name.endswith("_half"):
                noise = np.random.default_rng(0).normal(1, 2, tuple(tensor.dims)).astype(np.float16)
                tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * noise, tensor.name))
        onnx.save(model, str(out))

    monkeypatch.setattr(shipping, "prepare", spoiled)
    with pytest.raises(ShippingError, match=r"of 30 items otherwise, more than 0\.5%"):
        ship(bundle, exported.pairs, RELEASE, tmp_path / "pretrained", items=30)
    assert not list(tmp_path.iterdir()), "neither it nor a half-made one is left"


def test_without_its_card_it_does_not_ship(bundle: Path, exported, tmp_path: Path) -> None:
    """Somebody who asked for the graph alone has none."""
    bare = Path(shutil.copytree(bundle, tmp_path / "bare"))
    (bare / "MODEL_CARD.md").unlink()
    with pytest.raises(ShippingError, match=r"no MODEL_CARD\.md; rule model_card writes it"):
        ship(bare, exported.pairs, RELEASE, tmp_path / "pretrained", items=30)


def test_a_large_one_does_not_ship(
    bundle: Path, exported, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipping, "MAX_BYTES", 1000)
    with pytest.raises(ShippingError, match="over 1,000"):
        ship(bundle, exported.pairs, RELEASE, tmp_path / "pretrained", items=30)


def test_the_packaged_bundle_is_the_last_choice(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """--bundle, then CTM_BUNDLE, then what was installed with the command."""
    monkeypatch.delenv("CTM_BUNDLE", raising=False)
    monkeypatch.setattr("ctm.repair.bundle.PRETRAINED", tmp_path)
    (tmp_path / "ctm.onnx").touch()
    assert find_bundle() == tmp_path
    monkeypatch.setenv("CTM_BUNDLE", "mine")
    assert find_bundle() == Path("mine") and find_bundle(Path("named")) == Path("named")
