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
        comparison="results/reports/comparison.json",
        iterations="results/reports/iterations.json",
        plot="results/reports/accuracy_by_tick.png",
        flips="results/reports/flips_by_tick.png",
        exits="results/reports/early_exit.png",
        certainty="results/reports/certainty.json",
        certainty_plots=["results/reports/reliability.png", "results/reports/risk_coverage.png"],
        thought="results/reports/thought.json",
        animation="results/reports/iteration_progression.gif",
        still="results/reports/iteration_progression.png",
        synchronization="results/reports/synchronization.json",
        heatmaps="results/reports/sync_heatmaps.png",
        onnx="results/reports/onnx.json",
        metrics="results/final/final_metrics.json",
        config="results/final/final_config.yaml",
        answers="results/reports/items.parquet",
        test="results/pairs/test.parquet",
        real="results/pairs/real.parquet",
        verdict="results/reports/success_criteria.json",
    output:
        page="results/report.html",
    threads: cores("report")
    resources:
        **demand("report"),
    params:
        targets=targets(),
    shell:
        "{params.program} {input} --targets {params.targets:q} --out {output.page} >> {log} 2>&1"
