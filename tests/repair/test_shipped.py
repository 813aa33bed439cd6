"""The bundle that ships: whole, held by checksums, and refused where a byte of it is another one."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ctm.bundle_names import CONFIG, MODEL, TOKENIZER
from ctm.files import SUMS, sha256_of
from ctm.repair.bundle import PRETRAINED, BundleError, load_bundle

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy to spoil."""
    return Path(shutil.copytree(PRETRAINED, tmp_path / "pretrained"))


def flip(path: Path, place: int) -> None:
    """Change one bit."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


def test_its_checksums_are_those_of_its_files() -> None:
    """Whoever changes what ships without `make ship` would break the command of every user."""
    lines = (PRETRAINED / SUMS).read_text(encoding="utf-8").splitlines()
    said = {name: checksum for checksum, name in (line.split("  ") for line in lines)}
    assert said == {path.name: sha256_of(path) for path in PRETRAINED.iterdir() if path.name != SUMS}


@pytest.mark.parametrize("name", [MODEL, TOKENIZER, CONFIG])
@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_flipped_bit_is_refused(copy: Path, name: str, share: float) -> None:
    path = copy / name
    flip(path, int(share * path.stat().st_size))
    with pytest.raises(BundleError) as told:
        load_bundle(copy)
    said = str(told.value)
    assert name in said and "checksum" in said and "damaged" in said and "build the bundle again" in said


def test_a_vocabulary_that_is_laid_out_otherwise_is_refused_too(copy: Path) -> None:
    """Its meaning, which the config's fingerprint holds, is the same: what ships is held byte by byte."""
    text = (copy / TOKENIZER).read_text(encoding="utf-8")
    (copy / TOKENIZER).write_text(text + "\n", encoding="utf-8")
    with pytest.raises(BundleError, match=rf"tokenizer\.json: damaged .*{SUMS}"):
        load_bundle(copy)


def test_the_command_says_it_in_a_line(copy: Path) -> None:
    flip(copy / CONFIG, 300)
    command = [sys.executable, "-m", "ctm.repair.cli", "fix", "-", "--bundle", str(copy)]
    done = subprocess.run(command, input="def f(a)\n", capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 2 and done.stdout == "", done
    assert "final_config.yaml: damaged" in done.stderr and "Traceback" not in done.stderr


def test_git_changes_no_line_end_of_it() -> None:
    """A checkout on Windows, with core.autocrlf, would be refused as damaged."""
    command = ["git", "check-attr", "text", f"ctm/pretrained/{CONFIG}"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    if done.returncode:
        pytest.skip("no checkout of git")
    assert done.stdout.strip().endswith("text: unset")
