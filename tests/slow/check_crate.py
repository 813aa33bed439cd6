"""A run's descriptions by the tools that others use. `make crate-check RUN=…`.

roc-validator validates the RO-Crate, runcrate reads it, and mlcroissant validates the Croissant of the pairs. They
bring some forty packages, so they live in an environment of their own (.venv/crate, made by the Makefile). No network:
the two JSON-LD contexts that a crate names are put into the validator's cache, from helpers/crate_contexts.json. Of the
terms of RO-Crate 1.1.3 (CC0) it has those that a crate of ours uses; any other would be found as undefined.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import requests
from requests.adapters import BaseAdapter
from requests_cache import CachedSession

CONTEXTS = Path(__file__).resolve().parents[1] / "helpers/crate_contexts.json"
ACCEPTED = ("application/ld+json, application/json", "application/ld+json, application/json, */*;q=0.1")
"""What the validator says it takes; its cache keeps the answers apart."""
PROFILE = "provenance-run-crate-0.5"


class Documents(BaseAdapter):
    """Answers with given documents in place of the network; anything else is a KeyError."""

    def __init__(self, known: dict[str, object]) -> None:
        super().__init__()
        self.known = known

    def send(self, request, **_):
        from urllib3 import HTTPResponse

        answer = requests.Response()
        answer.url, answer.request, answer.status_code = request.url, request, 200
        answer.headers["Content-Type"] = "application/ld+json"
        body = json.dumps(self.known[request.url]).encode()
        answer.raw = HTTPResponse(io.BytesIO(body), headers=answer.headers, status=200, preload_content=False)
        return answer

    def close(self) -> None:
        """Nothing is open."""


def fill_cache(path: Path) -> None:
    """The validator's HTTP cache, with the contexts."""
    known = json.loads(CONTEXTS.read_text())
    with CachedSession(str(path), expire_after=-1, allowable_methods=("GET",)) as session:
        session.mount("https://", Documents(known))
        for url in known:
            for accepted in ACCEPTED:
                session.get(url, headers={"Accept": accepted})


def program(name: str) -> str:
    return str(Path(sys.executable).with_name(name))


def validate(crate: Path, cache: Path, severity: str) -> list[str]:
    """What the validator finds, one line each; empty where the crate is valid. Raises SystemExit if it did not run."""
    out = cache.with_name("report.json")
    command = [program("rocrate-validator"), "-y", "validate", "-p", PROFILE, "-l", severity, "--offline"]
    command += ["--cache-path", str(cache), "-f", "json", "-o", str(out), str(crate)]
    done = subprocess.run(command, capture_output=True, text=True)
    if not out.is_file():
        sys.exit(done.stdout + done.stderr)
    report = json.loads(out.read_text())
    found = [
        f"{one['severity']} {one['check']['identifier']} {one.get('violatingEntity')}: {one['message']}"
        for one in report["issues"]
    ]
    if not report["passed"] and not found:
        sys.exit(f"not valid, and no issue is named: {done.stdout}{done.stderr}")
    return found


def croissant(path: Path) -> list[str]:
    """What mlcroissant finds, errors and warnings; empty where the description is valid."""
    import mlcroissant

    issues = mlcroissant.Dataset(path).metadata.ctx.issues
    return [str(one) for one in (*issues.errors, *issues.warnings)]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("run", type=Path, help="folder of a run with results/ro-crate-metadata.json")
    options.add_argument("--severity", default="required", choices=["required", "recommended", "optional"])
    given = options.parse_args()
    crate = given.run / "results"
    if not (crate / "ro-crate-metadata.json").is_file():
        sys.exit(f"{crate}: no ro-crate-metadata.json; rule provenance writes it")
    with TemporaryDirectory() as folder:
        cache = Path(folder) / "cache"
        fill_cache(cache)
        found = validate(crate, cache, given.severity)
    for line in found:
        print(line)
    done = subprocess.run(
        [program("runcrate"), "report", str(crate)], capture_output=True, text=True, check=False
    )
    actions = done.stdout.count("action: ")
    print(f"{PROFILE}, {given.severity}: {len(found)} issues; runcrate reads {actions} actions")
    if done.returncode or not actions or found:
        sys.exit(done.stderr or 1)
    described = crate / "reports/croissant.json"
    if described.is_file():
        faults = croissant(described)
        print("\n".join([*faults, f"{described.name}: {len(faults)} issues"]))
        sys.exit(bool(faults))


if __name__ == "__main__":
    main()
