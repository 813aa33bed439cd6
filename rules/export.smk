# Phase 4: the ONNX graph, its check against torch, the bundle that `ctm-repair` needs and no more, and its card.


rule export_onnx:
    input:
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
    output:
        onnx="results/export/ctm.onnx",
    priority: 4
    threads: cores("export_onnx")
    resources:
        **demand("export_onnx"),
    shell:
        "{params.program} --weights {input.weights} --tokenizer {input.tokenizer} --lineage {params.lineage}"
        " --out {output.onnx} >> {log} 2>&1"


rule check_onnx:
    input:
        onnx="results/export/ctm.onnx",
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
        test="results/pairs/test.parquet",
    output:
        report="results/reports/onnx.json",
    priority: 4
    threads: cores("check_onnx")
    resources:
        **demand("check_onnx"),
    shell:
        "{params.program} --onnx {input.onnx} --weights {input.weights} --tokenizer {input.tokenizer}"
        " --pairs {input.test} --settings {params.export:q} --threads {params.threads} --out {output.report} >> {log} 2>&1"


rule bundle:
    input:
        onnx="results/export/ctm.onnx",
        check="results/reports/onnx.json",
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
        benchmark="results/reports/benchmark.json",
        validation="results/reports/validation.json",
        stages=expand("results/training/{stage}/summary.json", stage=CONFIG.training.order),
    output:
        onnx="results/final/ctm.onnx",
        weights="results/final/ctm_code_repair_final.pt",
        tokenizer="results/final/tokenizer.json",
        config="results/final/final_config.yaml",
        metrics="results/final/final_metrics.json",
        sums="results/final/SHA256SUMS",
    priority: 4
    threads: cores("bundle")
    resources:
        **demand("bundle"),
    shell:
        "{params.program} {input.stages} --onnx {input.onnx} --weights {input.weights}"
        " --tokenizer {input.tokenizer} --benchmark {input.benchmark}"
        " --out $(dirname {output.onnx}) >> {log} 2>&1"


rule model_card:
    input:
        config="results/final/final_config.yaml",
        metrics="results/final/final_metrics.json",
        check="results/reports/onnx.json",
        counts="results/pairs/counts.json",
        stages=expand("results/training/{stage}/summary.json", stage=CONFIG.training.order),
    output:
        card="results/final/MODEL_CARD.md",
    priority: 4
    threads: cores("model_card")
    resources:
        **demand("model_card"),
    params:
        targets=targets(),
    shell:
        "{params.program} {input.stages} --config {input.config} --metrics {input.metrics} --check {input.check}"
        " --counts {input.counts} --targets {params.targets:q} --out {output.card} >> {log} 2>&1"
