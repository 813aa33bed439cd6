# Phase 4: the frozen test sets, what each tick adds, and what the synchronization says.


rule benchmark:
    input:
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
        validation="results/pairs/validation.parquet",
        test="results/pairs/test.parquet",
        real="results/pairs/real.parquet",
        windows="results/working/windows.parquet",
        quotas="results/mutants/quotas.json",
    output:
        report="results/reports/benchmark.json",
        answers="results/reports/items.parquet",
    threads: cores("benchmark")
    resources:
        **demand("benchmark"),
    shell:
        "{params.program} --weights {input.weights} --tokenizer {input.tokenizer} --validation {input.validation}"
        " --test {input.test} --real {input.real} --windows {input.windows} --quotas {input.quotas}"
        " --settings {params.evaluation:q} --threads {threads} --out {output.report} --items {output.answers} >> {log} 2>&1"


rule analyze_iterations:
    input:
        report="results/reports/benchmark.json",
        answers="results/reports/items.parquet",
    output:
        report="results/reports/iterations.json",
        plot=report(
            "results/reports/accuracy_by_tick.png",
            caption="../workflow/report/accuracy_by_tick.rst",
            category="Evaluation",
        ),
    threads: cores("analyze_iterations")
    resources:
        **demand("analyze_iterations"),
    shell:
        "{params.program} --report {input.report} --items {input.answers} --settings {params.analysis:q}"
        " --out {output.report} --plot {output.plot} >> {log} 2>&1"


rule analyze_synchronization:
    input:
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
        test="results/pairs/test.parquet",
    output:
        report="results/reports/synchronization.json",
        pairs="results/reports/neuron_importance.csv",
        heatmaps=report(
            "results/reports/sync_heatmaps.png",
            caption="../workflow/report/sync_heatmaps.rst",
            category="Evaluation",
        ),
        page="results/reports/sync_interpretation_report.md",
    threads: cores("analyze_synchronization")
    resources:
        **demand("analyze_synchronization"),
    shell:
        "{params.program} --weights {input.weights} --tokenizer {input.tokenizer} --test {input.test}"
        " --settings {params.synchronization:q} --threads {threads} --out {output.report} --pairs {output.pairs}"
        " --heatmaps {output.heatmaps} --page {output.page} >> {log} 2>&1"
