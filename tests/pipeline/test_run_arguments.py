"""Arguments of `ctm-pipeline run` that Snakemake would answer with a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest
from snakemake.cli import get_argument_parser

from ctm.pipeline.run_arguments import ArgumentMistake, checked

ROOT = Path(__file__).resolve().parents[2]
PARSER = get_argument_parser()


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder that is no checkout, with an overlay."""
    (tmp_path / "my.yaml").write_text("")
    return tmp_path


def mistake(line: str, here: Path) -> str:
    with pytest.raises(ArgumentMistake) as caught:
        checked(line.split(), PARSER, here, ROOT)
    return str(caught.value)


def test_a_target_that_an_option_swallows(here: Path) -> None:
    assert "`ctm-pipeline run all --configfile …`" in mistake("--configfile my.yaml all", here)
    said = mistake("--cores 2 --resources vram=96 all", here)
    assert "all: not NAME=INT" in said and "`--resources=vram=96`" in said
    assert "all: not KEY=VALUE" in mistake("-C a=1 all -n", here)


def test_an_overlay_or_a_folder_that_is_none(here: Path) -> None:
    assert f"relative paths are taken from {here}" in mistake("all --configfile your.yaml", here)
    assert str(ROOT / "config/config.yaml") in mistake("all --configfile config/config.yaml my.yaml", here)
    assert "a folder" in mistake("all --configfile=.", here)
    assert "my.yaml: a file" in mistake("all --directory my.yaml", here)
    assert "my.yaml: a file" in mistake("all -d my.yaml/run", here)


def test_from_any_folder_the_checkout_is_found(here: Path) -> None:
    line = ["all", "--configfile", "my.yaml", "--directory", "runs/new", "--resources=vram=96", "-n"]
    assert checked(line, PARSER, here, ROOT) == ["--snakefile", str(ROOT / "Snakefile"), *line]
    assert checked(["all"], PARSER, ROOT, ROOT) == ["all"]
    assert checked(["-s", "other", "all"], PARSER, here, ROOT) == ["-s", "other", "all"]


def test_what_is_right_is_left_as_it_is(here: Path) -> None:
    line = ["--configfile", "my.yaml", "--resources", "vram=96", "mem_gb=4", "--cores", "2", "--", "all"]
    assert checked(line, PARSER, here, ROOT)[2:] == line
