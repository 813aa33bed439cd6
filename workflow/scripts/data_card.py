"""Rule data_card: what the pairs are, as a page and as Croissant JSON-LD."""

from ctm.pipeline.data_card import write_data_card
from options import File, Files, ManyFiles, start


def main(
    sets: Files,
    counts: File,
    clean: File,
    page: File,
    croissant: File,
    sidecar: ManyFiles = None,
    rejects: ManyFiles = None,
) -> None:
    write_data_card(sets, counts, clean, sidecar or [], rejects or [], page, croissant)


if __name__ == "__main__":
    start(main)
