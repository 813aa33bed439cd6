"""Snakemake's own report of a run has every result that can be opened, each with caption, category and labels."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path, PurePosixPath

from snakemake.api import SnakemakeApi
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

from ctm.pipeline.report_entries import CAPTIONS, KINDS, SHOWN

ROOT = Path(__file__).resolve().parents[2]


def outputs(run: Path) -> dict[str, object]:
    """Outputs of all rules at full scale that a reader can open, with their flags for the report."""
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        workflow = api.workflow(
            resource_settings=ResourceSettings(cores=2),
            config_settings=ConfigSettings(configfiles=[ROOT / "config/config.yaml"]),
            snakefile=ROOT / "Snakefile",
            workdir=run,
        )._workflow
        return {
            str(output): output.flags.get("report")
            for rule in workflow.rules
            for output in rule.output
            if PurePosixPath(str(output)).suffix in KINDS
        }


def test_no_result_is_forgotten(tmp_path: Path) -> None:
    found = outputs(tmp_path)
    assert found.keys() == SHOWN.keys(), "ctm/pipeline/report_entries.py names what rules make, and all of it"
    for path, entry in found.items():
        assert entry is not None and entry.category and set(entry.labels) == {"what", "kind"}, path
        text = Path(entry.caption.get_path_or_uri(secret_free=False)).read_text(encoding="utf-8")
        assert len(text.split()) > 5, f"{path} has no caption that says anything"


def test_captions_are_of_results() -> None:
    """One that is left over when a result goes would never be seen."""
    stems = {PurePosixPath(path).stem for path in SHOWN} | {"workflow"}
    assert {path.stem for path in (ROOT / CAPTIONS).glob("*.rst")} == stems


def test_the_page_is_made_and_opens_without_a_network(tmp_path: Path) -> None:
    """Snakemake's own template: what it loads is in the page, whose version is pinned."""
    (tmp_path / "Snakefile").write_text("rule all:\n output: report('a.txt')\n shell: 'touch {output}'\n")
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    for arguments in (["--cores", "1"], ["--report", "page.html"]):
        command = [sys.executable, "-m", "snakemake", "all", *arguments]
        subprocess.run(
            command, cwd=tmp_path, env=os.environ | nowhere, check=True, capture_output=True, timeout=120
        )
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "a.txt" in page and "<script" in page
    loaded = re.findall(
        r"""(?i)<(?:script|link|img|iframe)\b[^>]*\b(?:src|href)=\\?["']?(?:https?:)?//[^>]*>""", page
    )
    loaded += re.findall(r"""(?i)\b(?:fetch|import|importScripts)\(\s*["'`](?:https?:)?//[^)]*\)""", page)
    loaded += re.findall(r"""(?i)(?:@import\s*["']|url\(\s*["']?)(?:https?:)?//[^)]*\)""", page)
    assert not loaded
