"""Rewrites of broken code that need no model: what the parser's message or the text itself makes all but certain."""
