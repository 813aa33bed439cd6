# Phase 1: synthetic bugs made from clean snippets, and clean samples.


rule mutate:
    input:
        snippets="results/clean/snippets.parquet",
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
        mix=checkout(CONFIG.bugs.mix),
    shell:
        "{params.program} --snippets {input.snippets} --shard {wildcards.shard} --mix {params.mix:q}"
        " --settings {params.settings:q} --threads {threads}"
        " --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"
