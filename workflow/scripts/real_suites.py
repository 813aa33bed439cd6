"""Rule real_suites: the final bundle on suites of real bugs that the user brings."""

from ctm.evaluation.published.settings import SuiteSettings
from ctm.evaluation.real_suites import evaluate_suites
from options import File, Number, Text, given, start


def main(
    bundle: File,
    suites: Text,
    mutations: File,
    published: File,
    threads: Number,
    out: File,
    items: File,
) -> None:
    named = given(dict[str, SuiteSettings], suites)
    evaluate_suites(bundle, named, mutations, published, threads, out, items)


if __name__ == "__main__":
    start(main)
