"""Which Python files any source reads, and which shard of the workflow a project is dealt to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise
from pathlib import PurePosixPath

from ctm.pairs.keys import key_of

OUT_OF_REACH = "source out of reach"
"""Reason of a reject for a source that could not be read now: asked again, it may be."""
_TEST_FOLDERS = {"test", "tests", "idle_test", "ctypes_test", "_tests", "testsuite", "test_suite"}
_TEST_FILE = re.compile(r"(?:test_.*|.*_tests?|tests?|conftest)\.py")
_VENDORED = {
    "vendor", "vendored", "vendors", "vendored_packages", "extern", "externals", "bundled", "third_party", "thirdparty",
    "third_parties", "3rdparty", "3rd_party", "site_packages",
}  # fmt: skip
"""Folders of copies of other projects, without underscores at their ends and with `_` for `-`."""
_HOLDERS = {"packages", "lib", "libs", "xlib", "deps", "ext"}
_COPIED = {
    "urllib3", "chardet", "charade", "idna", "certifi", "requests", "simplejson", "httplib2", "pyparsing", "packaging",
    "distlib", "toml", "tomli", "colorama", "msgpack", "jinja2", "markupsafe", "yaml", "bottle", "pkg_resources",
}  # fmt: skip
"""Projects that are a copy in a folder of `_HOLDERS` inside a package; elsewhere it may be an adapter for them."""
_COPIED_FILES = {
    "six.py",
    "_six.py",
    "appdirs.py",
    "ordereddict.py",
    "pyparsing.py",
    "BeautifulSoup.py",
    "ClientForm.py",
}
"""Modules that are copies wherever they stand below the top of a project."""
_PACKAGING = {"setup.py", "noxfile.py", "tasks.py"}
_DOCUMENTATION = {"doc", "docs"}
_DOCUMENTATION_SETTINGS = {"doc/conf.py", "docs/conf.py", "docs/source/conf.py", "doc/source/conf.py"}
_GENERATED = re.compile(
    rb"(?i)(?:auto(?:matically|matic)?[- ]?generated|do not edit|generated (?:by|from|using|with)|@generated)"
)


def is_in_shard(name: str, shard: int, shards: int) -> bool:
    """Whether a project belongs to this of `shards` shards, by hash of its name: stable as projects come and go."""
    return key_of(name) % shards == shard % shards


def is_test(path: str) -> bool:
    """Whether a file holds tests, by its path within the project."""
    *folders, name = PurePosixPath(path).parts
    return bool(_TEST_FOLDERS.intersection(folders) or _TEST_FILE.fullmatch(name))


def path_reject_reason(path: str, tests: bool = False, documentation: bool = False) -> str:
    """Why a file is not read, by its path within the project ("" where it is).

    tests, documentation: whether these are read.
    """
    parts = PurePosixPath(path).parts
    if not path.endswith(".py"):
        return "not Python"
    if not tests and is_test(path):
        return "test file"
    if _is_vendored(parts):
        return "vendored copy"
    if (
        path in _PACKAGING
        or path in _DOCUMENTATION_SETTINGS
        or (parts[0] in _DOCUMENTATION and not documentation)
    ):
        return "packaging or documentation"
    return "generated file" if parts[-1].endswith(("_pb2.py", "_pb2_grpc.py")) else ""


def _is_vendored(parts: Sequence[str]) -> bool:
    if any(part.strip("_").replace("-", "_").lower() in _VENDORED for part in parts[:-1]):
        return True
    inner = pairwise(parts[1:])
    held = any(holder in _HOLDERS and part.removesuffix(".py") in _COPIED for holder, part in inner)
    return held or (len(parts) > 1 and parts[0] not in ("src", "lib") and parts[-1] in _COPIED_FILES)


def decode_source(data: bytes, max_bytes: int) -> tuple[str, str]:
    """(text, "") of a source file with line ends as "\\n", or ("", why it is not read)."""
    if len(data) > max_bytes:
        return "", "file too large"
    if b"\0" in data:
        return "", "binary file"
    if _GENERATED.search(data[:1500]):
        return "", "generated file"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return "", "not UTF-8"
    return text.replace("\r\n", "\n").replace("\r", "\n"), ""
