# Phase 1: pairs as 64x48 grids in Zarr, one file a shard, and a manifest with their checksums for each split.


rule encode_shard:
    input:
        pairs="results/pairs/{split}.parquet",
        tokenizer="results/tokenizer/tokenizer.json",
    output:
        grids="results/grids/{split}/{shard}.zarr.zip",
        sidecar="results/grids/{split}/{shard}.parquet",
        rejects="results/grids/{split}/{shard}.rejects.parquet",
    log:
        "logs/encode_shard/{split}/{shard}.log",
    benchmark:
        "logs/encode_shard/{split}/{shard}.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("encode_shard")
    resources:
        **res("encode_shard"),
    params:
        lineage=lineage("encode_shard"),
        program=program("encode_shard"),
    shell:
        "{params.program} --pairs {input.pairs} --tokenizer {input.tokenizer} --shard {wildcards.shard}"
        " --out {output.grids} --sidecar {output.sidecar} --rejects {output.rejects} >> {log} 2>&1"


rule grid_manifest:
    input:
        grids=grids,
    output:
        manifest="results/grids/{split}/manifest.json",
    log:
        "logs/grid_manifest/{split}.log",
    benchmark:
        "logs/grid_manifest/{split}.tsv"
    retries: 1
    conda:
        ENVIRONMENT
    threads: cores("grid_manifest")
    resources:
        **res("grid_manifest"),
    params:
        lineage=lineage("grid_manifest"),
        program=program("grid_manifest"),
    shell:
        "{params.program} {input.grids} --out {output.manifest} >> {log} 2>&1"
