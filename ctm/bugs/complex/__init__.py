"""Kinds of bugs that take more than one short edit to repair: several small bugs, or one long change."""
