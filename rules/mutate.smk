# Phase 1: synthetic bugs made from clean snippets, and clean samples.


rule balance_mix:
    input:
        snippets="results/clean/snippets.parquet",
    output:
        quotas="results/mutants/quotas.json",
    log:
        "logs/balance_mix.log",
    benchmark:
        "logs/balance_mix.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("balance_mix")
    resources:
        **res("balance_mix"),
    params:
        lineage=lineage("balance_mix"),
        program=program("balance_mix"),
        settings=settings("bugs"),
        mix=checkout(CONFIG.bugs.mix),
    shell:
        "{params.program} --snippets {input.snippets} --mix {params.mix:q} --settings {params.settings:q}"
        " --threads {threads} --out {output.quotas} >> {log} 2>&1"


rule mutate:
    input:
        snippets="results/clean/snippets.parquet",
        quotas="results/mutants/quotas.json",
    output:
        pairs="results/mutants/{shard}.parquet",
        rejects="results/mutants/{shard}.rejects.parquet",
        counts="results/mutants/{shard}.counts.json",
    log:
        "logs/mutate/{shard}.log",
    benchmark:
        "logs/mutate/{shard}.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("mutate")
    resources:
        **res("mutate"),
    params:
        lineage=lineage("mutate"),
        program=program("mutate"),
        settings=settings("bugs"),
    shell:
        "{params.program} --snippets {input.snippets} --shard {wildcards.shard} --quotas {input.quotas}"
        " --settings {params.settings:q} --threads {threads}"
        " --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"
