"""Where code comes from: clean code (installed or pinned packages) and real fixes (git histories, also of repositories
that GitHub's search finds, package releases, Stack Overflow).

`git`, `releases`, `stackoverflow` and `clean_code` collect; `changes`, `pypi`, `rest` and `files` are what they share.
Each source writes one Parquet file a shard and one of rejects, and a source that fails never stops the others.
"""
