"""Bandit as a witness: the insecure side of a security kind's example triggers the test that the kind names."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from bandit.core import config, manager

from ctm.bugs.registry import registry

KINDS = [kind for kind in registry().values() if kind.bandit]
IMPORTS = """\
import os, subprocess, shlex, pickle, marshal, json, ast, yaml, ssl, hashlib, random, secrets, tempfile, requests
import tarfile, importlib, jinja2, xml.etree.ElementTree, defusedxml.ElementTree
from Crypto.Cipher import AES, DES, ARC4
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from flask import Flask
from jinja2 import Environment, FileSystemLoader
from django.utils.safestring import mark_safe
from django.utils.html import format_html
app = application = Flask(__name__)
"""


def ids(texts: dict[str, str], folder: Path) -> dict[str, set[str]]:
    """Ids of what Bandit finds below the imports, for each text; texts are read and not run."""
    logging.getLogger("bandit").setLevel(logging.ERROR)
    scan = manager.BanditManager(config.BanditConfig(), "file", quiet=True)
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(IMPORTS + text + "\n")
    scan.discover_files([str(folder)], recursive=True)
    scan.run_tests()
    found: dict[str, set[str]] = {name: set() for name in texts}
    for issue in scan.get_issue_list():
        if issue.lineno > IMPORTS.count("\n"):
            found[Path(issue.fname).stem].add(issue.test_id)
    return found


@pytest.fixture(scope="module")
def found(tmp_path_factory) -> dict[str, set[str]]:
    texts = {f"{kind.name}_{side}": getattr(kind, side) for kind in KINDS for side in ("correct", "buggy")}
    return ids(texts, tmp_path_factory.mktemp("bandit"))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_bandit_finds_the_bug_and_not_its_repair(kind, found):
    assert kind.bandit in found[f"{kind.name}_buggy"], found[f"{kind.name}_buggy"]
    # Bandit reports any shell with a text made of parts, whether they are quoted or not
    assert kind.bandit not in found[f"{kind.name}_correct"] or kind.name == "unquoted_argument"
