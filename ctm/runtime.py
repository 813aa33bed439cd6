"""onnxruntime, imported here and nowhere else, with its telemetry off.

Since 1.32 the package makes a device id and a queue of events below ~/.cache/Microsoft when it is imported, and sends
them to its maker. Nobody asked the user. The variable is looked at while the library loads, so it must be set before
the import; a value that the user has set stays. `from ctm.runtime import ort` instead of `import onnxruntime`.
"""

from __future__ import annotations

import os
from pathlib import Path

os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import onnxruntime as ort

__all__ = ["open_graph", "ort"]


def open_graph(path: Path, threads: int, *, is_prepared: bool = False) -> ort.InferenceSession:
    """A graph on the processor. Raises what onnxruntime raises: classes of its own, all straight from Exception.

    is_prepared: it was optimized when it was made (ctm.export.shipping), so that it opens in half the time
    """
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    if is_prepared:
        options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_ENABLE_BASIC
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
