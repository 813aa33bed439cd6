"""A bucket that is a folder: a storage plugin of Snakemake's for tests, with the rules of one of S3 and no server.

    --default-storage-provider folder --default-storage-prefix folder:///tmp/bucket/run

Snakemake finds it by its name where tests/helpers/plugins/ is on PYTHONPATH. Objects lie at the path of their query.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from snakemake_interface_storage_plugins.storage_object import (
    StorageObjectGlob,
    StorageObjectRead,
    StorageObjectWrite,
)
from snakemake_interface_storage_plugins.storage_provider import (
    ExampleQuery,
    QueryType,
    StorageProviderBase,
    StorageQueryValidationResult,
)

SCHEME = "folder://"


class StorageProvider(StorageProviderBase):
    @classmethod
    def example_queries(cls) -> list[ExampleQuery]:
        return [ExampleQuery(f"{SCHEME}/tmp/bucket/run/file.txt", "a file of a folder", QueryType.ANY)]

    @classmethod
    def is_valid_query(cls, query: str) -> StorageQueryValidationResult:
        return StorageQueryValidationResult(query, query.startswith(f"{SCHEME}/"), "no address of a folder")

    def use_rate_limiter(self) -> bool:
        return False

    def default_max_requests_per_second(self) -> float:
        return 1.0

    def rate_limiter_key(self, query: str, operation: Any) -> str:
        return SCHEME


class StorageObject(StorageObjectRead, StorageObjectWrite, StorageObjectGlob):
    @property
    def place(self) -> Path:
        return Path(self.query.removeprefix(SCHEME))

    def local_suffix(self) -> str:
        return self.place.as_posix().lstrip("/")

    def get_inventory_parent(self) -> str | None:
        return None

    async def inventory(self, cache: Any) -> None:
        """Nothing comes for free."""

    def cleanup(self) -> None:
        """No connection."""

    def exists(self) -> bool:
        return self.place.exists()

    def mtime(self) -> float:
        return self.place.stat().st_mtime

    def size(self) -> int:
        return self.place.stat().st_size

    def retrieve_object(self) -> None:
        shutil.copyfile(self.place, self.local_path())

    def store_object(self) -> None:
        self.place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.local_path(), self.place)

    def remove(self) -> None:
        self.place.unlink()

    def list_candidate_matches(self) -> Iterable[str]:
        return ()
