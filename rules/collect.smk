# Phase 1: raw dumps, one source a rule. Off, with an issue of its own: collect_github (GitHub's search); its place in
# the config is sources.github.


rule collect_installed:
    output:
        snippets="results/raw/installed/{shard}.parquet",
        rejects="results/raw/installed/{shard}.rejects.parquet",
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
        " --out {output.snippets} --rejects {output.rejects} >> {log} 2>&1"


if CONFIG.sources.releases.enabled:

    rule collect_releases:
        output:
            pairs="results/raw/releases/{shard}.parquet",
            rejects="results/raw/releases/{shard}.rejects.parquet",
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
            " --work {params.work} --out {output.pairs} --rejects {output.rejects} >> {log} 2>&1"


if CONFIG.sources.commits.enabled and CONFIG.sources.commits.repositories:

    rule collect_commits:
        output:
            pairs="results/raw/commits/{shard}.parquet",
            rejects="results/raw/commits/{shard}.rejects.parquet",
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
            work="work/repositories",
        shell:
            "{params.program} {params.repositories:q} --shard {wildcards.shard} --settings {params.settings:q}"
            " --work {params.work} --out {output.pairs} --rejects {output.rejects} >> {log} 2>&1"


if CONFIG.sources.stackoverflow.enabled:

    rule collect_stackoverflow:
        output:
            pairs="results/raw/stackoverflow/{shard}.parquet",
            rejects="results/raw/stackoverflow/{shard}.rejects.parquet",
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
            " --work {params.work} --out {output.pairs} --rejects {output.rejects} >> {log} 2>&1"
