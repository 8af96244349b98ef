# Two commands for a newcomer: `make demo` and `make test`. Everything else is for working on swarm.
# Needs git, make and Python 3.11 or newer; the rest is set up here.

PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help demo test check fix bench soak pictures clean

help:            ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(READY): pyproject.toml uv.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "swarm needs Python 3.11 or newer; name one with `make PYTHON=python3.12 …`")'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check 'uv>=0.9,<1'
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --locked --inexact --compile-bytecode
	touch $@

demo: $(READY)   ## the main job end to end, without keys: three tasks, a question, a budget stop, merges
	$(BIN)/swarm demo

test: $(READY)   ## every test this machine can run; says loudly what it cannot
	UV_PROJECT_ENVIRONMENT=$(VENV) $(BIN)/uv sync --quiet --locked --inexact --group local-model
	$(BIN)/python -m pytest -n auto --dist loadgroup $(ARGS)

check: $(READY)  ## format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

fix: $(READY)    ## mend what can be mended by machine
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY)  ## ratios against a floor measured in the same run
	$(BIN)/python -m tests.benchmarks

soak: $(READY)   ## concurrent tasks under random faults: how many of each kind were survived
	$(BIN)/python -m tests.soak $(ARGS)

pictures: $(READY) ## draw the screens in docs/ again from the running app
	$(BIN)/python -m tests.support.pictures

clean:           ## remove what these commands made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache dist
