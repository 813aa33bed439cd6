"""Options of `fix` that say what is looked at, and the project's file of settings behind them.

The file is read before the other options, as black does it, and becomes their defaults: so the command line wins, and
a value from a file is checked by the same code as one that was typed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ctm.repair.discover import Discovery
from ctm.repair.exclude import default_excludes, excludes_of
from ctm.repair.selection import KINDS, Selection, parse_kinds, select
from ctm.repair.settings import Settings, SettingsError, find_settings, load_settings
from ctm.repair.terminal import PATH, error_exit

_SETTINGS = "ctm.repair.settings"
"""Where the context keeps them."""
_PARAMETERS = {"suggest": "suggesting"}
"""Keys whose parameter of `fix` has another name."""


def _read_settings(context: click.Context, _: click.Parameter, value: Path | None) -> Path | None:
    """Callback of --config, which is called whether it was given or not. Raises Exit."""
    if context.resilient_parsing:
        return value
    if value is not None and context.params.get("isolated"):
        raise error_exit("--config and --isolated: give one of them")
    try:
        if value is not None:
            settings = load_settings(value)
        elif context.params.get("isolated"):
            settings = Settings()
        else:
            settings = find_settings(next(iter(context.params.get("paths") or ()), "-"))
    except SettingsError as error:
        raise error_exit(str(error)) from error
    context.meta[_SETTINGS] = settings
    context.default_map = {**(context.default_map or {}), **_as_defaults(settings)}
    return value


def _as_defaults(settings: Settings) -> dict[str, Any]:
    """By parameter; patterns are left out, since they are relative to the file."""
    return {
        _PARAMETERS.get(key, key.replace("-", "_")): value
        for key, value in settings.values.items()
        if key not in ("exclude", "extend-exclude")
    }


def _refuse_both(context: click.Context, _: click.Parameter, value: bool) -> bool:
    """Callback of --isolated, for the order in which --config comes first."""
    if value and context.params.get("config") is not None:
        raise error_exit("--config and --isolated: give one of them")
    return value


def _check_kinds(_: click.Context, __: click.Parameter, value: Sequence[str]) -> list[str] | None:
    """Callback of --select. Raises click.BadParameter."""
    try:
        return parse_kinds(list(value)) if value else None
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


paths_argument = click.argument(
    "paths",
    nargs=-1,
    required=True,
    metavar="PATH...",
    is_eager=True,  # the file of settings is looked for above the first one
)
isolated_option = click.option(
    "--isolated", is_flag=True, is_eager=True, callback=_refuse_both, help="Look for no file of settings."
)
config_option = click.option(
    "--config",
    type=PATH,
    is_eager=True,
    callback=_read_settings,
    metavar="FILE",
    help="File of settings; default: the nearest ctm-repair.toml or pyproject.toml above the first path.",
)
exclude_option = click.option(
    "--exclude",
    multiple=True,
    metavar="PATTERN",
    help="Leave out what a pattern as in .gitignore matches, in place of build, dist, venv and the like; repeatable.",
)
extend_exclude_option = click.option(
    "--extend-exclude", multiple=True, metavar="PATTERN", help="Leave that out besides; repeatable."
)
force_exclude_option = click.option(
    "--force-exclude", is_flag=True, help="Leave it out even where it is named as a PATH."
)
no_gitignore_option = click.option(
    "--no-respect-gitignore", is_flag=True, help="Look at what git leaves out, too."
)
select_option = click.option(
    "--select",
    multiple=True,
    callback=_check_kinds,
    metavar="KIND",
    help=f"What to propose: {' or '.join(KINDS)}; repeatable, or with commas. Default: syntax.",
)


def make_selection(context: click.Context) -> Selection:
    """What is proposed; a --select that was typed counts more than `suggest` of a file."""
    given = context.params
    typed = {name: _is_typed(context, name) for name in ("select", "suggesting")}
    return select(
        given.get("select"), bool(given.get("suggesting")) and typed["suggesting"] >= typed["select"]
    )


def _is_typed(context: click.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def make_discovery(context: click.Context) -> Discovery:
    """What is looked at, after the options of a call of `fix` and its file of settings."""
    settings: Settings = context.meta[_SETTINGS]
    given = context.params

    def patterns(key: str) -> Any:
        return excludes_of(settings.values.get(key, ()), settings.folder, is_local=True)

    if typed := given.get("exclude"):
        excludes = excludes_of(typed, ".")
    elif "exclude" in settings.values:
        excludes = patterns("exclude")
    else:
        excludes = default_excludes(settings.folder)
    return Discovery(
        excludes=excludes + patterns("extend-exclude") + excludes_of(given.get("extend_exclude") or (), "."),
        force_exclude=bool(given.get("force_exclude")),
        respect_gitignore=not given.get("no_respect_gitignore"),
    )
