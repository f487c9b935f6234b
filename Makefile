# Every target sets up what it needs. A GPU, or a newer PyTorch: make setup TORCH=torch
PYTHON ?= python3
TORCH ?= -r constraints-torch.txt
BIN := .venv/bin
export NO_MKDOCS_2_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help setup serve build test lint types unit-test docs-test site-test bench gpu lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## make .venv with everything that a contributor needs
.venv/ready: pyproject.toml constraints.txt constraints-torch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	# PyTorch first, by its own pin: asked for as a dependency, pip would pick a build of several GB.
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

serve: setup ## read the site on this machine, live
	$(BIN)/mkdocs serve

build: setup ## build the site into site/; any warning fails
	$(BIN)/mkdocs build --strict

test: lint types unit-test docs-test build site-test ## everything that a change must pass

lint: setup ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## types of the code
	$(BIN)/mypy

unit-test: setup ## both halves: facts, contract, oracles, docstrings; coverage
	$(BIN)/pytest src/chalkgrad tests/topics tests/pairs tests/oracles tests/docs --cov --cov-report=term

docs-test: setup ## read every page twice: with the NumPy tabs, with the PyTorch tabs
	$(BIN)/pytest docs README.md

site-test: build ## open the built site in Chromium
	$(BIN)/pytest tests/site

bench: setup ## time ours beside its peers, in one run
	$(BIN)/python -m benchmarks

gpu: setup ## on a machine with a GPU: both contracts on it, then the benchmarks
	$(BIN)/pytest tests/pairs docs --device=cuda
	$(BIN)/python -m benchmarks --device=cuda

lock: setup ## pin what is installed
	$(BIN)/pip freeze --exclude-editable | grep -vE '^(torch|triton|nvidia-.*)==' > constraints.txt

clean: ## remove what the build made
	rm -rf site .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
