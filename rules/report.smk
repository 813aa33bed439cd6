# One self-contained page from the artifacts of all phases.


rule report:
    input:
        rejects=rejects(),
        sources=source_counts(),
        clean="results/clean/counts.json",
        counts="results/pairs/counts.json",
        validation="results/reports/validation.json",
        baseline="results/reports/baseline.json",
        stages=expand("results/training/{stage}/summary.json", stage=CONFIG.training.order),
        curves=expand("results/training/{stage}/metrics.jsonl", stage=CONFIG.training.order),
        benchmark="results/reports/benchmark.json",
        references="results/reports/references.json",
        suites=judged_suites(),
        trm="results/trm/summary.json",
        comparison="results/reports/comparison.json",
        iterations="results/reports/iterations.json",
        plot="results/reports/accuracy_by_tick.png",
        onnx="results/reports/onnx.json",
        metrics="results/final/final_metrics.json",
    output:
        page=report("results/report.html", caption="../workflow/report/report.rst", category="Report"),
    threads: cores("report")
    resources:
        **demand("report"),
    shell:
        "{params.program} {input} --out {output.page} >> {log} 2>&1"
