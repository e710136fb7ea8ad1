# Everything a person does with this repository. `make` alone says what there is.

PYTHON ?=
VENV   ?= .venv
IN      = $(VENV)/bin/python
MILLRACE_PATH = layers/shared:.

.DEFAULT_GOAL := help
.PHONY: help run demo check test races lock lint clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

help:   ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/local.installed   ## start the whole system on this machine, on port 8787 (PORT=8788: on another)
	@PYTHONPATH=$(MILLRACE_PATH) exec $(IN) -m local.run

demo: $(VENV)/local.installed   ## take jobs through their whole life and show the results
	@PYTHONPATH=$(MILLRACE_PATH) exec $(IN) -m local.demo

check: lint   ## what to run while writing: lint, types, architecture, unit tests, in seconds
	@echo "Unit tests ..."
	@$(IN) -m pytest tests/unit

test: lint   ## the gate, and what CI runs: every check and every test, on SQLite and on PostgreSQL
	@echo "All tests ..."
	@$(IN) -m pytest

races: $(VENV)/tests.installed   ## the race tests in their long form, a minute for each database
	@MILLRACE_RACE_SECONDS=60 $(IN) -m pytest tests/database/test_races.py

lock: $(VENV)/uv.installed   ## compile the requirement files anew (UPGRADE=1: to the newest versions)
	@$(foreach room,tests local layers/shared,$(call compile,$(room)) &&) echo "Compiled. Commit them."

clean:   ## remove what make has made (the virtual environment and the tools' caches)
	@rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache
	@find . -name __pycache__ -type d -not -path './.venv*' -prune -exec rm -rf {} +

lint: $(VENV)/tests.installed
	@echo "Lint, format, types ..."
	@$(IN) -m ruff check --quiet .
	@$(IN) -m ruff format --check --quiet . || { echo "Format them with: $(IN) -m ruff format ."; exit 1; }
	@$(IN) -m mypy --no-error-summary

# Tests first: what they add (boto3, as in the Lambda runtime) limits the versions that the layer may have.
compile = $(IN) -m uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
    --no-annotate $(if $(UPGRADE),$(if $(filter tests,$(1)),--upgrade)) \
    $(if $(filter-out tests,$(1)),-c tests/requirements.txt) $(1)/requirements.in -o $(1)/requirements.txt

# The stamps: a start that has nothing to install does not ask pip.
$(VENV)/local.installed: layers/shared/requirements.txt local/requirements.txt
$(VENV)/tests.installed: layers/shared/requirements.txt local/requirements.txt tests/requirements.txt
$(VENV)/%.installed: %/requirements.txt | $(IN)
	@echo "Installing what $*/requirements.txt lists (about half a minute, once) ..."
	@$(IN) -m pip --disable-pip-version-check -qq install --require-hashes --only-binary :all: \
	    --requirement $<
	@touch $@

$(VENV)/uv.installed: | $(IN)
	@$(IN) -m pip --disable-pip-version-check -qq install uv
	@touch $@

# The first Python that is new enough and can make a virtual environment, or the one named by PYTHON=.
$(IN):
	@for python in $(or $(PYTHON),python3.13 python3.12 python3.11 python3); do \
	    "$$python" -c 'import sys, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue; \
	    echo "Making $(VENV) with $$($$python --version) ..."; \
	    exec "$$python" -m venv --clear $(VENV); \
	done; \
	echo "No Python 3.11 or newer that can make a virtual environment was found$(if $(PYTHON), as $(PYTHON))." >&2; \
	echo "Install one (Debian, Ubuntu: apt-get install python3 python3-venv) or name it: make PYTHON=/path/to/python3" >&2; \
	exit 1
