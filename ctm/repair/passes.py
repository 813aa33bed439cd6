"""Repair in passes: ask for an edit, check it, make it, ask again, until 'no edit'.

All texts advance together, so that the model gets large batches; a state that two texts share is asked once. Broken
code is searched for the best edits that make it compile (search.py), and is done then; code that compiles is changed
only above a threshold, a higher one once an edit was made: one edit is nearly always all that is missing, which no
single answer of the model knows, since it does not see what was done before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log

from ctm.grid.edits import MAX_PASSES
from ctm.grid.tokenizer import CodeTokenizer
from ctm.python.compiling import compile_error, compiles
from ctm.repair.candidates import AppliedEdit, CodeState, Proposal, Proposer, StateCache, options
from ctm.repair.confidence import ConfidenceCurve
from ctm.repair.nearby import SCORE, nearby
from ctm.repair.rewrites.registry import Rewritten, rewritten
from ctm.repair.search import FoundRepair, RepairSearch, RepairSearchSettings, SearchNode
from ctm.repair.text_loss import TextLoss

NO_EDIT = "no edit"
NOT_CONFIDENT = "not confident"
NO_CANDIDATE = "no candidate"
LOSES_TOO_MUCH = "loses too much of the author's"
NO_FIT = "does not fit"
PASSES_USED = "passes used up"
REPAIRED = "compiles"
OTHER = "another candidate"

USUAL_CELLS = 100
"""Length of code for which a threshold is meant as it stands."""

EditGuard = Callable[[str], bool]
"""Whether a text may be made of one that compiles: what its surroundings say, beyond the compiler."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The answer for one text."""

    text: str
    """The last state; where nothing was found, the text itself: code that is still broken is no answer."""
    passes: tuple[AppliedEdit, ...]
    """The edits that were made."""
    certainty: float
    """Lowest certainty among the model's answers; 0 where it was not asked."""
    ticks: int
    """Ticks of all the answers together."""
    model_calls: int
    """Answers of the model that the repair took."""
    stopped: str
    """Why no further pass was made: one of the phrases above."""
    compiles: bool
    confidence: float
    """Probability of the answer; 0 where the model was not asked. For code that was broken: given that it or one of the
    other texts which were considered is right; of an edit of code that compiles, or of 'no edit': given that the
    candidates above it that were refused are wrong."""
    alternatives: tuple[Repair, ...] = ()
    """Other answers, best first, where several were asked for."""
    score: float = 0.0
    """Of broken code: log-probability of all its edits, less what their size and loss cost; nats."""
    loss: TextLoss | None = None
    """Of broken code: what the answer loses of it."""
    refused: Repair | None = None
    """Of broken code without an answer: the best text that compiles and loses more than the budget."""
    share: float | None = None
    """Of an answer for broken code: its share of the search, which the curve makes a confidence of."""

    @property
    def edited(self) -> bool:
        """Whether any edit was made."""
        return bool(self.passes)


@dataclass
class _PassState:
    """Passes over a text that compiles."""

    text: str
    seen: set[str]
    max_passes: int
    guard: EditGuard | None = None
    passes: list[AppliedEdit] = field(default_factory=list)
    certainty: float = 1.0
    ticks: int = 0
    model_calls: int = 0
    stopped: str = ""
    confidence: float = 1.0


def strength(probability: float, cells: int) -> float:
    """What an edit of code that compiles is compared by: its probability, with odds (cells / 100)^(1/2) times as high.

    Training shows a bug in three of four snippets, however short; in use a few cells have fewer places for one. Without
    the factor code of two lines is edited for no reason two to three times as often as other code.
    """
    odds = probability / max(1.0 - probability, 1e-9) * (cells / USUAL_CELLS) ** 0.5
    return odds / (1.0 + odds)


class Repairer:
    """Repairs texts with a proposer; keeps every state and answer it has met, so keep it for a few hundred texts."""

    def __init__(
        self,
        proposer: Proposer,
        tokenizer: CodeTokenizer,
        threshold: float,
        max_passes: int = MAX_PASSES,
        known_proposals: Mapping[str, Proposal] | None = None,
        *,
        further: float = 0.0,
        search: RepairSearchSettings | None = None,
        confidence: ConfidenceCurve | None = None,
    ) -> None:
        """threshold: that the `strength` of an edit of code that compiles must exceed.

        further: that its probability must exceed too if one was made.

        known_proposals: of texts that the proposer need not be asked about.

        confidence: makes a probability of the share that an answer for broken code has.
        """
        self.proposer = proposer
        self.tokenizer = tokenizer
        self.threshold = threshold
        self.further = max(threshold, further)
        self.max_passes = max_passes
        self.search = search or RepairSearchSettings()
        self.confidence = confidence or ConfidenceCurve()
        self._states = StateCache(tokenizer)
        self._answers: dict[str, Proposal] = dict(known_proposals or {})
        self._compiles: dict[str, bool] = {}
        self._rewritten: dict[str, Sequence[Rewritten]] = {}

    def repair(
        self, texts: Sequence[str], guards: Sequence[EditGuard] | None = None, top_k: int = 1
    ) -> list[Repair]:
        """The answer for each text. Line ends behind the last line are set aside and put back.

        guards: one per text, asked about an edit that would be made of code that compiles (without those line ends);
        where it says no, the next candidate is looked at. Raises ValueError for more or fewer.

        top_k: each repair has up to top_k - 1 `alternatives`: of broken code the next best texts that compile, of
        other code what the other candidates for its first edit make of it.
        """
        bodies = [text.rstrip("\n") for text in texts]
        if guards is not None and len(guards) != len(texts):
            raise ValueError(f"{len(texts)} texts but {len(guards)} guards; give one guard for each text")
        runs: dict[int, _PassState] = {}
        searches: dict[int, RepairSearch] = {}
        for index, body in enumerate(bodies):
            if self._is_valid(body) or self._states(body) is None:
                runs[index] = _PassState(body, {body}, self.max_passes, guards[index] if guards else None)
            else:
                searches[index] = self._search(body, top_k)
        self._advance(list(runs.values()), list(searches.values()))
        self._look_nearby([search for search in searches.values() if not search.found and not search.refused])
        done = {index: self._searched(search) for index, search in searches.items()}
        for index, run in runs.items():
            repair = self._finish(run)
            others = self._others(bodies[index], repair, top_k - 1) if top_k > 1 else ()
            done[index] = replace(repair, alternatives=others)
        return [_with_tail(done[index], text[len(bodies[index]) :]) for index, text in enumerate(texts)]

    # --- passes -------------------------------------------------------------------------------------------------

    def _advance(self, runs: list[_PassState], searches: list[RepairSearch]) -> None:
        runs = [run for run in runs if len(run.passes) < run.max_passes]
        while True:
            wanted = [(search, text) for search in searches if (text := search.next_text()) is not None]
            if not runs and not wanted:
                return
            self._request_answers([run.text for run in runs] + [text for _, text in wanted])
            runs = [run for run in runs if self._make_pass(run)]
            for search, text in wanted:
                state = self._states(text)
                assert state is not None, "a search asks about what fits only"
                answer = self._answers[text]
                found = options(state, answer, self.tokenizer, search.min_log_probability)
                search.expand(answer, found, self._rewrites(text) if self.search.rewrites else ())
            searches = [search for search, _ in wanted]

    def _request_answers(self, texts: Sequence[str]) -> None:
        """Answers for all states that have none yet."""
        fresh = {text: state for text in texts if text not in self._answers and (state := self._states(text))}
        if fresh:
            self._answers.update(zip(fresh, self.proposer.propose(list(fresh.values())), strict=True))

    def _rewrites(self, text: str) -> Sequence[Rewritten]:
        """What needs no model; kept, since a text is searched again where more answers are wanted."""
        known = self._rewritten.get(text)
        if known is None:
            error = compile_error(text)
            assert error is not None, "a search asks about what does not compile only"
            known = self._rewritten[text] = rewritten(text, error)
        return known

    def _is_valid(self, text: str) -> bool:
        known = self._compiles.get(text)
        if known is None:
            known = self._compiles[text] = compiles(text)
        return known

    # --- broken code --------------------------------------------------------------------------------------------

    def _search(self, body: str, wanted: int) -> RepairSearch:
        return RepairSearch(
            body,
            self.search,
            self.max_passes,
            wanted,
            self._is_valid,
            lambda text: self._states(text) is not None,
        )

    def _look_nearby(self, searches: list[RepairSearch]) -> None:
        """For searches that found nothing: single-token edits, judged by how sure the model is of what they make."""
        if not self.search.nearby:
            return
        found: dict[int, list[str]] = {}
        for number, search in enumerate(searches):
            error = compile_error(search.text)
            if error is not None and error.lineno is not None:
                texts = nearby(search.text, error, self._is_valid)
                found[number] = [text for text in texts if self._states(text) is not None]
        self._request_answers([text for texts in found.values() for text in texts])
        for number, texts in found.items():
            searches[number].add_single_token_repairs(
                [(text, self._log_probability_of_no_edit(text)) for text in texts]
            )

    def _log_probability_of_no_edit(self, text: str) -> float:
        """Log-probability that nothing is wrong with a text that compiles and was asked about."""
        state = self._states(text)
        assert state is not None, "what was asked about fits"
        surety = max(self._unedited(state, self._answers[text], 0.0), 1e-6)
        return SCORE + log(surety)

    def _searched(self, search: RepairSearch) -> Repair:
        """The first text that compiles, the others as its alternatives; else the one with the most edits."""
        asked = len(search.proposals), sum(answer.ticks for answer in search.proposals)
        if not search.found:
            why = LOSES_TOO_MUCH if search.refused else PASSES_USED if search.is_used_up else NO_CANDIDATE
            refused = _found(FoundRepair(search.refused, 0.0), asked, why, True) if search.refused else None
            nothing = SearchNode(
                search.text, (), 0.0, min((answer.certainty for answer in search.proposals), default=0.0)
            )
            return replace(_found(FoundRepair(nothing, 0.0), asked, why, False), refused=refused)
        answers = [FoundRepair(found.leaf, self.confidence(found.share)) for found in search.found]
        first, *others = (
            replace(_found(answer, asked, REPAIRED, True), share=found.share)
            for answer, found in zip(answers, search.found, strict=True)
        )
        return replace(first, alternatives=tuple(others))

    # --- code that compiles -------------------------------------------------------------------------------------

    def _make_pass(self, run: _PassState) -> bool:
        """Make the next edit of a run; False, with the reason in `stopped`, when it is at its end."""
        state = self._states(run.text)
        if state is None:
            run.stopped = NO_FIT
            return False
        answer = self._answers[run.text]
        run.certainty = min(run.certainty, answer.certainty)
        run.ticks += answer.ticks
        run.model_calls += 1
        if not self._choose_careful(state, answer, run):
            return False
        if len(run.passes) >= run.max_passes:
            run.stopped = PASSES_USED
        return len(run.passes) < run.max_passes

    def _choose_careful(self, state: CodeState, answer: Proposal, run: _PassState) -> bool:
        """For code that compiles: make the best edit that keeps it so, if it is above the threshold."""
        refused = 0.0
        for option in options(state, answer, self.tokenizer):
            if not option.is_edit:
                self._stop(run, NO_EDIT, _given(option, refused))
                return False
            if option.text not in run.seen and self._is_valid(option.text):
                if not self._is_strong(option, state, run):
                    self._stop(run, NOT_CONFIDENT, self._unedited(state, answer, refused))
                    return False
                if run.guard is not None and not run.guard(option.text):
                    refused += option.candidate.probability
                    continue
                run.confidence *= _given(option, refused)
                run.passes.append(option)
                run.text = option.text
                run.seen.add(run.text)
                return True
            refused += option.candidate.probability
        self._stop(run, NO_CANDIDATE, 0.0)
        return False

    def _is_strong(self, option: AppliedEdit, state: CodeState, run: _PassState) -> bool:
        probability = option.candidate.probability
        if run.passes and probability <= self.further:
            return False
        return strength(probability, len(state.ids)) > self.threshold

    @staticmethod
    def _stop(run: _PassState, why: str, unedited: float) -> None:
        """End a run; where nothing was edited, its confidence is that of 'no edit'."""
        run.stopped = why
        if not run.passes:
            run.confidence = unedited

    def _unedited(self, state: CodeState, answer: Proposal, refused: float) -> float:
        """Probability of 'no edit' where an edit was on top: its own if it is a candidate, else what is left over."""
        for option in options(state, answer, self.tokenizer):
            if not option.is_edit:
                return _given(option, refused)
        return max(0.0, 1.0 - sum(item.probability for item in answer.candidates))

    def _finish(self, run: _PassState) -> Repair:
        return Repair(
            text=run.text,
            passes=tuple(run.passes),
            certainty=run.certainty if run.model_calls else 0.0,
            ticks=run.ticks,
            model_calls=run.model_calls,
            stopped=run.stopped,
            compiles=self._is_valid(run.text),
            confidence=run.confidence if run.model_calls else 0.0,
        )

    def _others(self, text: str, repair: Repair, max_others: int) -> tuple[Repair, ...]:
        """What the other candidates for the first edit make of a text that compiles, 'no edit' among them."""
        state, answer = self._states(text), self._answers.get(text)
        if state is None or answer is None:
            return ()
        taken = {repair.passes[0].text if repair.passes else text, repair.text}
        found: list[Repair] = []
        for option in options(state, answer, self.tokenizer):
            if len(found) == max_others:
                break
            if option.text in taken or not self._is_valid(option.text):
                continue
            taken.add(option.text)
            leaf = SearchNode(option.text, (option,) if option.is_edit else (), 0.0, answer.certainty)
            found.append(
                _found(FoundRepair(leaf, option.candidate.probability), (1, answer.ticks), OTHER, True)
            )
        return tuple(found)


def _found(found: FoundRepair, asked: tuple[int, int], stopped: str, is_valid: bool) -> Repair:
    """A text that was found, as a repair; asked: answers of the model and their ticks."""
    leaf = found.leaf
    return Repair(
        text=leaf.text,
        passes=leaf.path,
        certainty=leaf.certainty if asked[0] else 0.0,
        ticks=asked[1],
        model_calls=asked[0],
        stopped=stopped,
        compiles=is_valid,
        confidence=found.share if asked[0] else 0.0,
        score=leaf.score,
        loss=leaf.loss,
    )


def _with_tail(repair: Repair, tail: str) -> Repair:
    """A repair with the line ends that were set aside."""
    if not tail:
        return repair
    others = tuple(_with_tail(item, tail) for item in repair.alternatives)
    return replace(repair, text=repair.text + tail, alternatives=others)


def _given(option: AppliedEdit, refused: float) -> float:
    """The candidate's probability when `refused` probability is known to be wrong."""
    return min(1.0, option.candidate.probability / max(1.0 - refused, 1e-6))


def repair_many(
    texts: Sequence[str],
    proposer: Proposer,
    tokenizer: CodeTokenizer,
    threshold: float,
    max_passes: int = MAX_PASSES,
    top_k: int = 1,
    *,
    further: float = 0.0,
) -> list[Repair]:
    """Repair every text; `threshold`: that the `strength` of an edit of code that compiles must exceed.

    `further`: that its probability must exceed too where an edit was made before.
    With top_k = k each repair has up to k - 1 `alternatives`.
    """
    return Repairer(proposer, tokenizer, threshold, max_passes, further=further).repair(texts, top_k=top_k)
