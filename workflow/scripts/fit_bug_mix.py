"""Rule fit_bug_mix: the weights of the bug mix as real fixes of the training split would have them."""

from ctm.bugs.fixes.mix_fit import fit_bug_mix
from options import File, start


def main(pairs: File, mix: File, out: File, table: File) -> None:
    fit_bug_mix(pairs, mix, out, table)
    print(table.read_text(encoding="utf-8"))


if __name__ == "__main__":
    start(main)
