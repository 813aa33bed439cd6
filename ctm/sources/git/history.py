"""Reads one repository's history in batches; a killed job loses at most one batch.

Each repository has a state file (JSON: the commit it is read at, the batches that are done, errors) and a Parquet file
of each batch; both appear under their names once whole, the batch first. A batch is made from the same commits whenever
it is made, so that one that was cut off is made again over itself. A run that ended leaves the states: the next one
fetches, and reads again only the repositories that have moved.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from ctm.files import write_json
from ctm.pairs.record import PAIR_SCHEMA, REJECT_SCHEMA, Pair, Writer, read_pairs, read_rejects
from ctm.pairs.splits import project_name
from ctm.sources.git import commits, plumbing
from ctm.sources.git.commits import VERSIONS, CommitSettings, batches
from ctm.sources.git.process import GitError, without_credentials
from ctm.sources.git.repository import About, about, remote_name

log = logging.getLogger(__name__)
FORMAT_VERSION = 1


@dataclass
class HistoryState:
    """Where the collection of one repository stands. `head` is the commit that it is read at, "" before a clone."""

    repository: str
    settings: str
    run: str = ""
    head: str = ""
    batches: int = 0
    commits: int = 0
    pairs: int = 0
    rejects: int = 0
    done: bool = False
    errors: list[str] = field(default_factory=list)
    format_version: int = FORMAT_VERSION


class History:
    """One repository: its clone, its state and the files of its batches."""

    def __init__(
        self, url: str, license: str, work: Path, state: Path, settings: CommitSettings, run: str
    ) -> None:
        self.url, self.license, self.settings, self.run = url, license, settings, run
        self.name = project_name(url)
        key = hashlib.blake2b(url.encode(), digest_size=6).hexdigest()
        self.label = f"{self.name}-{key}"
        self.folder = work.absolute() / f"{self.label}.git"  # git runs elsewhere
        self.state_folder = state / self.label
        self.file = self.state_folder / "state.json"
        # what a batch holds depends on these; how many pairs are asked for in all does not
        plain = {
            **asdict(replace(settings, pairs=0, opt_out=())),
            "versions": VERSIONS,
            "batch": commits.BATCH,
            "license": license,
        }
        digest = hashlib.sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()[:16]
        self.state = HistoryState(without_credentials(url), digest)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Nobody else works on this repository: a job that was started twice waits for itself."""
        self.state_folder.mkdir(parents=True, exist_ok=True)
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            for path in (self.folder.with_suffix(".lock"), self.state_folder / ".lock"):
                fcntl.flock(stack.enter_context(path.open("w", encoding="utf-8")), fcntl.LOCK_EX)
            yield

    def saved_state(self) -> HistoryState:
        """The state as it is on disk."""
        self._load()
        return self.state

    def advance(self) -> None:
        """Do what is left to do; an error of git or of the disk ends it and is noted in the state."""
        self._load()
        try:
            if self.state.run == self.run and self.state.done:
                return
            self._update_clone()
            self._scan()
        except (GitError, OSError) as error:
            self.state.errors.append(without_credentials(str(error)) or type(error).__name__)
            log.warning("%s: %s", self.state.repository, self.state.errors[-1])
            self._save()

    def copy(self, pairs: Writer, refused: Writer) -> None:
        """Append all that was collected."""
        for number in range(self.state.batches):
            for pair in read_pairs(self._batch(number, "pairs")):
                pairs.write(pair)
            for reject in read_rejects(self._batch(number, "rejects")):
                refused.write(reject)

    def _load(self) -> None:
        try:
            known = HistoryState(**json.loads(self.file.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return
        except (ValueError, TypeError):
            log.warning("%s: cannot be read; the repository is collected anew", self.file)
            return
        if known.settings == self.state.settings and known.format_version == FORMAT_VERSION:
            self.state = known

    def _save(self) -> None:
        write_json(self.file, asdict(self.state), end="")

    def _update_clone(self) -> None:
        """Have the clone, at the commit that the state names if the repository is half read."""
        state, limit = self.state, self.settings.max_repository_mb * 1_000_000
        if state.head and not state.done and self.folder.exists():
            state.run = self.run
            return
        plumbing.remove_parts(self.folder)
        plumbing.clone_or_fetch(self.url, self.folder, self.settings.clone_timeout, limit)
        head = plumbing.head(self.folder, self.settings.git_timeout)
        if not (state.done and state.head == head):
            self.state = state = replace(
                state, head=head, batches=0, commits=0, pairs=0, rejects=0, done=False, errors=[]
            )
        state.run = self.run
        self._save()

    def _scan(self) -> None:
        state, settings = self.state, self.settings
        if state.done:
            return
        name = remote_name(self.url, settings.git_timeout)
        origin = about(self.folder, name, settings.git_timeout, state.head)
        if self.license and not origin.license:
            origin = About(origin.project, self.license, "list of repositories")
        for number, batch in enumerate(batches(self.folder, state.repository, origin, settings, state.head)):
            if number < state.batches:
                continue
            with (
                Writer(self._batch(number, "pairs"), PAIR_SCHEMA) as pairs,
                Writer(self._batch(number, "rejects"), REJECT_SCHEMA) as refused,
            ):
                for item in batch.read():
                    (pairs if isinstance(item, Pair) else refused).write(item)
            state.batches, state.commits = number + 1, state.commits + batch.commits
            state.pairs, state.rejects = state.pairs + pairs.rows, state.rejects + refused.rows
            self._save()
        state.done = True
        self._save()

    def _batch(self, number: int, kind: str) -> Path:
        return self.state_folder / f"{number:05d}.{kind}.parquet"
