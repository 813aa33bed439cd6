"""Kinds of bugs that open a weakness, and the rules that recognize one.

The rules (`rules`, from `calls`, `places` and `texts`) decide whether a pair repairs a weakness. The kinds
(`injection`, `secrets`, `settings`, `strings`) are patterns (`rewrite`) that `write` turns into pairs, in the snippet's
own code (`visible`).
"""
