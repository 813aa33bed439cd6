# Phase 4: the final bundle on suites of real bugs that the user brings; nothing happens where the config names none.


if "real_suites" in STEPS:

    rule real_suites:
        input:
            onnx="results/final/ctm.onnx",
            tokenizer="results/final/tokenizer.json",
            config="results/final/final_config.yaml",
            train="results/pairs/train.parquet",
        output:
            report="results/reports/suites.json",
            answers="results/reports/suite_items.parquet",
        threads: cores("real_suites")
        resources:
            **demand("real_suites"),
        params:
            suites=unrecorded(suites_json(CONFIG, ROOT)),
        shell:
            "{params.program} --bundle $(dirname {input.onnx}) --suites {params.suites:q} --train {input.train}"
            " --references {params.references:q}"
            " --published {params.published:q} --threads {threads} --out {output.report} --items {output.answers}"
            " >> {log} 2>&1"
