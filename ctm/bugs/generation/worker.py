"""Worker processes that make mutants; each may be killed when untrusted code makes the compiler hang.

The child has a limited address space and the parent a watchdog. A batch that times out, or whose child dies, is given
again snippet by snippet to a new child, so that only the snippet at fault is lost, with its reason. Replies are
`marshal`led plain tuples. `python -m ctm.bugs.generation.worker FD` is the child.
"""

from __future__ import annotations

import logging
import marshal
import os
import pickle
import resource
import signal
import subprocess
import sys
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue

from ctm.bugs.checks.validity import quiet
from ctm.bugs.generation.draw import Mutant, SnippetMutants, mutate_text, snippet_rng, survey_text
from ctm.bugs.generation.mix import BugMix
from ctm.bugs.generation.rates import Tally
from ctm.bugs.settings import MutationSettings
from ctm.pairs.record import Snippet

log = logging.getLogger(__name__)
_START_SECONDS = 60.0
_PACKAGE_ROOT = Path(__file__).resolve().parents[3]

Task = tuple[str, str, bool]
"""(snippet id, text, whether it is held out of training)."""


class WorkerLost(Exception):
    """The child was killed or died; the message is the reason that rejects carry."""


class Worker:
    """One child process, started at the first batch and replaced when it is lost. Use as a context manager."""

    def __init__(self, settings: MutationSettings, mix: BugMix, survey: bool = False) -> None:
        """`survey` tries every kind once on each snippet (`survey_text`) in place of drawing mutants."""
        self._settings = settings
        self._setup = pickle.dumps((settings, mix.weights, mix.hosting, survey))
        self._process: subprocess.Popen[bytes] | None = None
        self._pipe: Connection | None = None
        self.replaced = 0
        """Children that were lost so far."""

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pid(self) -> int | None:
        """Process id of the child, None before the first batch."""
        return self._process.pid if self._process else None

    def run(self, tasks: Sequence[Task]) -> list[SnippetMutants | str]:
        """The mutants of each snippet in order, or why the snippet was lost: "worker timed out" or "worker died".

        Raises RuntimeError where a child cannot even start.
        """
        try:
            return list(self._request(tasks))
        except WorkerLost as lost:
            if len(tasks) == 1:
                log.warning("snippet %s: %s", tasks[0][0], lost)
                return [str(lost)]
        return [self.run([task])[0] for task in tasks]

    def _request(self, tasks: Sequence[Task]) -> list[SnippetMutants]:
        pipe = self._pipe or self._start()
        try:
            pipe.send_bytes(marshal.dumps(list(tasks)))
            if not pipe.poll(self._settings.batch_seconds):
                raise WorkerLost("worker timed out")
            reply = marshal.loads(pipe.recv_bytes())
        except (EOFError, OSError) as error:
            self._lost()
            raise WorkerLost("worker died") from error
        except WorkerLost:
            self._lost()
            raise
        return [
            SnippetMutants([Mutant(*row) for row in kept], dropped, Tally(*tally))
            for kept, dropped, tally in reply
        ]

    def _start(self) -> Connection:
        ours, theirs = Pipe()
        path = os.pathsep.join(filter(None, (str(_PACKAGE_ROOT), os.environ.get("PYTHONPATH"))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "ctm.bugs.generation.worker", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": path},
        )
        theirs.close()
        self._pipe = ours
        try:
            ours.send_bytes(self._setup)
            ready = ours.poll(_START_SECONDS) and ours.recv_bytes() == b"ready"
        except (EOFError, OSError):
            ready = False
        if not ready:
            self.stop()
            raise RuntimeError(
                f"a mutation worker did not start within {_START_SECONDS:.0f} s; its message is above. "
                f"If it ran out of memory, raise bugs.worker_mb (now {self._settings.worker_mb} MB)"
            )
        return ours

    def _lost(self) -> None:
        self.replaced += 1
        self.stop()

    def stop(self) -> None:
        """Kill the child, if there is one."""
        if self._pipe is not None:
            self._pipe.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = self._pipe = None


def mutate_in_workers(
    snippets: Iterable[Snippet],
    settings: MutationSettings,
    mix: BugMix,
    totals: Counter[str],
    survey: bool = False,
) -> Iterator[tuple[Snippet, SnippetMutants | str]]:
    """Each snippet with what the workers made of it, in order; a few batches are under way at a time.

    `totals` counts "lost workers" in the end.
    """
    workers = [Worker(settings, mix, survey) for _ in range(max(1, settings.workers))]
    free: SimpleQueue[Worker] = SimpleQueue()
    for worker in workers:
        free.put(worker)

    def run(batch: list[Snippet]) -> list[SnippetMutants | str]:
        worker = free.get()
        try:
            return worker.run([(s.snippet_id, s.text, s.split in ("validation", "test")) for s in batch])
        finally:
            free.put(worker)

    under_way: deque[tuple[list[Snippet], Future[list[SnippetMutants | str]]]] = deque()
    stream = iter(snippets)
    try:
        with ThreadPoolExecutor(len(workers)) as pool:
            while True:
                while len(under_way) < 2 * len(workers) and (batch := list(islice(stream, settings.batch))):
                    under_way.append((batch, pool.submit(run, batch)))
                if not under_way:
                    break
                batch, future = under_way.popleft()
                yield from zip(batch, future.result(), strict=True)
    finally:
        totals["lost workers"] = sum(worker.replaced for worker in workers)
        for worker in workers:
            worker.stop()


def _serve(pipe: Connection) -> None:
    """The child: answers batches until the parent closes the pipe."""
    settings, weights, hosting, survey = pickle.loads(pipe.recv_bytes())
    limit = settings.worker_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # the default action of SIGALRM ends the process even inside the compiler: a child outlives no dead parent
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    mix = BugMix(weights, hosting)
    pipe.send_bytes(b"ready")
    with quiet():
        _answer(pipe, settings, mix, survey)


def _answer(pipe: Connection, settings: MutationSettings, mix: BugMix, survey: bool) -> None:
    while True:
        try:
            tasks = marshal.loads(pipe.recv_bytes())
        except EOFError:
            return
        signal.setitimer(signal.ITIMER_REAL, settings.batch_seconds + 5)
        reply = []
        for snippet, text, heldout in tasks:
            rng = snippet_rng(settings.seed, snippet)
            count = settings.per_snippet_heldout if heldout else settings.per_snippet
            if survey:
                made = survey_text(text, rng, mix, settings)
            else:
                made = mutate_text(text, rng, mix, count, settings, held_out=heldout)
            tally = made.tally.kinds, made.tally.asked
            reply.append(([tuple(mutant) for mutant in made.kept], made.dropped, tally))
        signal.setitimer(signal.ITIMER_REAL, 0)
        pipe.send_bytes(marshal.dumps(reply))


if __name__ == "__main__":
    _serve(Connection(int(sys.argv[1])))
