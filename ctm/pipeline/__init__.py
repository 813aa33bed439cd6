"""The workflow's side of the package: config, lineage, budget, report, and the command `ctm-pipeline`.

Only this package knows the config file or Snakemake; nothing in ctm/ outside of it imports it.
"""
