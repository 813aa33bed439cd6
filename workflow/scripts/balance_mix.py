"""Rule balance_mix: the weights that draw what the bug mix asks for, from the places in a sample of the snippets."""

from dataclasses import replace

from ctm.bugs.generation.quotas import balance_mix
from ctm.bugs.settings import MutationSettings
from options import File, Number, Text, given, start


def main(snippets: File, mix: File, settings: Text, threads: Number, out: File) -> None:
    balance_mix(snippets, replace(given(MutationSettings, settings), workers=threads), mix, out)


if __name__ == "__main__":
    start(main)
