# What the specification asks, and what the run found. An analysis that a run does not make is no input: its criteria are
# not tested then.


rule judge_criteria:
    input:
        sources=source_counts(),
        pairs="results/pairs/counts.json",
        validation="results/reports/validation.json",
        baseline="results/reports/baseline.json",
        stages=expand("results/training/{stage}/summary.json", stage=CONFIG.training.order),
        trm="results/trm/summary.json",
        benchmark="results/reports/benchmark.json",
        comparison="results/reports/comparison.json",
        certainty="results/reports/certainty.json",
        iterations="results/reports/iterations.json",
        synchronization="results/reports/synchronization.json",
        pictures=multiext(
            "results/reports/",
            "sync_heatmaps.png",
            "iteration_progression.gif",
            "neuron_importance.csv",
            "sync_interpretation_report.md",
        ),
        onnx="results/reports/onnx.json",
        bundle=multiext(
            "results/final/",
            "ctm.onnx",
            "ctm_code_repair_final.pt",
            "tokenizer.json",
            "final_config.yaml",
            "final_metrics.json",
        ),
    output:
        verdict="results/reports/success_criteria.json",
        page=report(
            "results/reports/success_criteria.md",
            caption="../workflow/report/success_criteria.rst",
            category="Evaluation",
        ),
    threads: cores("judge_criteria")
    resources:
        **demand("judge_criteria"),
    shell:
        "{params.program} {input} --root $(dirname $(dirname {input.pairs})) --out {output.verdict} --page {output.page} >> {log} 2>&1"
