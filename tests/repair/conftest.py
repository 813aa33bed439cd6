"""Models that are none: an oracle, liars, a graph that inserts a colon. Repair is tested without training."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from ctm.grid.edits import edits_between
from ctm.grid.tokenizer import STOP, CodeTokenizer
from ctm.repair import cli
from ctm.repair.candidates import CodeState
from helpers.broken_files import write_files
from helpers.fake_proposer import FakeProposer, Suggest


@pytest.fixture(scope="session")
def tokenizer() -> CodeTokenizer:
    return CodeTokenizer.train([Path(module.__file__).read_text() for module in (ast, textwrap)], 1024)


@pytest.fixture
def fake(tokenizer: CodeTokenizer) -> Callable[[Suggest], FakeProposer]:
    return lambda suggest: FakeProposer(tokenizer, suggest)


@pytest.fixture
def oracle(tokenizer: CodeTokenizer) -> Callable[..., FakeProposer]:
    """Knows the fixed text of each broken one; texts it does not know are right as they are."""

    def make(pairs: dict[str, str], score: float = -0.1) -> FakeProposer:
        goals = {buggy.rstrip("\n"): fixed.rstrip("\n") for buggy, fixed in pairs.items()}
        now = dict(goals)

        def suggest(state: CodeState) -> list[tuple[str, float]]:
            goal = now.get(state.text)
            if goal is None:
                return [(state.text, score)]
            edits = edits_between(state.ids, tokenizer.encode(goal), tokenizer)
            after = (
                [*state.ids[: edits[0].start], *edits[0].tokens, *state.ids[edits[0].end :]] if edits else []
            )
            if len(edits) > 1:
                now[tokenizer.decode(after)] = goal
            return [(goal, score)]

        return FakeProposer(tokenizer, suggest)

    return make


@pytest.fixture(scope="session")
def colon_bundle(tmp_path_factory: pytest.TempPathFactory, tokenizer: CodeTokenizer) -> Path:
    """A bundle whose graph inserts a colon where the parser complains, and says 'no edit' to code that compiles."""
    onnx = pytest.importorskip("onnx")
    colon = tokenizer.encode(":")[1]
    padding = ", ".join([str(STOP)] * 15)
    scores = ", ".join(["-0.05", *["-10000.0"] * 9])
    model = onnx.parser.parse_model(
        f"""<ir_version: 9, opset_import: ["" : 18]>
        colon (int64[b,n] tokens, int64[b,n] rows, int64[b,n] cols, int64[b] lengths, int64[b,2] diagnosis,
               float threshold, int64 max_ticks)
          => (int64[b,10,2] spans, float[b,10] span_log_probability, int64[b,10,1,16] units,
              float[b,10,1] unit_log_probability, float[b] certainty, int64[b] ticks)
        <int64[1] zero = {{0}}, int64[1] one = {{1}}, int64[3] to_span = {{1, 10, 2}}, int64[3] to_units = {{1, 10, 1}},
         int64[1] colon_id = {{{colon}}}, int64[1] stop_id = {{{STOP}}}, int64[1,1,15] stops = {{{padding}}},
         int64[3] to_stops = {{1, 10, 15}}, float[1,10] scores = {{{scores}}}, float[1,10] sure = {{{
            ", ".join(["-0.05"] * 10)
        }}}, float[1] half = {{0.5}}, int64[1] third = {{2}}, int64[2] last = {{1, 2}}>
        {{
          batch = Shape <end = 1> (lengths)
          cell2 = Slice (diagnosis, zero, one, one)
          cell = Squeeze (cell2, one)
          broken = GreaterOrEqual (cell, zero)
          end = Sub (lengths, one)
          place = Where (broken, cell, end)
          place3 = Unsqueeze (place, last)
          spans = Expand (place3, to_span)
          first = Where (broken, colon_id, stop_id)
          first3 = Unsqueeze (first, last)
          firsts = Expand (first3, to_units)
          ten = Constant <value_ints = [10, 15]> ()
          shape = Concat <axis = 0> (batch, ten)
          rest = Expand (stops, shape)
          units3 = Concat <axis = 2> (firsts, rest)
          units = Unsqueeze (units3, third)
          tens = Constant <value_ints = [10]> ()
          flat = Concat <axis = 0> (batch, tens)
          span_log_probability = Expand (scores, flat)
          unit2 = Expand (sure, flat)
          unit_log_probability = Unsqueeze (unit2, third)
          certainty = Expand (half, batch)
          used = Expand (max_ticks, batch)
          ticks = Identity (used)
        }}"""
    )
    folder = tmp_path_factory.mktemp("bundle")
    onnx.save(model, folder / "ctm.onnx")
    tokenizer.save(folder / "tokenizer.json")
    config = {
        "model": {"ticks": 7, "vocabulary": tokenizer.vocab_size},
        "thresholds": {"tick": 0.9, "edit": 0.5, "further": 0.7},
    }
    (folder / "final_config.yaml").write_text(yaml.safe_dump(config))
    return folder


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with one file of each status."""
    monkeypatch.chdir(tmp_path)
    write_files(tmp_path)
    return tmp_path


@pytest.fixture
def report(colon_bundle: Path) -> Callable[..., str]:
    """stdout of the command, which must end with the status of an error unless another is given.

    Confidences, which depend on where an error is, are P in what people read.
    """

    def command(format_name: str, *arguments: str, status: int = 2) -> str:
        words = ["fix", *arguments, "--output-format", format_name, "--bundle", str(colon_bundle)]
        done = CliRunner().invoke(cli.app, words)
        assert done.exit_code == status, done.stderr
        people = format_name not in ("json", "json-lines", "sarif")
        return re.sub(r"\b[01]\.\d\d\b", "P", done.stdout) if people else done.stdout

    return command
