# Phase 1: raw dumps, one source a rule.


if CONFIG.sources.installed.enabled:

    rule collect_installed:
        output:
            snippets="results/raw/installed/{shard}.parquet",
            rejects="results/raw/installed/{shard}.rejects.parquet",
            counts="results/raw/installed/{shard}.counts.json",
        log:
            "logs/collect_installed/{shard}.log",
        benchmark:
            "logs/collect_installed/{shard}.tsv"
        retries: 1
        conda:
            ENVIRONMENT
        threads: cores("collect_installed")
        resources:
            **res("collect_installed"),
        params:
            lineage=lineage("collect_installed"),
            program=program("collect_installed"),
            settings=settings("sources.installed"),
        shell:
            "{params.program} --shard {wildcards.shard} --settings {params.settings:q}"
            " --out {output.snippets} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if CONFIG.sources.packages.enabled:

    rule collect_packages:
        output:
            snippets="results/raw/packages/{shard}.parquet",
            rejects="results/raw/packages/{shard}.rejects.parquet",
            counts="results/raw/packages/{shard}.counts.json",
        log:
            "logs/collect_packages/{shard}.log",
        benchmark:
            "logs/collect_packages/{shard}.tsv"
        retries: 2
        conda:
            ENVIRONMENT
        threads: cores("collect_packages")
        resources:
            **res("collect_packages"),
        params:
            lineage=lineage("collect_packages"),
            program=program("collect_packages"),
            settings=settings("sources.packages"),
            corpus=checkout(CONFIG.sources.packages.pins),
            work="work/packages",
        shell:
            "{params.program} --corpus {params.corpus:q} --shard {wildcards.shard} --settings {params.settings:q}"
            " --work {params.work} --out {output.snippets} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if CONFIG.sources.releases.enabled:

    rule collect_releases:
        output:
            pairs="results/raw/releases/{shard}.parquet",
            rejects="results/raw/releases/{shard}.rejects.parquet",
            counts="results/raw/releases/{shard}.counts.json",
        log:
            "logs/collect_releases/{shard}.log",
        benchmark:
            "logs/collect_releases/{shard}.tsv"
        retries: 2
        conda:
            ENVIRONMENT
        threads: cores("collect_releases")
        resources:
            **res("collect_releases"),
        params:
            lineage=lineage("collect_releases"),
            program=program("collect_releases"),
            settings=settings("sources.releases"),
            pins=checkout(CONFIG.sources.releases.pins),
            work="work/wheels",
        shell:
            "{params.program} --pins {params.pins:q} --shard {wildcards.shard} --settings {params.settings:q}"
            " --work {params.work} --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if "discover_repositories" in LINEAGE.steps:

    rule discover_repositories:
        output:
            listed="results/raw/repositories/repositories.csv",
            rejects="results/raw/repositories/rejects.parquet",
            counts="results/raw/repositories/counts.json",
        log:
            "logs/discover_repositories.log",
        benchmark:
            "logs/discover_repositories.tsv"
        retries: 2
        conda:
            ENVIRONMENT
        threads: cores("discover_repositories")
        resources:
            **res("discover_repositories"),
        params:
            lineage=lineage("discover_repositories"),
            program=program("discover_repositories"),
            settings=settings("sources.github"),
            listed=option("--listed", CONFIG.sources.github.listed),
            state=unrecorded(f"{work('discover_repositories')}/search.sqlite"),
            etags="work/github/etags.sqlite",
        shell:
            "{params.program} {params.listed:q} --settings {params.settings:q} --state {params.state}"
            " --etags {params.etags} --out {output.listed} --rejects {output.rejects} --counts {output.counts}"
            " >> {log} 2>&1"


if "collect_commits" in LINEAGE.steps:

    rule collect_commits:
        input:
            listed=found_repositories(),
        output:
            pairs="results/raw/commits/{shard}.parquet",
            rejects="results/raw/commits/{shard}.rejects.parquet",
            counts="results/raw/commits/{shard}.counts.json",
        log:
            "logs/collect_commits/{shard}.log",
        benchmark:
            "logs/collect_commits/{shard}.tsv"
        retries: 2
        conda:
            ENVIRONMENT
        threads: cores("collect_commits")
        resources:
            **res("collect_commits"),
        params:
            lineage=lineage("collect_commits"),
            program=program("collect_commits"),
            settings=settings("sources.commits"),
            repositories=repositories(CONFIG.sources.commits.repositories),
            listed=each("--listed", "listed"),
            work="work/repositories",
            state=unrecorded(work("collect_commits")),
        shell:
            "{params.program} {params.repositories:q} {params.listed} --shard {wildcards.shard}"
            " --settings {params.settings:q} --threads {threads} --work {params.work} --state {params.state}"
            " --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"


if CONFIG.sources.stackoverflow.enabled:

    rule collect_stackoverflow:
        output:
            pairs="results/raw/stackoverflow/{shard}.parquet",
            rejects="results/raw/stackoverflow/{shard}.rejects.parquet",
            counts="results/raw/stackoverflow/{shard}.counts.json",
        log:
            "logs/collect_stackoverflow/{shard}.log",
        benchmark:
            "logs/collect_stackoverflow/{shard}.tsv"
        retries: 1
        conda:
            ENVIRONMENT
        threads: cores("collect_stackoverflow")
        resources:
            **res("collect_stackoverflow"),
        params:
            lineage=lineage("collect_stackoverflow"),
            program=program("collect_stackoverflow"),
            settings=settings("sources.stackoverflow"),
            dump=dump_files(),
            work="work/stackoverflow",
        shell:
            "{params.program} {params.dump:q} --shard {wildcards.shard} --settings {params.settings:q}"
            " --work {params.work} --out {output.pairs} --rejects {output.rejects} --counts {output.counts} >> {log} 2>&1"
