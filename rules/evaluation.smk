# Phase 4: the frozen test sets, what each tick adds, how sure the model may be, one thought drawn, and what the
# synchronization says.


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
        chosen_on="results/reports/validation_items.parquet",
    priority: 5
    threads: cores("benchmark")
    resources:
        **demand("benchmark"),
    shell:
        "{params.program} --weights {input.weights} --tokenizer {input.tokenizer} --validation {input.validation}"
        " --test {input.test} --real {input.real} --windows {input.windows} --quotas {input.quotas}"
        " --settings {params.evaluation:q} --threads {threads} --out {output.report} --items {output.answers}"
        " --validation-items {output.chosen_on} >> {log} 2>&1"


rule follow_thoughts:
    input:
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
        test="results/pairs/test.parquet",
    output:
        report="results/reports/thoughts.json",
    priority: 5
    threads: cores("follow_thoughts")
    resources:
        **demand("follow_thoughts"),
    shell:
        "{params.program} --weights {input.weights} --tokenizer {input.tokenizer} --test {input.test}"
        " --analysis {params.analysis:q} --settings {params.evaluation:q} --threads {threads} --out {output.report}"
        " >> {log} 2>&1"


rule reference_points:
    input:
        train="results/pairs/train.parquet",
        test="results/pairs/test.parquet",
        real="results/pairs/real.parquet",
        answers="results/reports/items.parquet",
        compared="results/reports/comparison_items.parquet",
    output:
        report="results/reports/references.json",
        learned="results/reports/inverse_mutations.json",
    threads: cores("reference_points")
    resources:
        **demand("reference_points"),
    shell:
        "{params.program} --train {input.train} --test {input.test} --real {input.real} --answers {input.answers}"
        " --compared {input.compared} --settings {params.references:q} --threads {threads} --out {output.report} --learned {output.learned}"
        " >> {log} 2>&1"


rule analyze_iterations:
    input:
        report="results/reports/benchmark.json",
        answers="results/reports/items.parquet",
        chosen_on="results/reports/validation_items.parquet",
        thoughts="results/reports/thoughts.json",
        test="results/pairs/test.parquet",
    output:
        report="results/reports/iterations.json",
        plot=report(
            "results/reports/accuracy_by_tick.png",
            caption="../workflow/report/accuracy_by_tick.rst",
            category="Evaluation",
        ),
        flips="results/reports/flips_by_tick.png",
        exits="results/reports/early_exit.png",
    priority: 3
    threads: cores("analyze_iterations")
    resources:
        **demand("analyze_iterations"),
    shell:
        "{params.program} --report {input.report} --items {input.answers} --validation-items {input.chosen_on}"
        " --thoughts {input.thoughts} --test {input.test} --settings {params.analysis:q} --out {output.report} --plot {output.plot}"
        " --flips {output.flips} --exits {output.exits} >> {log} 2>&1"


rule analyze_certainty:
    input:
        report="results/reports/benchmark.json",
        answers="results/reports/items.parquet",
    output:
        report="results/reports/certainty.json",
        reliability=report(
            "results/reports/reliability.png",
            caption="../workflow/report/reliability.rst",
            category="Evaluation",
        ),
        risk_coverage=report(
            "results/reports/risk_coverage.png",
            caption="../workflow/report/risk_coverage.rst",
            category="Evaluation",
        ),
    priority: 3
    threads: cores("analyze_certainty")
    resources:
        **demand("analyze_certainty"),
    shell:
        "{params.program} --report {input.report} --items {input.answers} --settings {params.analysis:q}"
        " --out {output.report} --reliability {output.reliability} --risk-coverage {output.risk_coverage} >> {log} 2>&1"


rule draw_thought:
    input:
        weights=last_weights(),
        tokenizer="results/tokenizer/tokenizer.json",
        answers="results/reports/items.parquet",
        test="results/pairs/test.parquet",
        real="results/pairs/real.parquet",
    output:
        animation=report(
            "results/reports/iteration_progression.gif",
            caption="../workflow/report/iteration_progression.rst",
            category="Evaluation",
        ),
        still="results/reports/iteration_progression.png",
        report="results/reports/thought.json",
    priority: 3
    threads: cores("draw_thought")
    resources:
        **demand("draw_thought"),
    shell:
        "{params.program} --weights {input.weights} --tokenizer {input.tokenizer} --items {input.answers}"
        " --test {input.test} --real {input.real} --settings {params.analysis:q} --animation {output.animation}"
        " --still {output.still} --out {output.report} >> {log} 2>&1"


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
    priority: 4
    threads: cores("analyze_synchronization")
    resources:
        **demand("analyze_synchronization"),
    shell:
        "{params.program} --weights {input.weights} --tokenizer {input.tokenizer} --test {input.test}"
        " --settings {params.synchronization:q} --threads {threads} --out {output.report} --pairs {output.pairs}"
        " --heatmaps {output.heatmaps} --page {output.page} >> {log} 2>&1"
