"""The hook by pre-commit itself and the Action's steps, on a real repository with ten broken files (`make try-hooks`).

Both install this checkout from its folder, and its dependencies from PyPI: minutes and 200 MB. Everything is put into a
temporary folder, pre-commit's cache too.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import venv
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from helpers.broken_project import FILES, ROOT, content_of, git, make_project, run_step

CONFIG = """repos:
- repo: {url}
  rev: {rev}
  hooks:
  - id: ctm-repair
    args: [--write]
"""


def main() -> None:
    """Fails with an assertion where one of the two does not do what the pages say."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", type=Path, default=ROOT / "runs/demo/results/final")
    bundle = parser.parse_args().bundle.resolve()
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        environment = {
            **os.environ,
            "CTM_BUNDLE": str(bundle),
            "PRE_COMMIT_HOME": str(place / "cache"),
            "RUNNER_TEMP": str(place),
            "GITHUB_OUTPUT": str(place / "output"),
            "GITHUB_ACTION_PATH": str(ROOT),
        }
        environment.pop("PYTHONPATH", None)
        try_hook(place, environment)
        try_action(place, environment)


def try_hook(place: Path, environment: dict[str, str]) -> None:
    """`pre-commit try-repo`, then a commit in a repository that has the hook with --write."""
    venv.create(place / "pre-commit", with_pip=True)
    program = place / "pre-commit" / "bin" / "pre-commit"
    subprocess.run([program.with_name("pip"), "install", "-q", "pre-commit"], check=True)
    project = make_project(place / "hooked")
    begin = time.monotonic()
    command = [program, "try-repo", ROOT, "ctm-repair", "--all-files", "--verbose"]
    done = subprocess.run(command, cwd=project, env=environment, capture_output=True, text=True)
    print(f"pre-commit try-repo: status {done.returncode}, {time.monotonic() - begin:.0f} s")
    shown = {name for name in FILES if f"+++ {name}" in done.stdout}
    print(f"  diffs of {done.stdout.count('+++ ')} files, {sorted(shown)}")
    assert done.returncode == 1 and done.stdout.count("+++ ") >= 9, done.stdout + done.stderr
    assert "src/build" not in done.stdout, "--force-exclude leaves out what lies in build"

    rev = git(ROOT, "rev-parse", "HEAD").stdout.strip()
    (project / ".pre-commit-config.yaml").write_text(CONFIG.format(url=ROOT, rev=rev))
    git(project, "add", "-A")
    subprocess.run([program, "install"], cwd=project, env=environment, check=True, capture_output=True)
    first = git(project, "commit", "-m", "broken", check=False, env=environment)
    changed = [name for name in FILES if (project / name).read_text("utf-8") != content_of(name)]
    print(f"git commit: status {first.returncode}, {len(changed)} files repaired")
    assert first.returncode == 1 and len(changed) == 9, first.stdout + first.stderr
    git(project, "add", "-A")
    second = git(project, "commit", "-m", "repaired", check=False, env=environment)
    print(f"git commit again: status {second.returncode}")
    assert second.returncode == 0, second.stdout + second.stderr


def try_action(place: Path, environment: dict[str, str]) -> None:
    """The Action's steps, but for setup-python, whose output is this Python."""
    project = make_project(place / "acted")
    python = {"steps.python.outputs.python-path": sys.executable}
    begin = time.monotonic()
    done = run_step("install", project, environment, {}, **python)
    print(f"Action, install: status {done.returncode}, {time.monotonic() - begin:.0f} s")
    assert done.returncode == 0, done.stdout + done.stderr
    begin = time.monotonic()
    done = run_step("repair", project, environment, {"bundle": environment.pop("CTM_BUNDLE")})
    errors = done.stdout.count("::error file=")
    print(f"Action, repair: status {done.returncode}, {errors} annotations, {time.monotonic() - begin:.1f} s")
    assert done.returncode == 1 and errors == 9, done.stdout + done.stderr


if __name__ == "__main__":
    main()
