"""What Snakemake would run now, asked of Snakemake itself: nothing is started, built or locked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

DEFAULT_PROFILE = Path("profiles/default/config.yaml")
"""The profile that `snakemake` reads of itself; the plan is made with its triggers."""


class PlanError(ValueError):
    """Snakemake makes no plan of this; the message is Snakemake's."""


@dataclass(frozen=True)
class PlannedJob:
    """A job that the targets need, whether it would run or is up to date. Paths are relative to the run."""

    rule: str
    wildcards: tuple[str, ...]
    runs: bool
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    missing: tuple[str, ...]
    """Outputs that are not there."""
    before: frozenset[str]
    """Rules of jobs that would run before it, because it reads what they make."""
    reason: str
    """Why it would run, in Snakemake's words."""

    @property
    def name(self) -> str:
        """The rule, with the job's wildcards where it has some."""
        return f"{self.rule} {' '.join(self.wildcards)}".rstrip()


def plan(files: Sequence[Path], root: Path, run: Path, targets: Sequence[str] = ()) -> list[PlannedJob]:
    """All jobs that the targets need, parents before children.

    files: config files, the later ones laid over the earlier ones. root: the checkout. run: the run's folder.
    targets: rules, or files below the run; none: what `snakemake` makes without one. Raises PlanError.
    """
    from snakemake.api import SnakemakeApi
    from snakemake.exceptions import RuleException, WorkflowError
    from snakemake.settings.types import (
        ConfigSettings,
        DAGSettings,
        OutputSettings,
        Quietness,
        ResourceSettings,
    )

    if not run.is_dir():
        raise PlanError(f"{run}: no such folder, so nothing is built there and all of it would run")
    folder = run.absolute()  # Snakemake goes to it
    with SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api:
        try:
            dag_api = api.workflow(
                resource_settings=ResourceSettings(cores=_cores()),
                config_settings=ConfigSettings(configfiles=[path.absolute() for path in files]),
                snakefile=root.absolute() / "Snakefile",
                workdir=folder,
            ).dag(DAGSettings(targets=set(targets), rerun_triggers=_triggers(root)))
            workflow = dag_api.workflow_api._workflow
            workflow._prepare_dag(forceall=False, ignore_incomplete=True, lock_warn_only=True)
            workflow._build_dag()
        except (RuleException, WorkflowError) as error:
            raise PlanError(str(error).strip()) from None
        return _jobs(workflow.dag, folder)


def _jobs(dag: Any, run: Path) -> list[PlannedJob]:
    running = set(dag.needrun_jobs())
    jobs = []
    for level in dag.toposorted():
        for job in sorted(level, key=lambda job: (job.rule.name, [str(path) for path in job.output])):
            if not job.output:  # a rule of files alone, such as `all`
                continue
            jobs.append(
                PlannedJob(
                    rule=job.rule.name,
                    wildcards=tuple(str(value) for value in job.wildcards),
                    runs=job in running,
                    inputs=tuple(map(str, job.input)),
                    outputs=tuple(map(str, job.output)),
                    missing=tuple(str(path) for path in job.output if not (run / path).exists()),
                    before=frozenset(one.rule.name for one in dag.dependencies[job] if one in running),
                    reason=str(dag.reason(job)),
                )
            )
    return jobs


def _cores() -> int:
    """As many as any rule asks for: a plan must not clamp a job."""
    return 10_000


def _triggers(root: Path) -> frozenset[Any]:
    from snakemake.settings.types import RerunTrigger

    named = yaml.safe_load((root / DEFAULT_PROFILE).read_text(encoding="utf-8"))["rerun-triggers"]
    return frozenset(RerunTrigger[name.upper().replace("-", "_")] for name in named)
