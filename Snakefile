# CTM Code Repair: from raw Python history to a small model that repairs Python.
#
#   snakemake --cores 24 --resources=vram=96 results/final/ctm.onnx      full scale (the default target)
#   make demo                                                           the same on two cores, in runs/demo/
#
# Settings: config/config.yaml, checked and explained in docs/config.md. Phases: rules/, one file each.
from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.current_basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "rules/common.smk"


rule export:
    default_target: True
    input:
        "results/final/ctm.onnx",


rule all:
    input:
        "results/final/MODEL_CARD.md",
        "results/report.html",
        "results/reports/accuracy_by_tick.png",
        "results/reports/iteration_progression.gif",
        "results/reports/sync_interpretation_report.md",
        "results/reports/data_card.html",
        "results/reports/success_criteria.md",
        "results/provenance/provenance.html",


include: "rules/collect.smk"
include: "rules/clean.smk"
include: "rules/mutate.smk"
include: "rules/pairs.smk"
include: "rules/grids.smk"
include: "rules/data_card.smk"
include: "rules/validation.smk"
include: "rules/training.smk"
include: "rules/working.smk"
include: "rules/evaluation.smk"
include: "rules/trm.smk"
include: "rules/export.smk"
include: "rules/suites.smk"
include: "rules/verdict.smk"
include: "rules/report.smk"
include: "rules/provenance.smk"


# log, benchmark, retries, conda and params of every rule, by the table of ctm/pipeline/steps.py
complete_rules()
budget.check_against_budgets(workflow)
keep_ledger()


onstart:
    budget.evaluate_demands(workflow)
    begin_session()


# no rule: a view of the logs, wanted most where a run failed, and of as many pages as there were days
onsuccess:
    write_dashboard()
    unreached.tell(Path.cwd(), BUCKET)
    storage.send_records(workflow, Path.cwd())


onerror:
    write_dashboard()
    storage.tell_failed(workflow, Path.cwd())
    storage.send_records(workflow, Path.cwd())
