# Every target sets up what it needs. A GPU, or a newer PyTorch: make setup TORCH=torch
PYTHON ?= python3
TORCH ?= -r constraints-torch.txt
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup test lint types unit-test lock clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## make .venv with everything that a contributor needs
.venv/ready: pyproject.toml constraints.txt constraints-torch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	# PyTorch first, by its own pin: asked for as a dependency, pip would pick a build of several GB.
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

test: lint types unit-test ## everything that a change must pass

lint: setup ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## types of the code
	$(BIN)/mypy

unit-test: setup ## both halves: facts, contract, oracles, docstrings; coverage
	$(BIN)/pytest src/chalkgrad tests --cov --cov-report=term

lock: setup ## pin what is installed
	$(BIN)/pip freeze --exclude-editable | grep -vE '^(torch|triton|nvidia-.*)==' > constraints.txt

clean: ## remove what the build made
	rm -rf .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
