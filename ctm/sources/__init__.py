"""Where code comes from: installed packages, package releases, git histories (also of repositories that GitHub's search
finds) and Stack Overflow dumps.

Each source writes one Parquet file a shard and one of rejects, and a source that fails never stops the others.
"""
