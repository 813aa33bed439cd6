"""Parts of a model through torch.compile: where kernels are many and small, one made of several saves starting them.

Notable: the modules are compiled in place, so names of weights stay. What a thought shares over its ticks
(`ctm.model.shared`) is Python that a compiler cannot see through; only what lies between is compiled.
"""

from __future__ import annotations

from ctm.model.base import EditModel
from ctm.model.model import CTM


def compile_parts(model: EditModel) -> None:
    """Compile the encoder and, of a CTM, the synapse and the synchronisations; they are built at their first calls."""
    model.backbone.compile(dynamic=True)
    if isinstance(model, CTM):
        model.synapse.compile()
        for synchronization in (model.sync_action, model.sync_out):
            synchronization.compile()
