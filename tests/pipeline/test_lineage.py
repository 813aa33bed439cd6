"""Lineage: what changes it and what must not."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ctm.bugs.registry import _MODULES as registry_modules
from ctm.pipeline.code import Code
from ctm.pipeline.config import overlay, read_config
from ctm.pipeline.lineage import Lineage
from ctm.pipeline.shards import shard_names, shard_number
from ctm.pipeline.steps import steps

ROOT = Path(__file__).resolve().parents[2]
FULL = ROOT / "config" / "config.yaml"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A program, a package with a lazy import, and modules that are loaded by a computed name."""
    files = {
        "ctm/__init__.py": "",
        "ctm/a.py": "def f():\n    from ctm.deep import b\n    return b\n",
        "ctm/deep/__init__.py": "import importlib\nfor m in 'xy':\n    importlib.import_module(f'ctm.kinds.{m}')\n",
        "ctm/deep/b.py": "B = 1\n",
        "ctm/kinds/__init__.py": "",
        "ctm/kinds/x.py": "X = 1\n",
        "ctm/kinds/inner/z.py": "Z = 1\n",
        "ctm/other.py": "O = 1\n",
        "workflow/scripts/run.py": "import json\nfrom helper import h\nfrom ctm.a import f\n",
        "workflow/scripts/helper.py": "h = 1\n",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def digest(tree: Path) -> dict[str, str]:
    return Code(tree).digests(tree / "workflow/scripts/run.py")


def test_closure_follows_lazy_computed_and_neighboring_imports(tree: Path) -> None:
    found = Code(tree).closure(tree / "workflow/scripts/run.py")
    expected = (
        "scripts.run scripts.helper ctm ctm.a ctm.deep ctm.deep.b ctm.kinds ctm.kinds.x ctm.kinds.inner.z"
    )
    assert set(found) >= set(expected.split())
    assert "ctm.other" not in found


@pytest.mark.parametrize(
    "name",
    ["ctm/a.py", "ctm/deep/b.py", "ctm/kinds/x.py", "ctm/kinds/inner/z.py", "workflow/scripts/helper.py"],
)
def test_changed_line_changes_the_digest(tree: Path, name: str) -> None:
    before = digest(tree)
    (tree / name).write_text((tree / name).read_text() + "CHANGED = 1\n")
    assert digest(tree) != before


def test_comment_docstring_layout_and_foreign_code_do_not(tree: Path) -> None:
    before = digest(tree)
    (tree / "ctm/deep/b.py").write_text('"""Says more."""\n# a remark\n\nB  =  (1)\n"""Of B."""\n')
    (tree / "ctm/other.py").write_text("O = 2\n")
    assert digest(tree) == before


def test_nlm_is_run_by_training_but_not_by_data() -> None:
    config, code = read_config([FULL]), Code(ROOT)
    runs = {
        step: "ctm.model.nlm" in code.closure(ROOT / "workflow" / "scripts" / f"{entry.program}.py")
        for step, entry in steps(config).items()
    }
    assert runs["train_stage1"] and runs["train_stage4"]
    assert not any(runs[step] for step in ("collect_packages", "mutate", "build_pairs", "encode_shard"))


def test_every_kind_of_bug_is_run_by_mutate() -> None:
    """The registry loads its modules by computed names, in packages: a changed kind has to make the mutants anew."""
    found = Code(ROOT).closure(ROOT / "workflow" / "scripts" / "mutate.py")
    modules = {f"ctm.bugs.{module}" for module in registry_modules}
    assert modules and modules <= set(found)


def test_what_reads_packages_depends_on_their_list() -> None:
    reading = {
        name: step.files for name, step in steps(read_config([FULL])).items() if "corpus" in str(step.files)
    }
    corpus = {"corpus": "config/corpus.csv"}
    assert reading == {"collect_packages": corpus, "working_windows": corpus}


def test_real_digests_ignore_a_comment_and_see_a_line_of_nlm(tmp_path: Path) -> None:
    import shutil

    shutil.copytree(ROOT / "ctm", tmp_path / "ctm", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(ROOT / "workflow", tmp_path / "workflow")
    script, nlm = tmp_path / "workflow/scripts/train_stage.py", tmp_path / "ctm/model/nlm.py"
    before = Code(tmp_path).digests(script)
    assert before == Code(ROOT).digests(ROOT / "workflow/scripts/train_stage.py"), (
        "a fresh clone is the same code"
    )
    nlm.write_text(nlm.read_text() + "# a remark\n")
    assert Code(tmp_path).digests(script) == before
    nlm.write_text(nlm.read_text() + "LINE = 1\n")
    after = Code(tmp_path).digests(script)
    assert {name for name in before if after[name] != before[name]} == {"ctm.model.nlm"}, (
        "the module is named"
    )


def test_lineage_folds_in_parents_but_neither_machine_nor_resources() -> None:
    import yaml

    from ctm.pipeline.config import parse_config

    def lineages(change: dict[str, object]) -> dict[str, str]:
        values = yaml.safe_load(FULL.read_text())
        overlay(values, change)
        lineage = Lineage(parse_config(values), ROOT)
        return {step: lineage.of(step) for step in lineage.steps}

    before = lineages({})
    assert lineages({"machine": {"vram": 8}, "resources": {"train_stage1": {"mem_gb": 1}}}) == before
    changed = lineages({"training": {"stages": {"stage3": {"learning_rate": 1e-6}}}})
    same = {step for step in before if changed[step] == before[step]}
    assert {"train_stage1", "train_stage2", "build_pairs"} <= same
    assert not {"train_stage3", "train_stage4", "benchmark", "bundle", "report"} & same


def test_lineage_does_not_depend_on_the_process() -> None:
    program = (
        "from pathlib import Path; from ctm.pipeline.config import read_config;"
        "from ctm.pipeline.lineage import Lineage;"
        f"print(Lineage(read_config([Path({str(FULL)!r})]), Path({str(ROOT)!r})).of('report'))"
    )
    made = [
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)},
        ).stdout
        for seed in ("1", "2")
    ]
    assert made[0] == made[1] and len(made[0].strip()) == 64


def test_shard_names_and_numbers_are_inverse() -> None:
    assert shard_names(3) == ["01-of-03", "02-of-03", "03-of-03"]
    assert shard_names(512)[7] == "008-of-512"
    for count in (1, 9, 64, 512):
        assert [shard_number(name) for name in shard_names(count)] == [(i, count) for i in range(count)]
    for bad in ("3", "00-of-03", "04-of-03", "a-of-b"):
        with pytest.raises(ValueError, match="03-of-64"):
            shard_number(bad)
