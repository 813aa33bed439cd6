"""Rule real_suites: the final bundle on suites of real bugs that the user brings."""

from ctm.evaluation.published.settings import SuiteSettings
from ctm.evaluation.real_suites import evaluate_suites
from ctm.evaluation.references import learned_mutations
from ctm.evaluation.settings import ReferenceSettings
from options import File, Number, Text, given, start


def main(
    bundle: File,
    suites: Text,
    train: File,
    references: Text,
    published: File,
    threads: Number,
    out: File,
    items: File,
) -> None:
    named = given(dict[str, SuiteSettings], suites)
    learned = learned_mutations(train, given(ReferenceSettings, references))
    evaluate_suites(bundle, named, learned, published, threads, out, items)


if __name__ == "__main__":
    start(main)
