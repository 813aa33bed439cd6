"""Where code comes from: installed packages, package releases, git histories and Stack Overflow dumps.

GitHub search is a source of its own that will stand beside these four; each source writes one Parquet file a shard and
one of rejects, and a source that fails never stops the others.
"""
