"""A stage that is asked to stop keeps a checkpoint at its next step and ends, so that the next start goes on there.

Schedulers ask before they kill: SLURM with SIGTERM some time before a limit (`--signal=TERM@120`) and before it takes
the node for another job, Kubernetes and `torchrun` likewise. The checkpoint is one beside the regular ones, because a
rollback must find the same checkpoints as in a stage that nobody stopped.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGUSR1)
STOPPED = 143
"""Exit status after a stop, as a shell tells SIGTERM: a failure, so that Snakemake tries the job again."""


class Stopped(Exception):
    """A stage ended before its last step because it was asked to. What it did is in its checkpoint."""


class StopRequest:
    """Whether this process was asked to stop."""

    def __init__(self) -> None:
        self.requested = False

    def request(self, signum: int = 0, frame: FrameType | None = None) -> None:
        """Does nothing else, for it may interrupt anything."""
        self.requested = True

    @contextmanager
    def listening(self) -> Iterator[StopRequest]:
        """SIGTERM and SIGUSR1 ask, instead of ending the process, until the block ends. In the main thread only."""
        before = {number: signal.signal(number, self.request) for number in SIGNALS}
        try:
            yield self
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
