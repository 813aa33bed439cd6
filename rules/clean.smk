# Phase 1: clean snippets of all projects, without duplicates and with their split; and the vocabulary of the training ones.


rule clean_snippets:
    input:
        raw=[*raw("installed"), *raw("packages")],
    output:
        snippets="results/clean/snippets.parquet",
        rejects="results/clean/rejects.parquet",
        counts="results/clean/counts.json",
    log:
        "logs/clean_snippets.log",
    benchmark:
        "logs/clean_snippets.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("clean_snippets")
    resources:
        **res("clean_snippets"),
    params:
        lineage=lineage("clean_snippets"),
        program=program("clean_snippets"),
        settings=settings("splits"),
        quality=settings("quality"),
    shell:
        "{params.program} {input.raw} --settings {params.settings:q} --quality {params.quality:q}"
        " --out {output.snippets} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


rule train_tokenizer:
    input:
        snippets="results/clean/snippets.parquet",
    output:
        tokenizer="results/tokenizer/tokenizer.json",
    log:
        "logs/train_tokenizer.log",
    benchmark:
        "logs/train_tokenizer.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("train_tokenizer")
    resources:
        **res("train_tokenizer"),
    params:
        lineage=lineage("train_tokenizer"),
        program=program("train_tokenizer"),
        settings=settings("tokenizer"),
    shell:
        "{params.program} --snippets {input.snippets} --settings {params.settings:q} --threads {threads}"
        " --out {output.tokenizer} >> {log} 2>&1"
