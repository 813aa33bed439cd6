"""Where code comes from: installed packages, package releases and git histories, those that GitHub's search finds too.

Stack Overflow dumps are a source of their own that will stand beside these; each source
writes one Parquet file a shard and one of rejects, and a source that fails never stops the others.
"""
