"""Rule provenance: the run's ledger as a page, as Markdown and as a Workflow Run RO-Crate."""

from pathlib import Path

from ctm.pipeline.provenance import write_provenance
from options import File, start


def main(page: File, text: File, crate: File, snakefile: File, workflow: File) -> None:
    write_provenance(Path.cwd(), page, text, crate, snakefile, workflow)


if __name__ == "__main__":
    start(main)
