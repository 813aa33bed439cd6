"""SARIF 2.1.0 (OASIS), with repairs as `fixes`: for code scanning of GitHub and others.

Columns count characters, and a lone carriage return ends a line, as it does for Python; both are said in the run.
Fingerprints do not depend on the line, so that a finding stays the same one where code is added above it; they are
under the name that GitHub reads.
"""

from __future__ import annotations

import json
import os
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from ctm.repair.about import code_version
from ctm.repair.reports.base import FileReport, Format, RunEnd
from ctm.repair.reports.finding import RULES, SUGGESTION, Finding, Replacement, findings_in_files
from ctm.repair.terminal import visible

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
FINGERPRINT = "primaryLocationLineHash"
ROOT = "%SRCROOT%"
"""What relative places are relative to: GitHub and editors know it as the root of the repository."""
_LEVELS = {rule: "note" if rule == SUGGESTION else "error" for rule in RULES}


class Report(Format):
    """One log with one run."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._results: list[dict[str, Any]] = []
        self._errors: list[dict[str, Any]] = []

    def file(self, report: FileReport) -> str:
        """Nothing yet: it is one object."""
        if report.fixed is None:
            where = {"physicalLocation": {"artifactLocation": _artifact(report.place)}}
            self._errors.append(
                {"level": "error", "message": {"text": visible(report.error)}, "locations": [where]}
            )
        self._results += [_result(item) for item in findings_in_files(report)]
        return ""

    def end(self, run: RunEnd) -> str:
        """The log."""
        invocation = {
            "executionSuccessful": not self._errors,
            "exitCode": run.exit_status,
            "toolExecutionNotifications": self._errors,
        }
        rules = [
            {"id": rule, "shortDescription": {"text": text}, "defaultConfiguration": {"level": _LEVELS[rule]}}
            for rule, text in RULES.items()
        ]
        content = {
            "$schema": SCHEMA,
            "version": "2.1.0",
            "runs": [
                {
                    "tool": {
                        "driver": {"name": "ctm-repair", "semanticVersion": code_version(), "rules": rules}
                    },
                    "columnKind": "unicodeCodePoints",
                    "newlineSequences": ["\r\n", "\n", "\r"],
                    "invocations": [invocation],
                    "results": self._results,
                }
            ],
        }
        return json.dumps(content, indent=1) + "\n"


def _result(item: Finding) -> dict[str, Any]:
    artifact = _artifact(item.path)
    region = _region(Replacement(item.line, item.column, item.end_line, item.end_column, ""))
    result: dict[str, Any] = {
        "ruleId": item.rule,
        "ruleIndex": list(RULES).index(item.rule),
        "level": _LEVELS[item.rule],
        "message": {"text": visible(item.summary)},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
        "partialFingerprints": {FINGERPRINT: item.fingerprint},
    }
    if item.confidence is not None:
        result["properties"] = {"confidence": item.confidence}
    if item.replacements:
        replacements = [_replacement(part) for part in item.replacements]
        change = {"artifactLocation": artifact, "replacements": replacements}
        result["fixes"] = [{"description": {"text": visible(item.edit)}, "artifactChanges": [change]}]
    return result


def _replacement(part: Replacement) -> dict[str, Any]:
    content = {"insertedContent": {"text": part.text}} if part.text else {}
    return {"deletedRegion": _region(part), **content}


def _region(part: Replacement) -> dict[str, int]:
    return {
        "startLine": part.line,
        "startColumn": part.column,
        "endLine": part.end_line,
        "endColumn": part.end_column,
    }


def _artifact(place: str) -> dict[str, str]:
    """Where a file is: relative with forward slashes, or with a scheme; every byte that a URI cannot have as %XX."""
    raw = quote(os.fsencode(PurePath(place).as_posix()))
    if os.path.isabs(place):
        return {"uri": "file://" + ("" if raw.startswith("/") else "/") + raw}
    return {"uri": raw, "uriBaseId": ROOT}
