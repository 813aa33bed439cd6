"""The report of a run: one self-contained page; every figure is read from the run's artifacts."""

from __future__ import annotations

import base64
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from ctm.bugs.generation.quotas import shard_quotas
from ctm.bugs.generation.rates import read_rates
from ctm.files import write_text
from ctm.pairs.milestones import QUARTERS
from ctm.pairs.overall import FEWEST
from ctm.pairs.record import read_rejects
from ctm.pipeline.comparison import comparison_section
from ctm.pipeline.curves import training_curves
from ctm.pipeline.kinds import kinds_section
from ctm.pipeline.suites_section import references_section, suites_section
from ctm.pipeline.summary import accuracies
from ctm.pipeline.tables import Block, Section, Table, blocks_of, rows
from ctm.shares import COLUMNS, percent, percents

TEMPLATE = Path(__file__).with_name("report.html.j2")
SOURCE_FAILED = "source failed"
SOURCE_COUNTS = ".counts.json"
"""End of the names of what each job of a source writes beside its raw dump (ctm/pairs/milestones.py)."""


def write_report(artifacts: Sequence[Path], out: Path) -> None:
    """Write the page `out` from artifacts, known by their names.

    artifacts: what rule `report` lists as its input. Raises FileNotFoundError if one is missing.
    """
    from jinja2 import Environment

    run = _RunArtifacts(artifacts, out.parent.parent / "logs")
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text())
    page = template.render(title=out.parent.parent.name, sections=run.sections())
    write_text(out, page)


class _RunArtifacts:
    """Artifacts of a run by name."""

    def __init__(self, artifacts: Sequence[Path], logs: Path) -> None:
        self.rejects = [p for p in artifacts if p.name.endswith("rejects.parquet")]
        self.sources = [p for p in artifacts if p.name.endswith(SOURCE_COUNTS)]
        self.mutants = [p for p in self.sources if p.parent.name == "mutants"]
        rest = [p for p in artifacts if p.suffix == ".json" and p not in self.sources]
        self.json = {self._name(p): p for p in rest}
        self.metrics = {p.parent.name: p for p in artifacts if p.name == "metrics.jsonl"}
        self.plots = [p for p in artifacts if p.suffix == ".png"]
        self.logs = logs

    @staticmethod
    def _name(path: Path) -> str:
        generic = path.stem in ("counts", "summary")
        return f"{path.parent.name}/{path.stem}" if generic else path.stem

    def read(self, name: str) -> Any:
        return json.loads(self.json[name].read_text())

    def sections(self) -> list[Section]:
        """All sections that there are artifacts for."""
        parts = [
            ("final_metrics", self._accuracy),
            ("", self._collected),
            ("pairs/counts", self._data),
            *([("", self._kinds)] if self.mutants else []),
            ("", self._rejected),
            ("", self._training),
            ("benchmark", self._benchmark),
            ("references", lambda: references_section(self.read("references"))),
            ("suites", lambda: suites_section(self.read("suites"))),
            ("comparison", self._comparison),
            ("iterations", self._iterations),
            ("", self._checks),
            ("", self._costs),
        ]
        made = [make() for name, make in parts if not name or name in self.json]
        return [section for section in made if section.blocks]

    def _accuracy(self) -> Section:
        metrics = self.read("final_metrics")
        n = metrics.get("n", {})
        table = rows(
            ["category", "by kinds", "95 %", "by items", "95 %", "coverage", "items", "projects"],
            [
                (
                    c,
                    *accuracies(metrics, c),
                    percent(metrics.get("coverage", {}).get(c)),
                    n.get(c),
                    metrics.get("intervals", {}).get("units", {}).get(c),
                )
                for c in COLUMNS
                if n.get(c)
            ],
        )
        flat = {name: value for name, value in metrics.items() if not isinstance(value, (dict, list))}
        nested = {name: metrics[name] for name in ("parameters", "ticks_used") if metrics.get(name)}
        nested |= {name: metrics[name] for name in ("rare_kinds", "unreachable") if metrics.get(name)}
        if suites := metrics.get("suites"):
            nested["suites"] = _beside_deletion(
                suites, metrics.get("suite_intervals", {}), metrics.get("deletion", {})
            )
        return Section(
            "Accuracy",
            [Block(table=table), *blocks_of("", {**flat, **nested})],
            "Exact match on projects never seen in training, after all passes, at the most certain tick. By kinds, a "
            f"category is the mean of its kinds (one of fewer than {FEWEST} items weighs 1/{FEWEST} for each) and "
            "overall the mean of the categories that were tested; by items, all items weigh alike; clean stands apart. "
            "The intervals are a bootstrap's over projects, or over items where that is wider; few projects make them "
            "too narrow. Of the suites: the model beside the baseline that deletes the shortest run of tokens until "
            "code compiles.",
        )

    def _collected(self) -> Section:
        """What was asked of the histories, what was read and what was kept, all shards together."""
        blocks = []
        if "repositories/counts" in self.json:
            blocks += blocks_of("Repositories found", self.read("repositories/counts"))
        shards = [json.loads(path.read_text()) for path in self.sources if path.parent.name == "commits"]
        if shards:
            table = [(name, sum(shard[name] for shard in shards)) for name in _COLLECTED]
            table += [
                (f"shards where {ended}", n) for ended, n in Counter(s["ended"] for s in shards).items()
            ]
            blocks.append(Block("Bug fixes in git histories", table=rows([], table)))
        return Section("Collected", blocks, "Why the rest was not kept is counted below, by step and reason.")

    def _data(self) -> Section:
        blocks = [Block("Sources", table=self._speeds())] if self.sources else []
        if "clean/counts" in self.json:
            blocks += blocks_of("Snippets of clean code", self.read("clean/counts"))
        blocks += blocks_of("Pairs", self.read("pairs/counts"))
        return Section("Data", blocks)

    def _kinds(self) -> Section:
        return kinds_section(read_rates(self.mutants), shard_quotas(self.mutants[0]))

    def _speeds(self) -> Table:
        """What each job of each source gave, and items an hour when it had passed each quarter of its work."""
        items = []
        for path in sorted(self.sources):
            found = json.loads(path.read_text())
            passed = {m["milestone"]: m["items_per_hour"] for m in found["milestones"]}
            shard = path.name.removesuffix(SOURCE_COUNTS)
            speeds = [passed.get(f"{quarter:.0%}") for quarter in QUARTERS]
            items.append((path.parent.name, shard, found["unit"], found["items"], found["hours"], *speeds))
        head = ["source", "shard", "unit", "items", "hours", *(f"an hour at {q:.0%}" for q in QUARTERS)]
        return rows(head, items)

    def _rejected(self) -> Section:
        reasons: Counter[tuple[str, str]] = Counter()
        failed = []
        for path in self.rejects:
            for reject in read_rejects(path):
                reasons[reject.step, reject.reason] += 1
                if reject.reason == SOURCE_FAILED:
                    failed.append((reject.step, reject.item, reject.detail))
        table = rows(["step", "reason", "items"], [(s, r, n) for (s, r), n in sorted(reasons.items())])
        blocks = [Block("What was dropped, and why", table=table)]
        if failed:
            blocks.insert(0, Block("Sources that failed", table=rows(["step", "source", "why"], failed)))
        return Section("Rejected", blocks, "Nothing is dropped uncounted.")

    def _training(self) -> Section:
        blocks, milestones, stages, events = [], [], [], []
        for stage in self.metrics:
            summary = self.read(f"{stage}/summary")
            stages.append((stage, *(summary.get(name) for name in _STAGE_FIGURES)))
            events += [_event(stage, event) for event in summary.get("events", [])]
            for m in summary.get("milestones", []):
                milestones += [
                    (stage, m["milestone"], c["figure"], c["asked"], c["reached"], bool(c["met"]))
                    for c in m.get("compared", [])
                ]
        blocks.append(Block("Stages", table=rows(["stage", *_STAGE_FIGURES.values()], stages)))
        if milestones:
            head = ["stage", "at", "figure", "asked for", "reached", "met"]
            blocks.append(Block("Milestones", table=rows(head, milestones)))
        if events:
            head = ["stage", "what", "at step", "why", "what was done"]
            blocks.append(Block("Out of memory and divergence", table=rows(head, events)))
        if curves := training_curves(self.metrics):
            blocks.append(Block("Curves", svg=curves))
        return Section("Training", blocks)

    def _benchmark(self) -> Section:
        return Section("Benchmarks", blocks_of("", self.read("benchmark")))

    def _comparison(self) -> Section:
        stages = [self.read(f"{stage}/summary") for stage in self.metrics]
        added = {k: sum(s.get(k, 0) for s in stages) for k in ("samples_seen", "seconds")}
        training = {"CTM": added, "TRM": self.read("trm/summary") if "trm/summary" in self.json else {}}
        return comparison_section(self.read("comparison"), training)

    def _iterations(self) -> Section:
        plots = [
            Block(path.stem.replace("_", " ").capitalize(), png=base64.b64encode(path.read_bytes()).decode())
            for path in self.plots
        ]
        return Section("Ticks", plots + blocks_of("", self.read("iterations")))

    def _checks(self) -> Section:
        names = {
            "validation": "Model validation",
            "baseline": "Untrained model",
            "onnx": "ONNX against torch",
        }
        blocks = [
            block for n, title in names.items() if n in self.json for block in blocks_of(title, self.read(n))
        ]
        return Section("Checks", blocks)

    def _costs(self) -> Section:
        """Time and memory, from what Snakemake measured of each job's last attempt."""
        paths = sorted(self.logs.rglob("*.tsv"))
        if not paths:
            return Section("Costs")
        rules = [path.relative_to(self.logs).parts[0].removesuffix(".tsv") for path in paths]
        jobs = pd.concat([pd.read_csv(path, sep="\t", na_values="-") for path in paths], keys=rules)
        costs = (
            jobs.groupby(level=0, sort=False)
            .agg(jobs=("s", "size"), s=("s", "sum"), cpu=("cpu_time", "sum"), rss=("max_rss", "max"))
            .fillna(0.0)
        )
        head = ["rule", "jobs", "seconds", "of processor", "peak memory, MB"]
        return Section("Costs", [Block(table=rows(head, list(costs.itertuples(name=None))))])


def _beside_deletion(
    suites: Mapping[str, Any], intervals: Mapping[str, Any], deletion: Mapping[str, Any]
) -> dict[str, Any]:
    """By measure: each suite's figure, its interval in percent, and the deletion baseline's figure next to it."""
    columns: dict[str, Mapping[str, Any]] = {}
    for name, measures in suites.items():
        columns[name] = measures
        if name in intervals:
            columns[f"{name}, 95 %"] = {key: percents(ends) for key, ends in intervals[name].items()}
        if name in deletion:
            columns[f"{name}, by deletion"] = deletion[name]
    rows_ = dict.fromkeys(key for measures in columns.values() for key in measures)
    return {key: {name: measures.get(key) for name, measures in columns.items()} for key in rows_}


_COLLECTED = ("asked", "listed", "repositories", "failed", "opted out", "commits", "pairs", "rejects")
"""Counts of rule collect_commits; `asked` pairs (0: as many as there are), of so many `listed` repositories."""


def _event(stage: str, event: Mapping[str, Any]) -> tuple[str, str, int, str, str]:
    """What went wrong in a stage and how it went on (`ctm.training.trainer`)."""
    told = ("event", "step", "samples", "why", "at_step")
    done = ", ".join(f"{key.replace('_', ' ')} {value}" for key, value in event.items() if key not in told)
    return stage, event["event"], event.get("at_step", event["step"]), event["why"], done


_STAGE_FIGURES = {
    "samples_seen": "samples seen",
    "unique_samples": "unique",
    "seconds": "seconds",
    "samples_per_second": "samples/s",
    "unique_samples_per_second": "unique samples/s",
    "precision": "precision",
    "device": "device",
    "threads": "threads",
}
