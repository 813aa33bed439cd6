"""What every rule would say alike, filled in from the table of steps once the rules are declared.

Snakemake has defaults for resources only; log, benchmark, retries, conda and params would stand in each rule. A rule
that has one of them itself keeps it. Setters of Snakemake's rules are semi-private: its version is pinned, and
tests/workflow/test_rules.py holds what is used here.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from snakemake.exceptions import WorkflowError

from ctm.pipeline.demand import Demand
from ctm.pipeline.module import declared_rules, own_rules
from ctm.pipeline.steps import WorkflowStep

_WILDCARD = re.compile(r"\{(\w+)")


def complete(
    workflow: Any,
    steps: Mapping[str, WorkflowStep],
    params: Callable[[WorkflowStep], Mapping[str, Any]],
    environment: str,
) -> None:
    """Give every rule with a command its log, benchmark, retries, environment and params.

    To be called after the last rule is declared. Raises WorkflowError for a rule that is no step, or a step without a
    rule.
    """
    rules = {name: rule for name, rule in own_rules(workflow).items() if not rule.norun}
    for name in sorted((rules.keys() - steps.keys()) | (steps.keys() - declared_rules(workflow))):
        lacks = "no entry in ctm/pipeline/steps.py" if name in rules else "no rule in rules/"
        raise WorkflowError(lacking(name, lacks))
    for name, rule in rules.items():
        _complete(name, rule, steps[name], params(steps[name]), environment)


def lacking(name: str, what: str) -> str:
    """The message where one of a step's two places is missing."""
    return f"step {name} has {what}; it needs a rule and an entry (docs/adding_a_step.md)"


def _complete(name: str, rule: Any, step: WorkflowStep, params: Mapping[str, Any], environment: str) -> None:
    place = job_path(name, str(rule.output[0]))
    rule.log_modifier = rule.benchmark_modifier = rule.output_modifier  # which Snakemake sets with the paths
    if not rule.log:
        rule.set_log(f"{place}.log")
    if rule.benchmark is None:
        rule.benchmark = f"{place}.tsv"
    if rule.ruleinfo.retries is None:
        rule.restart_times = step.retries
    if rule.conda_env is None:
        rule.conda_env = environment
    own = dict(rule.params.items())
    rule.set_params(**{name: value for name, value in params.items() if name not in own})


def supervised(
    supervisor: str, rule: str, lineage: str, demand: Demand, program: str, stored: str
) -> Callable[..., str]:
    """The `program` of a rule's commands: its own, under the supervisor (job.py), which is told what the job is.

    A function of the job, and so nothing that Snakemake compares. It may not ask for `threads` or `resources`: these
    would be looked at for finished jobs too, and a budget that those did not keep would stop the plan.

    stored: where a bucket's files lie while a job uses them, "" without one (storage.py).

    `exec`, so that no shell stands between Snakemake and the supervisor: SLURM tells all processes of a job to stop, a
    shell would die of it at once, and Snakemake would not wait for what the program has still to save.
    """

    def command(wildcards: Any, input: Any, output: Any) -> str:
        values = dict(wildcards.items())
        log = job_path(rule, "".join(f"{{{name}}}" for name in values)).format(**values)
        given = {
            "rule": rule, "lineage": lineage, "log": f"{log}.log", "threads": demand.threads, "mem-gb": demand.mem_gb,
            "vram": demand.vram, "gpu-percent": demand.gpu_percent, "runtime": demand.runtime,
            "network-mbps": demand.network_mbps, "disk": demand.disk,
            **({"stored": stored} if stored else {}),
        }  # fmt: skip
        options = [part for name, value in given.items() for part in (f"--{name}", str(value))]
        lists = {"wildcards": wildcards, "inputs": input, "outputs": output}
        options += [part for name, items in lists.items() for part in (f"--{name}", *map(str, items))]
        return f"exec {supervisor} {shlex.join(options)} -- {program}"

    return command


def job_path(rule: str, output: str) -> str:
    """Where a job's log and benchmark lie, less the suffix: logs/RULE, or logs/RULE/{a}/{b} with wildcards."""
    wildcards = dict.fromkeys(_WILDCARD.findall(output))
    return "/".join(["logs", rule, *(f"{{{name}}}" for name in wildcards)])
