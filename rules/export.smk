# Phase 4: the ONNX graph, its check against torch, and the bundle that `ctm-repair` needs and no more.


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
        " --pairs {input.test} --settings {params.export:q} --threads {threads} --out {output.report} >> {log} 2>&1"


rule bundle:
    input:
        onnx="results/export/ctm.onnx",
        check="results/reports/onnx.json",
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
        benchmark="results/reports/benchmark.json",
        counts="results/pairs/counts.json",
        validation="results/reports/validation.json",
        stages=expand("results/training/{stage}/summary.json", stage=CONFIG.training.order),
    output:
        onnx="results/final/ctm.onnx",
        weights="results/final/ctm_code_repair_final.pt",
        tokenizer="results/final/tokenizer.json",
        config="results/final/final_config.yaml",
        metrics="results/final/final_metrics.json",
        card="results/final/MODEL_CARD.md",
        sums="results/final/SHA256SUMS",
    priority: 4
    threads: cores("bundle")
    resources:
        **demand("bundle"),
    shell:
        "{params.program} {input.stages} --onnx {input.onnx} --check {input.check} --weights {input.weights}"
        " --tokenizer {input.tokenizer} --benchmark {input.benchmark} --counts {input.counts}"
        " --out $(dirname {output.onnx}) >> {log} 2>&1"
