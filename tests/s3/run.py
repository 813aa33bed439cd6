"""The test config with all results in a bucket, and the same on the disk: the same bits.

    make test-s3

The bucket is `moto_server`'s, in this process: it speaks S3 over HTTP and keeps what it is given in memory. Each job
fetches its inputs, and what it made is sent to the bucket and removed here, so a job that reads what its rule does not
declare fails. Then the same again, which must run nothing; and the bucket is copied into a folder, which must be a run
like any other. Ends with status 1 where an object differs from the file of the other run, or another check (checks.py)
fails. Takes minutes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import boto3
from checks import faults
from moto.server import ThreadedMotoServer

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = ["config/config.yaml", "config/test.yaml"]
BUCKET, PREFIX = "ctm", "run"
KEYS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing", "AWS_DEFAULT_REGION": "us-east-1"}
SAME = (".safetensors", ".onnx", ".zarr.zip", "manifest.json", "tokenizer.json", ".parquet")
"""Artifacts that hold no time and no path: weights, the exported model, grids, and everything in Parquet."""


@contextmanager
def bucket() -> Iterator[tuple[Any, str]]:
    """An empty bucket: its client, and the address of its server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # a line for each request
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        url = "http://{}:{}".format(*server.get_host_and_port())
        os.environ.update(KEYS)
        client = boto3.client("s3", endpoint_url=url)
        client.create_bucket(Bucket=BUCKET)
        yield client, url
    finally:
        server.stop()


def keys(client: Any) -> list[str]:
    """Paths of all objects, relative to the run."""
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix=PREFIX)
    return [one["Key"].removeprefix(f"{PREFIX}/") for page in pages for one in page.get("Contents", [])]


def snakemake(target: str, folder: Path, log: Path, *more: str) -> float:
    """Run to the end; seconds. Exits with the end of its output where it fails."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "snakemake", target, "--directory", str(folder), "--cores", "2", *more]
    started = time.monotonic()
    with open(log, "wb") as out:
        done = subprocess.run(
            [*command, "--configfile", *CONFIGS], cwd=ROOT, stdout=out, stderr=out,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    if done.returncode:
        sys.exit(f"{' '.join(command)}\nfailed; the end of {log}:\n{log.read_text()[-6000:]}")
    return time.monotonic() - started


def storage(url: str) -> list[str]:
    """Options that put every result into the bucket. Keys are read from the environment."""
    where = ["--default-storage-provider", "s3", "--default-storage-prefix", f"s3://{BUCKET}/{PREFIX}"]
    return [*where, "--storage-s3-endpoint-url", url, "--storage-s3-access-key", KEYS["AWS_ACCESS_KEY_ID"],
            "--storage-s3-secret-key", KEYS["AWS_SECRET_ACCESS_KEY"]]  # fmt: skip


def compared(client: Any, disk: Path) -> dict[str, list[str]]:
    """Objects that are the file of the other run, that differ, and that one of the two has not."""
    stored = {key for key in keys(client) if key.startswith("results/") and key.endswith(SAME)}
    files = {str(p.relative_to(disk)) for p in (disk / "results").rglob("*") if p.is_file()}
    files = {path for path in files if path.endswith(SAME)}
    same, other = [], []
    for key in sorted(stored & files):
        content = client.get_object(Bucket=BUCKET, Key=f"{PREFIX}/{key}")["Body"].read()
        equal = hashlib.sha256(content).digest() == hashlib.sha256((disk / key).read_bytes()).digest()
        (same if equal else other).append(key)
    return {"same": same, "other": other, "in one only": sorted(stored ^ files)}


def copied(client: Any, folder: Path) -> Path:
    """All objects of the run as files, as `aws s3 sync` would copy them."""
    for key in keys(client):
        path = folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        client.download_file(BUCKET, f"{PREFIX}/{key}", str(path))
    return folder


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--keep", type=Path, help="folder of both runs; default: a temporary one")
    parser.add_argument("--target", default="all", help="what both build; default: %(default)s")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, bucket() as (client, url):
        place = given.keep or Path(name)
        place.mkdir(parents=True, exist_ok=True)
        report: dict[str, Any] = {
            "bucket, s": snakemake(given.target, place / "stored", place / "stored.log", *storage(url)),
            "again, s": snakemake(given.target, place / "stored", place / "again.log", *storage(url)),
            "disk, s": snakemake(given.target, place / "disk", place / "disk.log"),
        }
        found = compared(client, place / "disk")
        report |= {"same": len(found["same"]), "other": found["other"], "in one only": found["in one only"]}
        report["objects"] = len(keys(client))
        copy = copied(client, place / "copied")
        report["copied, s"] = snakemake(given.target, copy, place / "copied.log")
        report["faults"] = list(faults(place))
    print(json.dumps(report, indent=1))
    return int(bool(found["other"] or found["in one only"] or not found["same"] or report["faults"]))


if __name__ == "__main__":
    sys.exit(main())
