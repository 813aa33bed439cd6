# Phase 4: working code of projects that never train, cut as suggestions cut it; the threshold of suggestions is chosen on it.


rule working_windows:
    input:
        train="results/pairs/train.parquet",
        clean="results/clean/counts.json",
    output:
        windows="results/working/windows.parquet",
        rejects="results/working/rejects.parquet",
        counts="results/working/counts.json",
    threads: cores("working_windows")
    resources:
        **demand("working_windows"),
    params:
        code=clean_code(),
    shell:
        "{params.program} --train {input.train} --clean {input.clean} {params.code:q}"
        " --splits {params.splits:q} --quality {params.quality:q} --settings {params.working:q}"
        " --out {output.windows} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"
