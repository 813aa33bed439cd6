# Phase 2: is the model what the paper says, and what does an untrained one reach. First in line, so that a broken model
# is not trained; no input of training, because a better check is no reason to train again (and `ancient()` would not
# do: a job behind such an edge is not asked for its own changes when the job before it runs).


rule validate_model:
    input:
        manifest="results/grids/train/manifest.json",
        tokenizer="results/tokenizer/tokenizer.json",
        shards=behind("train"),
    output:
        report="results/reports/validation.json",
        page="results/reports/validation.md",
        plot="results/reports/validation.png",
    priority: 10
    threads: cores("validate_model")
    resources:
        **demand("validate_model"),
    params:
        model=final_model(),
    shell:
        "{params.program} --manifest {input.manifest} --tokenizer {input.tokenizer} --model {params.model:q}"
        " --threads {threads} --mem-gb {resources.mem_gb} --vram-gb {resources.vram} --out {output.report}"
        " --page {output.page} --plot {output.plot} >> {log} 2>&1"


rule baseline:
    input:
        manifest="results/grids/validation/manifest.json",
        tokenizer="results/tokenizer/tokenizer.json",
        shards=behind("validation"),
    output:
        report="results/reports/baseline.json",
        page="results/reports/baseline.md",
        plot="results/reports/baseline.png",
    threads: cores("baseline")
    resources:
        **demand("baseline"),
    params:
        model=final_model(),
    shell:
        "{params.program} --manifest {input.manifest} --tokenizer {input.tokenizer} --model {params.model:q}"
        " --threads {threads} --out {output.report} --page {output.page} --plot {output.plot} >> {log} 2>&1"
