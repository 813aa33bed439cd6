"""Clean code of pinned packages: from an index on loopback to snippets; what cannot be had is counted and why."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

from ctm.pairs.record import REJECT_SCHEMA, Writer, read_rejects, read_snippets
from ctm.pairs.splits import project_name
from ctm.sources.clean_code.choice import CleanCode
from ctm.sources.clean_code.packages import PackageSettings, collect, read_corpus
from ctm.sources.pypi.client import pip_setting, pip_settings
from helpers.fake_index import FakeIndex, sdist, wheel

ROOT = Path(__file__).parents[3]
CODE = "import os\n\n\ndef double_{n}(value):\n    result = value * {n}\n    return result\n\n\n"
CODE += "print(double_{n}({n}))\n"


def listed(tmp_path: Path, *lines: str) -> Path:
    path = tmp_path / "corpus.csv"
    path.write_text("\n".join(["name,version,sha256,file", *lines]) + "\n")
    return path


def run(tmp_path: Path, corpus: Path, **settings: object) -> dict[str, int]:
    return collect(
        corpus, 0, 1, PackageSettings(**settings), tmp_path / "work", tmp_path / "o.parquet", tmp_path / "r.parquet"  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_file_for_a_newer_python_alone_is_no_data_under_any(tmp_path: Path, index: FakeIndex) -> None:
    files = {
        "pack/core.py": CODE.format(n=2),
        "pack/newer.py": CODE.format(n=3) + "row = {'a': 1}\nprint(f'{row['a']}')\n",
        "pack/module.py": CODE.format(n=4) + "type(os).sep = 1\n",
    }
    run(tmp_path, listed(tmp_path, index.add("pack", "pack-1.0.tar.gz", sdist("pack", files))))
    paths = {item.origin.path for item in read_snippets(tmp_path / "o.parquet")}
    assert paths == {"pack/core.py", "pack/module.py"}, "what is read depends on the Python that reads"
    (reject,) = read_rejects(tmp_path / "r.parquet")
    told = "nested quotes in an f-string, line 11"
    assert (reject.reason, reject.item, reject.detail) == ("newer than Python 3.11", "pack/newer.py", told)


def test_a_source_distribution_gives_its_code_examples_and_tests(tmp_path: Path, index: FakeIndex) -> None:
    files = {
        "pack/core.py": CODE.format(n=2),
        "examples/show.py": CODE.format(n=3),
        "tests/test_core.py": CODE.format(n=4),
        "docs/tutorial.py": CODE.format(n=5),
        "setup.py": "raise SystemExit('it was run')\n",
        "pack/_vendor/other.py": CODE.format(n=6),
    }
    corpus = listed(tmp_path, index.add("pack", "pack-1.0.tar.gz", sdist("pack", files)))
    counts = run(tmp_path, corpus)
    snippets = list(read_snippets(tmp_path / "o.parquet"))
    assert counts["projects"] == 1 and counts["snippets"] == len(snippets) > 0
    assert {item.origin.path for item in snippets} == set(files) - {"setup.py", "pack/_vendor/other.py"}
    first = snippets[0].origin
    assert (first.project, first.version_to, first.url) == ("pack", "1.0", "pkg:pypi/pack@1.0")
    assert (first.license, first.license_source) == ("MIT", "METADATA License")
    reasons = {item.reason for item in read_rejects(tmp_path / "r.parquet")}
    assert reasons == {"vendored copy", "packaging or documentation"}
    run(tmp_path, corpus, tests=False)
    assert {item.origin.path for item in read_snippets(tmp_path / "o.parquet")} == {
        "pack/core.py",
        "examples/show.py",
    }


def test_scripts_come_first_and_tests_last_under_a_cap(tmp_path: Path, index: FakeIndex) -> None:
    files = {f"pack/m{n}.py": CODE.format(n=n) for n in range(5)}
    files |= {f"tests/test_m{n}.py": CODE.format(n=n) for n in range(10, 15)}
    files |= {"scripts/s.py": CODE.format(n=7)}
    corpus = listed(tmp_path, index.add("pack", "pack-1.0.tar.gz", sdist("pack", files)))
    run(tmp_path, corpus, per_package=8)
    paths = [item.origin.path for item in read_snippets(tmp_path / "o.parquet")]
    assert len(paths) == 8 and paths[0] == "scripts/s.py" and not any("test" in path for path in paths)
    assert "cap of the project" in {item.reason for item in read_rejects(tmp_path / "r.parquet")}


def test_the_same_list_gives_the_same_snippets_and_asks_the_index_once(
    tmp_path: Path, index: FakeIndex
) -> None:
    lines = [
        index.add(name, f"{name}-1.0-py3-none-any.whl", wheel(name, {f"{name}.py": CODE.format(n=n)}))
        for n, name in enumerate(("one", "two", "three"))
    ]
    corpus = listed(tmp_path, *lines)
    run(tmp_path, corpus)
    before, asked = (tmp_path / "o.parquet").read_bytes(), len(index.asked)
    run(tmp_path, corpus)
    assert (tmp_path / "o.parquet").read_bytes() == before and len(index.asked) == asked
    (damaged,) = list((tmp_path / "work").iterdir())[:1]
    damaged.write_bytes(b"something else")
    run(tmp_path, corpus)
    assert (tmp_path / "o.parquet").read_bytes() == before, (
        "what lies there with another content is brought again"
    )


def test_what_cannot_be_had_or_read_is_counted_with_its_reason(tmp_path: Path, index: FakeIndex) -> None:
    good = index.add("good", "good-1.0.tar.gz", sdist("good", {"good.py": CODE.format(n=1)}))
    broken = index.add("broken", "broken-1.0.tar.gz", b"no archive")
    secret = index.add(
        "closed", "closed-1.0.tar.gz", sdist("closed", {"c.py": CODE.format(n=2)}, license="mine")
    )
    index.add("other", "other-1.0.tar.gz", b"x")
    other = f"other,2.0,{'1' * 64},other-2.0.tar.gz"
    corpus = listed(tmp_path, good, broken, secret, f"gone,1.0,{'0' * 64},gone-1.0.tar.gz", other)
    counts = run(tmp_path, corpus)
    assert counts["projects"] == 2 and {i.group for i in read_snippets(tmp_path / "o.parquet")} == {"good"}
    rejects = {(item.reason, item.item): item.detail for item in read_rejects(tmp_path / "r.parquet")}
    assert set(rejects) == {
        ("source failed", "broken 1.0"),
        ("source failed", "gone 1.0"),
        ("source failed", "other 2.0"),
        ("no license stated", "closed"),
    }
    assert rejects["source failed", "gone 1.0"] == "the index does not know gone"
    assert "has no file of other with sha256 1111" in rejects["source failed", "other 2.0"]


def test_an_index_out_of_reach_is_an_error_that_names_the_remedy_and_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/token123/simple")
    monkeypatch.setattr("ctm.sources.pypi.client.PAUSE", 0.01)
    pip_settings.cache_clear()
    with pytest.raises(OSError, match=r"1 of 1 archives are missing.*index-url") as caught:
        run(tmp_path, listed(tmp_path, f"pack,1.0,{'0' * 64},pack-1.0.tar.gz"))
    assert not {"secret", "token123"} & set(re.findall(r"\w+", str(caught.value) + caplog.text))
    pip_settings.cache_clear()


def test_an_answer_that_breaks_off_is_asked_for_again_and_else_ends_the_job(
    tmp_path: Path, index: FakeIndex
) -> None:
    files = {"pack.py": CODE.format(n=1)}
    corpus = listed(
        tmp_path,
        index.add("good", "good-1.0.tar.gz", sdist("good", files)),
        index.add("pack", "pack-1.0.tar.gz", sdist("pack", files)),
    )
    index.broken["pack-1.0.tar.gz"] = 1
    assert run(tmp_path, corpus)["projects"] == 2
    for path in (tmp_path / "work").iterdir():
        path.unlink()
    index.broken["pack-1.0.tar.gz"] = 99
    with pytest.raises(OSError, match="1 of 2 archives are missing"):
        run(tmp_path, corpus)
    assert len(list((tmp_path / "work").iterdir())) == 1, "what has come stays"


@pytest.mark.parametrize("downloads", [1, 8])
def test_many_packages_that_are_gone_cost_no_other_one(
    tmp_path: Path, index: FakeIndex, downloads: int
) -> None:
    gone = [f"gone{n},1.0,{n:064x},gone{n}-1.0.tar.gz" for n in range(30)]
    last = index.add("last", "last-1.0.tar.gz", sdist("last", {"last.py": CODE.format(n=1)}))
    counts = run(tmp_path, listed(tmp_path, *gone, last), downloads=downloads)
    assert (counts["projects"], counts["rejects"]) == (1, 30)


def test_a_shard_whose_packages_are_all_gone_is_empty(tmp_path: Path, index: FakeIndex) -> None:
    gone, counts_file = listed(tmp_path, f"gone,1.0,{'0' * 64},gone-1.0.tar.gz"), tmp_path / "counts.json"
    out, rejects = tmp_path / "o.parquet", tmp_path / "r.parquet"
    counts = collect(gone, 0, 1, PackageSettings(), tmp_path / "work", out, rejects, counts_file)
    assert counts["snippets"] == 0 and not list(read_snippets(out))
    passed = [entry["milestone"] for entry in json.loads(counts_file.read_text())["milestones"]]
    assert passed == ["25%", "50%", "75%", "100%"], "the work is done, whatever could not be had"


def test_a_file_beyond_the_limit_is_a_reject_for_snippets_and_windows(
    tmp_path: Path, index: FakeIndex
) -> None:
    big = "\n\n".join(f"def f{n}(x):\n    return x + {n}" for n in range(60))
    corpus = listed(tmp_path, index.add("pack", "pack-1.0.tar.gz", sdist("pack", {"big.py": big})))
    counts = run(tmp_path, corpus, max_bytes=400)
    assert counts["snippets"] == 0
    assert [item.reason for item in read_rejects(tmp_path / "r.parquet")] == ["file too large"]
    code = CleanCode(packages=PackageSettings(max_bytes=400), corpus=corpus, archives=tmp_path / "work")
    with Writer(tmp_path / "w.parquet", REJECT_SCHEMA) as refused:
        (project,) = code.projects(lambda name: True, refused, "working")
    assert project.max_bytes == 400 < len(project.files[0].read()), (
        "so that whoever reads it sees that it is cut"
    )


def test_the_index_is_the_one_that_pip_is_set_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "pip.conf").write_text("[global]\nindex-url = https://files.example/simple\ncert = c.pem\n")
    monkeypatch.setenv("PIP_CONFIG_FILE", str(tmp_path / "pip.conf"))
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    monkeypatch.delenv("PIP_CERT", raising=False)
    pip_settings.cache_clear()
    assert pip_setting("index-url") == "https://files.example/simple" and pip_setting("cert") == "c.pem"
    monkeypatch.setenv("PIP_INDEX_URL", "https://env.example/simple")
    pip_settings.cache_clear()
    assert pip_setting("index-url") == "https://env.example/simple"
    pip_settings.cache_clear()


def test_a_bad_line_of_the_list_is_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"corpus\.csv:2: file 'pack\.exe' of pack is not an archive"):
        read_corpus(listed(tmp_path, f"pack,1.0,{'0' * 64},pack.exe"))
    twice = [f"{name},{n}.0,{n:064x},p.whl" for n, name in enumerate(("Pack", "pack"))]
    with pytest.raises(ValueError, match=r"corpus\.csv:3: pack is listed twice"):
        read_corpus(listed(tmp_path, *twice))


@pytest.mark.parametrize(("name", "least"), [("corpus.csv", 1000), ("corpus_demo.csv", 250)])
def test_the_lists_have_no_project_that_something_is_judged_on(name: str, least: int) -> None:
    pins = read_corpus(ROOT / "config" / name)
    names = {pin.name for pin in pins}
    assert len(names) == len(pins) >= least
    held_out = yaml.safe_load((ROOT / "config/config.yaml").read_text())["quality"]["decontamination"][
        "repositories"
    ]
    judged = {project_name(item) for items in held_out.values() for item in items}
    with (ROOT / "config/working.csv").open() as file:
        judged |= {project_name(row["name"]) for row in csv.DictReader(file)}
    assert not names & judged
