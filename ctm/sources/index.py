"""Archives of pinned packages from the package index, by pypi-simple: no package is built or asked about itself.

pip cannot bring a source distribution without running its build backend, so it is not asked; its settings are: which
index (`index-url`) and which certificates (`cert`).
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

import requests
from pypi_simple import PYPI_SIMPLE_ENDPOINT, NoSuchProjectError, PyPISimple
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from ctm.sources.wheels import GIVE_UP_AFTER, Pin, sha256_of

RETRIES = 3


class IndexClient:
    """Brings archives into a folder, under their sha256; what lies there already is not asked for again."""

    def __init__(self, folder: Path, timeout: int, downloads: int, endpoint: str | None = None) -> None:
        """timeout: of one connection or read, seconds. downloads: at the same time. endpoint: None for pip's index."""
        self.folder, self.timeout, self.downloads = folder, timeout, downloads
        session = requests.Session()
        retry = Retry(total=RETRIES, backoff_factor=1, status_forcelist=(429, 500, 502, 503, 504))
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry, pool_maxsize=downloads))
        if certificates := pip_setting("cert"):
            session.verify = certificates
        self._client = PyPISimple(
            endpoint or pip_setting("index-url") or PYPI_SIMPLE_ENDPOINT, session=session
        )
        self._failed_in_a_row = 0
        self._lock = threading.Lock()

    def fetch(self, pins: Sequence[Pin]) -> dict[Pin, Path | str]:
        """For each pin its verified archive, or why there is none."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(self.downloads) as pool:
            return dict(zip(pins, pool.map(self._fetch, pins), strict=True))

    def _fetch(self, pin: Pin) -> Path | str:
        path = self.folder / pin.sha256
        if path.is_file() and sha256_of(path) == pin.sha256:
            return path
        with self._lock:
            if self._failed_in_a_row >= GIVE_UP_AFTER * self.downloads:
                return "the package index is out of reach"
        why = self._download(pin, path)
        with self._lock:
            self._failed_in_a_row = self._failed_in_a_row + 1 if why else 0
        return why or path

    def _download(self, pin: Pin, path: Path) -> str:
        """Bring one archive; returns why it cannot be had, "" where it can."""
        try:
            page = self._client.get_project_page(pin.name, timeout=self.timeout)
            listed = [item for item in page.packages if item.digests.get("sha256") == pin.sha256]
            if not listed:
                return f"the index has no file of {pin.name} with sha256 {pin.sha256}"
            with tempfile.TemporaryDirectory(dir=self.folder) as scratch:
                found = Path(scratch) / "archive"
                self._client.download_package(listed[0], found, timeout=self.timeout)
                found.replace(path)
        except NoSuchProjectError:
            return f"the index does not know {pin.name}"
        except (requests.RequestException, OSError, ValueError) as error:
            return (
                f"{type(error).__name__} of the package index"  # its text may hold an address with a password
            )
        return ""


def pip_setting(name: str) -> str:
    """A setting of pip, wherever it is made (environment before files); "" where it is not."""
    found = pip_settings()
    sections = (":env:", "download", "install", "global")
    return next((found[key] for section in sections if (key := f"{section}.{name}") in found), "")


@cache
def pip_settings() -> dict[str, str]:
    """What `pip config list` says, "SECTION.NAME" -> value; empty where pip is not there."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {key: value.strip("'\"") for key, _, value in pairs}
