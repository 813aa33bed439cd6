"""What a config would take: scaled from a measured run, labeled so, and silent where nothing was measured."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from ctm.pipeline.cli import app
from ctm.pipeline.config import overlay, parse_config, read_config
from ctm.pipeline.estimate import RuleEstimate, estimates, longest_chain
from ctm.pipeline.ledger import read
from ctm.pipeline.lineage import Lineage
from ctm.pipeline.scales import SCALES, scale_of
from ctm.pipeline.sections import Config
from ctm.pipeline.steps import steps, table
from helpers.ledger import row, write_parts, write_rows

ROOT = Path(__file__).resolve().parents[2]
FILES = [ROOT / "config/config.yaml", ROOT / "config/demo.yaml"]


@pytest.fixture(scope="module")
def demo() -> Config:
    return read_config(FILES)


@pytest.fixture
def run(tmp_path: Path, demo: Config) -> Path:
    """A run of the demo: two jobs of `mutate` and two stages of an hour each, all else but `benchmark` in no time."""
    lineage = Lineage(demo, ROOT)
    used = {"seconds": 3600.0, "energy": {"cpu_wh": 20.0, "gpu_wh": None, "source": "rapl"}}
    slow = ("mutate", "train_stage1", "train_stage2")
    jobs = [(rule, ["01-of-01"]) for rule in lineage.steps if rule != "benchmark"]
    for rule, wildcards in [*jobs, ("mutate", ["02-of-02"])]:
        mine = lineage.of(rule)
        write_parts(tmp_path, rule, mine, lineage.parts(rule))
        made = {"path": f"results/{rule}/{' '.join(wildcards)}", "sha256": "aa", "size": 10**9}
        line = row(rule, mine, wildcards=wildcards, outputs=[made])
        line["used"] = line["used"] | (
            used if rule in slow else {"seconds": 36.0 if rule == "report" else 0.0}
        )
        write_rows(tmp_path, [line])
    return tmp_path


def by_rule(run: Path | None, config: Config) -> dict[str, RuleEstimate]:
    entries = read(run) if run else []
    return {one.rule: one for one in estimates(config, steps(config).values(), run, entries, ROOT)}


def changed(**sections: Any) -> Config:
    values: dict[str, Any] = {}
    for file in FILES:
        overlay(values, yaml.safe_load(file.read_text(encoding="utf-8")))
    overlay(values, sections)
    return parse_config(values)


def test_the_same_config_takes_what_was_measured(run: Path, demo: Config) -> None:
    found = by_rule(run, demo)
    assert (found["mutate"].hours, found["mutate"].longest, found["mutate"].disk_gb) == (2.0, 1.0, 2.0)
    assert found["mutate"].kwh == pytest.approx(0.04)
    assert {found[rule].basis for rule in ("mutate", "train_stage1", "report")} == {"measured"}
    assert found["report"].kwh is None, "its energy was not available, which is not 0"
    assert found["benchmark"].hours is None and found["benchmark"].basis.startswith("not known: ")


def test_hours_grow_with_visits_and_ticks_and_are_called_assumed(run: Path) -> None:
    larger = changed(
        training={"stages": {"stage1": {"samples": 28000, "ticks": 8, "epochs": 3}}},
        bugs={"per_snippet": 6, "shards": 4},
    )
    found = by_rule(run, larger)
    assert found["train_stage1"].hours == pytest.approx(12.0, rel=1e-6), "2 x samples, 2 x ticks, 3 x epochs"
    assert (
        found["train_stage1"].basis == "assumed: 12 times what was measured, by visits x ticks x parameters"
    )
    assert found["train_stage1"].disk_gb == pytest.approx(1.0), "weights grow with the model alone"
    assert (found["mutate"].hours, found["mutate"].longest) == (6.0, 1.5)
    assert found["train_stage2"].basis == "measured"
    assert found["report"].basis == "assumed: the same"


def test_every_rule_has_a_scale_or_is_known_to_have_none(demo: Config) -> None:
    """A new rule without one would be left out of every sum without a reason."""
    unscaled = {"collect_installed", "collect_stackoverflow", "discover_repositories", "real_suites"}
    assert {rule for rule in table(demo) if scale_of(rule) is None} == unscaled
    assert set(SCALES) <= set(table(demo))


def test_the_longest_chain_is_what_more_cores_do_not_shorten(run: Path, demo: Config) -> None:
    hours, names = longest_chain(list(by_rule(run, demo).values()), steps(demo))
    assert hours == pytest.approx(1 + 2 + 0.01), "one of the two jobs of mutate, both stages, the report"
    assert {"mutate", "train_stage1", "train_stage2", "report"} <= set(names)


def test_the_command_gives_no_hours_without_rates(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["plan", "--configfile", str(FILES[1])])
    assert done.exit_code == 0, done.output
    assert "not known / 90" in done.output and "not known: no measured run was named" in done.output
    done = CliRunner().invoke(app, ["plan", "--measured", str(tmp_path)])
    assert done.exit_code == 2 and "no ledger" in done.output
