"""Writes the model card: the model, its training, its figures and its limits."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from ctm.files import write_text
from ctm.pipeline.targets import Targets, compare
from ctm.shares import COLUMNS, percent, percents

_HEAD = """# CTM Code Repair

A Continuous Thought Machine ([arXiv 2505.05522](https://arxiv.org/abs/2505.05522)) that repairs Python: it reads up to
64 lines of code, thinks for up to {ticks} internal ticks, and answers with an edit; repair goes on edit by edit until
the model says 'no edit'. {body} parameters, and {embedding} in embedding tables. Every figure below was measured in the
run that made this bundle.

## Use

    ctm-repair fix FILE.py --bundle DIR        # a unified diff; needs onnxruntime, not torch

`ctm.onnx` holds the model, `tokenizer.json` the vocabulary, `final_config.yaml` the sizes and the three thresholds:
a thought ends at certainty {tick}; code that compiles is left alone, or with `--suggest` edited only by edits of
probability above {edit:.3f} in 100 cells, more in shorter code (chosen on working code of the validation projects: at
most {asked:g} proposals per 1,000 functions); what was broken and compiles is edited again above {further:.3f} only.
`ctm_code_repair_final.pt` has the weights for torch (`torch.load(..., weights_only=True)`: config and state_dict).
"""

_LIMITS = """## Limits

- It sees one snippet of at most 64 lines of 48 tokens and nothing around it: no other files, no types, no tests.
- Bugs were mostly made by programs. Such figures do not carry over to bugs that people make: models trained on
  synthetic bugs do far worse on real ones. Look at the real suites, and at your own code, before you rely on it.
- It proposes; it does not prove. An edit that compiles may be wrong, and 'no edit' does not mean 'no bug'.
- 'Syntax' means what the Python that ran the pipeline does not compile.
- Security repairs are pattern repairs, not an audit.
- An exact match is equality of lexical tokens with the one known fix; other right fixes count as failures.

## Data and licenses

The weights are released with the project under Apache-2.0. The training texts are other people's code under their own
licenses; every pair keeps its origin (project, path, version or commit, license and where the license was read) in
`results/pairs/*.parquet`. Real fixes without a known license were left out.
"""


def write_card(
    config: Path, metrics: Path, summaries: Sequence[Path], counts: Path, check: Path,
    targets: Mapping[str, Targets], out: Path,
) -> None:  # fmt: skip
    """Write the card `out` of a bundle from its `config` (YAML) and other artifacts of the run (JSON)."""
    content = yaml.safe_load(config.read_text(encoding="utf-8"))
    measured, counted, checked = (
        json.loads(path.read_text(encoding="utf-8")) for path in (metrics, counts, check)
    )
    stages = [json.loads(path.read_text(encoding="utf-8")) for path in summaries]
    write_text(out, model_card(content, measured, stages, counted, checked, targets))


def model_card(
    config: dict[str, Any],
    metrics: dict[str, Any],
    summaries: Sequence[dict[str, Any]],
    counts: dict[str, Any],
    check: dict[str, Any],
    targets: Mapping[str, Targets],
) -> str:
    """Markdown, from final_config.yaml, final_metrics.json, the stages' summaries, and the pairs' and ONNX reports.

    targets: what each stage's milestones ask for, by stage.
    """
    parameters, thresholds = metrics["parameters"], config["thresholds"]
    head = _HEAD.format(
        ticks=config["model"]["ticks"],
        body=_millions(parameters["body"]),
        embedding=_millions(parameters["embedding"]),
        tick=f"{thresholds['tick']:.4f}" if thresholds["tick"] <= 1 else "'never' (all ticks are thought)",
        edit=thresholds["edit"],
        further=max(thresholds["edit"], thresholds["further"]),
        asked=metrics["suggestions"]["asked"],
    )
    return "\n".join(
        [head, *_reached(metrics), *_training(metrics, summaries, counts, targets), *_checked(check), _LIMITS]
    )


def _reached(metrics: dict[str, Any]) -> list[str]:
    lines = [
        "## What it reaches",
        "",
        "Exact match after all passes, on projects never seen in training. By kinds, a category is the mean of its",
        "kinds of bug and overall the mean of the categories tested; by items, all items weigh alike; clean stands",
        "apart. The 95 % intervals are a bootstrap's over projects, or over items where that is wider; few projects",
        "make them too narrow. Items that do not fit or cannot be reached count as failures (coverage is the share of",
        "the others).",
        "",
        "| | by kinds | 95 % | by items | 95 % | coverage | items | projects |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in COLUMNS:
        n = metrics["n"].get(name)
        if n:
            sure = metrics["intervals"]
            figures = [
                text
                for share in ("accuracy", "accuracy_by_items")
                for text in (percent(metrics[share][name]), percents(sure[share][name], "%"))
            ]
            coverage, projects = percent(metrics["coverage"][name]), sure["units"][name]
            lines.append(f"| {name} | {' | '.join(figures)} | {coverage} | {n:,} | {projects} |")
        else:
            lines.append(f"| {name} | not tested | | | | | 0 | |")
    by_tick = "; ".join(f"tick {tick}: {percent(value)}" for tick, value in metrics["accuracy_by_tick"])
    lines += [
        "",
        f"- First edit right, by tick: {by_tick}.",
        f"- Clean code that was edited: {percent(metrics['false_alarm'])} by the model's own decision; with the "
        f"thresholds of use {percent(metrics['in_use']['false_alarm'])}, and logic bugs repaired: "
        f"{percent(metrics['in_use']['accuracy']['logic'])}.",
        *_suggestions(metrics["suggestions"]),
        *_retention(metrics),
        f"- Expected calibration error of the confidence: {_number(metrics['ece'])}; how often a right answer has more "
        f"of it than a wrong one (AUROC): {_number(metrics['auroc'])}. "
        f"Ticks to the answer, mean: {_number(metrics['ticks_used']['mean'])}.",
        *_precision(metrics["precision_thresholds"]),
    ]
    real = metrics["suites"].get("real")
    if real:
        lines.append(
            f"- Real fixes of unseen projects: {percent(real['exact_at_1'])} of {real['n']:,} exact (95 % interval "
            f"{percents(metrics['suite_intervals']['real']['exact_at_1'], '%')}, coverage {percent(real['coverage'])})."
        )
    else:
        lines.append("- Real fixes of unseen projects: none were in the data, so none were tested.")
    return [*lines, ""]


def _suggestions(suggestions: dict[str, Any]) -> list[str]:
    """What `--suggest` does to working code, and what it finds."""
    lines = []
    for split, chosen in (("validation", "chosen there"), ("test", "not chosen there")):
        rate = suggestions[split]
        if rate["windows"]:
            lines.append(
                f"- Edits proposed by `--suggest` per 1,000 functions of working code of the {split} projects "
                f"({chosen}): "
                f"{_number(rate['per_1000'])} (90 % interval {_number(rate['low'])} to {_number(rate['high'])}; "
                f"{rate['windows']:,} functions, {len(rate['projects'])} projects)."
            )
    found = ", ".join(f"{name} {percent(share)}" for name, share in suggestions["found"].items())
    lines.append(
        f"- Made bugs of the validation split of which it proposes the right edit: {found}. Real logic bugs are "
        "another matter: of those that models of this project were tested on they found next to none."
    )
    if suggestions["odds"]:
        lines.append(
            f"- `probability` of a suggestion takes {suggestions['odds']['prior']:.1%} of all functions to hold a bug "
            f"like the made ones; it is {max(p for _, p in suggestions['odds']['points']):.2f} at most."
        )
    return lines


def _precision(thresholds: Sequence[dict[str, Any]]) -> list[str]:
    """From which confidence on how many repairs of broken code are right."""
    lines = []
    for chosen in thresholds:
        asked = f"{chosen['precision']:.0%} of the repairs of broken code (made errors of the validation projects)"
        if chosen["confidence"] is None:
            lines.append(f"- No confidence is known from which on {asked} are right: {chosen['reason']}.")
        else:
            lines.append(
                f"- From a confidence of {chosen['confidence']:.3f} on at least {asked} are right: "
                f"{percent(chosen['found'])} of {chosen['answers']:,}, lower bound {percent(chosen['low'])}; they are "
                f"{percent(chosen['coverage'])} of the broken items. Of real errors fewer are: about as many as the "
                "confidence says."
            )
    return lines


def _retention(metrics: dict[str, Any]) -> list[str]:
    """What the repairs keep of the author's code, beside the baseline that knows nothing."""
    deletion = metrics["deletion"]["test"]
    return [
        f"- Broken code made to compile within 4 tokens (BIFI measure): {percent(metrics['bifi'])}; with an edit that "
        f"the author made too and no name or literal lost (guarded): {percent(metrics['guarded_bifi'])}. Deleting the "
        f"shortest run of tokens that makes it compile: {percent(deletion['bifi'])} and "
        f"{percent(deletion['guarded_bifi'])}, and {percent(deletion['exact_at_1'])} of all items exact.",
        f"- Of the answers that change the code: {percent(metrics['edit_precision'])} of an answer's edits are the "
        f"author's; {percent(metrics['collateral_1'])} lose a name or literal that the author keeps, "
        f"{percent(metrics['collateral_3'])} three or more; {percent(metrics['over_deleted_5'])} delete over five "
        f"tokens that the author keeps, {percent(metrics['over_deleted_half'])} over half of the text.",
    ]


def _training(
    metrics: dict[str, Any], summaries: Sequence[dict[str, Any]], counts: dict[str, Any],
    targets: Mapping[str, Targets],
) -> list[str]:  # fmt: skip
    splits, sources = counts.get("by_split", {}), counts.get("by_source", {})
    lines = ["## Training", ""]
    if splits:
        lines.append(f"- Pairs: {_list(splits)}; by source: {_list(sources)}. Splits are by project.")
    lines.append(
        f"- {metrics['samples_seen']:,} samples seen in {len(summaries)} stages, "
        f"{_number(metrics['train_samples_per_second'])} a second."
    )
    missed = [
        f"{summary['stage']} at {one.milestone}: {one.figure} {_number(one.reached)}, "
        f"asked for {_number(one.asked)}"
        for summary in summaries
        for one in compare(summary.get("milestones", []), targets.get(summary["stage"], {}))
        if not one.met
    ]
    if missed:
        lines.append("- Milestones that were **not** met: " + "; ".join(missed) + ".")
    return [*lines, ""]


def _checked(check: dict[str, Any]) -> list[str]:
    return [
        f"The ONNX graph answered {check['items']} items as torch does (largest difference of a probability "
        f"{check['largest_probability_difference']:.1e}), a batch as single samples.",
        "",
    ]


def _millions(count: int) -> str:
    return f"{count / 1e6:.2f} M"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"


def _list(table: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(table.items()))
