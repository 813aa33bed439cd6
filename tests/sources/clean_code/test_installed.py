import json
from dataclasses import replace
from pathlib import Path

from ctm.pairs.record import read_rejects, read_snippets
from ctm.sources.clean_code.installed import InstalledSettings, collect

CODE = "import os\n\n\n"
CODE += "def double_{n}(value):\n    result = value * {n}\n    return result\n\n\nprint(double_{n}({n}))\n"


def install(folder: Path, name: str, files: dict[str, str], license: str = "License: MIT") -> None:
    info = folder / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{license}\n")
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    (info / "RECORD").write_text("".join(f"{path},,\n" for path in files))


def test_snippets_carry_their_origin_and_what_is_left_out_its_reason(tmp_path: Path) -> None:
    site = tmp_path / "site"
    install(
        site,
        "Some_Project",
        {
            "some/core.py": CODE.format(n=2),
            "some/tests/test_core.py": CODE.format(n=3),
            "some/broken.py": "def f(:\n",
        },
    )
    install(site, "unlicensed", {"unlicensed.py": CODE.format(n=4)}, license="License: mine")
    install(site, "many", {f"many/m{i}.py": CODE.format(n=i) for i in range(40)})
    settings = InstalledSettings(per_distribution=20, paths=(str(site),))
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    counts = collect(0, 1, settings, out, rejects, tmp_path / "counts.json")
    written = json.loads((tmp_path / "counts.json").read_text())
    assert written["items"] == counts["snippets"] and written["unit"] == "snippets"
    assert [m["projects"] for m in written["milestones"]] == [1, 2, 3, 3]
    snippets = list(read_snippets(out))
    assert counts["snippets"] == len(snippets) and counts["projects"] == 3
    core = [item for item in snippets if item.group == "some-project"]
    assert "def double_2(value):\n    result = value * 2\n    return result" in {item.text for item in core}
    assert {(item.origin.license, item.origin.license_source) for item in core} == {
        ("MIT", "METADATA License")
    }
    assert {item.origin.path for item in core} == {"some/core.py"}
    assert sum(item.group == "many" for item in snippets) == 20
    reasons = {(item.group, item.reason) for item in read_rejects(rejects)}
    assert reasons >= {
        ("some-project", "test file"),
        ("some-project", "does not parse"),
        ("unlicensed", "no license stated"),
        ("many", "cap of the project"),
    }


def test_shards_share_the_projects(tmp_path: Path) -> None:
    site = tmp_path / "site"
    for number in range(6):
        install(site, f"p{number}", {f"p{number}.py": CODE.format(n=number)})
    settings = InstalledSettings(paths=(str(site),))
    groups = []
    for shard in range(2):
        collect(shard, 2, settings, tmp_path / "out.parquet", tmp_path / "rejects.parquet")
        groups.append({item.group for item in read_snippets(tmp_path / "out.parquet")})
    assert not groups[0] & groups[1]
    assert groups[0] | groups[1] == {f"p{number}" for number in range(6)}


def test_shapes_that_are_not_asked_for_are_counted(tmp_path: Path) -> None:
    install(tmp_path / "site", "one", {f"one{i}.py": CODE.format(n=i) for i in range(6)})
    out, rejects = tmp_path / "out.parquet", tmp_path / "rejects.parquet"
    everything = InstalledSettings(paths=(str(tmp_path / "site"),))
    collect(0, 1, everything, out, rejects)
    shapes = [item.shape for item in read_snippets(out)]
    collect(0, 1, replace(everything, shapes=("function",)), out, rejects)
    assert {item.shape for item in read_snippets(out)} == {"function"}
    left_out = sum(item.reason == "shape not asked for" for item in read_rejects(rejects))
    assert left_out == sum(shape != "function" for shape in shapes) > 0
