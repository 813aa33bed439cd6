"""Logs in SARIF 2.1.0: valid, with fixes that make the repaired file, and findings that keep their identity."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from click.testing import CliRunner

from ctm.repair import cli
from helpers.broken_files import BROKEN, ODD

NUMBER = {"type": "integer", "minimum": 1}
TEXT_OF = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
REGION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["startLine", "startColumn", "endLine", "endColumn"],
    "properties": {"startLine": NUMBER, "startColumn": NUMBER, "endLine": NUMBER, "endColumn": NUMBER},
}
ARTIFACT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["uri"],
    "properties": {"uri": {"type": "string", "pattern": "^[!-~]+$"}, "uriBaseId": {"const": "%SRCROOT%"}},
}
REPLACEMENT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["deletedRegion"],
    "properties": {"deletedRegion": REGION, "insertedContent": {**TEXT_OF, "additionalProperties": False}},
}
ARTIFACT_CHANGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["artifactLocation", "replacements"],
    "properties": {
        "artifactLocation": ARTIFACT,
        "replacements": {"type": "array", "minItems": 1, "items": REPLACEMENT},
    },
}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "physicalLocation": {
            "type": "object",
            "additionalProperties": False,
            "required": ["artifactLocation"],
            "properties": {"artifactLocation": ARTIFACT, "region": REGION},
        }
    },
}
LEVEL = {"enum": ["none", "note", "warning", "error"]}
RESULT = {
    "type": "object",
    "additionalProperties": False,
    "required": ["message", "ruleId", "locations", "partialFingerprints"],
    "properties": {
        "ruleId": {"type": "string"},
        "ruleIndex": {"type": "integer", "minimum": 0},
        "level": LEVEL,
        "message": TEXT_OF,
        "locations": {"type": "array", "items": LOCATION},
        "partialFingerprints": {"type": "object", "additionalProperties": {"type": "string"}},
        "properties": {"type": "object"},
        "fixes": {
            "type": "array",
            "uniqueItems": True,
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["artifactChanges"],
                "properties": {
                    "description": TEXT_OF,
                    "artifactChanges": {"type": "array", "minItems": 1, "items": ARTIFACT_CHANGE},
                },
            },
        },
    },
}
RULE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["id"],
    "properties": {
        "id": {"type": "string"},
        "shortDescription": TEXT_OF,
        "defaultConfiguration": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"level": LEVEL},
        },
    },
}
INVOCATION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["executionSuccessful"],
    "properties": {
        "executionSuccessful": {"type": "boolean"},
        "exitCode": {"type": "integer"},
        "toolExecutionNotifications": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["message"],
                "properties": {"message": TEXT_OF, "level": LEVEL, "locations": {"items": LOCATION}},
            },
        },
    },
}
SARIF = {
    "type": "object",
    "additionalProperties": False,
    "required": ["version", "runs"],
    "properties": {
        "$schema": {"type": "string", "format": "uri"},
        "version": {"enum": ["2.1.0"]},
        "runs": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["tool"],
                "properties": {
                    "tool": {
                        "required": ["driver"],
                        "properties": {
                            "driver": {
                                "type": "object",
                                "additionalProperties": False,
                                "required": ["name"],
                                "properties": {
                                    "name": {"type": "string"},
                                    "semanticVersion": {"type": "string"},
                                    "rules": {"type": "array", "uniqueItems": True, "items": RULE},
                                },
                            }
                        },
                    },
                    "columnKind": {"enum": ["utf16CodeUnits", "unicodeCodePoints"]},
                    "newlineSequences": {"type": "array", "items": {"type": "string"}},
                    "invocations": {"type": "array", "items": INVOCATION},
                    "results": {"type": "array", "items": RESULT},
                },
            },
        },
    },
}
"""The parts of SARIF 2.1.0's schema (OASIS) that a log of ours uses, in our words: what it requires and allows."""


def test_sarif_is_valid(files: Path, report):
    """Code scanning refuses a whole log for one property too many."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.validate(json.loads(report("sarif", "src")), SARIF)


def sarif_of(report: Callable[..., str], *paths: str, status: int = 1) -> list[dict[str, Any]]:
    (run,) = json.loads(report("sarif", *paths, status=status))["runs"]
    assert run["invocations"][0]["exitCode"] == status
    return run["results"]


@pytest.mark.parametrize("name", ["a b.py", "crlf.py", ODD])
def test_a_sarif_fix_makes_the_repaired_file(files: Path, report, colon_bundle: Path, name: str):
    """Whoever applies all fixes has the bytes that --write leaves, line ends and byte order mark too."""
    path = files / "src" / name
    results = sarif_of(report, f"src/{name}")
    text = path.read_bytes().decode("utf-8-sig")
    lines = re.findall(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+", text)
    parts = []
    for change in (change for item in results for fix in item["fixes"] for change in fix["artifactChanges"]):
        assert unquote_to_bytes(change["artifactLocation"]["uri"]) == b"src/" + os.fsencode(name)
        for part in change["replacements"]:
            region = part["deletedRegion"]
            begin = sum(map(len, lines[: region["startLine"] - 1])) + region["startColumn"] - 1
            end = sum(map(len, lines[: region["endLine"] - 1])) + region["endColumn"] - 1
            parts.append((begin, end, part.get("insertedContent", {"text": ""})["text"]))
    for begin, end, new in sorted(parts, reverse=True):
        text = text[:begin] + new + text[end:]
    CliRunner().invoke(cli.app, ["fix", str(path), "--write", "--bundle", str(colon_bundle)])
    assert path.read_bytes().decode("utf-8-sig") == text


def test_a_finding_is_the_same_one_where_a_line_was_inserted_above(files: Path, report):
    """Otherwise code scanning closes it and opens another one with each commit."""
    path = files / "src" / "a b.py"

    def fingerprints() -> list[str]:
        return [
            item["partialFingerprints"]["primaryLocationLineHash"] for item in sarif_of(report, str(path))
        ]

    before = fingerprints()
    path.write_bytes(b"import os\n\n" + path.read_bytes())
    assert fingerprints() == before and len(set(before)) == 2
    path.write_bytes(BROKEN * 2)
    first, second = fingerprints()
    assert first.split(":")[0] == second.split(":")[0] and first != second, "equal lines are told apart"
