# Every target sets up what it needs, once: the first call takes packages from the index, later ones need no network.
#   make run ARGS="--out out"      make test ARGS="-k limits"      make run PYTHON=python3.13 VENV=.venv-3.13

VENV ?= .venv
NPM ?= npm
ARGS ?=
BIN := $(VENV)/bin
LOCK := .ci/requirements.lock
UI_LOCK := .ci/requirements-ui.lock
DEV_LOCK := .ci/requirements-dev.lock
NODE_DIR := tests/agreement
UV := uv==0.13.9

SUPPORTED := import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))
PYTHON ?= $(shell for each in python3.11 python3.12 python3.13 python3; do \
            "$$each" -c '$(SUPPORTED)' 2>/dev/null && { echo "$$each"; break; }; done)
PIP = $(BIN)/python -m pip --disable-pip-version-check --quiet

.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
.PHONY: help run ui test coverage lint format docs proof bench fidelity lock clean

help: ## this list
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16

run: $(VENV)/.run ## run every scenario of scenarios/ and print what the relay would do
	@$(BIN)/relaysim run scenarios $(ARGS)

ui: $(VENV)/.ui ## the dashboard in your browser
	@$(BIN)/relaysim ui $(ARGS)

test: $(VENV)/.dev $(NODE_DIR)/node_modules/.ready ## run the tests on all cores
	@$(BIN)/python -m pytest -n auto --dist worksteal $(ARGS)

coverage: $(VENV)/.dev $(NODE_DIR)/node_modules/.ready ## run the tests and print which lines of sim/ they do not reach
	@rm -f out/coverage/data*
	@COVERAGE_CORE=sysmon $(BIN)/python -m coverage run -m pytest -n auto --dist worksteal $(ARGS)
	@$(BIN)/python -m coverage combine --quiet
	@$(BIN)/python -m coverage report --sort cover

lint: $(VENV)/.dev ## ruff and mypy
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy

format: $(VENV)/.dev ## put the code into its form, and sort its imports
	@$(BIN)/ruff check --fix-only --quiet .
	@$(BIN)/ruff format .

docs: $(VENV)/.dev ## build the documentation into out/docs, without a network; a broken link is an error
	@$(BIN)/python -m sphinx -q -W --keep-going -b html docs out/docs
	@echo "open out/docs/index.html" >&2

proof: $(VENV)/.dev ## forty demands planned, replayed with fresh luck and against cheaper settings; some minutes
	@$(BIN)/python -m tests.proof

bench: $(VENV)/.dev ## messages a second: simulated against a plain SimPy program, live against aiosmtpd; waits at the dashboard
	@$(BIN)/python -m tests.benchmarks.m1
	@$(BIN)/python -m tests.benchmarks.live $(ARGS)
	@$(BIN)/python -m tests.benchmarks.dashboard

fidelity: $(VENV)/.dev $(NODE_DIR)/node_modules/.ready ## the real mail libraries beside their models, as a table
	@$(BIN)/python -m tests.fidelity.table $(ARGS)

lock: ## make the lock files anew, with the newest versions that pyproject.toml allows
	@$(call find_python)
	@test -x .venv-lock/bin/python || "$(PYTHON)" -m venv .venv-lock
	@.venv-lock/bin/python -m pip --disable-pip-version-check --quiet install "$(UV)"
	@$(call compile,$(LOCK))
	@$(call compile,$(UI_LOCK),--extra ui)
	@$(call compile,$(DEV_LOCK),--extra dev)

clean: ## take away everything that make has made
	rm -rf .venv .venv-* $(NODE_DIR)/node_modules out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find sim tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@$(call find_python)
	@echo "make: setting up $(VENV) with $(PYTHON), once" >&2
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.python $(LOCK) pyproject.toml
	@$(PIP) install --require-hashes --requirement $(LOCK)
	@$(PIP) install --no-index --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run $(DEV_LOCK)
	@echo "make: adding the tools of the tests to $(VENV), once" >&2
	@$(PIP) install --require-hashes --requirement $(DEV_LOCK)
	@touch $@

$(VENV)/.ui: $(VENV)/.run $(UI_LOCK)
	@echo "make: adding the dashboard to $(VENV), once" >&2
	@$(PIP) install --require-hashes --requirement $(UI_LOCK)
	@touch $@

# Without node the tests that ask it are skipped and say so; with it, a failure to install is one.
$(NODE_DIR)/node_modules/.ready: $(wildcard $(NODE_DIR)/package-lock.json)
	@if ! command -v node >/dev/null || ! command -v "$(NPM)" >/dev/null; then \
	    echo "make test: node or npm is missing; the tests that need them are skipped" >&2; \
	elif ! (cd $(NODE_DIR) && "$(NPM)" ci --no-audit --no-fund --loglevel=error >&2); then \
	    echo "make test: npm ci failed in $(NODE_DIR) (see above); 'make test NPM=' goes on without it" >&2; exit 1; \
	else touch $@; fi

define find_python
test -n "$(PYTHON)" || { echo "make: no Python 3.11, 3.12 or 3.13 with its venv module was found;" \
  "install one (Debian: python3 and python3-venv) or name it: make PYTHON=path/to/python3.11" >&2; exit 1; }; \
  "$(PYTHON)" -c '$(SUPPORTED)' || { echo "make: $(PYTHON) is not a Python 3.11, 3.12 or 3.13 with its venv module" >&2; exit 1; }
endef

# The markers that only repeat requires-python are taken out: they would make pip skip everything on a wrong Python, silently.
define compile
.venv-lock/bin/uv pip compile pyproject.toml --quiet --upgrade --universal --python-version 3.11 --fork-strategy fewest \
  --generate-hashes --no-emit-index-url --no-emit-find-links --group build $(2) --custom-compile-command "make lock" \
  --output-file $(1) && sed -i.bak "s/ ; python_full_version < '3.14' and / ; /; s/ ; python_full_version < '3.14'//" $(1) && rm $(1).bak
endef
