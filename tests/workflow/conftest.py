"""A built fake checkout, shared by the tests of the workflow."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from helpers.fake_checkout import HARD_NAME, Checkout, fake_checkout


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The end-to-end run comes last: what it would find, a smaller test says better."""
    items.sort(key=lambda item: item.get_closest_marker("end_to_end") is not None)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A fake checkout with everything built, in a folder with a name that breaks what is not quoted; tests copy it."""
    checkout = fake_checkout(tmp_path_factory.mktemp("workflow") / HARD_NAME)
    checkout.overlay = {"sources": {"commits": {"repositories": ["https://example.org/one.git"]}}}
    checkout.snakemake("all")
    return checkout


@pytest.fixture
def checkout(built: Checkout, tmp_path: Path) -> Checkout:
    """A built fake checkout of one's own, at another place (nothing may depend on where it lies)."""
    root = tmp_path / "moved"
    shutil.copytree(built.root, root)
    return Checkout(root, dict(built.overlay))
