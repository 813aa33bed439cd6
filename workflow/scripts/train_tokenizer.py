"""Rule train_tokenizer: the vocabulary of the training split."""

import os

from ctm.grid.train_tokenizer import TokenizerSettings, train_tokenizer
from options import File, Number, Text, given, start


def main(snippets: File, settings: Text, threads: Number, out: File) -> None:
    os.environ["RAYON_NUM_THREADS"] = str(threads)
    train_tokenizer(snippets, given(TokenizerSettings, settings), out)


if __name__ == "__main__":
    start(main)
