"""The hook for pre-commit and the GitHub Action, on a real repository with ten broken files.

What needs the network (pre-commit's own environment, pip) is `make try-hooks`; here the hook's entry and the Action's
script run with the `ctm-repair` of this checkout.
"""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path

import pytest

from ctm.repair.reports.base import FORMATS
from helpers.broken_project import (
    BROKEN,
    FILES,
    FIXED,
    action,
    content_of,
    git,
    hook,
    make_project,
    run_step,
)

REPAIRED = [name for name in FILES if "build" not in name]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return make_project(tmp_path / "project")


@pytest.fixture
def environment(tmp_path: Path, colon_bundle: Path) -> dict[str, str]:
    """Where `ctm-repair` is this checkout's, in PATH and where the Action installs it."""
    program = tmp_path / "ctm-repair" / "bin" / "ctm-repair"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m ctm.repair.cli "$@"\n')
    program.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{program.parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "CTM_BUNDLE": str(colon_bundle),
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
    }


def install_hook(project: Path, *arguments: str) -> None:
    """What pre-commit does on `git commit`: entry, args, and the staged files of the hook's types."""
    given = [*shlex.split(hook()["entry"]), *hook()["args"], *arguments]
    script = project / ".git" / "hooks" / "pre-commit"
    script.write_text(
        "#!/bin/bash\nmapfile -d '' files < <(git diff --cached --name-only -z --diff-filter=ACM"
        f' -- "*.py" "*.pyi" "*.ipynb")\nexec {shlex.join(given)} "${{files[@]}}"\n'
    )
    script.chmod(0o755)


def test_a_commit_of_broken_files_is_held_up_and_nothing_is_changed(project: Path, environment):
    """The hook shows what it would do; who wants it done says so by `args: [--write]`."""
    install_hook(project)
    done = git(project, "commit", "-q", "-m", "broken", check=False, env=environment)
    assert done.returncode == 1
    assert done.stdout.count("+++ ") + done.stderr.count("+++ ") == len(REPAIRED)
    for name in FILES:
        assert (project / name).read_text(encoding="utf-8") == content_of(name)


def test_with_write_the_files_are_repaired_and_the_next_commit_passes(project: Path, environment):
    """What lies in `build` stays broken: the hook names it, and `--force-exclude` leaves it out."""
    install_hook(project, "--write")
    assert git(project, "commit", "-q", "-m", "broken", check=False, env=environment).returncode == 1
    for name in FILES:
        code = FIXED if name in REPAIRED else BROKEN
        assert (project / name).read_text(encoding="utf-8") == content_of(name, code)
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "repaired", env=environment)
    assert git(project, "status", "--porcelain").stdout == ""


def test_the_hook_is_one_that_pre_commit_takes():
    assert hook()["language"] == "python" and hook()["require_serial"] is True
    assert hook()["types_or"] == ["python", "pyi", "jupyter"]


@pytest.mark.parametrize("output_format", ["github", "sarif"])
def test_the_action_reports_every_broken_file(project: Path, environment, tmp_path: Path, output_format: str):
    inputs = {"output-format": output_format}
    done = run_step("repair", project, environment, inputs)
    assert done.returncode == 1 and (tmp_path / "output").read_text() == "status=1\n", done.stderr
    if output_format == "github":
        assert done.stdout.count("::error file=") == len(REPAIRED)
    else:
        assert len(json.loads(done.stdout)["runs"][0]["results"]) == len(REPAIRED)


def test_the_action_takes_paths_options_a_bundle_and_a_file(project: Path, environment, colon_bundle: Path):
    del environment["CTM_BUNDLE"]
    (project / "-dash.py").write_text(BROKEN)
    inputs = {
        "paths": "with space.py\n\nsrc\n-dash.py\n",
        "args": "--exclude deep\n  -q",
        "bundle": str(colon_bundle),
        "output-format": "sarif",
        "output-file": "report.sarif",
    }
    done = run_step("repair", project, environment, inputs)
    assert done.returncode == 1 and done.stdout == "", done.stderr
    results = json.loads((project / "report.sarif").read_text())["runs"][0]["results"]
    places = [item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for item in results]
    assert sorted(places) == ["-dash.py", "src/-dash.py", "src/b.py", "src/build/d.py", "with%20space.py"]


def test_what_a_workflow_passes_is_never_shell(project: Path, environment):
    """An expression inside a script would run whatever the title of a pull request says."""
    evil = '$(touch pwned); `touch pwned`; "; touch pwned; "'
    for name in ("paths", "args", "bundle", "output-format", "output-file"):
        run_step("repair", project, environment, {name: evil})
    assert not (project / "pwned").exists()
    assert all("${{" not in step.get("run", "") for step in action()["runs"]["steps"])


def test_the_action_imports_nothing_of_the_checkout(project: Path, environment, tmp_path: Path):
    """`python -m` looks into the working folder first, so a pull request could bring a venv.py or pip.py that runs."""
    for name in ("venv", "pip", "ensurepip", "logging", "argparse"):
        (project / f"{name}.py").write_text("open('pwned', 'w')\n")
    python = tmp_path / "python"  # pip, which the second line then lacks, would take seconds and the network
    python.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} "$@" --without-pip\n')
    python.chmod(0o755)
    del environment["PYTHONPATH"]
    environment["GITHUB_ACTION_PATH"] = str(tmp_path / "none")
    done = run_step("install", project, environment, {}, **{"steps.python.outputs.python-path": str(python)})
    assert "No module named pip" in done.stderr
    assert not (project / "pwned").exists()


def test_the_action_is_one_that_github_takes():
    content = action()
    assert (
        content["runs"]["using"] == "composite" and content["inputs"]["output-format"]["default"] in FORMATS
    )
    assert all("shell" in step for step in content["runs"]["steps"] if "run" in step)
