# Everything a person does with this repository. `make` alone says what there is.

PYTHON ?=
VENV   ?= .venv
IN      = $(VENV)/bin/python
MILLRACE_PATH = layers/shared:.

.DEFAULT_GOAL := help
.PHONY: help run fresh demo check test races kills million metered dbmate sdk schema lock lint clean
.DELETE_ON_ERROR:
MAKEFLAGS += --no-print-directory

help:   ## say what there is
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

run: $(VENV)/local.installed   ## start the whole system on this machine, on port 8787 (PORT=8788: on another; ARGS=--help: options)
	@PYTHONPATH=$(MILLRACE_PATH) exec $(IN) -m local.run $(ARGS)

fresh:   ## start over: throw away what `make run` keeps, backups included (end it first)
	@rm -rf .millrace && echo "Removed .millrace: the next make run begins with new demo data."

demo: $(VENV)/local.installed   ## take evaluations and exports through their whole life, and show what came of them
	@PYTHONPATH=$(MILLRACE_PATH) exec $(IN) -m local.demo

check: lint   ## what to run while writing: lint, types, architecture, unit tests, in seconds
	@echo "Unit tests ..."
	@$(IN) -m pytest tests/unit

test: lint template   ## the gate, and what CI runs: every check and every test, on SQLite and on PostgreSQL
	@echo "All tests ..."
	@$(IN) -m pytest --numprocesses auto --dist loadfile

races: $(VENV)/tests.installed   ## the race tests in their long form, several minutes for each database
	@MILLRACE_RACE_SECONDS=60 $(IN) -m pytest -o faulthandler_timeout=1200 tests/database/test_races.py \
		tests/database/test_quota_races.py tests/database/test_spend_races.py tests/database/test_export_orders.py \
		tests/functions/test_forged_callbacks.py tests/functions/test_misbehaving_provider.py

kills: $(VENV)/tests.installed   ## kill migrations and cutovers at random moments, twenty times each
	@MILLRACE_KILLS=20 $(IN) -m pytest tests/database/test_migrate_races.py tests/database/cutover/test_kills.py

million: $(VENV)/tests.installed   ## copy a million records from SQLite to PostgreSQL: the time and memory it takes
	@$(IN) -m pytest -s tests/database/cutover/million.py

metered: $(VENV)/tests.installed   ## meter a million calls on each database, and add them up
	@$(IN) -m pytest -o faulthandler_timeout=1800 --durations=2 tests/database/million_calls.py

dbmate: $(VENV)/tests.installed $(VENV)/dbmate.installed   ## hold the migrations against dbmate itself (asks for npm)
	@DBMATE=$(VENV)/dbmate/node_modules/.bin/dbmate $(IN) -m pytest tests/dbmate/against_dbmate.py

sdk: $(VENV)/tests.installed $(VENV)/sdk.installed   ## hold the local RunPod against RunPod's own SDK (installs its 90 packages)
	@RUNPOD_PYTHON=$(abspath $(VENV))/sdk/bin/python $(IN) -m pytest tests/runpod_sdk/against_sdk.py

schema: $(VENV)/tests.installed   ## write docs/schema.md and the kept schemas anew, after a new migration
	@PYTHONPATH=$(MILLRACE_PATH) $(IN) -m tests.schema_snapshots

lock: $(VENV)/uv.installed   ## compile the requirement files anew (UPGRADE=1: to the newest versions)
	@$(foreach room,tests local layers/shared gpu tools tools/runtime,$(call compile,$(room)) &&) echo "Compiled. Commit them."

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
    $(if $(filter-out tests tools,$(1)),-c tests/requirements.txt) $(1)/requirements.in -o $(1)/requirements.txt

# The stamps: a start that has nothing to install does not ask pip.
$(VENV)/local.installed: layers/shared/requirements.txt local/requirements.txt
$(VENV)/tests.installed: layers/shared/requirements.txt local/requirements.txt tests/requirements.txt
$(VENV)/%.installed: %/requirements.txt | $(IN)
	@echo "Installing what $*/requirements.txt lists (about half a minute, once) ..."
	@$(IN) -m pip --disable-pip-version-check -qq install --require-hashes --only-binary :all: \
	    --requirement $<
	@touch $@

$(VENV)/dbmate.installed: tests/dbmate/package.json tests/dbmate/package-lock.json | $(IN)
	@mkdir -p $(VENV)/dbmate && cp $^ $(VENV)/dbmate
	@npm install --prefix $(VENV)/dbmate --no-audit --no-fund --loglevel=error
	@touch $@

# In the versions that the render worker's image has.
$(VENV)/sdk.installed: gpu/requirements.txt | $(IN)
	@echo "Installing what $< lists into $(VENV)/sdk (a minute or more, once) ..."
	@$(IN) -m venv --clear $(VENV)/sdk
	@$(VENV)/sdk/bin/python -m pip --disable-pip-version-check -qq install --require-hashes \
	    --only-binary :all: --requirement $<
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

# The cloud side. sam has an environment of its own; what the Lambda runtime has, the emulator's functions need.
SAM = .venv-sam
.PHONY: build invoke deploy stages destroy template tools

build: tools   ## what `sam deploy` deploys: the layer and the functions, for Lambda's platform
	@MAKEFLAGS= SAM_CLI_TELEMETRY=0 PIP="$(abspath $(SAM))/bin/python -m pip" $(SAM)/bin/sam build

invoke: $(VENV)/local.installed tools   ## run built functions: FUNCTION=create_job EVENT=minimal, or all
	@PYTHONPATH=$(MILLRACE_PATH) $(IN) -m local.invoke "$(FUNCTION)" "$(EVENT)"

template: tools   ## lint template.yaml, as it is written and as what SAM makes of it
	@echo "Template ..."
	@$(SAM)/bin/python tools/check_template.py

# How far and with what: samconfig.toml. docs/deploy.md tells what happens.
STAGE ?= dev
deploy: stages build   ## check the stages, build, then deploy to AWS: STAGE=dev, staging or prod
	@SAM_CLI_TELEMETRY=0 $(SAM)/bin/sam deploy --config-env $(STAGE)
	@$(SAM)/bin/python tools/stage.py deployed millrace-$(STAGE)

# It installs what bin/millrace --stack needs, too.
stages: $(VENV)/tests.installed
	@$(IN) -m pytest tests/unit/template/test_stages.py

destroy: tools   ## take a stage away from AWS: asks first, and leaves a snapshot, the bucket and the pepper
	@$(SAM)/bin/python tools/stage.py destroy millrace-$(STAGE)
	@SAM_CLI_TELEMETRY=0 $(SAM)/bin/sam delete --stack-name millrace-$(STAGE)

bench: $(VENV)/local.installed tools   ## what a cold start costs, written to docs/performance.md
	@PYTHONPATH=$(MILLRACE_PATH) $(IN) -m bench.cold_start --write

describe: $(VENV)/local.installed   ## write docs/openapi.json and what is served at /docs anew, from the code
	@PYTHONPATH=$(MILLRACE_PATH) $(IN) -m local.openapi.write

tools: $(SAM)/tools.installed $(SAM)/runtime.installed

# Everything is in the list, so pip need not look for more: it cannot match hashes with extras such as boto3[crt].
$(SAM)/tools.installed: tools/requirements.txt | $(IN)
	@echo "Installing what tools/requirements.txt lists into $(SAM) (about a minute, once) ..."
	@$(IN) -m venv --clear $(SAM)
	@$(SAM)/bin/python -m pip --disable-pip-version-check -qq install --require-hashes --only-binary :all: \
	    --no-deps --requirement $<
	@touch $@

$(SAM)/runtime.installed: tools/runtime/requirements.txt $(SAM)/tools.installed
	@rm -rf $(SAM)/runtime
	@$(SAM)/bin/python -m pip --disable-pip-version-check -qq install --require-hashes --only-binary :all: \
	    --no-deps --no-warn-conflicts --target $(SAM)/runtime --requirement $<
	@touch $@
