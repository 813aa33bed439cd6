# What made each artifact: the run's ledger as a page, as Markdown and as a Workflow Run RO-Crate. It comes after the pages
# that are made of all others; its own line is written into the ledger when it has ended, so no page can hold that.


rule provenance:
    input:
        report="results/report.html",
        cards=["results/reports/data_card.html", "results/final/MODEL_CARD.md"],
    output:
        page="results/provenance/provenance.html",
        text="results/provenance/provenance.md",
        crate="results/ro-crate-metadata.json",
        workflow="results/provenance/Snakefile",
    threads: cores("provenance")
    resources:
        **demand("provenance"),
    params:
        snakefile=unrecorded(f"{ROOT}/Snakefile"),
    shell:
        "{params.program} --page {output.page} --text {output.text} --crate {output.crate}"
        " --snakefile {params.snakefile:q} --workflow {output.workflow} >> {log} 2>&1"
