"""The model as ONNX, checked against torch, and the final bundle."""
