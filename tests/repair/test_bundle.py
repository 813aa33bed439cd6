"""Bundles that somebody else wrote: which one is taken, what is compared, and what a hostile one can cost."""

from __future__ import annotations

import hashlib
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from ctm.grid.tokenizer import CodeTokenizer
from ctm.repair.bundle import PRETRAINED, BundleError, find_bundle, load_bundle


@pytest.fixture
def bundle(colon_bundle: Path, tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(colon_bundle, tmp_path / "bundle"))


def configure(bundle: Path, **sections: object) -> None:
    path = bundle / "final_config.yaml"
    path.write_text(yaml.safe_dump({**yaml.safe_load(path.read_text()), **sections}))


# --- which one is taken ---------------------------------------------------------------------------------------------


def test_a_repository_cannot_bring_its_own_model(colon_bundle: Path, tmp_path: Path, monkeypatch):
    shutil.copytree(colon_bundle, tmp_path / "results" / "final")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CTM_BUNDLE", "named")
    assert find_bundle() == Path("named"), "what the user named beats what lies here"
    assert find_bundle(Path("given")) == Path("given")
    monkeypatch.delenv("CTM_BUNDLE")
    assert find_bundle() == PRETRAINED, "the package's own, wherever the command is called"
    monkeypatch.setattr("ctm.repair.bundle.PRETRAINED", tmp_path / "none")
    with pytest.raises(BundleError, match=r"--bundle results/final"):
        find_bundle()


# --- what is compared -----------------------------------------------------------------------------------------------


def test_the_graph_must_have_its_checksum(bundle: Path):
    graph = (bundle / "ctm.onnx").read_bytes()
    configure(bundle, model_sha256=hashlib.sha256(graph).hexdigest())
    assert load_bundle(bundle).unchecked == ("tokenizer.json",)
    (bundle / "ctm.onnx").write_bytes(graph + b" ")
    with pytest.raises(
        BundleError, match=r"ctm\.onnx is not the one .* checksum differs.*build the bundle again"
    ):
        load_bundle(bundle)


def test_a_tokenizer_of_the_same_size_must_have_its_fingerprint(bundle: Path, tokenizer: CodeTokenizer):
    configure(bundle, tokenizer={"fingerprint": tokenizer.fingerprint})
    assert load_bundle(bundle).unchecked == ("ctm.onnx",)
    other = CodeTokenizer.train([Path(hashlib.__file__).read_text(), Path(shutil.__file__).read_text()], 1024)
    assert other.vocab_size == tokenizer.vocab_size and other.fingerprint != tokenizer.fingerprint
    other.save(bundle / "tokenizer.json")
    with pytest.raises(BundleError, match=r"tokenizer\.json is not the one"):
        load_bundle(bundle)


def test_a_bundle_from_before_checksums_is_taken(colon_bundle: Path):
    assert load_bundle(colon_bundle).unchecked == ("tokenizer.json", "ctm.onnx")


# --- hostile values -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("edit", ".nan", "thresholds.edit must be from 0 to 3, not nan"),
        ("edit", ".inf", "must be from 0 to 3"),
        ("edit", "-0.1", "must be from 0 to 3"),
        ("edit", "1e400", "must be a number, not '1e400'"),
        ("edit", "1.0e+400", "must be from 0 to 3, not inf"),
        ("edit", "true", "must be a number, not True"),
        ("edit", "[0.5]", "must be a number, not a list"),
        ("tick", "-.inf", "thresholds.tick must be from 0 to 2"),
        ("further", "1.5", "thresholds.further must be from 0 to 1"),
        ("ticks", "0", "model.ticks must be from 1 to 1024"),
        ("ticks", "10000000000", "model.ticks must be from 1 to 1024"),
        ("ticks", "2.5", "must be a whole number"),
        ("ticks", "9" * 5000, "cannot be read"),
        ("ticks", "0x" + "f" * 5000, "not a number of 20000 bits"),
        ("ticks", "1" + ":59" * 15_000, "must be from 1 to 1024"),
        ("ticks", "2001-99-99", "cannot be read"),
        ("vocabulary", "-5", "model.vocabulary must be from 1"),
    ],
)  # fmt: skip
def test_numbers_that_cannot_be(bundle: Path, name: str, value: str, message: str):
    values = {"ticks": "7", "vocabulary": "1024", "tick": "0.9", "edit": "0.5", "further": "0.7", name: value}
    (bundle / "final_config.yaml").write_text(
        "model: {{ticks: {ticks}, vocabulary: {vocabulary}}}\n"
        "thresholds: {{tick: {tick}, edit: {edit}, further: {further}}}\n".format_map(values)
    )
    with pytest.raises(BundleError) as caught:
        load_bundle(bundle)
    assert message in str(caught.value) and len(str(caught.value)) < 400


@pytest.mark.parametrize("value", [".nan", "-1", "0x" + "f" * 5000, "x", "[]"])
def test_curves_that_cannot_be(bundle: Path, value: str):
    config = (bundle / "final_config.yaml").read_text()
    for section in (
        f"suggestions: {{prior: 0.01, points: [[0.1, {value}]]}}\n",
        f"confidence: {{intercept: 0, slope: {value}, knowable: 0.8}}\n",
    ):
        (bundle / "final_config.yaml").write_text(config + section)
        with pytest.raises(BundleError, match=r"final_config\.yaml: (suggestions|confidence)"):
            load_bundle(bundle)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
"""9 ** 9 values in half a kilobyte."""


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("a: &a [*a]\n", "YAML alias"),
        ("a: " + "[" * 20_000, "nested deeper than 20"),
        ("a: " + "{a: " * 10_000, "nested deeper than 20"),
        ("- " * 20_000, "nested deeper than 20"),
        ("a: x\n" * 50_000, "larger than 65,536 bytes"),
        ("a: !!python/object/apply:os.system [exit]\n", "cannot be read"),
        ("a: '\ud800'\n".encode("utf-8", "surrogatepass").decode("latin-1"), "cannot be read"),
        ("\0", "cannot be read"),
        ("", "not a mapping"),
    ],
)
def test_yaml_that_cannot_be(bundle: Path, config: str, message: str):
    (bundle / "final_config.yaml").write_text(config, encoding="latin-1")
    with pytest.raises(BundleError, match=message):
        load_bundle(bundle)


def test_aliases_cost_neither_time_nor_memory(bundle: Path):
    (bundle / "final_config.yaml").write_text(BOMB)
    code = f"from pathlib import Path\nfrom ctm.repair.bundle import load_bundle\nload_bundle(Path({str(bundle)!r}))"

    def limit() -> None:  # so that a bomb that goes off hurts only this test
        resource.setrlimit(resource.RLIMIT_AS, (6 << 30, 6 << 30))
        resource.setrlimit(resource.RLIMIT_CPU, (20, 20))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=limit)
    assert re.search(r"BundleError: .*final_config\.yaml: has a YAML alias \(\*a\)", done.stderr), done.stderr


@pytest.mark.parametrize(
    "content",
    [
        "[" * 100_000,
        '{"format_version": ' + "9" * 5000 + "}",
        '{"format_version": 1, "vocabulary": [[1]], "merges": []}',
        '{"format_version": 1, "vocabulary": ["a"], "merges": [["a", ""]]}',
        '{"format_version": 1, "vocabulary": ["a"], "merges": [["a", "b"]]}',
        '{"format_version": 1, "vocabulary": 5, "merges": [[]]}',
    ],
)
def test_a_tokenizer_that_is_none_is_named(bundle: Path, content: str, capfd):
    (bundle / "tokenizer.json").write_text(content)
    with pytest.raises(BundleError, match=r"tokenizer\.json: not a tokenizer of this project"):
        load_bundle(bundle)
    assert capfd.readouterr().err == "", "the library says nothing of its own"


def test_a_graph_from_before_is_refused_at_once(bundle: Path):
    onnx = pytest.importorskip("onnx")
    graph = onnx.load(bundle / "ctm.onnx")
    outputs = {output.name: output for output in graph.graph.output}
    for node in graph.graph.node:
        if node.op_type == "Unsqueeze" and node.output[0] in outputs:  # the replacements' axis
            node.op_type = "Identity"
            del node.input[1:]
            del outputs[node.output[0]].type.tensor_type.shape.dim[2]
    onnx.save(graph, bundle / "ctm.onnx")
    with pytest.raises(BundleError, match=r"ctm\.onnx: made by an older version"):
        load_bundle(bundle)


def test_huge_files_are_refused_by_their_size(bundle: Path):
    for name, size in (("ctm.onnx", (1 << 30) + 1), ("tokenizer.json", (1 << 24) + 1)):
        before = (bundle / name).read_bytes()
        with (bundle / name).open("r+b") as file:
            file.truncate(size)  # sparse: no disk is used
        with pytest.raises(BundleError, match=f"{name}: more than"):
            load_bundle(bundle)
        (bundle / name).write_bytes(before)
    load_bundle(bundle)


def test_a_path_that_cannot_be_one_is_an_error_of_the_bundle():
    with pytest.raises(BundleError, match="file name too long"):
        load_bundle(Path("x" * 300))
