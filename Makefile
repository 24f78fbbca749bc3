# Squill. `make` alone lists what there is to make.
.DEFAULT_GOAL := help
.PHONY: help setup demo test check lint format openapi messages lock package bench mutants aws-stack aws-settings localaws demo-aws clean

PYTHON := .venv/bin/python
# Tests are mostly PostgreSQL's work, so two workers keep two cores busy and more gain little.
TEST_WORKERS ?= 2
export PORT ?= 8000

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## Make .venv and install what is missing (Python packages, Pango); again: under a second
	@.ci/setup

demo: setup ## Start Squill with months of believable data on http://127.0.0.1:$PORT (8000)
	@$(PYTHON) manage.py demo --serve

test: ## Run all tests and measure their coverage
	@.ci/setup --for-tests
	@$(PYTHON) -m pytest -n $(TEST_WORKERS) --cov --cov-report=term $(ARGS)

check: setup ## Everything a change must pass besides tests: style, types, imports, migrations, API schema, locks
	@.ci/check

lint: setup ## The quick part of check: style and imports
	@.venv/bin/ruff check
	@.venv/bin/ruff format --check
	@.venv/bin/lint-imports --no-logo

format: setup ## Rewrite the code in the project's style
	@.venv/bin/ruff check --fix
	@.venv/bin/ruff format

openapi: setup ## Write docs/openapi.yaml anew from the code
	@$(PYTHON) manage.py spectacular --validate --fail-on-warn --file docs/openapi.yaml

messages: setup ## Gather the texts of documents and mails into squill/locale, and compile what is translated there
	@$(PYTHON) .ci/messages.py

lock: setup ## Lock pyproject.toml's dependencies anew; ARGS=--upgrade takes new versions
	@.ci/lock $(ARGS)

package: setup ## Make what Lambda runs, build/package/squill-STAGE.zip, and check it; ARGS=dev makes one, ARGS=lock renews its libraries
	@$(PYTHON) -m infra.package $(ARGS)

bench: setup ## Measure ingestion, storage, reads, billing runs, prices, rating and documents; docs/performance.md tells what came of it
	@$(PYTHON) -m benchmarks $(ARGS)

mutants: setup ## Change prices in 2,900 ways and list what their tests miss, for half an hour; ARGS="'billing.pricing.tax*'" for some
	@.ci/mutants $(ARGS)

aws-stack: setup ## Make or change what a stage stands on in AWS: STAGE=dev (infra/stack/README.md)
	@$(PYTHON) -m infra.stack update --stage $(STAGE) $(ARGS)

aws-settings: setup ## Write what that stack is called into zappa_settings.json: STAGE=dev
	@$(PYTHON) -m infra.stack settings --stage $(STAGE) $(ARGS)

localaws: setup ## Start a local AWS with Squill deployed on it by zappa, on http://127.0.0.1:$PORT, until Ctrl-C (infra/localaws/README.md)
	@$(PYTHON) -m infra.localaws $(ARGS)

demo-aws: setup ## The same with customers, usage and invoices, and somebody who may look at them
	@$(PYTHON) -m infra.localaws --demo $(ARGS)

clean: ## Remove .venv, caches and reports; the data in .squill stays
	rm -rf .venv .tools .coverage .coverage.* htmlcov .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
