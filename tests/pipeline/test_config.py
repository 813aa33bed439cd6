"""The configuration: what is accepted, what is refused and how, and that schema and reference are current."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import get_args

import pytest
import yaml

from ctm.pairs.record import CATEGORIES
from ctm.pipeline import reference
from ctm.pipeline.config import Config, parse_config, read_config, settings_json, stage_json, trm_json
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.lineage import Lineage
from ctm.pipeline.real_suites import check_suites
from ctm.pipeline.sections import Measure
from ctm.pipeline.steps import check_resources, steps
from ctm.training.settings import Category, StageRun

ROOT = Path(__file__).resolve().parents[2]
FULL, DEMO, TEST = (ROOT / "config" / f"{name}.yaml" for name in ("config", "demo", "test"))
REFERENCE = [FULL, DEMO, ROOT / "config" / "reference.yaml"]
SMALL_REFERENCE = [*REFERENCE, ROOT / "config" / "reference_small.yaml"]


def overlaid(tmp_path: Path, text: str) -> Config:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(text)
    return read_config([FULL, overlay])


@pytest.mark.parametrize(
    "files",
    [[FULL], [FULL, DEMO], [FULL, TEST], REFERENCE, SMALL_REFERENCE],
    ids=["full", "demo", "test", "reference", "small reference"],
)
def test_shipped_configurations_are_valid_and_complete(files: list[Path]) -> None:
    config = read_config(files)
    check_resources(config)
    for stage in config.training.order:
        assert json.loads(stage_json(config, stage))["name"] == stage


def test_the_small_reference_is_a_fiftieth_of_the_same_model() -> None:
    """What it shows of the road holds for the reference only while the two differ in size alone."""
    whole, small = read_config(REFERENCE), read_config(SMALL_REFERENCE)
    assert whole.model == small.model and whole.training.order == small.training.order
    for name, stage in whole.training.stages.items():
        assert dataclasses.replace(small.training.stages[name], samples=stage.samples) == stage
        assert 45 <= stage.samples / small.training.stages[name].samples <= 55


def test_full_scale_has_the_numbers_of_the_specification() -> None:
    config = read_config([FULL])
    stages = [config.training.stages[name] for name in config.training.order]
    columns = {
        "ticks": [16, 32, 48, 64],
        "memory": [16, 24, 28, 32],
        "batch": [64, 48, 32, 24],
        "accumulation": [2, 3, 4, 6],
        "learning_rate": [3e-4, 2e-4, 1e-4, 5e-5],
        "epochs": [2, 2, 2, 3],
        "samples": [200_000, 300_000, 500_000, 1_000_000],
    }
    for name, values in columns.items():
        assert [getattr(stage, name) for stage in stages] == values
    demands = {name: (d.threads, d.mem_gb, d.vram) for name, d in config.resources.items()}
    assert demands["collect_commits"] == (8, 16, 0)
    assert demands["collect_stackoverflow"] == (4, 8, 0)
    assert config.sources.commits.pairs == 500_000 and config.sources.github.enabled
    assert demands["mutate"] == (12, 24, 0)
    assert demands["encode_shard"] == (16, 32, 0)
    assert demands["validate_model"] == (8, 16, 8)
    assert demands["baseline"] == (8, 16, 16)
    assert [demands[f"train_stage{i}"] for i in (1, 2, 3, 4)] == [
        (12, 32, 64),
        (12, 48, 72),
        (16, 64, 80),
        (16, 80, 88),
    ]
    assert demands["benchmark"] == (8, 32, 48)
    assert (config.trm.stage.ticks, config.trm.stage.batch, config.trm.model.width) == (8, 64, 512)
    assert demands["train_trm"] == (12, 32, 72)
    assert demands["follow_thoughts"] == (8, 16, 24)
    assert demands["export_onnx"] == (4, 16, 16)
    assert (config.machine.mem_gb, config.machine.vram) == (128, 96)
    assert config.training.clip == 0.5


def test_real_pairs_enter_at_the_third_stage_and_weigh_more_in_the_last() -> None:
    stages = [read_config([FULL]).training.stages[name] for name in read_config([FULL]).training.order]
    assert [stage.real_weight for stage in stages[:3]] == [0, 0, 1] and stages[3].real_weight > 1


def test_demo_asks_for_no_more_threads_than_two_cores() -> None:
    for files in ([FULL, DEMO], [FULL, TEST]):
        config = read_config(files)
        rules = [rule for rule in steps(config) if config.resources[rule].threads > 2]
        assert not rules, f"clamped to the cores of the machine, results would depend on it: {rules}"


def test_what_the_demo_and_the_full_scale_read_depends_on_pins_alone() -> None:
    for files in ([FULL], [FULL, DEMO]):
        sources = read_config(files).sources
        assert sources.packages.enabled and not sources.installed.enabled


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("bugs: {shrads: 3}", ["mine.yaml", "bugs.shrads", "did you mean 'shards'"]),
        ("tranining: {}", ["mine.yaml", "tranining", "did you mean 'training'"]),
        ("training: {stages: {stage1: {tics: 3}}}", ["mine.yaml", "training.stages.stage1.tics", "'ticks'"]),
        (
            "sources: {installed: {shards: many}}",
            ["mine.yaml", "sources.installed.shards", "'many'", "integer"],
        ),
        ("machine: {environment: tpu}", ["mine.yaml", "machine.environment", "'cpu', 'cuda' or 'rocm'"]),
        ("sources: {github: {created_to: today}}", ["mine.yaml", "sources.github", "created_to", "'today'"]),
        (
            "sources: {stackoverflow: {enabled: true}}",
            ["mine.yaml", "sources.stackoverflow", "but neither posts (path of Posts.xml"],
        ),
        (
            "sources: {stackoverflow: {enabled: true, posts: Posts.xml}}",
            ["mine.yaml", "sources.stackoverflow", "accept_dump_terms must be true", "CC BY-SA"],
        ),
        (
            "sources: {stackoverflow: {enabled: true, api: {questions: 9}}}",
            ["mine.yaml", "sources.stackoverflow", "accept_dump_terms must be true", "those of the API"],
        ),
        (
            "sources: {stackoverflow: {enabled: true, posts: Posts.xml, api: {questions: 9}}}",
            ["mine.yaml", "sources.stackoverflow", "api.questions takes the place of a dump: posts"],
        ),
        (
            "sources: {stackoverflow: {api: {questions: -1}}}",
            ["mine.yaml:1: sources.stackoverflow.api.questions: must be at least 0 (given: -1)"],
        ),
        ("training: {order: [stage1, stage9]}", ["training.order", "stage9", "add training.stages.stage9"]),
        ("training: {optimizer: sgd}", ["mine.yaml", "training.optimizer", "'sgd'", "'muon' or 'adamw'"]),
        ("training: {precision: half}", ["training.precision", "'auto', 'float32' or 'bfloat16'"]),
        ("training: {result: first}", ["training.result", "'best' or 'last'"]),
        ("evaluation: {precision: half}", ["evaluation.precision", "'auto', 'float32' or 'bfloat16'"]),
        (
            "training: {stages: {stage1: {mix: {sintax: 1}}}}",
            ["mine.yaml:1: training.stages.stage1.mix.sintax: ", "'security'", "'clean'; see"],
        ),
        (
            "training: {stages: {stage1: {milestones: {50 %: {loss: 1}}}}}",
            ["stage1.milestones.50 %", "'50%'"],
        ),
        ("model: {nlm: shallow}", ["model.nlm", "'deep' or 'linear'"]),
        ("model: {pairing: all}", ["model.pairing", "'random-pairing', 'random' or 'first-last'"]),
        ("sources: {packages: {shapes: [run]}}", ["sources.packages.shapes.0", "'run'", "'statements'"]),
        ("analysis: {groups: 0}", ["mine.yaml:1: analysis.groups: must be at least 1 (given: 0)"]),
        ("analysis: {thought_frames: -5}", ["analysis.thought_frames: must be at least 1 (given: -5)"]),
        ("analysis: {dpi: 0}", ["analysis.dpi: must be at least 10 (given: 0)"]),
        ("synchronization: {dpi: 1000000}", ["synchronization.dpi: must be at most 1,200"]),
        ("analysis: {scaling_ticks: [8, 1000000000]}", ["analysis.scaling_ticks.1: must be at most 4,096"]),
        (
            "synchronization: {random_labels: 0}",
            ["synchronization.random_labels: must be at least 1 (given: 0)"],
        ),
        ("synchronization: {seed: -1}", ["synchronization.seed: must be at least 0"]),
        ("synchronization: {seed: 4294967296}", ["synchronization.seed", "at most 4,294,967,295"]),
        ("references: {seed: -1}", ["references.seed: must be at least 0"]),
        ("evaluation: {ranked_items: -1}", ["evaluation.ranked_items: must be at least 0"]),
        ("evaluation: {windows: 0}", ["evaluation.windows: must be at least 1"]),
        ("trm: {items: -1}", ["mine.yaml:1: trm.items: must be at least 0 (given: -1)"]),
        (
            "real_suites: {mine: {layout: sven}}",
            ["real_suites.mine: 'path' is missing", "'sha256' is missing"],
        ),
        (
            f"real_suites: {{mine: {{path: '', layout: sven, sha256: '{'0' * 64}'}}}}",
            ["real_suites.mine: path is empty"],
        ),
        ("splits: {train: 80}", ["mine.yaml", "splits", "must be 100 (percent)"]),
        ("model: {heads: 7}", ["mine.yaml", "model", "multiple of heads"]),
    ],
)
def test_bad_key_or_value_is_refused_by_name(tmp_path: Path, text: str, parts: list[str]) -> None:
    with pytest.raises(ConfigError) as refused:
        overlaid(tmp_path, text)
    for part in parts:
        assert part in str(refused.value)


def test_published_figures_that_nobody_has_are_refused_before_anything_runs(tmp_path: Path) -> None:
    """Else a slip of the pen would leave the table without them, and without a word."""
    text = "real_suites: {{mine: {{path: config, layout: sven, published: {}, sha256: '{}'}}}}"
    check_suites(overlaid(tmp_path, text.format("quixbugs", "0" * 64)), ROOT)
    with pytest.raises(ConfigError, match=r"real_suites\.mine\.published: .* no entry 'quixbug' .*quixbugs,"):
        check_suites(overlaid(tmp_path, text.format("quixbug", "0" * 64)), ROOT)


def test_demands_that_the_config_names_are_laid_over_the_table(tmp_path: Path) -> None:
    """Value by value: a rule's own, else the default of those that are not named, else the table's."""
    text = "resources: {default: {threads: 3}, mutate: {mem_gb: 5}, train_stage1: {vram: 7}}"
    full, mine = read_config([FULL]).resources, overlaid(tmp_path, text).resources
    assert (full["mutate"].threads, full["mutate"].mem_gb, full["mutate"].runtime) == (12, 24, 960)
    assert (mine["mutate"].threads, mine["mutate"].mem_gb, mine["mutate"].runtime) == (3, 5, 960)
    assert (mine["report"].threads, mine["report"].mem_gb) == (3, full["report"].mem_gb)
    assert mine["train_stage1"].vram == 7 and mine["train_stage1"].threads == full["train_stage1"].threads
    assert mine.keys() == full.keys()


def test_a_stage_without_a_demand_is_refused(tmp_path: Path) -> None:
    """The table has none for it: stages are the config's, and so is what they ask for."""
    stage = "{ticks: 2, memory: 2, batch: 2, accumulation: 1, learning_rate: 0.1, epochs: 1, samples: 2}"
    config = overlaid(tmp_path, f"training: {{order: [last], stages: {{last: {stage}}}}}")
    with pytest.raises(ConfigError, match=r"resources\.train_last is missing; give it threads"):
        check_resources(config)


def test_categories_of_a_mix_are_those_of_the_pairs() -> None:
    """Training may not import the pairs, so that the words stand in two places."""
    assert get_args(Category) == CATEGORIES and get_args(Measure)[:5] == CATEGORIES


def test_demand_of_an_unknown_rule_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"resources\.mutat: there is no such rule"):
        check_resources(overlaid(tmp_path, "resources: {mutat: {threads: 1}}"))


def test_file_that_the_configuration_names_must_be_there(tmp_path: Path) -> None:
    config = overlaid(tmp_path, "bugs: {mix: config/nowhere.yaml}")
    with pytest.raises(ConfigError, match=r"nowhere\.yaml: cannot be read"):
        Lineage(config, ROOT).of("mutate")


def test_values_of_the_command_line_arrive_as_text() -> None:
    values = yaml.safe_load(FULL.read_text())
    values["bugs"]["shards"] = "7"
    assert parse_config(values).bugs.shards == 7


def test_settings_of_a_step_leave_out_what_only_the_workflow_uses() -> None:
    config = read_config([FULL])
    settings = json.loads(settings_json(config, "bugs"))
    assert "seed" in settings
    assert not {"shards", "mix"} & settings.keys()
    run = json.loads(stage_json(config, "stage2"))
    assert run.keys() == {field.name for field in dataclasses.fields(StageRun)}
    assert not {"order", "stages"} & run["training"].keys()


def test_the_runs_of_both_models_name_what_is_theirs_alone() -> None:
    """A TRM has no memory, no synchronization and no tick that is drawn: its run must not ask for any."""
    config = read_config([FULL])
    ctm, trm = json.loads(stage_json(config, "stage2")), json.loads(trm_json(config))
    assert (ctm["model"]["memory"], ctm["loss"]) == (24, {"diversity": 0.0, "later_ticks": 0.5})
    assert "memory" not in trm["model"] and trm["loss"] == {"diversity": 0.0, "later_ticks": 0.0}
    for part in ("stage", "training"):
        assert trm[part].keys() == ctm[part].keys()
        assert not {"memory", "diversity", "later_ticks"} & trm[part].keys()


def test_a_key_that_meant_nothing_is_left_out_and_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """`trm.stage.memory` was asked for until a stage's settings were any model's: files that have it still work."""
    old = overlaid(tmp_path, "trm: {stage: {memory: 1, ticks: 4}}")
    told = caplog.text
    assert "mine.yaml:1: trm.stage.memory is left out: a TRM has no neurons with a memory; delete it" in told
    assert old == overlaid(tmp_path, "trm: {stage: {ticks: 4}}") and caplog.text == told, "said where it is"


def test_schema_and_reference_are_generated_from_the_code() -> None:
    hint = "run `ctm-pipeline schema --write`"
    assert (ROOT / reference.SCHEMA_FILE).read_text() == reference.schema_text(), hint
    assert (ROOT / reference.REFERENCE_FILE).read_text() == reference.reference_text(ROOT), hint


def test_every_key_is_explained() -> None:
    for kind in reference._classes(Config):
        docs = reference.field_docs(kind)
        bare = [field.name for field in dataclasses.fields(kind) if not docs.get(field.name)]
        assert not bare, f"{kind.__module__}.{kind.__name__}: no line of explanation below {bare}"
