"""The ledger of a whole run, with fake programs: nothing is missing in it, and nothing can change unseen."""

from __future__ import annotations

import json

import pytest

from ctm.pipeline.crate import crate_of
from ctm.pipeline.run_records import read_records
from ctm.pipeline.trace import check, check_all, trace
from helpers.fake_checkout import Checkout


def test_every_artifact_is_in_the_ledger(built: Checkout) -> None:
    run = built.root / "run"
    records = read_records(run)
    kept = {"results/provenance/ledger.jsonl"}
    files = {path.relative_to(run).as_posix() for path in (run / "results").rglob("*") if path.is_file()}
    known = {
        name
        for name in files
        # what is written beside the jobs, by Snakemake's start and end
        if not name.startswith(
            ("results/provenance/sessions/", "results/provenance/lineage/", "results/dashboard/")
        )
    }
    assert known - kept == set(records.files)
    number, faults = check_all(records)
    assert number == len(records.files) > 90 and not faults


def test_one_byte_of_any_artifact_is_named(checkout: Checkout) -> None:
    run = checkout.root / "run"
    records = read_records(run)
    for name in records.files:
        path = run / name
        content = path.read_bytes()
        place = len(content) // 2
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x10]) + content[place + 1 :])
        assert [fault.path for fault in check_all(records)[1]] == [name]
        path.write_bytes(content)


def test_the_page_of_provenance_leads_down_to_the_raw_dumps(built: Checkout) -> None:
    records = read_records(built.root / "run")
    tree = trace(records, "results/provenance/provenance.html", built.root)
    rules = {node.entry.rule for node in tree.walk() if node.entry}
    assert rules == {entry.rule for entry in records.jobs}, "it comes after all that the run makes"
    assert check(records, tree)[1] == []
    assert all(records.parts(entry.lineage) for entry in records.jobs)


def test_every_output_is_in_the_crate(built: Checkout) -> None:
    pytest.importorskip("rocrate")
    run = built.root / "run"
    records = read_records(run)
    crate = crate_of(records, "2026-11-29T10:00:00+00:00", run / "results/provenance/Snakefile")
    sums = {one["@id"]: one.get("sha256") for one in crate["@graph"]}
    for name, file in records.files.items():
        if name != "results/ro-crate-metadata.json":  # it describes itself
            assert sums[name.removeprefix("results/")] == file.sha256
    assert str(built.root) not in json.dumps(crate), "no path of this machine"
