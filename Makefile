# make demo    the whole workflow on two cores: 9 to 16 minutes by the day, 4 GB; results in runs/demo/
# make test    formatters, linters, types, tests, and one tiny run of the whole workflow
# make coverage   the tests, and which statements of ctm/ they run (twice as long) -> runs/coverage/index.html
# make check   the first half of that       make bench   benchmarks/*.py -> results/benchmarks.json
# make million a million synthetic pairs: speed and memory of each step (about 20 minutes) -> runs/million/million.json
# make reference   the model that ships, trained anew: data, four stages, bundle in runs/reference/results/final/ (hours; goes
#              on where it was stopped; SCALE=small is a fiftieth of it, in minutes)
# make ship RUN=runs/reference NAME=small VERSION=2 CUTOFF=2026-11-28    its bundle, prepared, into ctm/pretrained/
# make wheel   the command with its model, as one wheel -> dist/
# make docs    this documentation as a site that opens from disk -> results/docs/index.html
# make dag     pictures of the workflow     make full    the full scale (a machine of 24 cores, 128 GB, 96 GB of vram)
# make ablate SUITE=pairs.jsonl    the demo without one part of its data each, measured on a suite of real code
# make tune    searches the demo's hyper-parameters for an hour, on the data of a finished demo -> runs/tune/table.md
# make compare the CTM against the TRM, a CTM of one tick and a plain transformer, on the data of a finished demo
# make evaluate-real SUITE=pairs.jsonl   a finished demo (or BUNDLE=DIR) on real syntax errors, and on working projects that
#              never trained: what it would change in them, and whether they still work -> runs/real/table.md
# make real-bugs   builds the suite of real logic and security bugs from pinned releases (100 MB) and measures the demo on it,
#              or BUNDLE="OLD NEW": what each proposes on working code at equal recall -> runs/real_bugs/table.md
# make gpu     rates, time by part, memory and precision of the full-scale trainer on a GPU -> runs/gpu/table.md
# make kill-collector REPOSITORY=path       the collector of commits killed 20 times over a real repository: nothing lost
# make kill-trainer       every stage of a tiny curriculum killed at ten random steps: bit-identical ends
# make crate-check RUN=runs/demo   a run's RO-Crate by roc-validator and runcrate, its Croissant by mlcroissant (their own .venv)
# make kill-workflow   KILLS=30 random kills over runs of the test config, each started again: same ends -> runs/kills/table.md
# make budget-loads   LOADS=200 random DAGs, watched while they run: never more in use than the machine has
# sudo make test-slurm    the test config through a SLURM of one node (apt-get install slurmctld slurmd slurm-client munge)
# make test-s3    the test config with its results in a bucket, of a server that it starts itself
# make setup   .venv/ alone              make lock    the pinned versions in envs/ (make lock-docs: those of the site)
# make clean-demo   runs/demo/ removed
#
# Each sets itself up: a virtual environment in .venv, pip only. torch comes from pip's own index unless TORCH_INDEX_URL
# names another (CPU-only, CUDA or ROCm wheels). PYTHON=python3.12 picks the interpreter, HARDWARE=cuda the lock file.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test coverage check bench ablate evaluate-real real-bugs compare tune gpu million reference ship wheel kill-collector kill-trainer kill-workflow budget-loads try-hooks test-slurm test-s3 crate-check docs dag full lock lock-docs setup clean-demo

PYTHON ?= python3
HARDWARE ?= cpu
TORCH ?= 2.13.0
CORES ?= 2
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
TORCH_INDEX := $(if $(TORCH_INDEX_URL),--index-url $(TORCH_INDEX_URL))
SNAKEMAKE := $(BIN)/snakemake
REFERENCE := config/config.yaml config/demo.yaml config/reference.yaml
DEMO := --directory runs/demo --configfile config/config.yaml config/demo.yaml --cores $(CORES)

setup: .venv/.train

.venv/.train: pyproject.toml envs/$(HARDWARE).lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make PYTHON=python3.11")'
	@echo "setting up .venv (about a minute)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(PIP) install --no-compile $(TORCH_INDEX) torch==$(TORCH)
	@$(PIP) install --no-compile -r envs/$(HARDWARE).lock
	@$(PIP) install --no-deps -e .
	@touch $@

.venv/.dev: .venv/.train envs/dev.lock
	@$(PIP) install --no-compile -r envs/dev.lock
	@touch $@

demo: .venv/.train
	@mkdir -p runs/demo
	@$(BIN)/ctm-pipeline run all $(DEMO)
	@$(BIN)/ctm-pipeline summary runs/demo

test: check
	$(BIN)/pytest -n $(CORES) --dist loadfile

check: .venv/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy ctm benchmarks
	$(BIN)/mypy workflow/scripts
	$(BIN)/snakefmt --check Snakefile rules workflow/Snakefile
	$(SNAKEMAKE) --lint

coverage: .venv/.dev
	rm -rf runs/coverage
	mkdir -p runs/coverage
	$(BIN)/coverage run -m pytest -n $(CORES) --dist loadfile
	$(BIN)/coverage combine -q
	$(BIN)/coverage html -q -d runs/coverage --fail-under 0
	$(BIN)/coverage report | tail -n 40

bench: .venv/.dev
	$(BIN)/python benchmarks/run.py

ablate: .venv/.train
	@test -n "$(SUITE)" || { echo "make ablate needs SUITE=FILE, JSON lines as ctm-repair evaluate reads them"; exit 2; }
	$(BIN)/python benchmarks/ablations/run.py $(SUITE)

reference: .venv/.train
ifeq ($(SCALE),small)
	@mkdir -p runs/reference-small
	@$(BIN)/ctm-pipeline run results/final/MODEL_CARD.md --directory runs/reference-small --configfile $(REFERENCE) config/reference_small.yaml --cores $(CORES)
else
	@mkdir -p runs/reference
	@$(BIN)/ctm-pipeline run results/final/MODEL_CARD.md --directory runs/reference --configfile $(REFERENCE) --cores $(CORES)
endif

ship: .venv/.train
	@test -n "$(RUN)" -a -n "$(NAME)" -a -n "$(VERSION)" -a -n "$(CUTOFF)" || { echo "make ship needs RUN=FOLDER NAME=small VERSION=2 CUTOFF=2026-11-28"; exit 2; }
	$(BIN)/python -m ctm.export.shipping "$(RUN)/results/final" "$(RUN)/results/pairs/test.parquet" --name "$(NAME)" --version "$(VERSION)" --cutoff "$(CUTOFF)"

wheel: .venv/.train
	@rm -rf dist build
	@$(BIN)/python -m pip --disable-pip-version-check -q wheel --no-deps -w dist .
	@rm -rf build
	@ls -l dist

# the demo is not made here: a finished one is what is to be measured
evaluate-real: .venv/.train
	$(BIN)/python benchmarks/real/run.py $(if $(SUITE),--suite "$(SUITE)") $(if $(BUNDLE),--bundle "$(BUNDLE)")

real-bugs: .venv/.train
	$(BIN)/python benchmarks/real/bugs.py $(if $(SUITE),--suite "$(SUITE)") $(foreach bundle,$(BUNDLE),--bundle "$(bundle)")

# make tune TUNE="--hours 3 --seconds 240"; samples and time limit of the other: make compare COMPARE="--samples 30000 --minutes 60 --data runs/demo/results"
tune: .venv/.dev
	$(BIN)/python benchmarks/tune/run.py $(TUNE)

compare: .venv/.train
	$(BIN)/python benchmarks/compare/run.py $(COMPARE)

gpu: .venv/.train
	$(BIN)/python benchmarks/gpu/run.py $(GPU)

# memory of each step must not depend on the number of pairs: a quarter of them first, then all
million: .venv/.train
	$(BIN)/python benchmarks/million/run.py --cores $(CORES)

kill-collector: .venv/.dev
	@test -n "$(REPOSITORY)" || { echo "say which: make kill-collector REPOSITORY=/path/to/repository"; exit 2; }
	$(BIN)/python tests/slow/kill_collector.py "$(REPOSITORY)"

kill-trainer: .venv/.dev
	$(BIN)/python tests/slow/kill_trainer.py

kill-workflow: .venv/.dev
	$(BIN)/python tests/slow/kill_workflow.py $(or $(KILLS),30) $(or $(SEED),0) $(or $(MINUTES),120)

budget-loads: .venv/.dev
	$(BIN)/python tests/slow/budget_loads.py $(or $(LOADS),200)

# the hook by pre-commit itself, and the Action's own installation: both fetch packages from PyPI
try-hooks: .venv/.dev
	$(BIN)/python tests/slow/try_hooks.py $(if $(BUNDLE),--bundle "$(BUNDLE)")

# tools of others, which bring forty packages: an environment of its own
crate-check: .venv/crate/.made
	@test -n "$(RUN)" || { echo "say which run: make crate-check RUN=runs/demo"; exit 2; }
	@.venv/crate/bin/python tests/slow/check_crate.py "$(RUN)"

.venv/crate/.made: Makefile
	@$(PYTHON) -m venv .venv/crate
	@.venv/crate/bin/python -m pip --disable-pip-version-check -q install --no-compile roc-validator==0.13.0 runcrate==0.6.2 mlcroissant==1.1.1
	@touch $@

# both compare with the same on this machine alone, bit by bit, and take minutes (docs/clusters.md)
test-slurm: .venv/clusters/.made
	.venv/clusters/bin/python tests/slurm/run.py $(SLURM)

test-s3: .venv/clusters/.made
	.venv/clusters/bin/python tests/s3/run.py $(S3)

# plugins in an environment of their own, on top of .venv: with SLURM's installed, each start of Snakemake looks for it
.venv/clusters/.made: .venv/.train
	@$(PYTHON) -m venv .venv/clusters
	@$(BIN)/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$$(.venv/clusters/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/train.pth"
	@.venv/clusters/bin/python -m pip --disable-pip-version-check -q install 'snakemake-executor-plugin-slurm>=2.8,<3' 'snakemake-storage-plugin-s3>=0.3,<1' 'moto[server]>=5'
	@touch $@

# links that lead nowhere, pages outside the navigation and anything fetched from elsewhere fail it (mkdocs.yml)
docs: .venv/docs/.made
	@NO_MKDOCS_2_WARNING=1 .venv/docs/bin/mkdocs build --quiet
	@echo "results/docs/index.html"

# an environment of its own, without torch
.venv/docs/.made: envs/docs.lock
	@$(PYTHON) -m venv .venv/docs
	@.venv/docs/bin/python -m pip --disable-pip-version-check -q install --no-compile -r envs/docs.lock
	@touch $@

# the DAG of the demo (the full one has hundreds of shards), and the rules. `tred` leaves out an arrow between two rules where
# others lead from one to the other: 46 of 127 are left, as the report and the verdict read from nearly every rule. The
# README's picture is a copy: cp results/dag/rules.svg docs/img/
dag: .venv/.train
	@command -v dot >/dev/null || { echo "make dag needs dot: apt-get install graphviz"; exit 2; }
	@mkdir -p results/dag
	$(SNAKEMAKE) all --forceall --dag --quiet all --configfile config/config.yaml config/demo.yaml | dot -Tsvg > results/dag/dag.svg
	$(SNAKEMAKE) all --forceall --rulegraph --quiet all --configfile config/config.yaml config/demo.yaml | tred | dot -Tsvg > results/dag/rules.svg
	@echo "results/dag/dag.svg results/dag/rules.svg"

# `--resources` with `=`: without it, Snakemake takes the target for a resource
full: .venv/.train
	$(SNAKEMAKE) --cores 24 --resources=vram=96 results/final/ctm.onnx

lock: .venv/.dev
	$(BIN)/python envs/make_lock.py

# the newest that pyproject.toml allows
lock-docs:
	@$(PYTHON) -m venv --clear .venv/docs
	@.venv/docs/bin/python -m pip --disable-pip-version-check -q install 'mkdocs-material>=9.7'
	.venv/docs/bin/python envs/make_lock.py docs

clean-demo:
	rm -rf runs/demo
