"""Results in a bucket: its ledger names them as on a disk, and whoever looks beside the bucket is told where they are.

The bucket is a folder (helpers/plugins/); with a server of S3 and the real programs: `make test-s3`.
"""

from __future__ import annotations

import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ctm.pipeline.artifacts import RunArtifacts
from ctm.pipeline.cli import app
from ctm.pipeline.ledger import LEDGER, latest, read
from ctm.pipeline.provenance import write_provenance
from ctm.pipeline.resources_section import resources_part
from ctm.pipeline.run_records import read_records
from ctm.pipeline.trace import check_all
from helpers.fake_checkout import ROOT, Checkout, fake_checkout

TARGET = "results/clean/snippets.parquet"
PLUGINS = ROOT / "tests/helpers/plugins"
BESIDE = ("results/provenance/", "results/dashboard/")
"""What lies in the run's folder all the same."""


@dataclass
class Stored(Checkout):
    """A checkout whose results go into the folder `bucket`."""

    @property
    def bucket(self) -> Path:
        return self.root / "bucket"

    @property
    def run(self) -> Path:
        return self.root / "run"

    def environment(self) -> dict[str, str]:
        return super().environment() | {"PYTHONPATH": f"{self.root}{os.pathsep}{PLUGINS}"}

    def start(self, *arguments: str, fail: str = "", check: bool = True) -> str:
        """What a start of Snakemake says. Raises AssertionError where it fails, unless not to `check`."""
        options = [
            "--default-storage-provider",
            "folder",
            "--default-storage-prefix",
            f"folder://{self.bucket}",
        ]
        done = self.snakemake(TARGET, *options, *arguments, fail=fail, check=check)
        return done.stdout + done.stderr

    def rules(self) -> set[str]:
        """Rules that would run now."""
        return set(re.findall(r"^(?:local)?rule (\w+):", self.start("-n"), re.MULTILINE))


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Stored:
    checkout = Stored(fake_checkout(tmp_path_factory.mktemp("stored")).root)
    assert "3 of 3 steps (100%) done" in checkout.start()
    return checkout


@pytest.fixture
def checkout(filled: Stored) -> Stored:
    """Filled anew: its bucket and run are one's own, at the same place, as the bucket's address is part of a run."""
    kept = filled.root.with_name("kept")
    if not kept.exists():
        shutil.copytree(filled.root, kept)
    for name in ("bucket", "run"):
        shutil.rmtree(filled.root / name)
        shutil.copytree(kept / name, filled.root / name)
    return Stored(filled.root)


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def trace(*arguments: object) -> tuple[int, str]:
    done = CliRunner().invoke(app, ["trace", *map(str, arguments)])
    return done.exit_code, done.output


def test_the_ledger_names_objects_as_files_of_a_run(checkout: Stored) -> None:
    entries = read(checkout.run)
    objects = {name for name in files(checkout.bucket / "results") if not name.startswith("provenance/")}
    assert set(latest(entries)) == {f"results/{name}" for name in objects}
    (clean,) = (entry for entry in entries if entry.rule == "clean_snippets")
    assert {file.path for file in clean.inputs} <= set(latest(entries)), "what one job read, another one made"
    assert all(name.startswith(BESIDE) for name in files(checkout.run) if name.startswith("results/"))


def test_nothing_runs_again_here_or_in_another_folder(checkout: Stored) -> None:
    """The ledger comes from the bucket, and with it what would be stale: without, all would count as up to date."""
    assert checkout.rules() == set()
    shutil.rmtree(checkout.run)
    assert checkout.rules() == set()
    assert files(checkout.run / "results/provenance") == files(checkout.bucket / "results/provenance")
    checkout.overlay["splits"] = {"train": 89, "validation": 6}
    assert checkout.rules() == {"clean_snippets"}


def test_a_copy_of_the_bucket_is_a_run(checkout: Stored) -> None:
    copy = checkout.root / "copy"
    shutil.copytree(checkout.bucket, copy)
    number, faults = check_all(read_records(copy))
    assert number == len(latest(read(copy))) and not faults
    shutil.rmtree(checkout.run)
    copy.rename(checkout.run)
    assert checkout.planned(TARGET) == set()


def test_whoever_looks_beside_the_bucket_is_told(checkout: Stored) -> None:
    told = f"the results of this run lie in folder://{checkout.bucket}, not in {checkout.run}; copy them there first"
    for arguments in (["--verify"], [TARGET, "--verify"], ["--pair", "abc"]):
        code, said = trace(*arguments, "--directory", checkout.run)
        assert code == 2 and told in said, arguments
    code, said = trace(TARGET, "--directory", checkout.run)
    assert code == 0 and "clean_snippets, " in said and told in said
    assert re.search(r"sources not known: results/raw/\S+ lies in folder://", said)
    done = CliRunner().invoke(app, ["why", TARGET, "--directory", str(checkout.run)])
    assert done.exit_code == 2 and told in done.output and "`snakemake -n`" in done.output


def test_the_dashboard_does_not_take_a_bucket_for_a_run_without_training(checkout: Stored) -> None:
    text = (checkout.run / "results/dashboard/index.html").read_text()
    assert f"those that ended lie in folder://{checkout.bucket}/results/training" in text


def test_the_report_has_what_the_ledger_says(checkout: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """The page is written in Snakemake's folder of storage, and the ledger grows where the job runs."""
    monkeypatch.chdir(checkout.run)
    page = Path(".snakemake/storage/folder", str(checkout.bucket)[1:], "results/report.html")
    (block,) = resources_part(RunArtifacts([], page)).blocks
    assert block.table is not None and [row[0].text for row in block.table.rows] == [
        "collect_packages",
        "clean_snippets",
    ]
    assert block.file == "provenance/ledger.jsonl"


def test_page_and_crate_are_of_what_lies_in_the_bucket(checkout: Stored) -> None:
    pytest.importorskip("rocrate")
    results = checkout.bucket / "results"
    page = results / "provenance/provenance.html"
    write_provenance(
        checkout.run, page, page.with_suffix(".md"), results / "ro-crate-metadata.json", ROOT / "Snakefile",
        page.with_name("Snakefile"),
    )  # fmt: skip
    links = set(re.findall(r'href="(\.\.?/[^"]+|sessions/[^"]+)"', page.read_text()))
    assert "../clean/snippets.parquet" in links and "../../logs/clean_snippets.log" in links
    assert not [link for link in links if not (page.parent / link).exists()]
    assert "Gone since" not in page.read_text() and "nobody has looked for them since" in page.read_text()
    graph = {
        one["@id"]: one for one in json.loads((results / "ro-crate-metadata.json").read_text())["@graph"]
    }
    for name, file in read_records(checkout.run).files.items():
        assert graph[name.removeprefix("results/")]["sha256"] == file.sha256
    described = [name for name, one in graph.items() if "File" in one["@type"]]
    assert all((results / name).is_file() for name in described)
    assert ".snakemake" not in json.dumps(graph)


def test_a_damaged_object_is_refused_and_a_failed_log_kept(checkout: Stored) -> None:
    (damaged, *_) = sorted((checkout.bucket / "results/raw/packages").glob("*-of-??.parquet"))
    damaged.write_text("others")
    said = checkout.start("--retries", "0", check=False)
    name = damaged.relative_to(checkout.bucket).as_posix()
    assert f"{name} is not what rule collect_packages made" in said
    damaged.unlink()
    said = checkout.start("--retries", "0", fail="clean_snippets", check=False)
    assert "\n  failed on purpose\n" in said, "Snakemake shows no log that a bucket has"
    (*_, entry) = (entry for entry in read(checkout.run) if entry.status == "failed")
    assert entry.log and "failed on purpose" in (checkout.run / entry.log).read_text()
    assert files(checkout.bucket / "results/provenance") == files(checkout.run / "results/provenance")
    sent = (checkout.bucket / LEDGER).read_bytes()
    assert sent == (checkout.run / LEDGER).read_bytes(), "of a run that failed too"
