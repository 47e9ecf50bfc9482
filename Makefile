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
# Tests beside each other: most of them wait for sound, for peers and for time to pass.
WORKERS ?= 3
PYTEST_ARGUMENTS ?=

VENV := .venv
HAS_HEADERS := import os, sysconfig, sys; sys.exit(not os.path.exists(sysconfig.get_paths()["include"] + "/Python.h"))
BIN := $(VENV)/bin
# What the tests run as real peers and tools, by Debian package.
TEST_PACKAGES := sip-tester baresip-core sox iproute2 nftables espeak-ng rtpengine-daemon

# The files name no index and no path, so that everybody's own package index serves.
PIP_COMPILE := CUSTOM_COMPILE_COMMAND='make lock' $(BIN)/pip-compile --quiet --upgrade --generate-hashes --allow-unsafe \
  --strip-extras --no-annotate --all-build-deps --no-emit-options

# What is compiled (see setup.py), and what compiling takes.
HOT_PATH := $(wildcard router/sip/*.py router/policy/*.py router/calls/*.py) router/model/tally.py \
  router/observe/records.py router/transport/drive.py router/transport/udp.py \
  $(patsubst %,router/media/%.py,arrivals endpoint line pacer receiver rtp sender telephone_event track)

.PHONY: help setup setup-development native pure run test interop check format bench lock test-packages clean

help:  ## list these commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 20

setup: $(VENV)/.run-time $(VENV)/.native  ## make .venv with the pinned dependencies and the command `renvoi`

setup-development: $(VENV)/.development $(VENV)/.native

native: $(VENV)/.native  ## compile the hot path to native code (a minute; `make setup` does it too)

pure:  ## remove what was compiled, so that the sources run as they are (`touch .venv/.native` keeps it so)
	find router -name '*.so' -delete
	rm -f router/compiled.json $(VENV)/.native

run: setup  ## start the router in the foreground with the company in CONFIG
	@exec $(BIN)/renvoi serve --config '$(CONFIG)' $(if $(CLOCK),--clock '$(CLOCK)')

test: test-packages setup-development  ## run the whole suite, real peers included
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile $(PYTEST_ARGUMENTS) $(TESTS)

interop: test-packages setup-development  ## run only the tests with real peers (SIPp, baresip)
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile $(PYTEST_ARGUMENTS) tests/interop

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
	$(PIP_COMPILE) --extra native --constraint requirements-dev.lock --output-file requirements-native.lock pyproject.toml

test-packages:
	@.ci/debian-packages $(TEST_PACKAGES)

clean: pure  ## remove the virtual environment, what was compiled, and every cache
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

# Without a C compiler or Python's headers, and without apt-get to install them, the router runs interpreted.
$(VENV)/.native: $(HOT_PATH) setup.py router/native.py requirements-native.lock | $(VENV)/.run-time
	@find router -name '*.so' -delete; rm -f router/compiled.json
	@if command -v cc >/dev/null && $(BIN)/python -c '$(HAS_HEADERS)' || .ci/debian-packages gcc libc6-dev \
	  "$$($(BIN)/python -c 'import sys; print("python%d.%d-dev" % sys.version_info[:2])')"; then \
	  echo "Compiling the hot path: this takes a minute."; \
	  $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    --requirement requirements-native.lock && \
	  RENVOI_COMPILE=1 $(BIN)/python setup.py --quiet build_ext --inplace >$(VENV)/native.log 2>&1 || { \
	    tail -n 20 $(VENV)/native.log >&2; find router -name '*.so' -delete; rm -f router/compiled.json; \
	    echo "The hot path could not be compiled (all of it: $(VENV)/native.log); the router runs interpreted." >&2; }; \
	else echo "No C compiler: the router runs interpreted, at half the speed." >&2; fi
	@rm -rf build
	@touch $@

$(VENV)/.development: requirements-dev.lock $(VENV)/.run-time
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements-dev.lock
	touch $@
