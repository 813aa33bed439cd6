"""A rule and its entry in the table of steps: they go together, neither repeats the other, and two are enough."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from ctm.pipeline.config import read_config
from ctm.pipeline.steps import WorkflowStep, steps, table
from helpers.fake_checkout import ROOT, Checkout, fake_checkout

SHARED = re.compile(r"\s+((log|benchmark|retries|conda):|(lineage|program)=)")
"""What the table gives to every rule, as a line of it."""
ALL_SOURCES: dict[str, Any] = {
    "installed": {"enabled": True},
    "github": {"enabled": True, "listed": "config/corpus.csv"},
    "commits": {"repositories": ["https://example.org/one.git"]},
    "stackoverflow": {"enabled": True, "posts": "config/corpus.csv", "accept_dump_terms": True},
}
SUITES = {"mine": {"path": "config", "layout": "bugsinpy", "sha256": "0" * 64}}
NEW_RULE = """

rule count_pairs:
    input:
        pairs="results/pairs/train.parquet",
    output:
        counts="results/count_pairs/counts.json",
    threads: cores("count_pairs")
    resources:
        **demand("count_pairs"),
    shell:
        "{params.program} --pairs {input.pairs} --settings {params.tokenizer:q} --out {output.counts} >> {log} 2>&1"
"""
NEW_STEP = """
        WorkflowStep(
            "count_pairs",
            Demand(threads=1, mem_gb=8),
            parents=("build_pairs",),
            settings=("tokenizer",),
        ),
"""


@pytest.fixture(scope="module")
def workflow(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The parsed workflow at full scale, with every source switched on and a suite of real bugs."""
    folder = tmp_path_factory.mktemp("parsed")
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        parsed = api.workflow(
            resource_settings=ResourceSettings(cores=24),
            config_settings=ConfigSettings(config={"sources": ALL_SOURCES, "real_suites": SUITES}),
            snakefile=ROOT / "Snakefile",
            workdir=folder,
        )._workflow
        yield parsed


def commands(workflow: Any) -> dict[str, Any]:
    """The rules that run something, by name."""
    return {rule.name: rule for rule in workflow.rules if not rule.norun}


def test_each_rule_is_a_step_and_each_step_is_a_rule(workflow: Any) -> None:
    """Also of the sources that a usual configuration leaves out."""
    assert commands(workflow).keys() == table(read_config([ROOT / "config" / "config.yaml"])).keys()


def test_every_job_has_a_log_a_benchmark_an_environment_and_a_lineage(workflow: Any) -> None:
    for name, rule in commands(workflow).items():
        wildcards = "/".join(f"{{{part}}}" for part in re.findall(r"\{(\w+)", rule.output[0]))
        place = f"logs/{name}/{wildcards}".rstrip("/")
        assert [re.sub(r",[^}]*}", "}", str(path)) for path in (*rule.log, rule.benchmark)] == [
            f"{place}.log",
            f"{place}.tsv",
        ]
        assert rule.conda_env == str(ROOT / "envs" / "cpu.yaml")
        assert re.fullmatch("[0-9a-f]{64}", rule.params.lineage), name


def test_rules_ask_for_what_the_table_says_of_them(workflow: Any) -> None:
    """A rule that is copied from another, and keeps the other's name in `threads` or `resources`, is found here."""
    demands = read_config([ROOT / "config" / "config.yaml"]).resources
    for name, rule in commands(workflow).items():
        given = {
            key: rule.resources[key].evaluate(
                {}, input=[], attempt=1, threads=1, rulename=name
            ).value
            for key in ("_cores", "mem_gb", "vram")
        }  # fmt: skip
        demand = demands[name]
        assert given == {"_cores": demand.threads, "mem_gb": demand.mem_gb, "vram": demand.vram}, name


def test_no_rule_repeats_what_the_table_gives() -> None:
    for file in sorted((ROOT / "rules").glob("*.smk")):
        if file.name == "common.smk":
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            assert not SHARED.match(line), f"{file.name}:{number}: {line}"


def test_what_a_command_is_given_its_lineage_knows(workflow: Any) -> None:
    """Settings and files come from the entry that is hashed. What a rule computes itself is listed here, by hand."""
    computed = {
        "clean_snippets": {"quality"},  # of which it reads two parts, and lineage knows those
        "discover_repositories": {"listed", "state"},
        "collect_commits": {"repositories", "listed", "state"},
        "collect_stackoverflow": {"dump"},
        "build_pairs": {"fixes", "suites"},
        "data_card": {"sidecars", "rejects"},
        "validate_model": {"model"},
        "baseline": {"model"},
        "working_windows": {"code"},
        "train_trm": {"settings", "work"},
        "compare_trm": {"asked"},
        "real_suites": {"suites"},
        "provenance": {"snakefile"},
        "model_card": {"targets"},
        "report": {"targets"},
    } | {f"train_stage{i}": {"settings", "before", "work"} for i in range(1, 5)}
    for name, rule in commands(workflow).items():
        own = set(rule.ruleinfo.params[1]) if rule.ruleinfo.params else set()
        assert own == computed.get(name, set()), name


def test_a_new_step_takes_a_rule_and_an_entry(tmp_path: Path) -> None:
    """No third place: it is planned with log and settings, within the demo's budget. Without one of them, refused."""
    checkout = fake_checkout(tmp_path / "somebody's own checkout")
    shutil.copy(ROOT / "workflow/scripts/fit_bug_mix.py", checkout.root / "workflow/scripts/count_pairs.py")
    rules, entries = checkout.root / "rules/pairs.smk", checkout.root / "ctm/pipeline/steps.py"
    rules.write_text(rules.read_text() + NEW_RULE)
    assert "count_pairs has no entry in ctm/pipeline/steps.py" in refused(checkout)
    before = "        # phase 2\n"
    assert before in entries.read_text()
    entries.write_text(entries.read_text().replace(before, NEW_STEP + before))
    plan = checkout.snakemake("-n", "-p", "count_pairs").stdout
    assert "--settings '{" in plan and ">> logs/count_pairs.log" in plan
    command = next(line for line in plan.splitlines() if "count_pairs.py" in line)
    assert str(checkout.root / "workflow/scripts/count_pairs.py") in shlex.split(command), "wherever it lies"
    assert re.search(r"rule count_pairs:[^\0]*?benchmark: logs/count_pairs.tsv[^\0]*?mem_gb=1", plan)
    rules.write_text(rules.read_text().removesuffix(NEW_RULE))
    assert "count_pairs has no rule in rules/" in refused(checkout)


def refused(checkout: Checkout) -> str:
    """What a plan says that fails."""
    done = checkout.snakemake("-n", "all", check=False)
    assert done.returncode != 0
    return done.stdout + done.stderr


def test_parents_come_first() -> None:
    """The table is read from above, and pages list rules in its order. Of steps that are switched off, too."""
    before: set[str] = set()
    for name, step in table(read_config([ROOT / "config" / "config.yaml"])).items():
        assert before.issuperset(step.parents), f"{name} stands before {set(step.parents) - before}"
        before.add(name)


def test_a_step_that_is_switched_off_is_nobodys_parent() -> None:
    entries: dict[str, WorkflowStep] = steps(read_config([ROOT / "config" / "config.yaml"]))
    assert "collect_installed" not in entries
    assert entries["clean_snippets"].parents == ("collect_packages",)


def test_the_catalogs_snakefile_is_the_same_workflow(workflow: Any, tmp_path: Path) -> None:
    """workflow/Snakefile finds config, rules and programs though it lies elsewhere."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        parsed = api.workflow(
            resource_settings=ResourceSettings(cores=24),
            config_settings=ConfigSettings(config={"sources": ALL_SOURCES, "real_suites": SUITES}),
            snakefile=ROOT / "workflow" / "Snakefile",
            workdir=tmp_path,
        )._workflow
        found = {name: rule.params.lineage for name, rule in commands(parsed).items()}
    assert found == {name: rule.params.lineage for name, rule in commands(workflow).items()}
