"""A run's pairs as a Croissant 1.0 description (http://mlcommons.org/croissant/1.0): files with checksums, and fields.

Written by hand: the library that reads it (mlcroissant) brings scipy and rdflib, and is asked in a test where it is
installed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from ctm.files import sha256_of
from ctm.pairs.record import FORMAT_VERSION, PAIR_SCHEMA

FIELDS = {
    "pair_id": "Identity: blake2b of both texts.",
    "buggy": "Text with a bug, or equal to the fixed one (clean samples).",
    "fixed": "The text as it should be.",
    "category": "syntax, logic, security, complex or clean.",
    "kind": "Kind of bug, or the source of a real fix.",
    "source": "mutation, commit, release or stackoverflow.",
    "split": "train, validation or test.",
    "group": "Projects that are never split.",
    "license": "SPDX expression of the origin.",
    "license_source": "Where the license was read.",
    "date": "Day of the commit or the answer (ISO 8601); empty where unknown, and of mutants.",
    "line": "First line in the path; 0 where unknown.",
}
_CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "equivalentProperty": "cr:equivalentProperty",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}


def croissant(name: str, sets: Sequence[Path], licenses: Sequence[str]) -> dict[str, Any]:
    """JSON-LD of these files of pairs; their addresses are relative to the folder `results/reports/`."""
    newest = max(path.stat().st_mtime for path in sets)
    identifiers = sorted({name for text in licenses for name in re.findall(r"[A-Za-z0-9][\w.+-]*", text)})
    known = [item for item in identifiers if item not in ("AND", "OR", "WITH") and "LicenseRef" not in item]
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": "Pairs of buggy and fixed Python: mutants, and fixes from releases and histories. Each pair "
        "carries its origin and license; the data card beside this file counts them.",
        "version": f"{FORMAT_VERSION}.0.0",
        "datePublished": datetime.fromtimestamp(newest, UTC).date().isoformat(),
        "license": [f"https://spdx.org/licenses/{item}.html" for item in known if item != "exception"],
        "url": "data_card.html",
        "citeAs": "CTM Code Repair: see CITATION.cff of the repository.",
        "distribution": [_file(path) for path in sets],
        "recordSet": [_records(path.stem) for path in sets],
    }


def _file(path: Path) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": path.name,
        "name": path.name,
        "contentUrl": f"../pairs/{path.name}",
        "contentSize": f"{path.stat().st_size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": sha256_of(path),
    }


def _records(name: str) -> dict[str, Any]:
    fields = []
    for column in PAIR_SCHEMA.names:
        entry = {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "dataType": "sc:Integer" if column == "line" else "sc:Text",
            "source": {"fileObject": {"@id": f"{name}.parquet"}, "extract": {"column": column}},
        }
        if column in FIELDS:
            entry["description"] = FIELDS[column]
        fields.append(entry)
    key = {"@id": f"{name}/pair_id"}
    return {"@type": "cr:RecordSet", "@id": name, "name": name, "key": key, "field": fields}
