"""Where code comes from: installed packages, package releases and git histories.

GitHub search and Stack Overflow dumps are sources of their own that will stand beside these three; each source
writes one Parquet file a shard and one of rejects, and a source that fails never stops the others.
"""
