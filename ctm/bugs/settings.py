"""How many mutants are made of which sort, and what bounds the workers that make them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Shares:
    """How many of a snippet's samples are of which sort; only their proportions count."""

    syntax: float = 0.6
    """Samples that do not compile, weight."""
    logic: float = 0.25
    """Samples that compile and do something else, weight."""
    clean: float = 0.15
    """Samples with nothing wrong, weight."""
    security: float = 0.0
    """Samples with a weakness that has a CWE, weight."""
    complex: float = 0.0
    """Samples with several bugs or one long edit, weight."""


@dataclass(frozen=True)
class MutationSettings:
    """How bugs are made from clean snippets."""

    seed: int = 0
    """Seed of everything random; a snippet's mutants depend on it, on the snippet and on these settings only."""
    per_snippet: int = 3
    """Samples made of each snippet of the training split."""
    per_snippet_heldout: int = 12
    """Samples made of each snippet of validation and test, where every kind needs items."""
    shares: Shares = Shares()
    """Sorts of samples in the training split."""
    heldout_shares: Shares = Shares(0.66, 0.22, 0.12)
    """Sorts of samples in validation and test; there all kinds are drawn alike, not by the mix."""
    kind_per_snippet: int = 1
    """Most samples of one kind (with one error) of a snippet of the training split: rare kinds stay various."""
    surveyed: int = 2000
    """Snippets of the training split in which the places for each kind are counted before anything is drawn."""
    two_errors: float = 0.13
    """Share of the training split's syntax samples asked to have two errors; some kinds change two places anyway."""
    three_errors: float = 0.065
    """Share of the same asked to have three errors or more."""
    heldout_several: float = 0.04
    """Share of the syntax samples of validation and test with several errors."""
    same_kind: float = 0.5
    """Of the samples with several errors, the share where all are of one kind."""
    reshape: float = 0.5
    """Share of syntax samples made of a reshaped snippet: cut short, with prints, inputs and small loops."""
    reshape_logic: float = 0.0
    """The same for logic samples, share."""
    workers: int = 1
    """Processes that make mutants for one shard."""
    batch: int = 64
    """Snippets that a worker is given at a time."""
    batch_seconds: float = 30.0
    """Time a worker has for a batch, or for a single snippet of a batch that failed, seconds; then it is killed."""
    worker_mb: int = 1024
    """Address space of a worker, MB."""
