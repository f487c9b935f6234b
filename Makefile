# Every target sets up what it needs. A GPU, or a newer PyTorch: make setup TORCH=torch
PYTHON ?= python3
TORCH ?= -r constraints-torch.txt
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup serve build test lint types unit-test docs-test torture site-test look-test copy-test run-test zensical lighthouse numpy-only parity bench gpu lock clean
# A line of advertisement for another program.
export NO_MKDOCS_2_WARNING := 1
# The arrays of the tests are small: more threads would mostly wait for each other.
export OMP_NUM_THREADS ?= 1

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/ready ## make .venv with everything that a contributor needs
.venv/ready: pyproject.toml constraints.txt constraints-torch.txt
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	# PyTorch first, by its own pin: asked for as a dependency, pip would pick a build of several GB.
	$(BIN)/pip install --quiet $(TORCH)
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@

# What the site and its tests take from npm. A site without it lacks only Python in the page.
node_modules/.package-lock.json: package-lock.json
	@if command -v npm > /dev/null; then npm ci --loglevel=error --no-progress && touch $@; \
	else echo "npm is not on this machine: the site is built without Python in its pages"; fi

serve: setup node_modules/.package-lock.json ## read the site at http://127.0.0.1:8000, rebuilt at every change
	$(BIN)/python -m chalkdocs.runtime
	$(BIN)/mkdocs serve

build: setup node_modules/.package-lock.json ## build the site into site/; a warning is an error
	$(BIN)/python -m chalkdocs.runtime
	$(BIN)/mkdocs build --strict
	$(BIN)/python -m chalkdocs.finish site

test: site-test lint types unit-test docs-test ## everything that a change must pass

lint: setup ## style of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup ## types of the code
	$(BIN)/mypy

unit-test: setup ## both halves: facts, contract, oracles, docstrings; coverage
	$(BIN)/pytest src/chalkgrad tests --ignore tests/site --cov --cov-report=term

docs-test: setup ## every snippet of every page, in both readings
	$(BIN)/pytest docs README.md

torture: setup ## checkpoints: every kill, every full disk, every flipped bit; minutes
	TORTURE=1 $(BIN)/pytest tests/robustness

site-test: look-test copy-test run-test ## the built site in a real browser

look-test: build ## how the site looks and behaves: every page, every widget
	$(BIN)/pytest tests/site --ignore tests/site/test_copies.py --ignore tests/site/test_run.py \
		--ignore tests/site/test_lighthouse.py

copy-test: build ## what every copy button copies, run in both halves
	$(BIN)/pytest tests/site/test_copies.py

run-test: build ## the third reading: Python in the page runs every snippet
	$(BIN)/pytest tests/site/test_run.py

ZENSICAL := .cache/zensical
zensical: setup node_modules/.package-lock.json ## the same pages built by another engine
	test -d $(ZENSICAL)/zensical || $(BIN)/pip install --quiet --target $(ZENSICAL) zensical==0.0.73
	$(BIN)/python -m chalkdocs.zensical $(ZENSICAL)/pages
	cd $(ZENSICAL)/pages && PYTHONPATH=.. $(CURDIR)/$(BIN)/python -m zensical build --strict -f mkdocs.yml
	$(BIN)/python -m chalkdocs.finish $(ZENSICAL)/pages/site

lighthouse: build ## what Lighthouse thinks of three pages, on a desk and on a phone
	$(BIN)/pytest tests/site/test_lighthouse.py

numpy-only: .cache/numpy-only/ready ## the reference half where PyTorch is not installed
	! .cache/numpy-only/bin/python -c 'import torch' 2> /dev/null
	.cache/numpy-only/bin/python -c 'import chalkgrad.numpy'
	# A module that needs more than NumPy is listed as skipped.
	.cache/numpy-only/bin/pytest src/chalkgrad -p no:cacheprovider \
		-o doctest_subpackage_requires= --doctest-ignore-import-errors
.cache/numpy-only/ready: pyproject.toml constraints.txt
	test -x .cache/numpy-only/bin/python || $(PYTHON) -m venv .cache/numpy-only
	.cache/numpy-only/bin/pip install --quiet --constraint constraints.txt --editable . \
		hypothesis pytest pytest-doctestplus
	touch $@

parity: setup ## how far off every function is, into benchmarks/results/
	$(BIN)/python -m benchmarks.parity

bench: setup .venv/bench ## ours and its peers side by side, by ratio, into benchmarks/results/
	$(BIN)/python -m benchmarks
# JAX is too large for all who only run the tests.
.venv/bench: pyproject.toml constraints.txt
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[bench]'
	touch $@

gpu: setup ## the contract, the PyTorch reading of the pages and the benchmarks on a GPU
	$(BIN)/pytest tests/pairs docs README.md --device=cuda
	$(BIN)/python -m benchmarks.parity --device cuda
	$(BIN)/python -m benchmarks --device cuda

lock: setup ## pin what is installed
	$(BIN)/pip freeze --exclude-editable | grep -vE '^(torch|triton|nvidia-.*)==' > constraints.txt

clean: ## remove what the build made
	rm -rf site docs/assets/python .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
