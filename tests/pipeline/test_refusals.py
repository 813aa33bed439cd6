"""What is wrong in files and arguments is refused before anything runs: file, line, key, value and remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser
from typer.testing import CliRunner

from ctm.pipeline.arguments import without_target
from ctm.pipeline.cli import app
from ctm.pipeline.config import parse_config, read_config
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.given import Given
from ctm.pipeline.planning import config_of
from ctm.pipeline.profiles import check_profiles, profiles_of, read_profile

ROOT = Path(__file__).resolve().parents[2]
FULL, DEMO = ROOT / "config/config.yaml", ROOT / "config/demo.yaml"


def refusal(tmp_path: Path, text: str) -> str:
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as refused:
        config_of([DEMO, overlay], ROOT)
    return str(refused.value)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("training:\n  seed: 1\ntraining:\n  clip: 1\n", ["mine.yaml:3: key 'training'", "in line 1"]),
        ("training: {seed: 010}", ["mine.yaml:1: 010 is 8"]),
        ("training: {seed: 12345678901234567890123}", ["mine.yaml:1: training.seed: must be at most 4,294,967,295"]),
        ("training: {clip: .nan}", ["mine.yaml:1: training.clip: must be"]),
        ("training: {clip: .inf}", ["mine.yaml:1: training.clip: must be"]),
        ("training: {clip: 1e999}", ["mine.yaml:1: training.clip: must be"]),
        ("training:\n\n  weight_decay: -0.1", ["mine.yaml:3: training.weight_decay: must be at least 0 (given: -0.1)"]),
        ("training: {device: nonsense}", ["mine.yaml:1: training.device", "(given: 'nonsense')", "cuda"]),
        ("training: {deterministic: on}", ["training.deterministic", "(given: True)", "put the word in quotes"]),
        ("training: {stages: {stage1: {learning_rate: -1e-3}}}", ["stage1.learning_rate: must be above 0"]),
        ("training: {stages: {stage1: {batch: 0}}}", ["stage1.batch: must be at least 1 (given: 0)"]),
        ("training: {stages: {stage1: {epochs: 0}}}", ["stage1.epochs: must be at least 1"]),
        ("training: {stages: {stage1: {epochs: yes}}}", ["stage1.epochs: must be a number (given: true"]),
        ("training: {stages: {stage1: {samples: 10}}}", ["stage1", "samples is 10, less than a batch of 48"]),
        ("training: {stages: {stage1: {mix: {syntax: 0.5}}}}", ["stage1", "must add up to 1, not 0.6"]),
        ("training: {stages: {stage1: {mix: {syntax: 1.5}}}}", ["stage1.mix.syntax: must be at most 1"]),
        ("training: {stages: {stage1: {milestones: {33%: {loss: 1}}}}}", ["milestones.33%", "'50%'"]),
        ("training: {stages: {stage1: {milestones: {50%: {syntax: 33%}}}}}", ["50%.syntax", "write 0.33 for 33%"]),
        ("training: {stages: {stage1: {milestones: {50%: {syntax: 85}}}}}", ["50%.syntax is 85", "at most 1"]),
        ("training: {stages: {stage1: }}", ["mine.yaml:1: training.stages.stage1 is null", "take it out of"]),
        ("sources:\n  packages: {enabled: true}\ntraining:\n", ["mine.yaml:3: training has nothing below it"]),
        ("training: [1]", ["mine.yaml:1: training: must be a section"]),
        ("training: {order: stage1}", ["mine.yaml:1: training.order: must be a list"]),
        ("bugs: {shares: {syntax: 0.5}}", ["mine.yaml:1: bugs.shares", "must add up to 1, not 1.07"]),
        ("bugs: {shares: {syntax: 1.2}}", ["bugs.shares.syntax: must be at most 1"]),
        ("bugs: {shards: -2}", ["bugs.shards: must be at least 1 (given: -2)"]),
        ("working: {per_project: 0}", ["working.per_project: must be at least 1"]),
        ("resources: {mutate: {threads: 0}}", ["resources.mutate.threads: must be at least 1"]),
        ("tokenizer: {vocabulary: 100}", ["tokenizer.vocabulary: must be at least "]),
        ("sources: {github: {api: ftp://x}}", ["sources.github.api", "https?"]),
        ("bugs:\n  mix: config/nowhere.yaml\n", ["mine.yaml:2: bugs.mix: config/nowhere.yaml: no such file"]),
        (
            "sources: {installed: {enabled: true, paths: [/no/where]}}",
            ["mine.yaml:1: sources.installed.paths: /no/where: no such folder"],
        ),
        (
            "sources: {installed: {enabled: true, paths: [venv/lib]}}",
            [f"sources.installed.paths: {ROOT}/venv/lib: no such folder"],
        ),
        (
            "sources: {stackoverflow: {enabled: true, accept_dump_terms: true, posts: dumps/Posts.xml}}",
            ["sources.stackoverflow.posts: dumps/Posts.xml: no such file"],
        ),
        ("resources: {mutat: {threads: 1}}", ["mine.yaml:1: resources.mutat: there is no such rule"]),
        ("real_suites: {mine: {layout: sven}}", ["mine.yaml:1: real_suites.mine: 'path' is missing"]),
        ("- training", ["mine.yaml: a list"]),
        ("", ["mine.yaml: empty"]),
    ],
)  # fmt: skip
def test_refused_with_file_line_key_and_remedy(tmp_path: Path, text: str, parts: list[str]) -> None:
    said = refusal(tmp_path, text)
    for part in parts:
        assert part in said
    assert str(FULL) not in said, "an overlay's fault is the overlay's"


def test_a_folder_without_packages_is_refused(tmp_path: Path) -> None:
    """Else it would give no snippet and count as a success."""
    (tmp_path / "empty").mkdir()
    said = refusal(tmp_path, f"sources: {{installed: {{enabled: true, paths: ['{tmp_path}/empty']}}}}")
    assert "has no installed package" in said


def test_numbers_as_they_look_and_days_without_quotes_are_taken(tmp_path: Path) -> None:
    """As Snakemake reads them, too: 1e-3 arrives as text, a day as a date."""
    text = (
        "training: {stages: {stage1: {learning_rate: 1e-3, samples: 14_000}}}\n"
        "sources: {github: {created_to: 2024-12-31}}"
    )
    overlay = tmp_path / "mine.yaml"
    overlay.write_text(text, encoding="utf-8")
    config = read_config([FULL, DEMO, overlay])
    stage = config.training.stages["stage1"]
    assert (stage.learning_rate, stage.samples) == (0.001, 14000)
    assert config.sources.github.created_to == "2024-12-31"


def test_a_value_of_the_command_line_is_no_files_fault(tmp_path: Path) -> None:
    values = {"training": {"clip": "-1"}}
    with pytest.raises(ConfigError, match=r"^--config: training\.clip: must be above 0"):
        parse_config(values, Given([FULL], values))


def test_the_main_file_behind_an_overlay_is_refused() -> None:
    """It would take back all that the overlay says: hundreds of full-scale jobs over a finished run."""
    with pytest.raises(ConfigError, match=r"config\.yaml comes after .*demo\.yaml.*Name it first"):
        config_of([DEMO, FULL], ROOT)
    assert config_of([FULL, DEMO], ROOT) == config_of([DEMO], ROOT)


BROKEN = {
    "twice": b"cores: 2\ncores: 3\n",
    "list": b"- cores\n",
    "latin": b"cores: 2 # \xe9\n",
    "tab": b"set-resources:\n\tmutate: {}\n",
    "text": b"resources: [mem_gb=lots]\n",
    "bare": b"resources: [mem_gb]\n",
    "flat": b"set-resources: {mutate: 3}\n",
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_profile_that_cannot_be_used_is_refused_by_its_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "config.yaml").write_bytes(BROKEN[name])
    with pytest.raises(ConfigError, match=r"config\.yaml"):
        read_profile(tmp_path)
    done = CliRunner().invoke(app, ["doctor", "--profile", str(tmp_path)])
    assert done.exit_code == 2 and isinstance(done.exception, SystemExit) and "config.yaml" in done.output


def test_profiles_of_snakemakes_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SNAKEMAKE_PROFILE", "one")
    arguments = ["all", "--profile", "two", "--workflow-profile=three", "--cores", "2"]
    assert profiles_of(arguments) == ["one", "two", "three"]
    (tmp_path / "config.yaml").write_bytes(BROKEN["twice"])
    with pytest.raises(ConfigError, match="cores"):
        check_profiles([str(tmp_path)])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["all", "--configfile", "{mine}"], "mine.yaml:2: key 'a'"),
        (["all", "--configfile", str(DEMO), "/no/where.yaml"], "/no/where.yaml: no such file"),
    ],
)
def test_run_refuses_files_before_snakemake_reads_them(
    tmp_path: Path, arguments: list[str], said: str
) -> None:
    mine = tmp_path / "mine.yaml"
    mine.write_text("a: 1\na: 2\n", encoding="utf-8")
    done = CliRunner().invoke(app, ["run", *(argument.format(mine=mine) for argument in arguments)])
    assert done.exit_code == 2 and said in done.output


def test_run_without_a_target_says_what_it_builds() -> None:
    parser = get_argument_parser()
    assert "results/final/ctm.onnx is built" in without_target(["--configfile", str(DEMO)], parser)
    assert without_target(["all", "--cores", "2"], parser) == "" == without_target(["--unlock"], parser)


def test_help_of_run_tells_how_to_reach_snakemakes() -> None:
    done = CliRunner().invoke(app, ["run", "--help"])
    assert "run -- --help" in done.output and "--forcerun" in done.output


@pytest.mark.parametrize("command", [["stage", "stage1"], ["lineage", "show"], ["doctor"]])
@pytest.mark.parametrize("content", [b"\xff", b"- a", b"", b"a: [", b"x: 1\nx: 2\n"])
def test_every_command_refuses_a_broken_overlay_in_one_line(
    tmp_path: Path, command: list[str], content: bytes
) -> None:
    overlay = tmp_path / "mine.yaml"
    overlay.write_bytes(content)
    done = CliRunner().invoke(app, [*command, "--configfile", str(overlay)])
    assert done.exit_code == 2 and isinstance(done.exception, SystemExit)
    assert len(done.output.strip().splitlines()) == 1 and "mine.yaml" in done.output
