"""The sections of the configuration: every key, its type and its default.

Each step's settings are a frozen dataclass in the package that uses them; here they are joined into one model, with
what only the workflow knows (shards, which sources are on, the machine). Resources are a section of their own, so that
asking for less memory never reruns a step.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from ctm.analysis.settings import AnalysisSettings, SynchronizationSettings
from ctm.bounds import Amount, Gigabytes, GigabytesOrNone, GpuPercent, Part, Price, Shards, Text, Weight
from ctm.bugs.settings import MutationSettings
from ctm.evaluation.published.settings import SuiteSettings
from ctm.evaluation.settings import EvaluationSettings, ReferenceSettings, WorkingSettings
from ctm.export.settings import ExportSettings
from ctm.grid.train_tokenizer import TokenizerSettings
from ctm.model.config import CTMConfig, TRMConfig
from ctm.pairs.build import PairSettings
from ctm.pairs.quality import QualitySettings
from ctm.pairs.splits import SplitSettings
from ctm.pipeline.demand import Demand
from ctm.pipeline.targets import LOSS
from ctm.sources.clean_code.installed import InstalledSettings
from ctm.sources.clean_code.packages import PackageSettings
from ctm.sources.git.commits import CommitSettings
from ctm.sources.git.github import RepositorySearchSettings
from ctm.sources.releases.collector import ReleaseSettings
from ctm.sources.stackoverflow.settings import TERMS, StackOverflowSettings
from ctm.training.settings import CTMStageSettings, CTMTrainingSettings, Quarter, StageSettings

Measure = Literal["syntax", "logic", "security", "complex", "clean", "overall", "loss"]
Milestones = dict[Quarter, dict[Measure, Weight]]


@dataclass(frozen=True)
class MachineBudget:
    """What the jobs share. Missing budgets of the command line are filled from here; no step's result depends on it."""

    mem_gb: Gigabytes = 128
    """Memory that all running jobs may ask for together, GB."""
    vram: GigabytesOrNone = 96
    """Memory of the accelerator that all running jobs may ask for together, GB."""
    gpu_percent: GpuPercent = 100
    """Share of the accelerator that all running jobs may ask for together, percent."""
    unified_gb: Gigabytes | None = None
    """Budget of mem_gb + vram together where both are one memory, GB; null where they are not."""
    environment: Literal["cpu", "cuda", "rocm"] = "cpu"
    """Which lock file of envs/ the rules name as their environment (used with `--sdm conda` only)."""
    price_per_kwh: Price = 0.15
    """Price of electricity, for what a run cost where its energy could be measured."""
    currency: str = "USD"
    """Currency of the price, as it is printed."""


@dataclass(frozen=True)
class InstalledSource(InstalledSettings):
    """Installed code: the standard library and site-packages, no network; it differs from machine to machine."""

    enabled: bool = False
    """Whether this source is collected."""
    shards: Shards = 2
    """Jobs that share the work; distributions are dealt by hash of their name."""


@dataclass(frozen=True)
class PackageSource(PackageSettings):
    """Clean code of pinned packages: wheels and source distributions, read as data."""

    enabled: bool = True
    """Whether this source is collected."""
    shards: Shards = 2
    """Jobs that share the work; packages are dealt by hash of their name."""
    pins: Text = "config/corpus.csv"
    """Pinned list: name, version, sha256, file; relative to the checkout."""


@dataclass(frozen=True)
class ReleaseSource(ReleaseSettings):
    """Package release history: pinned wheels of consecutive patch releases, compared function by function."""

    enabled: bool = True
    """Whether this source is collected."""
    shards: Shards = 2
    """Jobs that share the work; packages are dealt by hash of their name."""
    pins: Text = "config/releases.csv"
    """Pinned list: name, version, sha256; relative to the checkout."""


@dataclass(frozen=True)
class CommitSource(CommitSettings):
    """Git histories: local paths or URLs."""

    enabled: bool = True
    """Whether this source is collected."""
    shards: Shards = 2
    """Jobs that share the work; repositories are dealt by hash of their name."""
    repositories: tuple[str, ...] = ()
    """Git repositories to read: URLs or local paths (relative ones from the checkout)."""


@dataclass(frozen=True)
class GithubSource(RepositorySearchSettings):
    """Which repositories are read besides those that are named: GitHub's search, or a list of one's own."""

    enabled: bool = False
    """Whether repositories are looked for; their commits are collected with those of sources.commits."""
    listed: str = ""
    """A CSV list (column url; name, license, branch, stars, archived, fork, created if known) in place of the search:
    no network then. URLs or paths of local mirrors; relative to the checkout."""


@dataclass(frozen=True)
class StackOverflowSource(StackOverflowSettings):
    """Corrections from a Stack Overflow dump that you have, or from the API: questions against accepted answers."""

    enabled: bool = False
    """Whether this source is collected; needs `accept_dump_terms`, and `posts` or `api.questions`."""
    shards: Shards = 1
    """Jobs that share the work; each reads the whole dump and keeps its share of the questions."""
    posts: str = ""
    """Posts.xml of the dump, plain or inside a .7z; relative to the checkout."""
    history: str = ""
    """PostHistory.xml, plain or inside a .7z, for the revisions of posts; empty: not read."""
    users: str = ""
    """Users.xml, plain or inside a .7z, for the names of authors; empty: user and number."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.enabled and not self.posts and not self.api.questions:
            raise ValueError(
                "enabled, but neither posts (path of Posts.xml, plain or in a .7z) nor api.questions (a number) is set"
            )
        if self.api.questions and (self.posts or self.history or self.users or self.shards != 1):
            raise ValueError(
                "api.questions takes the place of a dump: posts, history and users must be empty, and shards 1"
            )
        if self.enabled and not self.accept_dump_terms:
            raise ValueError(TERMS)


@dataclass(frozen=True)
class Sources:
    """Where code and bug fixes come from."""

    installed: InstalledSource = InstalledSource()
    """Snippets of clean code: installed packages and the standard library."""
    packages: PackageSource = PackageSource()
    """Snippets of clean code: pinned packages."""
    releases: ReleaseSource = ReleaseSource()
    """Bug fixes between consecutive releases."""
    commits: CommitSource = CommitSource()
    """Bug fixes in git histories."""
    github: GithubSource = GithubSource()
    """Repositories for the commits, by GitHub's search or a list."""
    stackoverflow: StackOverflowSource = StackOverflowSource()
    """Corrections from a Stack Overflow dump."""


@dataclass(frozen=True)
class Bugs(MutationSettings):
    """Synthetic bugs made from clean snippets."""

    shards: Shards = 2
    """Jobs that share the work."""
    mix: Text = "config/bug_mix.yaml"
    """How often each kind of bug is made; relative to the checkout."""


@dataclass(frozen=True)
class Grids:
    """Encoded pairs."""

    train_shards: Shards = 2
    """Jobs that encode the training split."""
    validation_shards: Shards = 1
    """Jobs that encode the validation split."""
    test_shards: Shards = 1
    """Jobs that encode the test split."""


def _refuse_beyond_one(milestones: Milestones) -> None:
    """Raises ValueError where an accuracy of more than 1 is asked for."""
    for quarter, asked in milestones.items():
        for measure, value in asked.items():
            if measure != LOSS and value > 1:
                raise ValueError(
                    f"milestones.{quarter}.{measure} is {value:g}; an accuracy is a share, at most 1: 0.85 is 85 %"
                )


@dataclass(frozen=True)
class Stage(CTMStageSettings):
    """One stage of the curriculum, and what is asked of it."""

    milestones: Milestones = field(default_factory=dict)
    """At "25%", "50%", "75%", "100%": least accuracy by category (or "overall"), most "loss"; compared, reported."""

    def __post_init__(self) -> None:
        """Refuse accuracies beyond 1, too."""
        super().__post_init__()
        _refuse_beyond_one(self.milestones)


@dataclass(frozen=True)
class Training(CTMTrainingSettings):
    """The curriculum: settings that all stages share, and the stages."""

    order: tuple[str, ...] = ("stage1", "stage2", "stage3", "stage4")
    """The stages, first to last; each starts from the one before."""
    stages: dict[str, Stage] = field(default_factory=dict)
    """What each stage has of its own, by name."""


@dataclass(frozen=True)
class BaselineStage(StageSettings):
    """The stage of the baseline, and what is asked of it."""

    milestones: Milestones = field(default_factory=dict)
    """As of a stage of the curriculum; the dashboard alone compares them."""

    def __post_init__(self) -> None:
        """Refuse accuracies beyond 1, too."""
        super().__post_init__()
        _refuse_beyond_one(self.milestones)


@dataclass(frozen=True)
class Baseline:
    """The Tiny Recursive Model that the CTM has to beat: trained on the same data, in one stage."""

    model: TRMConfig = TRMConfig()
    """The network; its `ticks` are the stage's."""
    stage: BaselineStage = BaselineStage(
        ticks=TRMConfig.ticks,
        batch=64,
        accumulation=2,
        learning_rate=3e-4,
        epochs=3,
        samples=1_000_000,
    )
    """Its training, as of a stage of the curriculum; `ticks` are recursions."""
    ema: Part = 0.999
    """Decay of the moving average of its weights (training.ema is the CTM's)."""
    items: Amount = 5000
    """Test items that both models answer, categories in equal shares; 0: all."""


@dataclass(frozen=True)
class Config:
    """Everything the workflow can be told."""

    machine: MachineBudget = MachineBudget()
    """Budgets of the machine."""
    sources: Sources = Sources()
    """Where code comes from."""
    splits: SplitSettings = SplitSettings()
    """Which projects train, validate and test."""
    tokenizer: TokenizerSettings = TokenizerSettings()
    """The vocabulary."""
    bugs: Bugs = Bugs()
    """Synthetic bugs."""
    quality: QualitySettings = QualitySettings()
    """What is dropped of all data."""
    pairs: PairSettings = PairSettings()
    """Which pairs are kept, and the frozen test sets."""
    grids: Grids = Grids()
    """Encoded pairs."""
    model: CTMConfig = CTMConfig()
    """The network."""
    training: Training = Training()
    """The curriculum."""
    trm: Baseline = Baseline()
    """The baseline."""
    working: WorkingSettings = WorkingSettings()
    """Working code of projects that never train, on which suggestions are measured."""
    evaluation: EvaluationSettings = EvaluationSettings()
    """Benchmarks and thresholds."""
    references: ReferenceSettings = ReferenceSettings()
    """What is reached without a model, beside the model."""
    real_suites: dict[str, SuiteSettings] = field(default_factory=dict)
    """Suites of real bugs that you have, by name; the final model is judged on each (docs/suites.md)."""
    analysis: AnalysisSettings = AnalysisSettings()
    """Iteration analysis, and the thought that is drawn."""
    synchronization: SynchronizationSettings = SynchronizationSettings()
    """Synchronization analysis."""
    export: ExportSettings = ExportSettings()
    """ONNX and its check."""
    resources: dict[str, Demand] = field(default_factory=dict)
    """Where a job of a rule asks for something else than the table of steps (ctm/pipeline/steps.py) says; `default`
    stands for the rules that are not named."""

    def __post_init__(self) -> None:
        missing = [stage for stage in self.training.order if stage not in self.training.stages]
        if missing:
            known = ", ".join(self.training.stages) or "none"
            raise ValueError(
                f"training.order names {missing[0]!r}, which training.stages does not have (it has {known}); "
                f"add training.stages.{missing[0]} or take it out of training.order"
            )
        if not (self.sources.installed.enabled or self.sources.packages.enabled):
            raise ValueError(
                "sources.packages.enabled or sources.installed.enabled must be true: mutants and clean samples are "
                "made from clean code"
            )
        if len(set(self.training.order)) != len(self.training.order) or not self.training.order:
            raise ValueError(f"training.order must name each stage once, not {list(self.training.order)}")
