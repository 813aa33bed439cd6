"""What SLURM's queue says of a run's jobs while they run, and commands to the one that is looked at."""

from __future__ import annotations

import subprocess
import threading
import time


class Queue:
    """A thread that reads the queue once a second: which rules run, how many shards they have, who waits and why."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.most_shards = 0
        self.waited: set[str] = set()
        self.states: dict[str, list[str]] = {}
        """Of each job, those that were seen, in their order."""
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Queue:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def read(self) -> list[dict[str, str]]:
        """One entry a job: number, rule, state, shards, reason."""
        asked = ["squeue", "-h", "-t", "all", "-o", "%i|%k|%T|%b|%r"]
        told = subprocess.run(asked, env=self.environment, capture_output=True, text=True).stdout
        rows = [line.split("|") for line in told.splitlines() if line.count("|") == 4]
        return [
            {
                "number": number,
                "rule": comment.removeprefix("rule_").partition("_wildcards_")[0],
                "state": state,
                "shards": wanted.rpartition(":")[2] if "shard" in wanted else "0",
                "reason": reason,
            }
            for number, comment, state, wanted, reason in rows
        ]

    def to_stage(self, command: str) -> str:
        """Run a command with the number of the last stage's job, once it runs; the command as it was run.

        Raises RuntimeError where it does not run within a minute.
        """
        deadline = time.monotonic() + 60
        while not (numbers := self._stages()):
            if time.monotonic() > deadline:
                raise RuntimeError(f"no job of stage 4 runs: {self.read()}")
            time.sleep(0.2)
        (number,) = numbers
        act = command.format(number=number)
        subprocess.run(act.split(), env=self.environment, check=True, stdout=subprocess.DEVNULL)
        return act

    def _stages(self) -> list[str]:
        """Numbers of jobs of the last stage that run, or are held."""
        return [
            job["number"]
            for job in self.read()
            if job["rule"] == "train_stage4" and job["state"] in ("RUNNING", "STOPPED")
        ]

    def _run(self) -> None:
        while not self._over.wait(1):
            jobs = self.read()
            in_use = sum(int(job["shards"]) for job in jobs if job["state"] in ("RUNNING", "COMPLETING"))
            self.most_shards = max(self.most_shards, in_use)
            for job in jobs:
                seen = self.states.setdefault(job["number"], [])
                if job["state"] not in seen[-1:]:
                    seen.append(job["state"])
            self.waited |= {
                job["rule"] for job in jobs if job["state"] == "PENDING" and job["reason"] == "Resources"
            }
