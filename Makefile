# Every target sets up what it needs. A GPU, or a newer PyTorch: make setup TORCH=torch
PYTHON ?= python3
TORCH ?= -r constraints-torch.txt
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup serve build test lint types unit-test docs-test site-test lock clean
# A line of advertisement for another program.
export NO_MKDOCS_2_WARNING := 1

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## make .venv with everything that a contributor needs
.venv/ready: pyproject.toml constraints.txt constraints-torch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	# PyTorch first, by its own pin: asked for as a dependency, pip would pick a build of several GB.
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

serve: setup ## read the site at http://127.0.0.1:8000, rebuilt at every change
	$(BIN)/mkdocs serve

build: setup ## build the site into site/; a warning is an error
	$(BIN)/mkdocs build --strict

test: lint types unit-test docs-test site-test ## everything that a change must pass

lint: setup ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## types of the code
	$(BIN)/mypy

unit-test: setup ## both halves: facts, contract, oracles, docstrings; coverage
	$(BIN)/pytest src/chalkgrad tests --ignore tests/site --cov --cov-report=term

docs-test: setup ## every snippet of every page, in both readings
	$(BIN)/pytest docs README.md

site-test: build ## the built site in a real browser
	$(BIN)/pytest tests/site

lock: setup ## pin what is installed
	$(BIN)/pip freeze --exclude-editable | grep -vE '^(torch|triton|nvidia-.*)==' > constraints.txt

clean: ## remove what the build made
	rm -rf site .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
