"""Repair in passes: ask for an edit, check it, make it, ask again, until 'no edit'.

Notable: all texts advance together, so that the model gets large batches; a state that two texts share is asked
once; no text visits a state twice, so two edits that undo each other end the repair instead of spinning.
Broken code takes the first candidate that compiles; code that compiles is changed only above a threshold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ctm.grid.edits import MAX_PASSES
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.categories import compiles
from ctm.repair.candidates import Answer, Option, Proposer, State, StateMaker, options

NO_EDIT = "no edit"
NOT_CONFIDENT = "not confident"
NO_CANDIDATE = "no candidate"
NO_FIT = "does not fit"
PASSES_USED = "passes used up"
BRANCH = "branch"

FOLLOWED = 4
"""Branches of broken code that still do not compile after their first edit and are followed further."""
BRANCH_PASSES = 2
"""Passes of such a branch, its first edit included: more would cost more than the first answers themselves."""


@dataclass(frozen=True, slots=True)
class Pass:
    """One edit that was made."""

    option: Option
    confidence: float
    """Probability of the edit, given that candidates above it which were refused (do not compile) are wrong."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The answer for one text."""

    text: str
    """The last state; where nothing was found, the text itself."""
    passes: tuple[Pass, ...]
    certainty: float
    """Lowest certainty among the model's answers; 0 where it was not asked."""
    ticks: int
    """Ticks of all the answers together."""
    asked: int
    """Answers of the model that the repair took."""
    stopped: str
    """Why no further pass was made: one of the phrases above."""
    compiles: bool
    confidence: float
    """Product over the passes, and of 'no edit' where none was made; 0 where the model was not asked."""
    alternatives: tuple[Repair, ...] = ()
    """Other answers, best first, where branches were asked for."""

    @property
    def edited(self) -> bool:
        """Whether any edit was made."""
        return bool(self.passes)


@dataclass
class _Run:
    text: str
    tail: str
    seen: set[str]
    most: int
    is_branch: bool = False
    passes: list[Pass] = field(default_factory=list)
    certainty: float = 1.0
    ticks: int = 0
    asked: int = 0
    stopped: str = ""
    unedited: float = 0.0


class Repairer:
    """Repairs texts with a proposer; keeps every state and answer it has met, so keep it for a few hundred texts."""

    def __init__(
        self, proposer: Proposer, tokenizer: CodeTokenizer, threshold: float, max_passes: int = MAX_PASSES
    ) -> None:
        self.proposer = proposer
        self.tokenizer = tokenizer
        self.threshold = threshold
        self.max_passes = max_passes
        self._states = StateMaker(tokenizer)
        self._answers: dict[str, Answer] = {}
        self._compiles: dict[str, bool] = {}

    def repair(self, texts: Sequence[str]) -> list[Repair]:
        """The answer for each text. Line ends behind the last line are set aside and put back."""
        runs = [self._begin(text, self.max_passes) for text in texts]
        self._advance(runs)
        return [self._finish(run) for run in runs]

    def branch(
        self,
        texts: Sequence[str],
        repairs: Sequence[Repair],
        branches: int,
        followed: int = FOLLOWED,
        branch_passes: int = BRANCH_PASSES,
    ) -> list[Repair]:
        """`repairs` (those of `texts`) with up to branches - 1 alternatives, from the other first edits.

        First edits are ranked as in a pass: for broken code those that compile come first, and are answers as they
        are; of the others the best `followed` go on greedily until they compile, `branch_passes` passes at most.
        """
        firsts = [self._first_edits(text, repair) for text, repair in zip(texts, repairs, strict=True)]
        followers: list[list[_Run]] = []
        for text, (done, open_) in zip(texts, firsts, strict=True):
            room = max(0, branches - 1 - len(done))
            followers.append([self._open_branch(text, item, branch_passes) for item in open_[:room]])
        self._advance([run for group in followers for run in group[:followed]])
        answers = []
        for text, repair, (done, _), group in zip(texts, repairs, firsts, followers, strict=True):
            others = [self._finish(self._open_branch(text, item, 1)) for item in done[: branches - 1]]
            tried = [self._finish(run) for run in group]
            others += sorted(tried, key=lambda item: not item.compiles)
            unique = {item.text: item for item in reversed([repair, *others])}
            ranked = [item for item in others if unique[item.text] is item]
            answers.append(replace(repair, alternatives=tuple(ranked)))
        return answers

    # --- passes -------------------------------------------------------------------------------------------------

    def _begin(self, text: str, most: int) -> _Run:
        body = text.rstrip("\n")
        return _Run(body, text[len(body) :], {body}, most)

    def _advance(self, runs: list[_Run]) -> None:
        active = [run for run in runs if len(run.passes) < run.most]
        while active:
            self._ask([run.text for run in active])
            active = [run for run in active if self._make_pass(run)]

    def _ask(self, texts: Sequence[str]) -> None:
        """Answers for all states that have none yet."""
        fresh = {text: state for text in texts if text not in self._answers and (state := self._states(text))}
        if fresh:
            self._answers.update(zip(fresh, self.proposer.propose(list(fresh.values())), strict=True))

    def _make_pass(self, run: _Run) -> bool:
        """Make the next edit of a run; False, with the reason in `stopped`, when it is at its end."""
        state = self._states(run.text)
        if state is None:
            run.stopped = NO_FIT
            return False
        answer = self._answers[run.text]
        run.certainty = min(run.certainty, answer.certainty)
        run.ticks += answer.ticks
        run.asked += 1
        choice = self._choose(state, answer, run)
        if choice is None:
            return False
        run.passes.append(choice)
        run.text = choice.option.text
        run.seen.add(run.text)
        if run.is_branch and self._is_valid(run.text):
            run.stopped = BRANCH
            return False
        if len(run.passes) >= run.most:
            run.stopped = PASSES_USED
        return len(run.passes) < run.most

    def _choose(self, state: State, answer: Answer, run: _Run) -> Pass | None:
        if state.compiles:
            return self._choose_careful(state, answer, run)
        refused = 0.0
        best: Pass | None = None
        for option in options(state, answer, self.tokenizer):
            if option.is_edit and option.text not in run.seen:
                confidence = _given(option, refused)
                if self._is_valid(option.text):
                    return Pass(option, confidence)
                best = best or Pass(option, confidence)
            refused += option.candidate.probability
        if best is None:
            run.stopped = NO_CANDIDATE
        return best

    def _choose_careful(self, state: State, answer: Answer, run: _Run) -> Pass | None:
        """For code that compiles: the best candidate that keeps it so, if it is an edit above the threshold."""
        refused = 0.0
        for option in options(state, answer, self.tokenizer):
            if not option.is_edit:
                run.stopped, run.unedited = NO_EDIT, _given(option, refused)
                return None
            if option.text not in run.seen and self._is_valid(option.text):
                if option.candidate.probability > self.threshold:
                    return Pass(option, _given(option, refused))
                run.stopped, run.unedited = NOT_CONFIDENT, self._unedited(state, answer, refused)
                return None
            refused += option.candidate.probability
        run.stopped = NO_CANDIDATE
        return None

    def _unedited(self, state: State, answer: Answer, refused: float) -> float:
        """Probability of 'no edit' where an edit was on top: its own if it is a candidate, else what is left over."""
        for option in options(state, answer, self.tokenizer):
            if not option.is_edit:
                return _given(option, refused)
        return max(0.0, 1.0 - sum(item.probability for item in answer.candidates))

    def _is_valid(self, text: str) -> bool:
        known = self._compiles.get(text)
        if known is None:
            known = self._compiles[text] = compiles(text)
        return known

    def _finish(self, run: _Run) -> Repair:
        confidence = run.unedited if not run.passes else 1.0
        for item in run.passes:
            confidence *= item.confidence
        return Repair(
            text=run.text + run.tail,
            passes=tuple(run.passes),
            certainty=run.certainty if run.asked else 0.0,
            ticks=run.ticks,
            asked=run.asked,
            stopped=run.stopped,
            compiles=self._is_valid(run.text),
            confidence=confidence,
        )

    # --- branches -----------------------------------------------------------------------------------------------

    def _first_edits(self, text: str, repair: Repair) -> tuple[list[Option], list[Option]]:
        """First edits other than the repair's own: those that end a branch at once, and those to follow."""
        body = text.rstrip("\n")
        state, answer = self._states(body), self._answers.get(body)
        if state is None or answer is None:
            return [], []
        taken = {repair.passes[0].option.text if repair.passes else body}
        done: list[Option] = []
        open_: list[Option] = []
        for option in options(state, answer, self.tokenizer):
            if option.text in taken or (not option.is_edit and not state.compiles):
                continue
            taken.add(option.text)
            if self._is_valid(option.text):
                done.append(option)
            elif not state.compiles:
                open_.append(option)
        return done, open_

    def _open_branch(self, text: str, option: Option, most: int) -> _Run:
        run = self._begin(text, most)
        run.is_branch = True
        answer = self._answers[run.text]
        run.certainty, run.ticks, run.asked, run.stopped = answer.certainty, answer.ticks, 1, BRANCH
        if option.is_edit:
            run.passes.append(Pass(option, option.candidate.probability))
            run.text = option.text
            run.seen.add(option.text)
        else:
            run.unedited = option.candidate.probability
        return run


def _given(option: Option, refused: float) -> float:
    """The candidate's probability when `refused` probability is known to be wrong."""
    return min(1.0, option.candidate.probability / max(1.0 - refused, 1e-6))


def repair_many(
    texts: Sequence[str],
    proposer: Proposer,
    tokenizer: CodeTokenizer,
    threshold: float,
    max_passes: int = MAX_PASSES,
    branches: int = 1,
) -> list[Repair]:
    """Repair every text; `threshold`: probability that an edit of code that compiles must exceed.

    With branches = k each answer has up to k - 1 `alternatives`, from the other candidates for the first edit.
    """
    repairer = Repairer(proposer, tokenizer, threshold, max_passes)
    repairs = repairer.repair(texts)
    return repairer.branch(texts, repairs, branches) if branches > 1 else repairs
