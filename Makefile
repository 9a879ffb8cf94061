# One line a target; `make help` lists them. Plain POSIX make and sh.
PYTHON = python3
VENV = .venv
BIN = $(VENV)/bin
FILM =
TORCH_INDEX =
PIP = $(BIN)/python -m pip install --disable-pip-version-check --quiet

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## /\1	/p' Makefile

setup: $(VENV)/.runtime ## make .venv with .venv/bin/scenefer

demo: setup ## build a short demo film, analyse it and say where the report lies
	$(BIN)/python -m scenefer.demo demo
	$(BIN)/scenefer analyze demo/demo.mp4 --intended demo/demo.csv --out reports

film: setup ## analyse a film of yours: make film FILM=path
	@test -n '$(FILM)' || { echo 'say which film: make film FILM=path' >&2; exit 2; }
	$(BIN)/scenefer analyze "$(FILM)"

test: $(VENV)/.dev ## pass the tests, but for the slow ones
	$(BIN)/python -m pytest -q -m 'not slow' -n logical --maxprocesses 4 --dist loadfile

test-slow: $(VENV)/.dev ## pass the slow tests too
	$(BIN)/python -m pytest -q -m slow -n logical --maxprocesses 4 --dist loadfile

check: $(VENV)/.dev ## format, lint and types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/pyright

truth: $(VENV)/.dev ## compare with the hand-made truth of the clips in SCENEFER_FILMS
	$(BIN)/python -m benchmarks.truth
	$(BIN)/python -m benchmarks.people

docs: $(VENV)/.docs ## build the documents as a site: build/site/index.html
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet

format: $(VENV)/.dev ## write the code as `check` wants it
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

clean: ## remove what the targets made, but for reports and the cache
	rm -rf $(VENV) build demo scenefer.egg-info .pytest_cache .ruff_cache .hypothesis

$(VENV)/.python:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "scenefer needs Python 3.11: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	touch $@

$(VENV)/.runtime: $(VENV)/.python pyproject.toml constraints.txt
	test -z '$(TORCH_INDEX)' || $(PIP) --index-url '$(TORCH_INDEX)' -c constraints.txt torch
	$(PIP) -c constraints.txt -e .
	touch $@

$(VENV)/.dev: $(VENV)/.runtime
	$(PIP) -c constraints.txt -e ".[dev]"
	touch $@

$(VENV)/.docs: $(VENV)/.runtime
	$(PIP) -c constraints.txt -e ".[docs]"
	touch $@

.PHONY: help setup demo film test test-slow check truth docs format clean
