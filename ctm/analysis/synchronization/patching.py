"""Is it causal? The state of a thought about broken code is replaced by that about its repaired twin.

If the synchronization carries "there is nothing to repair", a thought about broken code goes on to 'no edit' with the
twin's state in it, and does not with the state about other code. All of the state is patched (trace, neurons, both
sums) after tick t; the ticks behind it attend to the broken code again. The answer is read at the last tick.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ctm.analysis.settings import SynchronizationSettings
from ctm.analysis.synchronization.category import some_ticks
from ctm.evaluation.estimates import Resampling
from ctm.evaluation.thoughts import AskedItems
from ctm.evaluation.twins import TwinItem, twin_batches, twins_of
from ctm.model.decoding import STOP, best_spans, likeliest_units
from ctm.model.model import CTM, CTMEncoding, CTMState

TICKS = 5
"""Ticks after which the state is patched, evenly from the first to the last."""
ITSELF, ITS_TWIN, ANOTHERS_TWIN, ANOTHERS_BROKEN = (
    "itself",
    "its twin",
    "another's twin",
    "another's broken text",
)
DONORS = (ITSELF, ITS_TWIN, ANOTHERS_TWIN, ANOTHERS_BROKEN)
MORE, MORE_THAN_BROKEN = "its twin more than another's", "its twin more than another's broken text"
BACK = "edit for the twin, by its broken text"
"""The other way round: the thought about the repaired text goes on from the state about the broken one."""
Said = NDArray[np.float64]


def patching_figures(model: CTM, items: AskedItems, settings: SynchronizationSettings) -> dict[str, Any]:
    """How often the answer becomes 'no edit', by tick and donor, of the items whose broken text gets an edit.

    Taken are items of one edit whose two texts have equally many cells, so that every cell behind the span is where it
    was; of these, the ones where the model edits the broken text and leaves the twin alone.
    """
    twins, left_out = twins_of(items)
    projects = [twin.project for twin in twins]
    ticks = some_ticks(model.config.ticks, TICKS)
    head: dict[str, Any] = {"twins": len(twins), "left out": left_out}
    if len(twins) < 2:
        return {
            **head,
            "n": 0,
            "why": f"{len(twins)} items have a twin of equally many cells; two are needed",
        }
    broken, repaired, patched = _said_no_edit(model, twins, ticks)
    usable = ~broken & repaired
    head |= {
        "no edit for the broken text": Resampling(projects).share(broken),
        "no edit for the twin": Resampling(projects).share(repaired),
        "n": int(usable.sum()),
    }
    if usable.sum() < settings.fewest:
        return {**head, "why": f"the model edits the broken text and leaves the twin alone for {usable.sum()} items, "
                f"fewer than {settings.fewest}"}  # fmt: skip
    resampling = Resampling([projects[place] for place in np.flatnonzero(usable)])
    rows = []
    for place, tick in enumerate(ticks):
        of = {donor: patched[donor][usable, place] for donor in DONORS}
        rows.append(
            {
                "tick": tick + 1,
                **{donor: resampling.share(values) for donor, values in of.items()},
                BACK: resampling.share(1 - patched[BACK][usable, place]),
                MORE: resampling.difference(of[ITS_TWIN], of[ANOTHERS_TWIN]),
                MORE_THAN_BROKEN: resampling.difference(of[ITS_TWIN], of[ANOTHERS_BROKEN]),
            }
        )
    categories = Counter(twins[place].category for place in np.flatnonzero(usable))
    return {**head, "categories": dict(categories), "by tick": rows}


@torch.inference_mode()
def _said_no_edit(
    model: CTM, twins: Sequence[TwinItem], ticks: Sequence[int]
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], dict[str, Said]]:
    """Whether 'no edit' is said of the broken text [n], of the twin [n], and by donor with each patch [n, ticks]."""
    n = len(twins)
    broken, repaired = np.zeros(n, bool), np.zeros(n, bool)
    patched = {donor: np.zeros((n, len(ticks))) for donor in (*DONORS, BACK)}
    for places, of_broken, of_twin in twin_batches(model, twins):
        own, answer = think_through(model, of_broken)
        other, answer_of_twin = think_through(model, of_twin)
        broken[places] = says_no_edit(model, answer, of_broken)
        repaired[places] = says_no_edit(model, answer_of_twin, of_twin)
        donors = {
            ITSELF: own,
            ITS_TWIN: other,
            ANOTHERS_TWIN: [next_one(state) for state in other],
            ANOTHERS_BROKEN: [next_one(state) for state in own],
        }
        for donor, states in donors.items():
            for column, tick in enumerate(ticks):
                readout = after_more_ticks(model, states[tick], of_broken, model.config.ticks - 1 - tick)
                patched[donor][places, column] = says_no_edit(model, readout, of_broken)
        for column, tick in enumerate(ticks):
            readout = after_more_ticks(model, own[tick], of_twin, model.config.ticks - 1 - tick)
            patched[BACK][places, column] = says_no_edit(model, readout, of_twin)
    return broken, repaired, patched


def think_through(model: CTM, encoding: CTMEncoding) -> tuple[list[CTMState], Tensor]:
    """The state after every tick, and S_out of the last, [B, n_out]."""
    state, states = model.initial_state(encoding), []
    for _ in range(model.config.ticks):
        state, _ = model.step(state, encoding)
        states.append(state)
    return states, readout_of(state)


def after_more_ticks(model: CTM, state: CTMState, encoding: CTMEncoding, ticks: int) -> Tensor:
    """S_out [B, n_out] after so many more ticks (0: of the state itself)."""
    for _ in range(ticks):
        state, _ = model.step(state, encoding)
    return readout_of(state)


def readout_of(state: CTMState) -> Tensor:
    """S_out [B, n_out] of a state, as its tick read it."""
    return state.alpha_out * torch.rsqrt(state.beta_out)


def next_one(state: CTMState) -> CTMState:
    """The state of the batch's next sample in place of each one's own; the betas are of all samples."""
    assert isinstance(state.trace, Tensor)
    return state._replace(
        trace=state.trace.roll(1, 2), z=state.z.roll(1, 0), alpha_action=state.alpha_action.roll(1, 0),
        alpha_out=state.alpha_out.roll(1, 0),
    )  # fmt: skip


def says_no_edit(model: CTM, readout: Tensor, encoding: CTMEncoding) -> NDArray[np.bool_]:
    """Whether the likeliest edit is the empty span at END that becomes nothing, [B]."""
    pointers, _ = model.predict_span(readout[:, None], encoding)
    spans, _ = best_spans(pointers[:, 0], 1)
    units = likeliest_units(model, readout, encoding, spans)
    at_end = (spans[:, 0] == encoding.lengths[:, None] - 1).all(dim=1)
    said: NDArray[np.bool_] = (at_end & (units[:, 0, 0] == STOP)).cpu().numpy()
    return said
