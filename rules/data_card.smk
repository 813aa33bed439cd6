# Phase 1: what the pairs are, for people (a page) and for machines (Croissant JSON-LD).


rule data_card:
    input:
        sets=expand("results/pairs/{name}.parquet", name=["train", "validation", "test", "real"]),
        counts="results/pairs/counts.json",
        clean="results/clean/counts.json",
        sidecars=encoded(".parquet", "train", "validation"),
        rejects=encoded(".rejects.parquet", "train", "validation"),
    output:
        page=report(
            "results/reports/data_card.html", caption="../workflow/report/data_card.rst", category="Data"
        ),
        croissant="results/reports/croissant.json",
    threads: cores("data_card")
    resources:
        **demand("data_card"),
    params:
        sidecars=each("--sidecar", "sidecars"),
        rejects=each("--rejects", "rejects"),
    shell:
        "{params.program} {input.sets} {params.sidecars:q} {params.rejects:q} --counts {input.counts} --clean {input.clean}"
        " --page {output.page} --croissant {output.croissant} >> {log} 2>&1"
