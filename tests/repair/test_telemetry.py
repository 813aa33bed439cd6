"""`ctm-repair` makes no files of its own in the home folder and talks to nobody."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ctm

BROKEN, FIXED = b"def add(a, b)\n    return a + b\n", b"def add(a, b):\n    return a + b\n"
STRACE = shutil.which("strace")


def in_fresh_home(home: Path, bundle: Path, *before: str) -> subprocess.CompletedProcess[bytes]:
    """`ctm-repair fix -` with nothing of the environment but paths; `before`: a program that watches."""
    home.mkdir()
    command = [*before, sys.executable, "-m", "ctm.repair.cli", "fix", "-", "--bundle", str(bundle)]
    environment = {"HOME": str(home), "PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, input=BROKEN, capture_output=True, env=environment, timeout=120)


def test_no_file_is_made_in_the_home_folder(colon_bundle: Path, tmp_path: Path):
    done = in_fresh_home(tmp_path / "home", colon_bundle)
    assert done.returncode == 0 and done.stdout == FIXED, done.stderr
    assert list((tmp_path / "home").iterdir()) == []


def _can_trace() -> str:
    if STRACE is None:
        return "there is no strace"
    works = subprocess.run([STRACE, "-o", os.devnull, "true"], capture_output=True).returncode == 0
    return "" if works else "strace may not trace here"


def test_no_connection_and_no_name_is_looked_up(colon_bundle: Path, tmp_path: Path):
    if reason := _can_trace():
        pytest.skip(reason)
    log = tmp_path / "log"
    assert STRACE is not None
    watch = (STRACE, "-f", "-e", "trace=%network,openat", "-o", str(log))
    done = in_fresh_home(tmp_path / "home", colon_bundle, *watch)
    assert done.returncode == 0 and done.stdout == FIXED, done.stderr
    calls = log.read_text()
    assert "ctm.onnx" in calls, "strace saw the model being read"
    assert not re.findall(r".*(?:connect|sendto|sendmsg|sendmmsg|socket)\(.*", calls)
    assert not re.findall(r".*(?:resolv\.conf|nsswitch\.conf|/etc/hosts|Microsoft).*", calls)


def test_what_the_user_has_set_stays():
    code = "import os, ctm.runtime; print(os.environ['ORT_DISABLE_TELEMETRY'])"
    for given, wanted in (({}, "1"), ({"ORT_DISABLE_TELEMETRY": "yes"}, "yes")):
        environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"} | given
        said = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)
        assert said.stdout == f"{wanted}\n", said.stderr


def test_onnxruntime_is_imported_in_one_place():
    """Any other import could be the first, and then the variable comes too late."""
    folder = Path(ctm.__file__).parent
    imports = re.compile(r"^\s*(?:import|from) onnxruntime\b", re.MULTILINE)
    found = [path.relative_to(folder) for path in folder.rglob("*.py") if imports.search(path.read_text())]
    assert found == [Path("runtime.py")]
