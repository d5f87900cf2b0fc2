# The targets that people and CI call. `make demo` and `make test` need Python 3.11+ and nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
KGRAG := $(BIN)/kgrag
DEMO_KB ?= demo-kb
PYTEST := $(BIN)/python -m pytest
# Processes of `make test`, each with some 2 GB; a file's tests stay in one.
WORKERS ?= 2

.PHONY: env models demo test llama-cpp test-all coverage lint wheel clean

env: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	@echo "installing packages into $(VENV): some minutes the first time"
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[all,dev]'
	@touch $@

# Both models (verified by checksum) and the compiled lexicon, in the user's cache.
models: env
	$(KGRAG) models fetch
	$(KGRAG) vocab build --if-missing

demo: models
	$(BIN)/python examples/demo.py --kb $(DEMO_KB)

test: env
	$(PYTEST) -m "not slow and not server" --numprocesses $(WORKERS) --dist loadfile

# llama.cpp and its server, which the slow tests of language models run; compiles for minutes.
llama-cpp: env
	CMAKE_BUILD_PARALLEL_LEVEL=$(WORKERS) $(BIN)/python -m pip install --quiet \
		--constraint constraints.txt 'llama-cpp-python[server]>=0.3'

test-all: models
	$(PYTEST) -m "slow or server"

coverage: models
	$(PYTEST) --cov --cov-report=term:skip-covered --cov-report=xml

lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

# Built, installed into an environment of its own, and tried from elsewhere.
wheel: env
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .
	$(BIN)/python tests/smoke_wheel.py dist

clean:
	rm -rf $(VENV) $(DEMO_KB) dist .mypy_cache .pytest_cache .ruff_cache
