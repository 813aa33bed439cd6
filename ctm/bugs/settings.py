"""How many mutants are made of which sort, and what bounds the workers that make them."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ctm.bounds import Count, Few, Limit, Megabytes, Seed, Share


@dataclass(frozen=True)
class Shares:
    """How many of a snippet's samples are of which sort; they add up to 1."""

    syntax: Share = 0.6
    """Samples that do not compile, share."""
    logic: Share = 0.25
    """Samples that compile and do something else, share."""
    clean: Share = 0.15
    """Samples with nothing wrong, share."""
    security: Share = 0.0
    """Samples with a weakness that has a CWE, share."""
    complex: Share = 0.0
    """Samples with several bugs or one long edit, share."""

    def __post_init__(self) -> None:
        """Refuse shares that are no whole."""
        whole = self.syntax + self.logic + self.clean + self.security + self.complex
        if not math.isclose(whole, 1, abs_tol=1e-6):
            raise ValueError(f"the shares must add up to 1, not {whole:g}")


@dataclass(frozen=True)
class MutationSettings:
    """How bugs are made from clean snippets."""

    seed: Seed = 0
    """Seed of everything random; a snippet's mutants depend on it, on the snippet and on these settings only."""
    per_snippet: Count = 3
    """Samples made of each snippet of the training split."""
    per_snippet_heldout: Count = 12
    """Samples made of each snippet of validation and test, where every kind needs items."""
    shares: Shares = Shares()
    """Sorts of samples in the training split."""
    heldout_shares: Shares = Shares(0.66, 0.22, 0.12)
    """Sorts of samples in validation and test; there all kinds are drawn alike, not by the mix."""
    kind_per_snippet: Count = 1
    """Most samples of one kind (with one error) of a snippet of the training split: rare kinds stay various."""
    surveyed: Count = 2000
    """Snippets of the training split in which the places for each kind are counted before anything is drawn."""
    two_errors: Share = 0.13
    """Share of the training split's syntax samples asked to have two errors; some kinds change two places anyway."""
    three_errors: Share = 0.065
    """Share of the same asked to have three errors or more."""
    heldout_several: Share = 0.04
    """Share of the syntax samples of validation and test with several errors."""
    same_kind: Share = 0.5
    """Of the samples with several errors, the share where all are of one kind."""
    reshape: Share = 0.5
    """Share of syntax samples made of a reshaped snippet: cut short, with prints, inputs and small loops."""
    reshape_logic: Share = 0.0
    """The same for logic samples, share."""
    workers: Few = 1
    """Processes that make mutants for one shard."""
    batch: Count = 64
    """Snippets that a worker is given at a time."""
    batch_seconds: Limit = 30.0
    """Time a worker has for a batch, or for a single snippet of a batch that failed, seconds; then it is killed."""
    worker_mb: Megabytes = 1024
    """Address space of a worker, MB."""

    def __post_init__(self) -> None:
        """Refuse shares that are more than the whole."""
        if self.two_errors + self.three_errors > 1:
            raise ValueError(
                f"two_errors and three_errors are shares of the same samples, so at most 1 together, not "
                f"{self.two_errors:g} and {self.three_errors:g}"
            )
