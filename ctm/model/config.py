"""Model sizes: one frozen dataclass per kind of model, stored in its weight files; and the terms of its loss."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, get_args

from ctm.bounds import Amount, Few, FewOrNone, Part, Seed, Weight, Width

Pairing = Literal["random-pairing", "random", "first-last"]
PAIRINGS = get_args(Pairing)
Precision = Literal["auto", "float32", "bfloat16"]


@dataclass(frozen=True)
class ModelSizes:
    """What encoder and heads need to know, whatever the model between them is."""

    vocabulary: Width = 8192
    """Tokens, V; set from the tokenizer when training starts."""
    diagnoses: Width = 26
    """Classes of the parser's diagnosis, "none" included."""
    width: Width = 512
    """Width of a cell's encoding, d."""
    blocks: FewOrNone = 1
    """Attention blocks of the backbone; a CTM's has 0 to 4: the thinking belongs to the ticks."""
    heads: Few = 8
    """Attention heads, in the backbone and where the model looks at its cells."""
    kernel: Few = 5
    """Cells that the backbone's local convolution sees, an odd number."""
    ticks: Few = 64
    """Ticks of a thought, T."""
    units: Width = 16
    """Slots of a replacement."""
    dropout: Part = 0.0
    """Dropout in the backbone and, in a CTM, in the synapse and the neuron-level models."""

    @property
    def readout_width(self) -> int:
        """Width of what a tick hands to the heads, n."""
        return self.width

    def lasting(self) -> ModelSizes:
        """The same but for what a stage may change, which is set to its least: equal where weights fit."""
        return replace(self, ticks=1, dropout=0.0)

    def __post_init__(self) -> None:
        """Refuse sizes that no model can have."""
        refuse(
            (self.width % self.heads != 0, f"width {self.width} must be a multiple of heads {self.heads}"),
            ((self.width // self.heads) % 2 != 0, "width / heads must be even (rotary positions)"),
            (self.kernel % 2 != 1, f"kernel {self.kernel} must be odd"),
        )


def refuse(*problems: tuple[bool, str]) -> None:
    """Raise ValueError with the first message whose problem is there."""
    for wrong, message in problems:
        if wrong:
            raise ValueError(f"model: {message}")


@dataclass(frozen=True)
class CTMConfig(ModelSizes):
    """Sizes and variants of a CTM; the defaults are the full-scale model of about 15 M parameters."""

    neurons: Width = 1024
    """Neurons, D."""
    memory: Few = 32
    """Pre-activations that a neuron-level model sees, M."""
    nlm: Literal["deep", "linear"] = "deep"
    """Neuron-level model: "deep" (one hidden layer) or "linear" (the specification's fallback)."""
    nlm_hidden: Width = 32
    """Hidden units of each neuron's private MLP, H."""
    synapse_depth: Few = 4
    """Layers of the synapse U-Net from its full width D down to `synapse_minimum`; 1 is a single layer."""
    synapse_minimum: Width = 16
    """Narrowest width of the synapse U-Net."""
    action_pairs: Width = 512
    """Neuron pairs of the action synchronization, which makes the attention's query."""
    out_pairs: Width = 512
    """Neuron pairs of the output synchronization, which the heads read the answer from."""
    pairing: Pairing = "random-pairing"
    """How pairs are drawn, by the public code's names: "random-pairing" (each pair by itself), "random" (all pairs
    between two drawn sets of neurons), "first-last" (all pairs among the first neurons, and among the last)."""
    self_pairs: Amount = 32
    """Pairs of a neuron with itself in each set, drawn first; only "random-pairing" asks."""
    seed: Seed = 0
    """Draws the pairs; weights come from the training's own seed."""

    def __post_init__(self) -> None:
        """Refuse sizes that no model can have."""
        super().__post_init__()
        refuse(
            (not 0 <= self.blocks <= 4, f"blocks {self.blocks} must be 0 to 4"),
            (self.nlm not in ("deep", "linear"), f"nlm {self.nlm!r} must be 'deep' or 'linear'"),
            (self.pairing not in PAIRINGS, f"pairing {self.pairing!r} must be one of {', '.join(PAIRINGS)}"),
            (
                min(self.ticks, self.memory) < 1,
                f"ticks is {self.ticks} and memory is {self.memory}; both must be at least 1",
            ),
            (
                self.self_pairs > min(self.action_pairs, self.out_pairs),
                f"self_pairs is {self.self_pairs}; it must be at most action_pairs ({self.action_pairs}) "
                f"and out_pairs ({self.out_pairs})",
            ),
        )

    def lasting(self) -> CTMConfig:
        """See `ModelSizes.lasting`; the memory may grow, too."""
        return replace(self, ticks=1, dropout=0.0, memory=1)

    @property
    def readout_width(self) -> int:
        """Width of the synchronization that the heads read."""
        return self.out_pairs


@dataclass(frozen=True)
class TRMConfig(ModelSizes):
    """Sizes of a Tiny Recursive Model; the defaults are the full-scale model with a body of about 7 M parameters."""

    blocks: FewOrNone = 0
    """Attention blocks of the backbone; 0: what is thought is thought by the recursive network."""
    layers: Few = 1
    """Layers of the recursive network, each attention and a gated MLP."""
    mlp: Width = 704
    """Hidden units of a layer's gated MLP."""
    updates: Few = 6
    """Updates of the latent state before each one of the answer (the paper's n)."""
    ticks: Few = 8
    """Recursions, each supervised (the paper's deep supervision); a tick is one of them."""

    def __post_init__(self) -> None:
        """Refuse sizes that no model can have."""
        super().__post_init__()
        refuse(
            (self.blocks < 0, f"blocks {self.blocks} must be at least 0"),
            (
                min(self.layers, self.updates, self.ticks, self.mlp) < 1,
                "layers, mlp, updates and ticks must be at least 1",
            ),
        )

    @property
    def readout_width(self) -> int:
        """The cell END, and the answer averaged over each of the two pointers: three cells."""
        return 3 * self.width


@dataclass(frozen=True)
class TransformerConfig(ModelSizes):
    """Sizes of a plain transformer: the backbone with more blocks, one look at its cells, the same heads."""

    blocks: FewOrNone = 4
    """Attention blocks of the backbone: as many as make its compute the other model's."""
    ticks: Few = 1
    """Always 1: it has no recurrence."""

    def __post_init__(self) -> None:
        """Refuse sizes that no model can have."""
        super().__post_init__()
        refuse(
            (self.blocks < 1, f"blocks {self.blocks} must be at least 1"),
            (self.ticks != 1, f"ticks is {self.ticks}; a plain transformer has exactly 1"),
        )


@dataclass(frozen=True)
class LossTerms:
    """Weights of terms that a model may have in its loss; one that it does not have counts for nothing."""

    diversity: Weight = 0.0
    """Against collapse of the synchronization."""
    later_ticks: Weight = 0.0
    """Of the loss at a tick drawn at random, later ones likelier."""


NO_TERMS = LossTerms()
