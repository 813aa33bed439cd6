# Phase 1: pairs as 64x48 grids in Zarr, one file a shard, and a manifest with their checksums for each split.


rule encode_shard:
    input:
        pairs="results/pairs/{split}.parquet",
        tokenizer="results/tokenizer/tokenizer.json",
    output:
        grids="results/grids/{split}/{shard}.zarr.zip",
        sidecar="results/grids/{split}/{shard}.parquet",
        rejects="results/grids/{split}/{shard}.rejects.parquet",
    threads: cores("encode_shard")
    resources:
        **demand("encode_shard"),
    shell:
        "{params.program} --pairs {input.pairs} --tokenizer {input.tokenizer} --shard {wildcards.shard}"
        " --out {output.grids} --sidecar {output.sidecar} --rejects {output.rejects} >> {log} 2>&1"


rule grid_manifest:
    input:
        grids=lambda wildcards: encoded(".zarr.zip", wildcards.split),
        sidecars=lambda wildcards: encoded(".parquet", wildcards.split),
    output:
        manifest="results/grids/{split}/manifest.json",
    threads: cores("grid_manifest")
    resources:
        **demand("grid_manifest"),
    shell:
        "{params.program} {input.grids} --out {output.manifest} >> {log} 2>&1"
