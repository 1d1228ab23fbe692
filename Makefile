# Every task of this repository, the same on a laptop and in CI. `make help` lists them.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
PYTEST_ARGS ?=
# Under other pins: what their versions can change.
OTHER_PINS := -m "not one_set"
# Downloads are kept in the checkout too, unless the environment names a place they are shared at.
export UV_CACHE_DIR ?= $(CURDIR)/.cache/uv
export PIP_CACHE_DIR ?= $(CURDIR)/.cache/pip

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the commands
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

$(VENV)/.ready: pyproject.toml requirements/constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install -q --disable-pip-version-check uv
	@$(UV) pip install -q --python $(BIN)/python -c requirements/constraints.txt -e '.[all]' --group dev
	@touch $@

.PHONY: setup
setup: $(VENV)/.ready ## the environment, pinned by requirements/constraints.txt

.PHONY: demo
demo: setup ## ingest the example job; correct and replay bad rows; block a broken delivery
	@scripts/demo

.PHONY: ui
ui: setup ## Airflow's web UI with the example tenants; prints address and log-in
	@scripts/ui

.PHONY: services
services: setup ## fetch the servers the tests start (PostgreSQL, object stores, catalogs, Spark, ...)
	@$(BIN)/python -m tests.services install

.PHONY: test
test: setup services ## everything, on real servers
	@$(BIN)/python -m pytest $(PYTEST_ARGS)

.PHONY: test-mwaa
test-mwaa: services .venv-mwaa/.ready ## lake and pipeline under the pins of Amazon MWAA's image (PyIceberg 0.11.1)
	@.venv-mwaa/bin/python -m pytest tests/lake tests/pipeline tests/files $(OTHER_PINS) $(PYTEST_ARGS)

.PHONY: test-lowest
test-lowest: .venv-lowest/.ready ## the Airflow face under the lowest provider versions we declare
	@.venv-lowest/bin/python -m pytest tests/operators tests/dag_factory tests/hooks tests/plugin $(OTHER_PINS) $(PYTEST_ARGS)

.venv-mwaa/.ready: requirements/mwaa-3.3.1.txt
.venv-lowest/.ready: requirements/lowest.txt
.venv-%/.ready: $(VENV)/.ready
	@test -x .venv-$*/bin/python || $(PYTHON) -m venv .venv-$*
	@$(UV) pip install -q --python .venv-$*/bin/python -c $(filter requirements/%,$^) -e '.[all]' --group dev
	@touch $@

.PHONY: crash
N ?= 1000
crash: setup services ## kill N runs at random (default 1000), divided over all worlds, and count rows
	@mkdir -p .cache && rm -f .cache/crash.jsonl
	@DATIVO_CRASH_KILLS=$(N) DATIVO_CRASH_FIGURES=.cache/crash.jsonl \
		$(BIN)/python -m pytest tests/crash -m crash --timeout 36000 \
		-n 2 --dist load --maxschedchunk 1 $(PYTEST_ARGS)

.PHONY: mutants
mutants: setup services ## plant protocol bugs, one at a time; the suites must catch every one
	@$(BIN)/python -m tests.mutants.run

.PHONY: bench
MEASURED := postgres_to_iceberg mysql_read csv_to_iceberg slices merge merge_spark publish startup startup_airflow many_jobs checks engines rest_pages rest_limit rest_latency files_read
bench: setup services ## every benchmark, as ratios in one run; about an hour
	@$(UV) pip install -q --python $(BIN)/python -c requirements/constraints.txt --group bench
	@for each in $(MEASURED) publish_history state_growth row_checks parse_jobs parse_dags; do \
		echo "── $$each"; $(BIN)/python -m benchmarks.$$each || exit 1; done
	@$(BIN)/python -m benchmarks.table

.PHONY: lint
lint: setup ## ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --config setup.cfg

.PHONY: docs
docs: setup ## renew the generated pages of docs/reference
	@$(BIN)/python docs/generate.py
	@$(BIN)/python -m dativo_provider.config.docs docs/reference
	@$(BIN)/python -m dativo_provider.cli.docs

.PHONY: requirements
requirements: setup ## the matrix: requirement id → tests
	@$(BIN)/python -m tests.requirements

.PHONY: pins
pins: setup ## renew requirements/constraints.txt with the newest releases
	@$(UV) pip compile -q --upgrade --universal --python-version 3.11 --no-header --no-annotate pyproject.toml \
		--all-extras --group dev --group bench -o requirements/constraints.txt
