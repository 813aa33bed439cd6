"""The Continuous Thought Machine (arXiv 2505.05522) over packed code cells, with an edit as its answer."""
