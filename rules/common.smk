# Shared by all phases: the checked config, the table of steps, and what the rules call.
#
# A rule holds its input, output, threads, resources and command. Its log, benchmark, retries, conda, and the params
# `lineage`, `program`, its settings and its files are filled in at the end of the Snakefile (complete_rules below), from
# its entry in ctm/pipeline/steps.py.
import json
import sys
from pathlib import Path
from shlex import quote

from snakemake.exceptions import WorkflowError

# two lines: `module` alone on one, as the formatter would have it, is a keyword of Snakemake's
from ctm.pipeline import budget, directives, module, report_entries, run_lock, session, staleness
from ctm.pipeline import storage, unreached
from ctm.pipeline.config import from_checkout, model_json, settings_json, stage_json, targets_of, trm_json
from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.lineage import Lineage
from ctm.pipeline.planning import checked_config
from ctm.pipeline.real_suites import suites_json
from ctm.pipeline.shards import shard_names

ROOT = Path(str(workflow.current_basedir)).parent  # the checkout
try:
    CONFIG = checked_config(
        workflow, module.own_config(workflow, config, ROOT / "config" / "config.yaml"), ROOT
    )
    LINEAGE = Lineage(CONFIG, ROOT)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

budget.fill_budgets(workflow, CONFIG.machine)
STEPS = LINEAGE.steps
budget.tell_without_accelerator(workflow, {name: CONFIG.resources[name] for name in STEPS})
HANDED = from_checkout(CONFIG, ROOT)  # what programs are told
OWN = {}  # the rules of the steps, once they are declared: as a module's they may have other names
# job programs run under the Python that runs Snakemake, unless each rule has an environment of its own
DEPLOYED = bool(workflow.deployment_settings.deployment_method)
PYTHON = f"env PYTHONPATH={quote(str(ROOT))} python" if DEPLOYED else quote(sys.executable)
# whether results lie in a bucket (--default-storage-provider), so that a job has what is declared and nothing else
BUCKET = storage.address(workflow)
STORED = storage.folder(workflow)
RAW = ("installed", "packages", "releases", "commits", "stackoverflow")
# which Snakemake formats with the job's wildcards: braces of the checkout's path are no fields
ENVIRONMENT = f"{ROOT}/envs/{CONFIG.machine.environment}.yaml".replace("{", "{{").replace("}", "}}")


wildcard_constraints:
    shard=r"\d+-of-\d+",
    split="train|validation|test",


def lineage(step):
    """The one parameter that decides whether a step runs again."""
    return LINEAGE.of(step)


def unrecorded(value):
    """A parameter that Snakemake does not compare: lineage does, or it is a path of this machine."""
    return lambda wildcards, input: value


def step_params(step):
    """What every command is given: lineage, program, and by name the step's config sections (JSON) and files."""
    program = f"{PYTHON} {quote(f'{ROOT}/workflow/scripts/{step.program}.py')}"
    supervisor, demand = f"{PYTHON} -m ctm.pipeline.job", asked(step.name)
    given = {section.rpartition(".")[2]: settings_json(HANDED, section) for section in step.settings}
    given |= {name: str(ROOT / path) for name, path in step.files.items()}
    given |= {"threads": demand.threads} if step.counts_threads else {}
    return {
        "lineage": lineage(step.name),
        "program": directives.supervised(supervisor, step.name, lineage(step.name), demand, program, STORED),
        **{name: unrecorded(value) for name, value in given.items()},
    }


def complete_rules():
    """Give all rules what they do not say themselves. To be called after the last one."""
    directives.complete(workflow, STEPS, step_params, ENVIRONMENT)
    LINEAGE.keep()
    report_entries.mark(workflow, ROOT)
    OWN.update(module.own_rules(workflow))


def keep_ledger():
    """Plan by the ledger, and run alone in the folder. To be called after the last rule."""
    if workflow.is_main_process:
        staleness.follow(workflow, {step: LINEAGE.of(step) for step in STEPS}, STORED)
        run_lock.guard(workflow)


def begin_session():
    """Write down what this run of jobs is made with."""
    planned = {job.rule for job in workflow.dag.needrun_jobs()}
    steps = {step for step in STEPS if OWN.get(step) in planned}
    local = workflow.resource_settings.nodes is None
    session.begin(Path.cwd(), LINEAGE, sorted(steps), workflow.configfiles, local, BUCKET)


def write_dashboard():
    """Leave the pages of where the run stands behind (results/dashboard/)."""
    from ctm.pipeline.dashboard.page import after_a_run

    after_a_run(Path.cwd(), CONFIG.machine)


def settings(section):
    return unrecorded(settings_json(HANDED, section))


def stage_settings(stage):
    """Everything that the trainer of one stage needs."""
    return unrecorded(stage_json(CONFIG, stage))


def trm_settings():
    """Everything that the trainer of the baseline needs."""
    return unrecorded(trm_json(CONFIG))


def targets():
    """What the milestones of each stage ask for, for those who show what was reached."""
    return unrecorded(json.dumps(targets_of(CONFIG)))


def final_model():
    """Sizes of the model as the last stage leaves it."""
    return unrecorded(model_json(CONFIG))


def work(step):
    """Where a running job keeps its state; declared by no rule, so that a rerun resumes."""
    return f"work/{step}/{lineage(step)[:16]}"


def asked(name):
    """The demand of a rule's jobs, by the table of steps and section `resources` of the config."""
    if name not in CONFIG.resources:
        raise WorkflowError(directives.lacking(name, "no entry in ctm/pipeline/steps.py"))
    return CONFIG.resources[name]


def cores(rule):
    return asked(rule).threads


def demand(rule):
    return budget.resources(asked(rule))


def each(option, name):
    """An option once for each file of the named input."""
    return lambda wildcards, input: [f"{option}={path}" for path in input.get(name)]


def repositories(given):
    return unrecorded([url if "://" in url else str(ROOT / url) for url in given])


def dump_files():
    """Files of the Stack Overflow dump that are given, as options; without one, where to keep what the API says."""
    entry = CONFIG.sources.stackoverflow
    if entry.api.questions:
        # of no lineage: what was answered once stays right, and asking costs the day's quota
        return unrecorded([f"--{name}=work/stackexchange/{name}.sqlite" for name in ("state", "etags")])
    given = {name: getattr(entry, name) for name in ("posts", "history", "users")}
    return unrecorded([f"--{name}={ROOT / path}" for name, path in given.items() if path])


def found_repositories():
    """The list of repositories that is looked for; none if it is not."""
    return ["results/raw/repositories/repositories.csv"] if "discover_repositories" in STEPS else []


def option(name, path):
    """An option with a file of the checkout; nothing where no file is named."""
    return unrecorded([f"{name}={ROOT / path}"] if path else [])


def suites():
    """An option for each suite that nothing may train on."""
    named = CONFIG.quality.decontamination.suites.items()
    return unrecorded([f"--suite={name}={ROOT / path}" for name, path in named])


def raw(source, suffix=".parquet"):
    """Raw dumps of a source; none if it is off."""
    entry = getattr(CONFIG.sources, source)
    on = f"collect_{source}" in STEPS
    return [f"results/raw/{source}/{shard}{suffix}" for shard in shard_names(entry.shards)] if on else []


def clean_code():
    """Options that name where clean code comes from."""
    options = []
    if CONFIG.sources.installed.enabled:
        options.append(f"--installed={settings_json(HANDED, 'sources.installed')}")
    if CONFIG.sources.packages.enabled:
        corpus = ROOT / CONFIG.sources.packages.pins
        options.append(f"--packages={settings_json(HANDED, 'sources.packages')}")
        options += [f"--corpus={corpus}", "--archives=work/packages"]
    return unrecorded(options)


def encoded(suffix, *splits):
    """A file of each encoded shard of some splits."""
    return [
        f"results/grids/{split}/{shard}{suffix}"
        for split in splits
        for shard in shard_names(getattr(CONFIG.grids, f"{split}_shards"))
    ]


def behind(*splits):
    """What manifests of splits list, for a job that has to fetch it from a bucket.

    On a disk a manifest alone is the input: shards that were made again and are the same run nothing again.
    """
    return [*encoded(".zarr.zip", *splits), *encoded(".parquet", *splits)] if STORED else []


def rejects():
    """All that was dropped with a reason, from every step."""
    return [
        *(file for source in RAW for file in raw(source, ".rejects.parquet")),
        *(["results/raw/repositories/rejects.parquet"] if found_repositories() else []),
        "results/clean/rejects.parquet",
        *(f"results/mutants/{shard}.rejects.parquet" for shard in shard_names(CONFIG.bugs.shards)),
        "results/pairs/rejects.parquet",
        "results/working/rejects.parquet",
    ]


def source_counts():
    """What each job of each source gave, and how fast."""
    return [
        *(["results/raw/repositories/counts.json"] if found_repositories() else []),
        *(file for source in RAW for file in raw(source, ".counts.json")),
        *(f"results/mutants/{shard}.counts.json" for shard in shard_names(CONFIG.bugs.shards)),
    ]


def judged_suites():
    """Figures of the suites of real bugs; none where none is named."""
    return ["results/reports/suites.json"] if "real_suites" in STEPS else []


def weights(stage):
    return f"results/checkpoints/{stage}.safetensors"


def last_weights():
    return weights(CONFIG.training.order[-1])


def stages():
    """Each stage with the weights it starts from (none for the first)."""
    order = CONFIG.training.order
    return [(stage, [weights(order[i - 1])] if i else []) for i, stage in enumerate(order)]
