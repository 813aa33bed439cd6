"""The dashboard says where a run stands, in the specification's template, and nothing that no log says."""

from __future__ import annotations

import dataclasses
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctm.pipeline.cli import app
from ctm.pipeline.dashboard import records
from ctm.pipeline.dashboard.days import day_page
from ctm.pipeline.dashboard.page import Price, write_dashboard
from ctm.pipeline.dashboard.records import Records, end_of
from ctm.pipeline.dashboard.state import State, state_at
from ctm.pipeline.energy_section import by_phase
from ctm.pipeline.ledger import REFUSED, append
from ctm.pipeline.phases import phase_of
from helpers.dashboard_run import (
    BEGUN,
    TRAINED,
    begun_job,
    ended_job,
    entry,
    failed_job,
    make_run,
    write_log,
    write_session,
)

NOW = TRAINED + timedelta(minutes=7)
ORDER = [
    "## CTM Training Progress - Day", "### Current Phase:", "#### Resource Utilization", "| GPU Utilization |",
    "| VRAM Usage |", "| CPU Utilization |", "| RAM Usage |", "| Disk I/O |", "#### Training Metrics",
    "| Samples Processed |", "| Training Loss |", "| Validation Accuracy", "| Throughput |", "| Iterations/sample |",
    "#### CTM-Specific Metrics", "| Sync Variance |", "| Certainty Mean |", "| Iteration Efficiency |",
    "| NLM Activation Stats |", "#### Issues/Notes", "#### Next Checkpoint", "- Target:", "- ETA:",
]  # fmt: skip
"""The lines of the specification's template."""


@pytest.fixture
def running(tmp_path: Path) -> Records:
    """A run whose Snakemake is at work."""
    found = records.read(make_run(tmp_path / "run"))
    return Records(found.run, found.sessions, found.stages, found.entries, alive=True)


def row(state: State, name: str) -> tuple[str, str, str]:
    """A row of the tables: current, target, mark."""
    [found] = [one for one in (*state.resources, *state.training) if one.metric == name]
    return found.current, found.target, found.mark


def test_a_day_has_the_form_of_the_template(running: Records) -> None:
    text = day_page(state_at(running, NOW, now=False))
    places = [text.find(line) for line in ORDER]
    assert -1 not in places, f"missing: {ORDER[places.index(-1)]}"
    assert places == sorted(places)


def test_resources_are_held_against_what_the_rule_declares(running: Records) -> None:
    state = state_at(running, NOW, now=False)
    assert (state.phase, state.task, state.status) == ("Phase 3: training", "train_stage1", "running")
    assert row(state, "GPU Utilization") == ("90%", "≥85%", "✓")
    assert row(state, "VRAM Usage") == ("70GB", "≤64GB", "✗")
    assert row(state, "CPU Utilization") == ("75%", "≤100% of 2 cores", "✓")
    assert row(state, "RAM Usage") == ("5GB", "≤4GB", "✗")
    assert row(state, "Disk I/O") == ("12.5MB/s", "class “medium”", "–"), (
        "a class is no number to hold it against"
    )


def test_training_is_held_against_the_next_milestone(running: Records) -> None:
    """Step 60 of 100: the next one is 75%, as the newest start of Snakemake was told."""
    state = state_at(running, NOW, now=False)
    assert row(state, "Samples Processed") == ("600", "750", "✗")
    assert row(state, "Training Loss") == ("3", "<2.5", "✗")
    assert row(state, "Validation Accuracy (syntax)") == ("45.0%", ">40%", "✓")
    assert row(state, "Validation Accuracy (overall)") == ("22.5%", "none", "–")
    assert row(state, "Throughput") == ("1.67/s", "≥3.33/s (ends within 5 min)", "✗")
    assert row(state, "Iterations/sample") == ("16", "16", "✓")
    assert state.target == "75% of stage1, 750 samples (syntax >40%, loss <2.5)"
    assert state.eta == "2026-11-28 23:57 UTC", "15 steps after 23:56, at 10 a minute"
    figures = {one.metric: (one.value, one.note) for one in state.model}
    assert figures["Certainty Mean"] == ("0.75", "Should increase over training; +0.25 since the stage began")
    assert figures["Iteration Efficiency"][0] == "+1.25 points"
    assert figures["NLM Activation Stats"][0] == "mean 0.01, std 0.80, 2.0% near zero, 0.1% large, 0.0% still"


def test_without_a_record_of_the_start_nothing_is_known_of_targets(tmp_path: Path) -> None:
    """A run from before there was one, or copied without it: not the same as a stage that nothing is asked of."""
    run = make_run(tmp_path)
    shutil.rmtree(run / "results/provenance/sessions")
    found = dataclasses.replace(records.read(run), alive=True)
    state = state_at(found, NOW, now=False)
    assert state.target == "75% of stage1, 750 samples (what is asked is not on record)"
    assert row(state, "Training Loss") == ("3", "none", "–")
    write_session(run, BEGUN, {"stage1": {}})
    state = state_at(dataclasses.replace(records.read(run), alive=True), NOW, now=False)
    assert state.target == "75% of stage1, 750 samples (nothing is asked)"


def test_a_moment_knows_nothing_of_what_came_after_it(running: Records) -> None:
    """The page of a day is of its end."""
    before = state_at(running, TRAINED + timedelta(minutes=2.2), now=False)
    assert row(before, "Samples Processed")[:2] == ("200", "250"), "the next one was 25% then"
    assert len(before.issues) == 1
    early = state_at(running, BEGUN + timedelta(minutes=70), now=False)
    assert (early.task, early.stage, early.status) == ("mutate", "", "between two jobs")
    assert "No stage has written any" in day_page(early)


def test_a_second_day_is_counted(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    later = BEGUN + timedelta(days=3)
    job = [*begun_job(later, "benchmark", 1), *ended_job(later, "benchmark", 1), "Complete log(s): x"]
    write_log(run, later, job)
    found = records.read(run)
    assert [found.number(day) for day in found.days()] == [1, 4]
    names = [path.name for path in write_dashboard(found, Price(0.15, "USD"))]
    assert names == ["index.html", "day-01.md", "day-04.md"]
    assert "Day 1\n" in (run / "results/dashboard/day-01.md").read_text(encoding="utf-8")
    assert "benchmark" in (run / "results/dashboard/day-04.md").read_text(encoding="utf-8")


def test_a_job_that_ended_is_read_from_the_ledger(running: Records) -> None:
    state = state_at(running, BEGUN + timedelta(minutes=70), now=False)
    assert row(state, "CPU Utilization")[::2] == ("75%", "✓"), (
        "5400 seconds of processor in an hour of 2 cores"
    )
    assert row(state, "RAM Usage")[::2] == ("4.5GB", "✗")
    assert row(state, "Disk I/O")[0] == "2MB/s"
    assert "ledger" in state.use_source


def test_without_a_ledger_the_benchmark_says_it(tmp_path: Path) -> None:
    run = make_run(tmp_path, ledger=False)
    (run / "logs").mkdir()
    (run / "logs/mutate.tsv").write_text(
        "s\tmax_rss\tio_in\tio_out\tmean_load\n100.0\t1000.0\t-\t-\t150.0\n", encoding="utf-8"
    )
    state = state_at(records.read(run), BEGUN + timedelta(minutes=70), now=False)
    assert row(state, "CPU Utilization")[0] == "75%"
    assert row(state, "RAM Usage")[0] == "1.05GB"
    assert row(state, "Disk I/O")[0] == "not available"


def test_nothing_is_said_that_no_log_says(tmp_path: Path) -> None:
    run = make_run(tmp_path, ledger=False)
    shutil.rmtree(run / "work")
    state = state_at(records.read(run), BEGUN + timedelta(minutes=70), now=False)
    assert all(one.current == "not available" and one.met is None for one in state.resources)
    assert not state.training and not state.model


def test_issues_are_those_of_the_day(running: Records) -> None:
    issues = state_at(running, NOW, now=False).issues
    assert issues == [
        "22:05 mutate failed and is tried again",
        "23:52 stage1 at 25%: syntax is not what is asked",
        "23:53 stage1: out of memory at step 30: did not <fit> | at all (pieces 2, checkpoint ticks 8)",
    ]
    text = day_page(state_at(running, NOW, now=False))
    assert "did not \\<fit\\> \\| at all" in text, "a reason out of a log is no Markdown and no HTML"


@pytest.mark.parametrize("has_log", [True, False])
def test_a_refused_job_is_noted_with_its_reason(tmp_path: Path, has_log: bool) -> None:
    """With Snakemake's log and, where the folder was copied without it, by the ledger alone."""
    run = make_run(tmp_path)
    before = by_phase(records.read(run).entries)
    refused = entry("mutate", BEGUN + timedelta(seconds=1), BEGUN + timedelta(seconds=299.5))
    refused = dataclasses.replace(refused, status=REFUSED, exit=65, used={}, reason="x was damaged")
    append(run, dataclasses.replace(refused, job="try"))
    by_hand = dataclasses.replace(refused, job="by hand", rule="bundle", wildcards=("a",))
    append(run, by_hand)
    if not has_log:
        shutil.rmtree(run / ".snakemake")
    found = records.read(run)
    issues = state_at(found, NOW, now=False).issues
    assert "22:04 bundle a was refused (exit status 65): x was damaged" in issues, (
        "Snakemake knows nothing of it"
    )
    (line,) = (issue for issue in issues if "mutate" in issue)
    again = " and is tried again" if has_log else ""
    assert line.removeprefix("22:05 ").removeprefix("22:04 ") == (
        f"mutate was refused (exit status 65){again}: x was damaged"
    )
    assert by_phase(found.entries) == before, "it is no attempt that cost anything"
    (job, *_) = (job for job in found.jobs() if job.failed)
    assert found.entry(job, BEGUN + timedelta(minutes=5)) is None, "and has no use"


def test_a_snakemake_that_was_killed_runs_no_more(tmp_path: Path) -> None:
    """Its log ends in the middle of a job."""
    found = records.read(make_run(tmp_path))
    state = state_at(found, end_of(NOW.date()), now=False)
    assert (state.status, state.target) == ("stopped (Snakemake was killed)", "none")
    assert state.task == "train_stage1", "what was interrupted, not what had ended before"
    assert "23:50 Snakemake was killed" in state.issues


def test_ended_stages_are_held_against_their_last_milestone(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    ended = run / "results/training/stage1"
    shutil.copytree(next((run / "work/train_stage1").glob("*/metrics")), ended)
    lines = (ended / "metrics.jsonl").read_text(encoding="utf-8").splitlines()[:1]
    (ended / "metrics.jsonl").write_text(
        lines[0].replace('"steps": 100', '"steps": 20') + "\n", encoding="utf-8"
    )
    shutil.rmtree(run / "work")
    state = state_at(records.read(run), NOW, now=False)
    assert row(state, "Samples Processed") == ("200", "not available", "–")


def test_energy_is_by_phase_and_says_how_much_of_it_was_measured(running: Records) -> None:
    data, model, whole = by_phase(running.entries)
    assert (data.cpu_wh, data.gpu_wh, data.wh) == (30.0, None, 30.0)
    assert model.wh is None, "what was not measured is not 0"
    assert (whole.wh, whole.metered, whole.jobs, whole.hours) == (30.0, 1, 2, 2.0)


def test_a_folder_that_was_copied_without_snakemake_s_records_is_read_by_its_ledger(tmp_path: Path) -> None:
    run = make_run(tmp_path)
    shutil.rmtree(run / ".snakemake")
    state = state_at(records.read(run), BEGUN + timedelta(minutes=70), now=False)
    assert (state.task, state.status) == ("mutate", "no longer running")
    assert row(state, "RAM Usage") == ("4.5GB", "≤4GB", "✗")


def test_the_page_needs_no_script_and_no_network(tmp_path: Path) -> None:
    [index, _] = write_dashboard(records.read(make_run(tmp_path)), Price(0.3, "EUR"))
    text = index.read_text(encoding="utf-8")
    assert "<script" not in text and not re.search(r'(src|href)="(https?:)?//', text)
    assert "did not &lt;fit&gt; | at all" in text
    assert "0.009 EUR" in text, "30 Wh at 0.3 a kilowatt-hour"
    assert 'href="day-01.md"' in text and 'href="../../work/train_stage1' in text


def test_the_command_writes_the_pages_and_refuses_other_folders(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["dashboard", "--directory", str(make_run(tmp_path / "run"))])
    assert done.exit_code == 0 and "index.html" in done.output
    refused = CliRunner().invoke(app, ["dashboard", "--directory", str(tmp_path)])
    assert refused.exit_code == 2 and "no run" in refused.output


def test_a_run_that_failed_is_not_called_done(tmp_path: Path) -> None:
    """Snakemake meant to try it again, and was ended before it could."""
    minute = timedelta(minutes=1)
    lines = [*begun_job(BEGUN, "mutate", 1), *failed_job(BEGUN + minute, "mutate", 1, again=True)]
    write_log(tmp_path, BEGUN, [*lines, "Complete log(s): x"])
    assert state_at(records.read(tmp_path), NOW, now=False).status == "failed"


def test_every_step_has_its_phase() -> None:
    """A step that is new would otherwise be counted to the evaluation without a word."""
    by_name = {"collect_commits": 1, "grid_manifest": 1, "baseline": 2, "train_trm": 3, "train_tokenizer": 1,
               "benchmark": 4, "report": 4}  # fmt: skip
    assert {rule: phase_of(rule) for rule in by_name} == by_name


def test_times_have_a_zone(running: Records) -> None:
    assert all(time.tzinfo is UTC or time.utcoffset() is not None for time in running.times())
    assert datetime.now(UTC) > running.times()[-1]
