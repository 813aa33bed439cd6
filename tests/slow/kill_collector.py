"""The collector killed at random points over a real repository, against a run that nobody disturbed.

    make kill-collector REPOSITORY=/path/to/repository.git

The repository is copied, and served by git itself over file://, so that clones without contents and the fetches of
contents are cut off too. Ends with status 1 where a pair or a reject is lost, or there twice.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))
from ctm.sources.git import commits
from helpers.collector_runs import batches_done, kill_again_and_again, results, run

BATCH = 25
KILLS = 20
PAUSE = 0.25
"""Longest time from the batch that a kill waits for to the kill, seconds: some batches, or half of a clone."""
SERVED = ("uploadpack.allowFilter", "uploadpack.allowAnySHA1InWant")


def main(repository: str, seed: int = 0) -> int:
    with tempfile.TemporaryDirectory() as name:
        place = Path(name)
        served = place / "served.git"
        subprocess.run(["git", "clone", "--quiet", "--bare", "--", repository, str(served)], check=True)
        for key in SERVED:
            subprocess.run(["git", "--git-dir", str(served), "config", key, "true"], check=True)
        url = [f"file://{served}"]
        commits.BATCH = BATCH
        begun = time.monotonic()
        figures = run(url, place / "whole")
        seconds = time.monotonic() - begun
        expected = results(place / "whole")
        print(
            f"undisturbed: {figures['commits']} commits, {figures['pairs']} pairs, {figures['rejects']} rejects, "
            f"{batches_done(place / 'whole')} batches, {seconds:.1f} s"
        )
        killed = kill_again_and_again(url, place, BATCH, 1, KILLS, seed, PAUSE)
        print(
            f"killed {killed.kills} times: {killed.cloning} while cloning, {killed.moved} after further batches; "
            f"{len(killed.folders)} collections"
        )
        wrong = 0
        for folder in killed.folders:
            for kind, found, whole in zip(("pairs", "rejects"), results(folder), expected, strict=True):
                there, should = Counter(found), Counter(whole)
                lost, more = (should - there).total(), (there - should).total()
                same = "same order" if found == whole else "another order"
                print(f"{folder.name}: {len(found)} {kind}, {lost} lost, {more} more, {same}")
                wrong += found != whole
            wrong += bool(parts := list((folder / "work").glob(".*.part")))
            print(f"{folder.name}: {len(parts)} clones left that were cut off")
        return int(wrong > 0 or killed.kills < KILLS)


if __name__ == "__main__":
    if len(sys.argv) not in (2, 3):
        sys.exit(f"usage: {sys.argv[0]} REPOSITORY [SEED]")
    sys.exit(main(sys.argv[1], *map(int, sys.argv[2:])))
