"""A run's pairs as a Croissant 1.0 description (http://mlcommons.org/croissant/1.0): files with checksums, and fields.

Written by hand: the library that reads it (mlcroissant) brings scipy and rdflib, and is asked in a test where it is
installed (`make crate-check`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import ctm
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
    "project": "Project that the text came from.",
    "path": "File in the project.",
    "qualname": "Function or class around it, empty at the top of a file.",
    "line": "First line in the path; 0 where unknown.",
    "commit": "Commit of the fix; empty for releases and mutants.",
    "parent": "The commit before it.",
    "version_from": "Release before the fix; empty for commits and mutants.",
    "version_to": "Release of the fix, or of the clean code that a mutant was made of.",
    "url": "Page of the commit or the answer, or the release as a package URL (pkg:pypi/name@version).",
    "author_url": "Page of the author, where the license asks for one (Stack Overflow).",
    "author": "Name of the author, where the license asks for one.",
    "date": "Day of the commit or the answer (ISO 8601); empty where unknown, and of mutants.",
    "filters": "Filters that it passed, with their versions.",
}
SPLITS = {
    "train": "cr:TrainingSplit",
    "validation": "cr:ValidationSplit",
    "test": "cr:TestSplit",
}
"""What Croissant calls the splits."""
SETS = {
    "train": "Pairs to train on.",
    "validation": "Pairs to choose thresholds with, frozen.",
    "test": "Pairs to measure on, frozen; of projects that no other set has.",
    "real": "The real fixes among the pairs of the test split.",
}
AUTHORS = "The CTM Code Repair authors"
CITATION = (
    "@software{ctm_code_repair, title = {CTM Code Repair}, author = {{The CTM Code Repair authors}}, year = {2026}, "
    "version = {%s}, note = {Cite the projects that the pairs came from too: each row names its own}}"
)
RESPONSIBLE = {
    "rai:dataCollection": "Clean code is read from pinned packages and installed code, fixes from consecutive "
    "releases, git histories and answers of Stack Overflow; which of these, the configuration of the run says. Bugs "
    "are made from clean code by programs.",
    "rai:dataCollectionType": ["Software Collection", "Secondary Data analysis"],
    "rai:dataPreprocessingProtocol": [
        "Snippets of at most 64 lines; copies and near copies are taken out; addresses of mail, passwords in addresses "
        "and keys are masked; files without a license are left out.",
        "Projects that share code form a group, and a group is never split between train, validation and test.",
        "What is in a test suite that the run names is left out of training.",
    ],
    "rai:dataBiases": [
        "Most bugs are made by programs, so they are more regular than those that people make.",
        "Only code that was published with a license is in it, most of it packages of the Python index.",
    ],
    "rai:dataLimitations": [
        "Fixes from releases and commits were found by rules: some are changes that correct nothing.",
        "A pair has no more context than its snippet.",
    ],
    "rai:dataUseCases": ["Training and measuring models that repair Python."],
    "rai:personalSensitiveInformation": [
        "Code as its authors published it. Names of authors stand only where the license asks for them."
    ],
    "rai:dataReleaseMaintenancePlan": "The files of one run never change: another run makes other files, with other "
    "sums. Where they come from stands in the run's provenance, ../provenance/provenance.html.",
}
"""Croissant's vocabulary for responsible AI, http://mlcommons.org/croissant/RAI/1.0."""
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


def croissant(name: str, sets: Sequence[Path], expressions: Sequence[str]) -> dict[str, Any]:
    """JSON-LD of these files of pairs; their addresses are relative to the folder `results/reports/`.

    expressions: SPDX license expressions of the pairs.
    """
    newest = max(path.stat().st_mtime for path in sets)
    author = {"@type": "sc:Organization", "name": AUTHORS}
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": ["http://mlcommons.org/croissant/1.0", "http://mlcommons.org/croissant/RAI/1.0"],
        "name": name,
        "description": "Pairs of buggy and fixed Python: mutants, and fixes from releases and histories. Each pair "
        "carries its origin and license; the data card beside this file counts them.",
        "version": f"{FORMAT_VERSION}.0.0",
        "datePublished": datetime.fromtimestamp(newest, UTC).date().isoformat(),
        "inLanguage": "en",
        "keywords": ["program repair", "Python", "bug fixes", "mutation", "code"],
        "isLiveDataset": False,
        "creator": author,
        "publisher": author,
        "license": licenses(expressions),
        "url": "data_card.html",
        "citeAs": CITATION % ctm.__version__,
        **RESPONSIBLE,
        "distribution": [_file(path) for path in sets],
        "recordSet": [*map(_records, sets), _splits()],
    }


def licenses(expressions: Sequence[str]) -> list[str]:
    """Addresses of the licenses in some SPDX expressions; one that SPDX does not list stays as it is written."""
    names = sorted({name for text in expressions for name in re.findall(r"[A-Za-z0-9][\w.+-]*", text)})
    known = [name for name in names if name not in ("AND", "OR", "WITH", "exception")]
    return [name if "LicenseRef" in name else f"https://spdx.org/licenses/{name}.html" for name in known]


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


def _splits() -> dict[str, Any]:
    """The splits as an enumeration that Croissant knows (cr:Split)."""
    return {
        "@type": "cr:RecordSet",
        "@id": "splits",
        "name": "splits",
        "description": "The values of the column split.",
        "dataType": "cr:Split",
        "key": {"@id": "splits/name"},
        "field": [
            {"@type": "cr:Field", "@id": "splits/name", "name": "name", "dataType": "sc:Text"},
            {"@type": "cr:Field", "@id": "splits/url", "name": "url", "dataType": "sc:URL"},
        ],
        "data": [{"splits/name": name, "splits/url": url} for name, url in SPLITS.items()],
    }


def _records(path: Path) -> dict[str, Any]:
    import pyarrow.parquet as pq

    name = path.stem
    fields = []
    for column in PAIR_SCHEMA.names:
        entry = {
            "@type": "cr:Field",
            "@id": f"{name}/{column}",
            "name": column,
            "description": FIELDS[column],
            "dataType": "sc:Integer" if column == "line" else "sc:Text",
            "source": {"fileObject": {"@id": f"{name}.parquet"}, "extract": {"column": column}},
        }
        if column == "split":
            entry["references"] = {"field": {"@id": "splits/name"}}
        fields.append(entry)
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "description": f"{SETS.get(name, 'Pairs.')} {pq.read_metadata(path).num_rows:,} rows.",
        "key": {"@id": f"{name}/pair_id"},
        "field": fields,
    }
