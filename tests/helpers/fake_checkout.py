"""A checkout whose programs are fakes, so that the real rules and the real lineage can be run in a second."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, DAGSettings, OutputSettings, Quietness, ResourceSettings

ROOT = Path(__file__).resolve().parents[2]
# a space, an apostrophe, letters outside of ASCII; braces and a dollar, which Snakemake and shells expand
HARD_NAME = "it's a größe 测试 {x} $HOME dir"

# writes to each output (a path that is not there yet) what it was told and what it read; FAIL names a step to fail,
# SLOW one that hangs with its outputs half written
FAKE = '''"""Stands in for a program: its outputs say what went in."""
import hashlib, os, re, sys, time
from pathlib import Path

arguments = sys.argv[1:]
name = Path(sys.argv[0]).stem
if os.environ.get("FAIL") and os.environ["FAIL"] in " ".join(sys.argv):
    sys.exit("failed on purpose")
digest = hashlib.sha256(name.encode())
outputs = []
skip = False
for option, value in zip([None, *arguments], arguments):
    if value.startswith("--") and "=" in value:
        option, value = value.split("=", 1)
    if value.startswith("--") or option == "--work":
        continue
    path = Path(value)
    if "/" not in value or value.startswith("{") or "://" in value:
        digest.update(value.encode())
    elif path.is_file():
        digest.update(path.read_bytes())
    elif name == "bundle" and option == "--out":
        path.mkdir(parents=True, exist_ok=True)
        outputs += [path / n for n in ("ctm.onnx", "ctm_code_repair_final.pt", "tokenizer.json",
                                       "final_config.yaml", "final_metrics.json", "SHA256SUMS")]
    elif path.is_dir():
        continue
    else:
        outputs.append(path)
for path in outputs:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(digest.hexdigest()[:9])
if os.environ.get("SLOW") and os.environ["SLOW"] in " ".join(sys.argv):
    time.sleep(600)
for path in outputs:
    path.write_text(digest.hexdigest())
'''


@dataclass
class Checkout:
    """A copy of the workflow with fake programs, and the means to run and to change it."""

    root: Path
    overlay: dict[str, object] = field(default_factory=dict)

    def command(self, *arguments: str) -> list[str]:
        """Snakemake in the folder `run`, with config/demo.yaml and the overlay laid over the config."""
        (self.root / "overlay.yaml").write_text(yaml.safe_dump(self.overlay))
        return [
            sys.executable, "-m", "snakemake", "--configfile", "config/config.yaml", "config/demo.yaml",
            "overlay.yaml", "--cores", "2", "--directory", "run", *arguments,
        ]  # fmt: skip

    def snakemake(
        self, *arguments: str, fail: str = "", check: bool = True
    ) -> subprocess.CompletedProcess[str]:
        """Run it, with FAIL if given. Raises AssertionError where it fails, unless not to `check`."""
        command = self.command(*arguments)
        environment = self.environment() | {"FAIL": fail}
        done = subprocess.run(
            command, cwd=self.root, env=environment, capture_output=True, text=True, timeout=400
        )
        if check and done.returncode:
            raise AssertionError(f"snakemake failed:\n{done.stdout}\n{done.stderr}")
        return done

    def environment(self) -> dict[str, str]:
        """Variables of a run: this checkout's code is what jobs import."""
        return {**os.environ, "PYTHONPATH": str(self.root)}

    def planned(self, target: str = "all") -> set[str]:
        """Names of the rules that would run now."""
        (self.root / "overlay.yaml").write_text(yaml.safe_dump(self.overlay))
        files = ["config/config.yaml", "config/demo.yaml", "overlay.yaml"]
        quiet = OutputSettings(quiet={Quietness.ALL})
        with SnakemakeApi(quiet) as api:
            dag_api = api.workflow(
                resource_settings=ResourceSettings(cores=2),
                config_settings=ConfigSettings(configfiles=[self.root / name for name in files]),
                snakefile=self.root / "Snakefile",
                workdir=self.root / "run",
            ).dag(DAGSettings(targets={target}))
            workflow = dag_api.workflow_api._workflow
            workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
            workflow._build_dag()
            return {job.rule.name for job in workflow.dag.needrun_jobs()} - {target}

    def read(self, path: str) -> str:
        """Content of a file of the run."""
        return (self.root / "run" / path).read_text()


def fake_checkout(root: Path) -> Checkout:
    """Copy the workflow to `root`, its programs replaced by fakes that import what the real ones import."""
    for name in ("rules", "config", "envs", "profiles", "ctm", "workflow"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", root / "Snakefile")
    for script in (root / "workflow" / "scripts").glob("*.py"):
        imports = [
            line for line in script.read_text().splitlines() if line.startswith(("from ctm", "import ctm"))
        ]
        # lineage reads the imports; the fake must not pay for them
        guarded = "".join(f"    {line.removesuffix('(')}\n" for line in imports if not line.endswith("("))
        script.write_text(FAKE + (f"if False:\n{guarded}" if guarded else ""))
    (root / "run").mkdir()
    return Checkout(root)
