"""Archives of pinned packages from the package index, by pypi-simple: no package is built or asked about itself.

pip cannot bring a source distribution without running its build backend, so it is not asked; its settings are: which
index (`index-url`) and which certificates (`cert`).
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path

import requests
from pypi_simple import (
    PYPI_SIMPLE_ENDPOINT,
    NoSuchProjectError,
    ProjectPage,
    PyPISimple,
    UnsupportedRepoVersionError,
)
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from ctm.files import replacing, sha256_of
from ctm.sources.pypi.pins import Pin

ATTEMPTS = 3
"""Times that an archive is asked for before the index counts as out of reach; one that never answered is asked once."""
PAUSE = 1.0
"""Seconds before it is asked again; doubles."""


class NotInIndexError(Exception):
    """The index answers, and does not have an archive."""


class _NotTriedError(Exception):
    """An archive that was not asked for, since another one could not be had."""


class IndexClient:
    """Brings archives into a folder, under their sha256; what lies there already is not asked for again."""

    def __init__(self, folder: Path, timeout: int, downloads: int, endpoint: str | None = None) -> None:
        """timeout: of one connection or read, seconds. downloads: at the same time. endpoint: None for pip's index.

        Raises OSError where pip's certificates are not there.
        """
        self.folder, self.timeout, self.downloads = folder, timeout, downloads
        logging.getLogger("urllib3").setLevel(
            logging.ERROR
        )  # it logs paths of addresses, and some hold a token
        session = requests.Session()
        # connections that are refused or silent are tried again by `_fetch` alone: here too, a silent proxy would cost
        # four times as long
        again = (429, 500, 502, 503, 504)
        retry = Retry(total=ATTEMPTS, connect=0, read=0, backoff_factor=PAUSE, status_forcelist=again)
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=retry, pool_maxsize=downloads))
        if certificates := pip_setting("cert"):
            if not Path(certificates).exists():
                raise OSError(
                    f'{certificates}: no such file; it is pip\'s setting "cert" (pip config get global.cert). '
                    "Correct or unset it"
                )
            session.verify = certificates
        self._client = PyPISimple(
            endpoint or pip_setting("index-url") or PYPI_SIMPLE_ENDPOINT, session=session
        )
        self._given_up, self._answered = threading.Event(), threading.Event()

    def fetch(self, pins: Sequence[Pin]) -> dict[Pin, Path | str]:
        """For each pin its verified archive, or why the index does not have it: the same whatever the threads.

        Raises OSError where the index is out of reach, even for one archive: half a list would be another list. What
        came stays, so the next call asks for the rest only.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._given_up.clear()
        projects: defaultdict[str, list[Pin]] = defaultdict(list)
        for pin in pins:
            projects[pin.name].append(pin)
        found: dict[Pin, Path | str | Exception] = {}
        with ThreadPoolExecutor(self.downloads) as pool:
            for some in pool.map(self._fetch_project, projects.values()):
                found.update(some)
        if missing := [item for item in found.values() if isinstance(item, Exception)]:
            whys = sorted({self._why(item) for item in missing if not isinstance(item, _NotTriedError)})
            raise OSError(
                f"the package index is unreachable ({', '.join(whys)}): {len(missing)} of {len(pins)} archives are "
                "missing. Check pip's index-url and start again; finished downloads stay in "
                f"{self.folder}"
            )
        return {pin: item for pin in pins if not isinstance(item := found[pin], Exception)}

    def _fetch_project(self, pins: Sequence[Pin]) -> dict[Pin, Path | str | Exception]:
        """Pins of one project, whose page the index is asked for once, and not at all where all archives are there."""
        page = cache(partial(self._page, pins[0].name))
        return {pin: self._fetch(pin, page) for pin in pins}

    def _fetch(self, pin: Pin, page: Callable[[], ProjectPage]) -> Path | str | Exception:
        """The archive, or why the index does not have it, or what kept us from asking."""
        path = self.folder / pin.sha256
        if path.is_file() and sha256_of(path) == pin.sha256:
            return path
        error: Exception = _NotTriedError()
        for attempt in range(ATTEMPTS):
            if self._given_up.is_set():
                return error
            try:
                self._download(pin, page(), path)
                return path
            except NotInIndexError as gone:
                return str(gone)
            except (requests.RequestException, OSError, ValueError, UnsupportedRepoVersionError) as failure:
                error = failure
            if _timed_out(error) and not self._answered.is_set():
                break  # nobody is there: the job that is tried again asks once more
            time.sleep(PAUSE * 2**attempt)
        self._given_up.set()
        return error

    def _page(self, name: str) -> ProjectPage:
        """What the index has of a project. Raises NotInIndexError; what requests and pypi-simple raise."""
        try:
            page = self._client.get_project_page(name, timeout=self.timeout)
        except NoSuchProjectError:
            self._answered.set()
            raise NotInIndexError(f"the index does not know {name}") from None
        self._answered.set()
        return page

    def _download(self, pin: Pin, page: ProjectPage, path: Path) -> None:
        """Bring one archive. Raises NotInIndexError; what requests and pypi-simple raise."""
        listed = [item for item in page.packages if item.digests.get("sha256") == pin.sha256]
        if not listed:
            raise NotInIndexError(f"the index has no file of {pin.name} with sha256 {pin.sha256}")
        with replacing(path) as temporary:
            self._client.download_package(listed[0], temporary, timeout=self.timeout)

    def _why(self, error: Exception) -> str:
        """Why an archive did not come: the text of an error may hold an address with a password, its class does not."""
        if _timed_out(error):
            return f"no answer in {self.timeout} s; is a proxy in the way?"
        return type(error).__name__


def _timed_out(error: BaseException | None) -> bool:
    """Whether an error goes back to a time limit; requests and urllib3 raise others from it."""
    while error is not None and not isinstance(error, TimeoutError):
        error = error.__cause__ or error.__context__
    return error is not None


def pip_setting(name: str) -> str:
    """A setting of pip, wherever it is made (environment before files); "" where it is not."""
    if given := os.environ.get(f"PIP_{name.upper().replace('-', '_')}"):
        return given
    found = pip_settings()
    sections = ("download", "install", "global")
    return next((found[key] for section in sections if (key := f"{section}.{name}") in found), "")


@cache
def pip_settings() -> dict[str, str]:
    """What `pip config list` says, "SECTION.NAME" -> value; empty where pip is not there."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "config", "list"]
    done = subprocess.run(
        command, capture_output=True, encoding="utf-8", errors="replace", stdin=subprocess.DEVNULL
    )
    pairs = (line.partition("=") for line in done.stdout.splitlines())
    return {key: value.strip("'\"") for key, _, value in pairs}
