# Phase 1: one set of pairs from all sources: categories, duplicates, licenses; validation and test sets are frozen here.


rule build_pairs:
    input:
        mutants=expand("results/mutants/{shard}.parquet", shard=shard_names(CONFIG.bugs.shards)),
        fixes=[*raw("releases"), *raw("commits"), *raw("stackoverflow")],
        clean="results/clean/counts.json",
    output:
        train="results/pairs/train.parquet",
        validation="results/pairs/validation.parquet",
        test="results/pairs/test.parquet",
        real="results/pairs/real.parquet",
        rejects="results/pairs/rejects.parquet",
        counts="results/pairs/counts.json",
    threads: cores("build_pairs")
    resources:
        **demand("build_pairs"),
    params:
        fixes=each("--fixes", "fixes"),
        suites=suites(),
    shell:
        "{params.program} {input.mutants} {params.fixes:q} --splits {params.splits:q} --settings {params.pairs:q}"
        " --quality {params.quality:q} --clean {input.clean} {params.suites:q}"
        " --train {output.train} --validation {output.validation} --test {output.test} --real {output.real}"
        " --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


rule fit_bug_mix:  # nothing depends on it: what it learns is pinned by hand in config/bug_mix.yaml
    input:
        pairs="results/pairs/train.parquet",
    output:
        mix="results/bug_mix/bug_mix.yaml",
        table="results/bug_mix/bug_mix.md",
    threads: cores("fit_bug_mix")
    resources:
        **demand("fit_bug_mix"),
    shell:
        "{params.program} --pairs {input.pairs} --mix {params.mix:q} --out {output.mix} --table {output.table} 2>> {log}"
