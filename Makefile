# Everything a developer or a newcomer types; each target sets up what it needs.
VENV   := .venv
PYTHON ?= python3
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.ready
DELTA  := io.delta:delta-spark_4.1_2.13:4.4.0

export TZ := UTC

.DEFAULT_GOAL := help
.PHONY: help setup demo test unit test-system lint format schema bench lock clean

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

setup: $(STAMP)  ## make .venv with the locked dependencies, and fetch Delta's jars

$(STAMP): requirements.lock pyproject.toml jobs/setup_delta.py
	@command -v java >/dev/null || test -n "$$JAVA_HOME" || { \
	  echo "Java was not found: install Java 17 or 21, for example with 'apt-get install openjdk-17-jre-headless'."; exit 2; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || { \
	  echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)"; exit 2; }
	test -x $(BIN)/pip || $(PYTHON) -m venv --clear $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	$(BIN)/python jobs/setup_delta.py $(DELTA)
	@touch $@

demo: setup  ## write real data to Delta, run the suite on it, say what to do next
	$(BIN)/python jobs/demo.py

test: setup  ## all tests but the system tests
	$(BIN)/pytest -q tests --ignore=tests/system

unit: setup  ## the tests that need no JVM
	$(BIN)/pytest -q -m "not spark" tests --ignore=tests/system --ignore=tests/jobs

test-system: setup  ## spark-submit, a cluster, Spark Connect, other Sparks, faults, nights of states
	$(BIN)/pytest -q tests/system

lint: setup  ## ruff, mypy, import layers, the committed schema
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(BIN)/sparkguard schema | diff -u conf/suite.schema.json - || { echo "run 'make schema'"; exit 1; }

format: setup  ## let ruff format and fix
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

schema: setup  ## write conf/suite.schema.json
	$(BIN)/sparkguard schema --output conf/suite.schema.json

bench: setup  ## measure against plain Spark and other tools, as ratios (SCALE=1)
	$(BIN)/python bench/duplicate_keys.py --scale $(or $(SCALE),1)
	$(BIN)/python bench/join_reconciliation.py --scale $(or $(SCALE),1)
	$(BIN)/python bench/column_profile.py --scale $(or $(SCALE),1)
	$(BIN)/python bench/drift_states.py --scale $(or $(SCALE),1)

lock:  ## renew requirements.lock (needs uv)
	uv pip compile pyproject.toml --all-extras --group dev --python-version 3.11 --universal --generate-hashes \
	  --no-emit-index-url --custom-compile-command "make lock" --constraint constraints.txt -o requirements.lock

clean:  ## remove what the targets made
	rm -rf $(VENV) .venv-* data results build dist spark-warehouse metastore_db derby.log
	rm -rf .mypy_cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
