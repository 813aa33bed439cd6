# Phase 3 and 4: the Tiny Recursive Model, the baseline that the CTM has to beat. Same grids, same trainer, one stage;
# both models answer the same items of the frozen test set.


rule train_trm:
    input:
        train="results/grids/train/manifest.json",
        validation="results/grids/validation/manifest.json",
        tokenizer="results/tokenizer/tokenizer.json",
        shards=behind("train", "validation"),
    output:
        weights="results/trm/trm.safetensors",
        metrics="results/trm/metrics.jsonl",
        summary="results/trm/summary.json",
    threads: cores("train_trm")
    resources:
        **demand("train_trm"),
    params:
        settings=trm_settings(),
        work=unrecorded(work("train_trm")),
    shell:
        "{params.program} --train {input.train} --validation {input.validation} --tokenizer {input.tokenizer}"
        " --settings {params.settings:q} --threads {threads} --work {params.work:q}"
        " --vram {resources.vram}"
        " --out {output.weights} --metrics {output.metrics} --summary {output.summary} >> {log} 2>&1"


rule compare_trm:
    input:
        # of each stage: the CTM that had seen about as much as the TRM is compared too
        stages=[
            path
            for stage in CONFIG.training.order
            for path in (weights(stage), f"results/training/{stage}/summary.json")
        ],
        trm="results/trm/trm.safetensors",
        summary="results/trm/summary.json",
        tokenizer="results/tokenizer/tokenizer.json",
        test="results/pairs/test.parquet",
        grids="results/grids/validation/manifest.json",
        shards=behind("validation"),
    output:
        report="results/reports/comparison.json",
        answers="results/reports/comparison_items.parquet",
    threads: cores("compare_trm")
    resources:
        **demand("compare_trm"),
    params:
        asked=unrecorded(CONFIG.trm.items),
    shell:
        "{params.program} {input.stages} --trm {input.trm} --trm-summary {input.summary} --tokenizer {input.tokenizer}"
        " --test {input.test} --grids {input.grids} --items {params.asked} --settings {params.evaluation:q}"
        " --threads {threads} --out {output.report} --answers {output.answers} >> {log} 2>&1"
