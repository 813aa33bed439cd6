# Phase 1: raw dumps, one source a rule.


if "collect_installed" in STEPS:

    rule collect_installed:
        output:
            snippets="results/raw/installed/{shard}.parquet",
            rejects="results/raw/installed/{shard}.rejects.parquet",
            counts="results/raw/installed/{shard}.counts.json",
        threads: cores("collect_installed")
        resources:
            **demand("collect_installed"),
        shell:
            "{params.program} --shard {wildcards.shard} --settings {params.installed:q}"
            " --out {output.snippets} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if "collect_packages" in STEPS:

    rule collect_packages:
        output:
            snippets="results/raw/packages/{shard}.parquet",
            rejects="results/raw/packages/{shard}.rejects.parquet",
            counts="results/raw/packages/{shard}.counts.json",
        threads: cores("collect_packages")
        resources:
            **demand("collect_packages"),
        shell:
            "{params.program} --corpus {params.corpus:q} --shard {wildcards.shard} --settings {params.packages:q}"
            " --work work/packages --out {output.snippets} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if "collect_releases" in STEPS:

    rule collect_releases:
        output:
            pairs="results/raw/releases/{shard}.parquet",
            rejects="results/raw/releases/{shard}.rejects.parquet",
            counts="results/raw/releases/{shard}.counts.json",
        threads: cores("collect_releases")
        resources:
            **demand("collect_releases"),
        shell:
            "{params.program} --pins {params.pins:q} --shard {wildcards.shard} --settings {params.releases:q}"
            " --work work/wheels --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if "discover_repositories" in STEPS:

    rule discover_repositories:
        output:
            listed="results/raw/repositories/repositories.csv",
            rejects="results/raw/repositories/rejects.parquet",
            counts="results/raw/repositories/counts.json",
        threads: cores("discover_repositories")
        resources:
            **demand("discover_repositories"),
        params:
            listed=option("--listed", CONFIG.sources.github.listed),
            state=unrecorded(f"{work('discover_repositories')}/search.sqlite"),
        shell:
            "{params.program} {params.listed:q} --settings {params.github:q} --state {params.state:q}"
            " --etags work/github/etags.sqlite --out {output.listed} --rejects {output.rejects} --counts {output.counts}"
            " >> {log} 2>&1"


if "collect_commits" in STEPS:

    rule collect_commits:
        input:
            listed=found_repositories(),
        output:
            pairs="results/raw/commits/{shard}.parquet",
            rejects="results/raw/commits/{shard}.rejects.parquet",
            counts="results/raw/commits/{shard}.counts.json",
        threads: cores("collect_commits")
        resources:
            **demand("collect_commits"),
        params:
            repositories=repositories(CONFIG.sources.commits.repositories),
            listed=each("--listed", "listed"),
            state=unrecorded(work("collect_commits")),
        shell:
            "{params.program} {params.repositories:q} {params.listed:q} --shard {wildcards.shard}"
            " --settings {params.commits:q} --threads {threads} --work work/repositories --state {params.state:q}"
            " --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if "collect_stackoverflow" in STEPS:

    rule collect_stackoverflow:
        output:
            pairs="results/raw/stackoverflow/{shard}.parquet",
            rejects="results/raw/stackoverflow/{shard}.rejects.parquet",
            counts="results/raw/stackoverflow/{shard}.counts.json",
        threads: cores("collect_stackoverflow")
        resources:
            **demand("collect_stackoverflow"),
        params:
            dump=dump_files(),
        shell:
            "{params.program} {params.dump:q} --shard {wildcards.shard} --settings {params.stackoverflow:q}"
            " --work work/stackoverflow --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"
