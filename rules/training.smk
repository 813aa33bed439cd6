# Phase 3: the curriculum. One named rule a stage, in the order of the config's list; each starts from the one before.
# The trainer refuses a second one where a killed Snakemake left the first running (exit status 75). Its checkpoints live
# in work/train_STAGE/LINEAGE/, so that a retry or a rerun resumes.

for stage, before in stages():

    rule:
        name:
            f"train_{stage}"
        input:
            train="results/grids/train/manifest.json",
            validation="results/grids/validation/manifest.json",
            tokenizer="results/tokenizer/tokenizer.json",
            before=before,
            shards=behind("train", "validation"),
        output:
            weights=f"results/checkpoints/{stage}.safetensors",
            metrics=f"results/training/{stage}/metrics.jsonl",
            summary=f"results/training/{stage}/summary.json",
        threads: cores(f"train_{stage}")
        resources:
            **demand(f"train_{stage}"),
        params:
            settings=stage_settings(stage),
            before=each("--before", "before"),
            work=unrecorded(work(f"train_{stage}")),
        shell:
            "{params.program} --train {input.train} --validation {input.validation} --tokenizer {input.tokenizer}"
            " {params.before:q} --settings {params.settings:q} --threads {threads} --work {params.work:q}"
            " --vram {resources.vram}"
            " --out {output.weights} --metrics {output.metrics} --summary {output.summary} >> {log} 2>&1"
