"""Results in a bucket (`--default-storage-provider`): what its files are called here, and where they are looked for.

Snakemake fetches an object into a folder of its own (`.snakemake/storage/s3/BUCKET/RUN/results/…`), hands that path to
the job, and removes the file afterwards. Records name it as on a disk, `results/…`: so a run whose bucket was copied
into its folder is a run like any other.

The ledger, and what stands beside it, grows in the folder where Snakemake runs. It is sent to the bucket at the end of
each start, and fetched where a folder has none, since without it whatever lies in the bucket would count as up to date.
"""

from __future__ import annotations

import logging
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ctm.pipeline.job import SESSION
from ctm.pipeline.ledger import FOLDER, LEDGER, Entry, read

log = logging.getLogger(__name__)
RESULTS = "results"
SHOWN = 30
"""Lines of a failed job's log that are shown."""


def address(workflow: Any) -> str | None:
    """Where the results of a workflow lie, such as "s3://BUCKET/RUN"; None: on the disk, in the run's folder."""
    settings = workflow.storage_settings
    if settings.default_storage_provider is None:
        return None
    return (settings.default_storage_prefix or "").rstrip("/")


def folder(workflow: Any) -> str:
    """Where files of the bucket lie while a job uses them; "": results lie on the disk.

    Relative to the run's folder, or absolute (`--local-storage-prefix`). Raises ValueError for a storage plugin that
    gives objects other names here.
    """
    bucket = address(workflow)
    if bucket is None:
        return ""
    path = _object(workflow, RESULTS).local_path()
    if path.name != RESULTS:
        raise ValueError(
            f"{bucket}: its storage plugin keeps {RESULTS}/ as {path} here, so that the ledger could not name what "
            "lies in it. The plugin of S3 (snakemake-storage-plugin-s3) is known to work"
        )
    return str(path.parent)


def name_of(path: str, stored: str) -> str:
    """What records call a file that Snakemake hands a job. stored: as `folder` says."""
    return path.removeprefix(f"{stored}/") if stored else path


def elsewhere(bucket: str, run: Path) -> str:
    """The sentence for whoever looks for results in the run's folder, with the way to get them there."""
    copy = f"aws s3 sync {shlex.quote(bucket)} {shlex.quote(str(run))}"
    how = copy if bucket.startswith("s3://") else f"all of {bucket} into {run}"
    return f"the results of this run lie in {bucket}, not in {run}; copy them there first: {how}"


def send_records(workflow: Any, run: Path) -> None:
    """Put the ledger, and what is new beside it, into the bucket, if there is one. Raises nothing: the run is over."""
    bucket = address(workflow)
    if bucket is None or not (run / LEDGER).is_file():
        return
    try:
        for path in sorted((run / FOLDER).glob("*/*.json")):
            found = _object(workflow, path.relative_to(run).as_posix())
            if not workflow.async_run(found.managed_exists()):
                found.set_local_path(path)
                workflow.async_run(found.managed_store())
        ledger = _object(workflow, LEDGER.as_posix())
        ledger.set_local_path(run / LEDGER)
        workflow.async_run(ledger.managed_store())
    except Exception as error:  # whatever the plugin raises
        log.warning(
            "%s/%s is not up to date: %s. What this run did is in %s, and is sent again at the end of the next one",
            bucket, FOLDER, " ".join(str(error).split()), run / FOLDER,
        )  # fmt: skip


def tell_failed(workflow: Any, run: Path) -> None:
    """Print the ends of the logs of tries that failed since this start: Snakemake shows none that a bucket has."""
    record = run / FOLDER / "sessions" / f"{os.environ.get(SESSION)}.json"
    if address(workflow) is None or not record.is_file():
        return
    began = record.stat().st_mtime
    for path in sorted((run / "logs").rglob("*.failed-*.log")):
        if path.stat().st_mtime >= began:
            lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
            print(f"{path.relative_to(run)}:", *lines[-SHOWN:], sep="\n  ", file=sys.stderr)


def fetch_records(workflow: Any, run: Path) -> None:
    """Fetch the ledger, and what stands beside it, where the run's folder has none. Raises WorkflowError, OSError."""
    if address(workflow) is None or (run / LEDGER).exists():
        return
    part = run / FOLDER / "fetched" / LEDGER
    if not _fetch(workflow, LEDGER.as_posix(), part):
        return
    for name in dict.fromkeys(_beside(read(part.parents[len(LEDGER.parts) - 1]))):
        _fetch(workflow, name, run / name)
    os.replace(part, run / LEDGER)  # last, so that whoever is killed before begins again
    for left in list(part.parents)[: len(LEDGER.parts)]:
        left.rmdir()


def _beside(entries: list[Entry]) -> Iterator[str]:
    """Names of the records that lines of the ledger point to."""
    for entry in entries:
        yield (FOLDER / "lineage" / f"{entry.lineage[:16]}.json").as_posix()
        if entry.session:
            yield (FOLDER / "sessions" / f"{entry.session}.json").as_posix()


def _fetch(workflow: Any, name: str, path: Path) -> bool:
    """Fetch an object; whether there is one."""
    found = _object(workflow, name)
    if not workflow.async_run(found.managed_exists()):
        return False
    found.set_local_path(path)
    workflow.async_run(found.managed_retrieve())
    return True


def _object(workflow: Any, name: str) -> Any:
    """An object of the bucket as Snakemake's plugin sees it (its registry is semi-private; the version is pinned)."""
    query = "/".join(filter(None, (address(workflow), name)))
    return workflow.storage_registry.default_storage_provider.object(query)
