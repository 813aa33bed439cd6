"""The table of steps: what each rule's result depends on, and what one of its jobs asks for. One entry a rule.

Everything else about a rule that is not its input, output and command follows from here: its lineage (lineage.py), its
demand on the machine (config section `resources` changes it), and what directives.py fills into the rule: log,
benchmark, retries, environment, and the params `lineage`, `program`, one for each of `settings` and one for each of
`files`. A command can so be given no setting and no file that its lineage does not know.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field

from ctm.pipeline.config_errors import ConfigError
from ctm.pipeline.demand import Demand
from ctm.pipeline.sections import Config

DUMP = ("posts", "history", "users")
"""Keys of sources.stackoverflow that name a file of the dump."""


@dataclass(frozen=True)
class WorkflowStep:
    """A rule."""

    name: str
    """Name of the rule."""
    demand: Demand | None
    """What one job asks for at full scale; None: the config says it, as it names the stages of training."""
    parents: tuple[str, ...] = ()
    """Steps whose results it reads; those that are switched off drop out."""
    settings: tuple[str, ...] = ()
    """Config sections that the command is given as JSON, by the last part of their path: "sources.packages" is
    {params.packages}. The result depends on them."""
    sections: tuple[str, ...] = ()
    """Other sections or values of the config that the result depends on."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Files of the checkout that it reads, by the name that the command has for them: {"mix": …} is {params.mix}. YAML
    counts by content, so that its comments do not."""
    large_files: Mapping[str, str] = field(default_factory=dict)
    """Files that it reads and that are too large to be read for every plan: they count by size, first and last MB."""
    counts_threads: bool = False
    """Whether the number of threads decides bits of its result: the command is then given the demand's number,
    {params.threads}, which is part of the lineage. Snakemake's {threads} is less where a run has fewer cores."""
    script: str = ""
    """Program in workflow/scripts, without its suffix; empty: named as the rule."""
    retries: int = 1
    """How often a job that failed is tried again."""
    enabled: bool = True
    """Whether the config asks for it."""

    @property
    def program(self) -> str:
        """Its program in workflow/scripts, without the suffix."""
        return self.script or self.name


def page_files(template: str) -> dict[str, str]:
    """Templates of a page: its own, and what pages share."""
    return {name: f"ctm/pipeline/{name}.html.j2" for name in (template, "page", "parts")}


def table(config: Config) -> dict[str, WorkflowStep]:
    """All steps by name, parents before children; those that the config switches off as well."""
    sources, commits = config.sources, config.sources.commits
    searched = commits.enabled and sources.github.enabled
    corpus = {"corpus": sources.packages.pins}
    clean = [name for name in ("installed", "packages") if getattr(sources, name).enabled]
    stages = [f"train_{stage}" for stage in config.training.order]
    last, final = stages[-1], f"training.stages.{config.training.order[-1]}"
    whole_model = ("model", f"{final}.ticks", f"{final}.memory")
    targets = tuple(f"training.stages.{stage}.milestones" for stage in config.training.order)
    steps = [
        # phase 1: raw dumps, one source a step
        WorkflowStep(
            "collect_installed",
            Demand(threads=2, mem_gb=4, runtime=240, disk="medium"),
            settings=("sources.installed",),
            enabled=sources.installed.enabled,
        ),
        WorkflowStep(
            "collect_packages",
            Demand(threads=2, mem_gb=4, runtime=240, disk="medium", network_mbps=100),
            settings=("sources.packages",),
            files=corpus,
            retries=2,
            enabled=sources.packages.enabled,
        ),
        WorkflowStep(
            "collect_releases",
            Demand(threads=4, mem_gb=8, runtime=480, disk="medium", network_mbps=20),
            settings=("sources.releases",),
            files={"pins": sources.releases.pins},
            retries=2,
            enabled=sources.releases.enabled,
        ),
        WorkflowStep(
            "discover_repositories",
            Demand(threads=1, mem_gb=2, runtime=720, network_mbps=5),
            settings=("sources.github",),
            files={"listed": sources.github.listed} if sources.github.listed else {},
            retries=2,
            enabled=searched,
        ),
        WorkflowStep(
            "collect_commits",
            Demand(threads=8, mem_gb=16, runtime=1440, disk="high", network_mbps=50),
            parents=("discover_repositories",),
            settings=("sources.commits",),
            retries=2,
            enabled=commits.enabled and (searched or bool(commits.repositories)),
        ),
        WorkflowStep(
            "collect_stackoverflow",
            Demand(threads=4, mem_gb=8, runtime=480, disk="high"),
            settings=("sources.stackoverflow",),
            large_files={name: path for name in DUMP if (path := getattr(sources.stackoverflow, name))},
            enabled=sources.stackoverflow.enabled,
        ),
        # phase 1: from clean code and real fixes to grids
        WorkflowStep(
            "clean_snippets",
            Demand(threads=8, mem_gb=16, runtime=240, disk="high"),
            parents=("collect_installed", "collect_packages"),
            settings=("splits",),
            sections=("quality.licenses", "quality.duplicates"),
        ),
        WorkflowStep(
            "train_tokenizer",
            Demand(threads=8, mem_gb=16, runtime=120, disk="medium"),
            parents=("clean_snippets",),
            settings=("tokenizer",),
        ),
        WorkflowStep(
            "balance_mix",
            Demand(threads=4, mem_gb=8, disk="medium"),
            parents=("clean_snippets",),
            settings=("bugs",),
            files={"mix": config.bugs.mix},
        ),
        WorkflowStep(
            "mutate",
            Demand(threads=12, mem_gb=24, runtime=960, disk="medium"),
            parents=("clean_snippets", "balance_mix"),
            settings=("bugs",),
        ),
        WorkflowStep(
            "build_pairs",
            Demand(threads=8, mem_gb=32, runtime=480, disk="high"),
            parents=("mutate", "collect_releases", "collect_commits", "collect_stackoverflow"),
            settings=("pairs", "splits", "quality"),
            files={f"suite {name}": path for name, path in config.quality.decontamination.suites.items()},
        ),
        WorkflowStep(
            "fit_bug_mix",
            Demand(threads=1, mem_gb=4, runtime=480),
            parents=("build_pairs",),
            files={"mix": config.bugs.mix},
        ),
        WorkflowStep(
            "encode_shard",
            Demand(threads=16, mem_gb=32, runtime=480, disk="very high"),
            parents=("build_pairs", "train_tokenizer"),
            sections=("grids",),
        ),
        WorkflowStep("grid_manifest", Demand(threads=1, mem_gb=2, disk="high"), parents=("encode_shard",)),
        WorkflowStep(
            "data_card",
            Demand(threads=1, mem_gb=4, runtime=30),
            parents=("encode_shard",),
            files=page_files("data_card"),
        ),
        # phase 2
        WorkflowStep(
            "validate_model",
            Demand(threads=8, mem_gb=16, vram=8, gpu_percent=40, runtime=240),
            parents=("grid_manifest",),
            sections=whole_model,
            counts_threads=True,
        ),
        WorkflowStep(
            "baseline",
            Demand(threads=8, mem_gb=16, vram=16, gpu_percent=60, runtime=120),
            parents=("grid_manifest",),
            sections=whole_model,
        ),
        # phase 3
        *(
            WorkflowStep(
                name,
                None,
                parents=("grid_manifest", *stages[i - 1 : i]),
                sections=("model", "training.*", f"training.stages.{config.training.order[i]}.*"),
                counts_threads=True,
                script="train_stage",
                retries=2,
            )
            for i, name in enumerate(stages)
        ),
        WorkflowStep(
            "train_trm",
            Demand(threads=12, mem_gb=32, vram=72, gpu_percent=90, runtime=3000, disk="medium"),
            parents=("grid_manifest",),
            sections=("trm.model", "trm.stage.*", "trm.ema", "training.*"),
            counts_threads=True,
            script="train_stage",
            retries=2,
        ),
        # phase 4
        WorkflowStep(
            "working_windows",
            Demand(threads=1, mem_gb=8, runtime=240, disk="medium"),
            parents=("build_pairs",),
            settings=("splits", "quality", "working"),
            sections=tuple(f"sources.{name}" for name in clean),
            files=corpus if sources.packages.enabled else {},
        ),
        WorkflowStep(
            "benchmark",
            Demand(threads=8, mem_gb=32, vram=48, gpu_percent=80, runtime=480),
            parents=("balance_mix", "build_pairs", "working_windows", last),
            settings=("evaluation",),
        ),
        WorkflowStep(
            "compare_trm",
            Demand(threads=8, mem_gb=32, vram=48, gpu_percent=80, runtime=240),
            parents=("build_pairs", "grid_manifest", *stages, "train_trm"),
            settings=("evaluation",),
            sections=("trm.items",),
        ),
        WorkflowStep(
            "reference_points",
            Demand(threads=8, mem_gb=16, runtime=240),
            parents=("build_pairs", "benchmark", "compare_trm"),
            settings=("references",),
        ),
        WorkflowStep(
            "follow_thoughts",
            Demand(threads=8, mem_gb=16, vram=24, gpu_percent=60, runtime=240),
            parents=("build_pairs", last),
            settings=("analysis", "evaluation"),
        ),
        WorkflowStep(
            "analyze_iterations",
            Demand(threads=1, mem_gb=8, runtime=60),
            parents=("benchmark", "follow_thoughts"),
            settings=("analysis",),
        ),
        WorkflowStep(
            "analyze_certainty",
            Demand(threads=1, mem_gb=8, runtime=60),
            parents=("benchmark",),
            settings=("analysis",),
        ),
        WorkflowStep(
            "draw_thought",
            Demand(threads=1, mem_gb=4, runtime=30),
            parents=("benchmark",),
            settings=("analysis",),
        ),
        WorkflowStep(
            "analyze_synchronization",
            Demand(threads=8, mem_gb=16, vram=16, gpu_percent=40, runtime=240),
            parents=("build_pairs", last),
            settings=("synchronization",),
        ),
        WorkflowStep(
            "export_onnx",
            Demand(threads=4, mem_gb=16, vram=16, gpu_percent=40, runtime=120),
            parents=(last,),
        ),
        WorkflowStep(
            "check_onnx",
            Demand(threads=4, mem_gb=16, vram=16, gpu_percent=40, runtime=120),
            parents=("export_onnx", "grid_manifest"),
            settings=("export",),
            counts_threads=True,
        ),
        WorkflowStep(
            "bundle",
            Demand(threads=4, mem_gb=16, vram=16, gpu_percent=40, runtime=120),
            parents=("check_onnx", "benchmark", "validate_model"),
        ),
        WorkflowStep(
            "real_suites",
            Demand(threads=8, mem_gb=16, runtime=480),
            parents=("build_pairs", "bundle"),
            settings=("references",),
            sections=("real_suites",),
            files={"published": "config/published.yaml"},
            enabled=bool(config.real_suites),
        ),
    ]
    apart = ("data_card", "fit_bug_mix")
    made = tuple(step.name for step in steps if step.name not in apart)
    verdict = WorkflowStep("judge_criteria", Demand(threads=1, mem_gb=2, runtime=30), parents=made)
    card = WorkflowStep(
        "model_card", Demand(threads=1, mem_gb=2, runtime=30), parents=("bundle",), sections=targets
    )
    report = WorkflowStep(
        "report",
        Demand(threads=1, mem_gb=4, runtime=30),
        parents=(*made, verdict.name),
        sections=targets,
        files=page_files("report"),
    )
    provenance = WorkflowStep(
        "provenance",
        Demand(threads=1, mem_gb=2, runtime=30),
        parents=(*made, "data_card", verdict.name, card.name, report.name),
        files=page_files("provenance"),
    )
    return {step.name: step for step in [*steps, verdict, card, report, provenance]}


def steps(config: Config) -> dict[str, WorkflowStep]:
    """The steps that a configuration asks for, by name, parents before children."""
    on = {name: step for name, step in table(config).items() if step.enabled}
    return {
        name: dataclasses.replace(step, parents=tuple(parent for parent in step.parents if parent in on))
        for name, step in on.items()
    }


def check_resources(config: Config) -> None:
    """Refuse rules without a demand, and demands of rules that there are not. Raises ConfigError."""
    for rule in steps(config):
        if rule not in config.resources:
            raise ConfigError(f"resources.{rule} is missing; give it threads, mem_gb and vram")
    known = {*table(config), *(f"train_{stage}" for stage in config.training.stages)}
    for rule in config.resources:
        if rule not in known:
            raise ConfigError(
                f"resources.{rule}: there is no such rule; the rules are {', '.join(sorted(known))}"
            )
