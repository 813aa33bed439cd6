"""What the exporter of a bundle and those who load it call its files, and the inputs and outputs of its graph."""

from __future__ import annotations

MODEL, TOKENIZER, CONFIG = "ctm.onnx", "tokenizer.json", "final_config.yaml"
"""What `ctm-repair` needs."""
WEIGHTS, METRICS, CARD = "ctm_code_repair_final.pt", "final_metrics.json", "MODEL_CARD.md"
"""What lies beside it: the weights for torch, the figures, and the page that tells of both."""

INPUTS = ("tokens", "rows", "cols", "lengths", "diagnosis", "threshold", "max_ticks")
"""Types and shapes: ctm.export.graph."""
OUTPUTS = ("spans", "span_log_probability", "units", "unit_log_probability", "certainty", "ticks")
