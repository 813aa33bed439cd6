"""A run as a Workflow Run RO-Crate (profile Provenance Run Crate 0.5, RO-Crate 1.1), made of its ledger.

https://w3id.org/ro/wfrun/provenance/0.5. The folder of the crate is results/, since all that a crate describes lies
below its metadata file; nothing is copied. Rules are steps and tools, jobs are actions, artifacts are files with their
sha256. What lies elsewhere (an input from outside, a file that is gone) is an entity without a file.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ctm.pipeline.ledger import Entry, File
from ctm.pipeline.run_records import FOLDER, RunRecords, job_name

if TYPE_CHECKING:
    from rocrate.rocrate import ROCrate

NAME = "ro-crate-metadata.json"
ROOT = "results/"
"""The folder of the crate, relative to the run."""
CONTEXT = "https://w3id.org/ro/terms/workflow-run/context"
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
WORKFLOW_PROFILE = "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"
UNITS = {
    "seconds": "https://qudt.org/vocab/unit/SEC",
    "gb": "https://qudt.org/vocab/unit/GigaBYTE",
    "wh": "https://qudt.org/vocab/unit/W-HR",
}
FORMATS = {
    ".csv": "text/csv",
    ".gif": "image/gif",
    ".html": "text/html",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".md": "text/markdown",
    ".onnx": "application/octet-stream",
    ".parquet": "application/vnd.apache.parquet",
    ".png": "image/png",
    ".pt": "application/octet-stream",
    ".safetensors": "application/octet-stream",
    ".yaml": "application/yaml",
    ".zip": "application/zip",
}
ENGINE = "#snakemake"


def crate_of(
    records: RunRecords, gathered: str, workflow: Path, own: Sequence[Path] = (), engine: str = ""
) -> dict[str, Any]:
    """The metadata of the crate, JSON-LD.

    gathered: when, ISO 8601. workflow: a copy of the Snakefile in a folder of results/, of the run or of a bucket. own:
    files that the gathering rule wrote itself, whose line in the ledger does not stand yet. engine: version of
    Snakemake.
    """
    from rocrate.rocrate import ROCrate

    crate = ROCrate(version="1.1")
    crate.metadata.extra_contexts.append(CONTEXT)
    commits = sorted({commit for one in records.sessions.values() if (commit := _commit(one))})
    _root(crate, records, gathered)
    steps = list(dict.fromkeys(entry.rule for entry in records.jobs))
    _workflow(crate, workflow, steps, commits, engine)
    inside = {path: file.sha256 for path, file in records.files.items() if _lies(records, path)}
    for file in records.files.values():
        _artifact(crate, file, file.path in inside)
    for made in own:
        name = made.absolute().relative_to(workflow.absolute().parents[1]).as_posix()
        crate.add_file(dest_path=name, properties=_format(made.name))
    for name, what in _about(records):
        crate.add_file(dest_path=name.removeprefix(ROOT), properties={**_format(name), "description": what})
    for entry in records.jobs:
        _job(crate, records, entry, inside)
    _run(crate, records, inside)
    metadata: dict[str, Any] = crate.metadata.generate()
    return metadata


def _root(crate: ROCrate, records: RunRecords, gathered: str) -> None:
    run = records.run.absolute().name
    crate.name = f"Run “{run}” of the CTM Code Repair workflow"
    crate.description = (
        f"What {len(records.jobs):,} jobs made of pinned packages, releases and git histories: pairs of buggy and "
        "fixed Python, a model that repairs, and its figures. Each file carries its sha256."
    )
    crate.root_dataset["datePublished"] = gathered
    crate.root_dataset["license"] = _add(
        crate,
        "#licenses",
        "CreativeWork",
        name="Licenses of the artifacts",
        description="The code is under Apache-2.0. Each pair carries the license of the code that it came from; "
        "reports/croissant.json lists them.",
    )
    for address, name in PROFILES.items():
        profile = _add(crate, address, "CreativeWork", name=name, version=address.rpartition("/")[2])
        crate.root_dataset.append_to("conformsTo", profile)


def _workflow(
    crate: ROCrate, workflow: Path, steps: Sequence[str], commits: Sequence[str], engine: str
) -> None:
    version = ", ".join(commits) or "not known"
    given = {"version": engine} if engine else {}
    _add(crate, ENGINE, "SoftwareApplication", name="Snakemake", url="https://snakemake.github.io", **given)
    main = crate.add_workflow(
        dest_path=workflow.relative_to(workflow.parents[1]).as_posix(),
        main=True,
        lang="snakemake",
        lang_version=engine or None,
        properties={
            "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
            "name": "CTM Code Repair",
            "description": "A copy of the Snakefile, for reading: rules and programs are those of the commit.",
            "version": version,
            "encodingFormat": "text/plain",
            "conformsTo": {"@id": WORKFLOW_PROFILE},
        },
    )
    for position, rule in enumerate(steps, 1):
        tool = _add(
            crate,
            f"#rule-{rule}",
            "SoftwareApplication",
            name=rule,
            softwareVersion=version,
            description=f"Rule {rule}: a program of workflow/scripts/ and the code of ctm/ that it runs",
        )
        step = _add(crate, f"#step-{rule}", "HowToStep", name=rule, position=str(position), workExample=tool)
        main.append_to("hasPart", tool)
        main.append_to("step", step)


def _artifact(crate: ROCrate, file: File, is_there: bool) -> None:
    about = {"sha256": file.sha256, "contentSize": str(file.size), **_format(file.path)}
    if is_there:
        crate.add_file(dest_path=file.path.removeprefix(ROOT), properties={"name": file.path, **about})
    else:
        gone = "Was made, and lies no longer in the run's results/ as it was"
        _add(crate, _id(file, {}), "CreativeWork", name=file.path, description=gone, **about)


def _job(crate: ROCrate, records: RunRecords, entry: Entry, inside: Mapping[str, str]) -> None:
    session = records.sessions.get(entry.session or "")
    code = f", code of commit {_commit(session)}" if session else ""
    action = _add(
        crate,
        f"#job-{entry.job}",
        "CreateAction",
        name=job_name(entry),
        description=f"{job_name(entry)}: lineage {entry.lineage}{code}",
        instrument=crate.get(f"#rule-{entry.rule}"),
        startTime=_time(entry.started),
        endTime=_time(entry.ended),
        actionStatus="http://schema.org/CompletedActionStatus",
    )
    read = [_entity(crate, file, inside) for file in entry.inputs]
    _set(action, "object", read + [_add(crate, **source) for source in _lists(records, entry)])
    made = [file for file in entry.outputs if records.latest.get(file.path) == entry]
    _set(action, "result", [_entity(crate, file, inside) for file in made])
    about = (f"provenance/sessions/{entry.session}.json", f"provenance/lineage/{entry.lineage[:16]}.json")
    _set(action, "subjectOf", [one for name in about if (one := crate.get(name))])
    _set(action, "resourceUsage", [_usage(crate, entry, *figure) for figure in _figures(entry.used)])
    crate.root_dataset.append_to("mentions", action)
    _add(
        crate,
        f"#control-{entry.job}",
        "ControlAction",
        name=f"start of {job_name(entry)}",
        instrument=crate.get(f"#step-{entry.rule}"),
        object=action,
        actionStatus="http://schema.org/CompletedActionStatus",
    )


def _usage(crate: ROCrate, entry: Entry, name: str, value: float) -> Any:
    return _add(
        crate,
        f"#job-{entry.job}-{name}",
        "PropertyValue",
        name=name,
        propertyID=f"urn:ctm:used:{name}",
        value=str(value),
        **_unit(name),
    )


def _run(crate: ROCrate, records: RunRecords, inside: Mapping[str, str]) -> None:
    """The whole run: what no job of it made goes in, what no job of it read comes out."""
    jobs = records.jobs
    read = {file.path for entry in jobs for file in entry.inputs}
    times: dict[str, Any] = {}
    if jobs:
        times = {
            "startTime": _time(min(e.started for e in jobs)),
            "endTime": _time(max(e.ended for e in jobs)),
        }
    whole = _add(
        crate,
        "#run",
        "CreateAction",
        name="The run",
        description=f"{len(jobs):,} jobs in {len(records.sessions):,} starts of Snakemake",
        instrument=crate.mainEntity,
        actionStatus="http://schema.org/CompletedActionStatus",
        **times,
    )
    given = dict.fromkeys(source["identifier"] for entry in jobs for source in _lists(records, entry))
    outside = {
        _id(file, inside): None for entry in jobs for file in entry.inputs if file.path not in records.latest
    }
    _set(whole, "object", [crate.get(name) for name in (*given, *outside)])
    results = [_entity(crate, file, inside) for path, file in records.files.items() if path not in read]
    _set(whole, "result", results)
    crate.root_dataset.append_to("mentions", whole)
    organized = _add(crate, "#organization", "OrganizeAction", name="Snakemake", instrument=crate.get(ENGINE))
    _set(organized, "object", [crate.get(f"#control-{entry.job}") for entry in jobs])
    _set(organized, "result", [whole])
    for name, value in times.items():
        organized[name] = value


def _lists(records: RunRecords, entry: Entry) -> Iterator[dict[str, Any]]:
    """Files of the checkout that a job read, as its lineage has them: pinned lists, the mix, templates."""
    files = (records.parts(entry.lineage) or {}).get("files", {})
    for name, digest in files.items():
        yield {
            "identifier": f"#checkout-{digest[:16]}-{quote(Path(name).name)}",
            "kind": "CreativeWork",
            "name": name,
            "sha256": digest,
            "description": "A file of the checkout (of YAML the digest is that of its content)",
        }


def _about(records: RunRecords) -> Iterator[tuple[str, str]]:
    """The records themselves, which have no sum: the ledger grows."""
    yield f"{FOLDER}/ledger.jsonl", "The ledger this crate was made of; the line of its own job follows"
    for session in records.sessions:
        yield (
            f"{FOLDER}/sessions/{session}.json",
            "A start of Snakemake: code, packages, Python, device, driver",
        )
    for name in sorted({entry.lineage[:16] for entry in records.jobs}):
        if (records.run / FOLDER / "lineage" / f"{name}.json").is_file():
            yield (
                f"{FOLDER}/lineage/{name}.json",
                "What a lineage is made of: settings with seeds, code, files",
            )


def _entity(crate: ROCrate, file: File, inside: Mapping[str, str]) -> Any:
    """The entity of a file that a job read or wrote; made where the file came from elsewhere or is another one now."""
    name = _id(file, inside)
    if (known := crate.get(name)) is not None:
        return known
    shown = Path(file.path).name  # a path of this machine says nothing to others
    what = (
        "From outside of the run" if Path(file.path).is_absolute() else "Made again since with other content"
    )
    return _add(crate, name, "CreativeWork", name=shown, sha256=file.sha256, description=what)


def _id(file: File, inside: Mapping[str, str]) -> str:
    if inside.get(file.path) == file.sha256:
        return quote(file.path.removeprefix(ROOT))
    return f"#elsewhere-{file.sha256[:16]}-{quote(Path(file.path).name)}"


def _lies(records: RunRecords, path: str) -> bool:
    return path.startswith(ROOT) and records.lies(path)


def _figures(used: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Used resources that were measured, each by its name; what was not available is left out."""
    for name, value in used.items():
        if isinstance(value, Mapping):
            yield from _figures(value)
        elif isinstance(value, (int, float)) and not isinstance(value, bool):
            yield name, value


def _unit(name: str) -> dict[str, str]:
    unit = UNITS.get(name.rpartition("_")[2])
    return {"unitCode": unit} if unit else {}


def _format(name: str) -> dict[str, str]:
    known = FORMATS.get(Path(name).suffix)
    return {"encodingFormat": known} if known else {}


def _time(text: str) -> str:
    """ISO 8601 with an offset in place of "Z", as the profile's checks want it."""
    return text.replace("Z", "+00:00")


def _set(entity: Any, key: str, values: Sequence[Any]) -> None:
    """A property of one or several values; of none, no property. A list of one is its value (RO-Crate 1.1)."""
    if values:
        entity[key] = values[0] if len(values) == 1 else list(values)


def _commit(session: Mapping[str, Any] | None) -> str:
    code = (session or {}).get("code") or {}
    commit = code.get("commit") or ""
    return f"{commit} with changes" if commit and code.get("dirty") else commit


def _add(crate: ROCrate, identifier: str, kind: str, **properties: Any) -> Any:
    """A contextual entity; the one that is there already, where its name is taken."""
    from rocrate.model import ContextEntity

    if (known := crate.get(identifier)) is not None:
        return known
    made = crate.add(ContextEntity(crate, identifier, {"@type": kind}))
    for key, value in properties.items():
        made[key] = value
    return made
