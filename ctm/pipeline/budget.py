"""The machine's budget: what all running jobs may ask for together, and what no single job may exceed.

Snakemake's own behavior needs two corrections. Without a budget it starts everything at once, and `--resources` on the
command line replaces the profile's whole map: `fill_budgets` adds what is missing from the config. A job that asks for
more than the budget would be clamped in silence and run: `check_against_budgets` stops the plan instead.
`global_resources` and a rule's `resources` are semi-private; Snakemake's version is pinned and
tests/workflow/test_budget.py holds them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.resources import Resource

from ctm.pipeline.demand import Demand
from ctm.pipeline.doctor import without_accelerator
from ctm.pipeline.machine_facts import accelerator
from ctm.pipeline.module import own_rules
from ctm.pipeline.sections import MachineBudget

BUDGETS = ("mem_gb", "vram", "gpu_percent", "unified_gb")


def resources(demand: Demand) -> dict[str, int | str]:
    """A rule's `resources:`. Memory is given twice, because clusters are handed mem_mb only.

    vram is given twice as well: SLURM knows it as shards of an accelerator, by the generic resource `gres`, which the
    executor hands on. No other executor looks at it.
    """
    shards = {"gres": f"shard:{demand.vram}"} if demand.vram else {}
    return shards | {
        "mem_gb": demand.mem_gb,
        "mem_mb": 1000 * demand.mem_gb,
        "vram": demand.vram,
        "unified_gb": demand.mem_gb + demand.vram,
        "gpu_percent": demand.gpu_percent,
        "runtime": demand.runtime,
        "network_mbps": demand.network_mbps,
        "disk_class": demand.disk,
    }


def fill_budgets(workflow: Any, machine: MachineBudget) -> None:
    """Fill budgets that neither command line nor profile gives. Jobs on a cluster are the cluster's to place.

    The executor is not known yet when this is called; a number of `--jobs` says that it is a cluster's.
    """
    if workflow.resource_settings.nodes is not None or not workflow.is_main_process:
        return
    for name in BUDGETS:
        budget = getattr(machine, name)
        if budget is not None and workflow.global_resources.get(name).value is None:
            workflow.global_resources[name] = Resource(name, budget)


def check_against_budgets(workflow: Any) -> None:
    """Make every rule's demand check itself against the budget. To be called after the last rule is declared."""
    for step, rule in own_rules(workflow).items():
        for name in {*BUDGETS, *_given(workflow)}:
            budget = workflow.global_resources.get(name).value
            if budget is not None and name in rule.resources:
                rule.resources[name] = Resource(name, _checked(step, rule.name, rule.resources[name], budget))


def _given(workflow: Any) -> list[str]:
    """Budgets of the command line and of profiles under any name: mem_mb is no other memory than mem_gb."""
    return [name for name in workflow.global_resources if not name.startswith("_")]


def tell_without_accelerator(workflow: Any, demands: Mapping[str, Demand]) -> None:
    """Say loudly where rules ask for vram and this machine has no accelerator: torch would take the processor in
    silence. It is no reason to refuse: a plan for another machine may be made anywhere. demands: of the rules that are
    on. Jobs on a cluster run elsewhere.
    """
    if workflow.resource_settings.nodes is not None or not workflow.is_main_process:
        return
    asked = {rule: demand.vram for rule, demand in demands.items() if demand.vram}
    if asked and not accelerator():
        logger.warning(without_accelerator(asked))


def evaluate_demands(workflow: Any) -> None:
    """Look at the demand of every planned job before the first one starts. Raises WorkflowError."""
    for job in workflow.dag.needrun_jobs():
        _ = job.resources


def _checked(step: str, rule: str, resource: Resource, budget: int) -> Callable[..., int]:
    def evaluate(wildcards: Any, input: Any, attempt: int, threads: int, rulename: str) -> int:
        value = resource.evaluate(
            wildcards, input=input, attempt=attempt, threads=threads, rulename=rulename
        ).value
        if isinstance(value, int) and value > budget:
            raise WorkflowError(
                f"rule {rule} asks for {resource.name}={value}, the budget is {resource.name}={budget}. Raise the "
                f"budget (--resources={resource.name}={value}{_key('machine', resource.name)}) or lower the demand "
                f"(--set-resources={rule}:{resource.name}={budget}{_key(f'resources.{step}', resource.name)})."
            )
        return value

    return evaluate


def _key(section: str, resource: str) -> str:
    """Where the config says the same: it knows demands of memory as mem_gb, and has no budget of mem_mb."""
    name = "mem_gb" if resource == "mem_mb" and section != "machine" else resource
    return f", or {section}.{name} in the config" if name in BUDGETS and name != "unified_gb" else ""
