"""Trains the vocabulary on the training split.

Apart from the tokenizer itself, which `ctm-repair` uses where nothing can read Parquet.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import Field

from ctm.bounds import Count
from ctm.grid.tokenizer import LEAST_VOCABULARY, CodeTokenizer
from ctm.pairs.record import read_snippets


@dataclass(frozen=True)
class TokenizerSettings:
    """How the vocabulary is trained."""

    vocabulary: Annotated[int, Field(ge=LEAST_VOCABULARY, le=1_000_000)] = 8192
    """Tokens in all, special ones included."""
    max_texts: Count = 60_000
    """Snippets of the training split that the merges are counted on."""


def train_tokenizer(snippets: Path, settings: TokenizerSettings, out: Path) -> None:
    """Train on the training split's snippets (Parquet) and save `tokenizer.json`."""
    texts: list[str] = []
    for snippet in read_snippets(snippets):
        if snippet.split == "train":
            texts.append(snippet.text)
            if len(texts) == settings.max_texts:
                break
    if not texts:
        raise ValueError(
            f"{snippets}: has no snippet of the training split; the tokenizer is trained on those. "
            "Check splits and sources"
        )
    CodeTokenizer.train(texts, settings.vocabulary).save(out)
