"""Published benchmark suites, read from a copy that the user has: one module a layout, joined in `registry`.

Nothing of any suite ships with this project, and none is for choosing a threshold or a setting: they judge a finished
model (docs/suites.md).
"""
