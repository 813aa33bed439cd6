"""Repair in passes: ask for an edit, check it, make it, ask again, until 'no edit'.

Notable: all texts advance together, so that the model gets large batches; a state that two texts share is asked
once; no text visits a state twice, so two edits that undo each other end the repair instead of spinning.
Broken code takes the most probable edits that make it compile (search.py); code that compiles is changed only above a
threshold, a higher one once an edit was made: one edit is nearly always all that is missing, which no single answer of
the model knows, since it does not see what was done before.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import exp

from ctm.grid.edits import MAX_PASSES
from ctm.grid.tokenizer import CodeTokenizer
from ctm.pairs.categories import compiles
from ctm.repair.candidates import Answer, Option, Proposer, State, StateMaker, options
from ctm.repair.search import Frontier, Leaf

NO_EDIT = "no edit"
NOT_CONFIDENT = "not confident"
NO_CANDIDATE = "no candidate"
NO_FIT = "does not fit"
PASSES_USED = "passes used up"
BRANCH = "branch"

EXPANDED = MAX_PASSES
"""States of a broken text that the model is asked about; then the best of what compiles is taken. 12 repair 0.2 points
more of real syntax errors and cost 12 % more time."""
FOLLOWED = 4
"""Branches of broken code that still do not compile after their first edit and are followed further."""
BRANCH_PASSES = 2
"""Passes of such a branch, its first edit included: more would cost more than the first answers themselves."""

USUAL_CELLS = 100
"""Length of code for which a threshold is meant as it stands."""

Allows = Callable[[str], bool]
"""Whether a text may be made of one that compiles: what its surroundings say, beyond the compiler."""


@dataclass(frozen=True, slots=True)
class Repair:
    """The answer for one text."""

    text: str
    """The last state; where nothing was found, the text itself."""
    passes: tuple[Option, ...]
    """The edits that were made."""
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
    """Probability of the answer; 0 where the model was not asked. For code that was broken: given that it or one of the
    other texts which were considered is right; of an edit of code that compiles, or of 'no edit': given that the
    candidates above it that were refused are wrong."""
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
    allows: Allows | None = None
    is_branch: bool = False
    passes: list[Option] = field(default_factory=list)
    score: float = 0.0
    """Log-probability of the edits made while the code was broken."""
    frontier: Frontier = field(default_factory=Frontier)
    expanded: int = 0
    deepest: Leaf | None = None
    """Of the texts that were looked at and do not compile, the first with the most edits."""
    certainty: float = 1.0
    ticks: int = 0
    asked: int = 0
    stopped: str = ""
    confidence: float = 1.0

    def take(self, leaf: Leaf) -> None:
        """Go on from a text of the frontier."""
        self.text, self.passes, self.score = leaf.text, list(leaf.path), leaf.score


def strength(probability: float, cells: int) -> float:
    """What an edit of code that compiles is compared by: its probability x (cells / 100)^(1/4), 1 at most.

    Training shows a bug in three of four snippets, however short; in use a few cells have fewer places for one. Without
    the factor code of two lines is edited for no reason two to three times as often as other code.
    """
    return min(1.0, probability * (cells / USUAL_CELLS) ** 0.25)


class Repairer:
    """Repairs texts with a proposer; keeps every state and answer it has met, so keep it for a few hundred texts."""

    def __init__(
        self,
        proposer: Proposer,
        tokenizer: CodeTokenizer,
        threshold: float,
        max_passes: int = MAX_PASSES,
        answers: Mapping[str, Answer] | None = None,
        *,
        further: float = 0.0,
    ) -> None:
        """threshold: that the `strength` of an edit of code that compiles must exceed.

        further: that its probability must exceed too if one was made.

        answers: of texts that the proposer need not be asked about.
        """
        self.proposer = proposer
        self.tokenizer = tokenizer
        self.threshold = threshold
        self.further = max(threshold, further)
        self.max_passes = max_passes
        self._states = StateMaker(tokenizer)
        self._answers: dict[str, Answer] = dict(answers or {})
        self._compiles: dict[str, bool] = {}

    def repair(self, texts: Sequence[str], allows: Sequence[Allows] | None = None) -> list[Repair]:
        """The answer for each text. Line ends behind the last line are set aside and put back.

        allows: one per text, asked about an edit that would be made of code that compiles (without those line ends);
        where it says no, the next candidate is looked at.
        """
        runs = [self._begin(text, self.max_passes) for text in texts]
        for run, allowed in zip(runs, allows or (), strict=allows is not None):
            run.allows = allowed
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
        are; of the others the best `followed` go on until they compile, `branch_passes` passes at most.
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
        if not state.compiles:
            return self._expand(state, answer, run)
        if not self._choose_careful(state, answer, run):
            return False
        if len(run.passes) >= run.most:
            run.stopped = PASSES_USED
        return len(run.passes) < run.most

    def _expand(self, state: State, answer: Answer, run: _Run) -> bool:
        """For broken code: note where its candidates lead, and go to the most probable text of all that are known."""
        run.expanded += 1
        for option in options(state, answer, self.tokenizer):
            if option.is_edit and option.text not in run.seen:
                run.seen.add(option.text)
                score = run.score + option.candidate.log_probability
                run.frontier.push(Leaf(option.text, (*run.passes, option), score))
        while leaf := run.frontier.pop():
            if self._is_valid(leaf.text):
                run.take(leaf)
                run.confidence = exp(min(run.score, 0.0)) if run.is_branch else run.frontier.share(leaf)
                run.stopped = BRANCH if run.is_branch else PASSES_USED
                return not run.is_branch and len(run.passes) < run.most
            if run.deepest is None or len(leaf.path) > len(run.deepest.path):
                run.deepest = leaf
            may_ask = len(leaf.path) < run.most and run.expanded < EXPANDED
            if may_ask and self._states(leaf.text) is not None:
                run.take(leaf)
                return True
        if run.deepest is not None:
            run.take(run.deepest)
        run.confidence = exp(min(run.score, 0.0))
        used_up = run.expanded >= EXPANDED or len(run.passes) >= run.most
        run.stopped = PASSES_USED if used_up else NO_CANDIDATE
        return False

    def _choose_careful(self, state: State, answer: Answer, run: _Run) -> bool:
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
                if run.allows is not None and not run.allows(option.text):
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

    def _is_strong(self, option: Option, state: State, run: _Run) -> bool:
        probability = option.candidate.probability
        if run.passes and probability <= self.further:
            return False
        return strength(probability, len(state.ids)) > self.threshold

    @staticmethod
    def _stop(run: _Run, why: str, unedited: float) -> None:
        """End a run; where nothing was edited, its confidence is that of 'no edit'."""
        run.stopped = why
        if not run.passes:
            run.confidence = unedited

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
        return Repair(
            text=run.text + run.tail,
            passes=tuple(run.passes),
            certainty=run.certainty if run.asked else 0.0,
            ticks=run.ticks,
            asked=run.asked,
            stopped=run.stopped,
            compiles=self._is_valid(run.text),
            confidence=run.confidence if run.asked else 0.0,
        )

    # --- branches -----------------------------------------------------------------------------------------------

    def _first_edits(self, text: str, repair: Repair) -> tuple[list[Option], list[Option]]:
        """First edits other than the repair's own: those that end a branch at once, and those to follow."""
        body = text.rstrip("\n")
        state, answer = self._states(body), self._answers.get(body)
        if state is None or answer is None:
            return [], []
        taken = {repair.passes[0].text if repair.passes else body}
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
        run.confidence = option.candidate.probability
        if option.is_edit:
            run.take(Leaf(option.text, (option,), option.candidate.log_probability))
            run.seen.add(option.text)
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
    *,
    further: float = 0.0,
) -> list[Repair]:
    """Repair every text; `threshold`: that the `strength` of an edit of code that compiles must exceed.

    `further`: that its probability must exceed too where an edit was made before.
    With branches = k each answer has up to k - 1 `alternatives`, from the other candidates for the first edit.
    """
    repairer = Repairer(proposer, tokenizer, threshold, max_passes, further=further)
    repairs = repairer.repair(texts)
    return repairer.branch(texts, repairs, branches) if branches > 1 else repairs
