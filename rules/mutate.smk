# Phase 1: synthetic bugs made from clean snippets, and clean samples.


rule balance_mix:
    input:
        snippets="results/clean/snippets.parquet",
    output:
        quotas="results/mutants/quotas.json",
    threads: cores("balance_mix")
    resources:
        **demand("balance_mix"),
    shell:
        "{params.program} --snippets {input.snippets} --mix {params.mix:q} --settings {params.bugs:q}"
        " --threads {threads} --out {output.quotas} >> {log} 2>&1"


rule mutate:
    input:
        snippets="results/clean/snippets.parquet",
        quotas="results/mutants/quotas.json",
    output:
        pairs="results/mutants/{shard}.parquet",
        rejects="results/mutants/{shard}.rejects.parquet",
        counts="results/mutants/{shard}.counts.json",
    threads: cores("mutate")
    resources:
        **demand("mutate"),
    shell:
        "{params.program} --snippets {input.snippets} --shard {wildcards.shard} --quotas {input.quotas}"
        " --settings {params.bugs:q} --threads {threads}"
        " --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"
