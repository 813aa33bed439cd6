# Phase 4: the frozen test sets, and what each tick adds. Synchronization analysis comes with an issue of its own; its
# rule belongs in this file.


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


rule reference_points:
    input:
        train="results/pairs/train.parquet",
        test="results/pairs/test.parquet",
        real="results/pairs/real.parquet",
        answers="results/reports/items.parquet",
    output:
        report="results/reports/references.json",
        learned="results/reports/inverse_mutations.json",
    threads: cores("reference_points")
    resources:
        **demand("reference_points"),
    shell:
        "{params.program} --train {input.train} --test {input.test} --real {input.real} --answers {input.answers}"
        " --settings {params.references:q} --threads {threads} --out {output.report} --learned {output.learned}"
        " >> {log} 2>&1"


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
