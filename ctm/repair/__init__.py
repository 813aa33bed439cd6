"""Using the model: onnxruntime, candidates checked by the compiler, repair in passes, the command `ctm-repair`."""
