# The everyday commands.  `make` alone lists them.
#
# Variables: PYTHON (the interpreter the virtual environment is made of), CONFIG (the directory that `make run` serves),
# CLOCK (where the policy's clock starts: make run CLOCK=2026-11-24T10:00), TESTS (what `make test` runs), PYTEST_ARGUMENTS.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

# The distribution's Python, where it is new enough: it is built with profile-guided optimisation, which the router's
# hot path repays with a third of its time; self-built ones often are not.
PYTHON ?= $(shell /usr/bin/python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
  && echo /usr/bin/python3 || echo python3)
CONFIG ?= config
CLOCK ?=
TESTS ?= tests
PYTEST_ARGUMENTS ?=

VENV := .venv
BIN := $(VENV)/bin
# What the tests run as real peers and tools, by Debian package.
TEST_PACKAGES := sip-tester baresip-core sox iproute2 nftables

# The files name no index and no path, so that everybody's own package index serves.
PIP_COMPILE := CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
  --strip-extras --no-annotate --all-build-deps --no-emit-options

.PHONY: help setup setup-development run test interop check format bench lock test-packages clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.run-time  ## make .venv with the pinned dependencies and the command `renvoi`

setup-development: $(VENV)/.development

run: setup  ## start the router in the foreground with the company in CONFIG
	@exec $(BIN)/renvoi serve --config '$(CONFIG)' $(if $(CLOCK),--clock '$(CLOCK)')

test: test-packages setup-development  ## run the whole suite, real peers included
	$(BIN)/pytest $(PYTEST_ARGUMENTS) $(TESTS)

interop: test-packages setup-development  ## run only the tests with real peers (SIPp, baresip)
	$(BIN)/pytest $(PYTEST_ARGUMENTS) tests/interop

check: setup-development  ## formatting, lint, types, and the rooms' import rules
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup-development  ## put the formatting and the order of imports right
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix --select I .

bench: test-packages setup-development  ## speed and memory; ends with one JSON line
	$(BIN)/python bench/run.py

lock: setup-development  ## choose the newest allowed releases anew and pin them
	$(PIP_COMPILE) --output-file requirements.lock pyproject.toml
	$(PIP_COMPILE) --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml

test-packages:
	@.ci/debian-packages $(TEST_PACKAGES)

clean:  ## remove the virtual environment and every cache
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

# The stamps below are what makes setup quick the second time: each is newer than everything it was made from.

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Renvoi needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo 'not there')." >&2; \
	  echo "Install one and name it: make $(MAKECMDGOALS) PYTHON=python3.11" >&2; exit 1; }
	@# Debian and Ubuntu keep the part of Python that makes virtual environments in a package of its own.
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || .ci/debian-packages \
	  "$$($(PYTHON) -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
	$(PYTHON) -m venv $(VENV)

$(VENV)/.run-time: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.run-time
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	touch $@
