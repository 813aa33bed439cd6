# Phase 1: one set of pairs from all sources: categories, duplicates, licences; validation and test sets are frozen here.


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
    log:
        "logs/build_pairs.log",
    benchmark:
        "logs/build_pairs.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("build_pairs")
    resources:
        **res("build_pairs"),
    params:
        lineage=lineage("build_pairs"),
        program=program("build_pairs"),
        fixes=each("--fixes", "fixes"),
        splits=settings("splits"),
        settings=settings("pairs"),
        quality=settings("quality"),
        suites=suites(),
    shell:
        "{params.program} {input.mutants} {params.fixes} --splits {params.splits:q} --settings {params.settings:q}"
        " --quality {params.quality:q} --clean {input.clean} {params.suites:q}"
        " --train {output.train} --validation {output.validation} --test {output.test} --real {output.real}"
        " --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


rule fit_bug_mix:  # nothing depends on it: what it learns is pinned by hand in config/bug_mix.yaml
    input:
        pairs="results/pairs/train.parquet",
    output:
        mix="results/bug_mix/bug_mix.yaml",
        table="results/bug_mix/bug_mix.md",
    log:
        "logs/fit_bug_mix.log",
    benchmark:
        "logs/fit_bug_mix.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("fit_bug_mix")
    resources:
        **res("fit_bug_mix"),
    params:
        lineage=lineage("fit_bug_mix"),
        program=program("fit_bug_mix"),
        mix=checkout(CONFIG.bugs.mix),
    shell:
        "{params.program} --pairs {input.pairs} --mix {params.mix:q} --out {output.mix} --table {output.table} 2>> {log}"
