"""This workflow as a module of another one (`use rule * from ctm as ctm_*`): which rules are ours, and which config.

What is used of Snakemake's workflow here is semi-private; its version is pinned, and tests/workflow/test_module.py
holds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from snakemake.utils import update_config


def own_rules(workflow: Any) -> dict[str, Any]:
    """The rules of this workflow that are in use, by the names that they have here.

    As a module's they may have other names outside, others' rules are not among them, and some of ours may be left out.
    """
    named = {name: proxy.rule for name, proxy in workflow.modifier.rule_proxies._rules.items()}
    return {name: rule for name, rule in named.items() if rule in workflow.modifier.rules}


def declared_rules(workflow: Any) -> set[str]:
    """Names of all rules that this workflow has, those included that another one does not take over."""
    return set(workflow.modifier.rule_proxies._rules)


def own_config(workflow: Any, given: Mapping[str, Any], defaults: Path) -> dict[str, Any]:
    """The config, not yet checked: a module's `config:` takes the place of the config file, so it is laid over it."""
    if not workflow.modifier.skip_configfile:
        return dict(given)
    config: dict[str, Any] = yaml.safe_load(defaults.read_bytes())
    update_config(config, given)
    return config
