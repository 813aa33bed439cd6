# Phase 1: clean snippets of all projects, without duplicates and with their split; and the vocabulary of the training ones.


rule clean_snippets:
    input:
        raw=[*raw("installed"), *raw("packages")],
    output:
        snippets="results/clean/snippets.parquet",
        rejects="results/clean/rejects.parquet",
        counts="results/clean/counts.json",
    threads: cores("clean_snippets")
    resources:
        **demand("clean_snippets"),
    params:
        quality=settings("quality"),  # its lineage knows only the parts that it reads
    shell:
        "{params.program} {input.raw} --settings {params.splits:q} --quality {params.quality:q}"
        " --out {output.snippets} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


rule train_tokenizer:
    input:
        snippets="results/clean/snippets.parquet",
    output:
        tokenizer="results/tokenizer/tokenizer.json",
    threads: cores("train_tokenizer")
    resources:
        **demand("train_tokenizer"),
    shell:
        "{params.program} --snippets {input.snippets} --settings {params.tokenizer:q} --threads {threads}"
        " --out {output.tokenizer} >> {log} 2>&1"
