# Needs git, make and Python 3.11 or newer; everything else is installed into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
NODE := tests/clients/node
JAVA := tests/clients/java
SIGNET_SHARED ?= $(if $(wildcard ../shared/README.md),../shared,)
export SIGNET_SHARED

.PHONY: help run test test-clients test-java check format demo bench bench-server bench-scale bench-nodes bench-loop load ingest-report resilience clean

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 18

$(VENV)/.base: pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[server]'
	@touch $@

$(VENV)/.dev: $(VENV)/.base
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	@touch $@

run: $(VENV)/.base ## Start the registry on http://127.0.0.1:8081, kept in signet.db
	$(BIN)/signet serve

test: $(VENV)/.dev ## Run all tests
	$(BIN)/pytest --numprocesses 2 --dist loadfile

$(NODE)/node_modules/.installed: $(NODE)/package-lock.json
	@command -v npm >/dev/null || { echo "make test-clients needs Node.js 20 or newer, with npm" >&2; exit 1; }
	npm ci --prefix $(NODE) --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

test-clients: $(VENV)/.base $(NODE)/node_modules/.installed ## Run the clients for Node.js against registries of their own
	cd $(NODE) && node --test --test-reporter=spec

test-java: $(VENV)/.base ## Run the clients for Java against a registry of their own
	@command -v mvn >/dev/null || { echo "make test-java needs Java 17 or newer, with Maven" >&2; exit 1; }
	mvn --quiet --batch-mode --file $(JAVA)/pom.xml -Dstyle.color=never test

check: $(VENV)/.dev ## Lint, format check, types, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: $(VENV)/.dev ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

demo: $(VENV)/.dev ## Produce and consume 200,000 records over a broker, and count the registry calls
	$(BIN)/python -m loadtests.demo

bench: $(VENV)/.dev ## Measure serdes against fastavro and the server against a bare ASGI application
	$(BIN)/python -m loadtests.bench_serdes
	$(BIN)/python -m loadtests.bench_server

bench-server: $(VENV)/.dev ## Measure the server against a bare ASGI application on the same uvicorn
	$(BIN)/python -m loadtests.bench_server

bench-scale: $(VENV)/.dev ## Measure start, memory, lists and reads on a store of 100,000 schemas: ARGS='--schemas 1000000'
	$(BIN)/python -m loadtests.bench_scale $(ARGS)

bench-nodes: $(VENV)/.dev ## Measure one node and three over PostgreSQL side by side, reads beside SQLite's, and replay
	$(BIN)/python -m loadtests.bench_nodes $(ARGS)

bench-loop: $(VENV)/.dev ## Measure how long the event loop is held while clients register
	$(BIN)/python tests/benchmarks/event_loop.py $(ARGS)

load: $(VENV)/.dev ## Load a registry with Locust: SCENARIO= URL= USERS= RUN_TIME= UI=1 ARGS= (loadtests/README.md)
	$(BIN)/python -m loadtests.scenarios $(SCENARIO) $(if $(URL),--url '$(URL)') $(if $(USERS),--users $(USERS)) \
		$(if $(RUN_TIME),--run-time $(RUN_TIME)) $(if $(UI),--ui) $(ARGS)

ingest-report: $(VENV)/.dev ## Measure what a registry costs an ingestion, and write docs/ingestion.md: BROKERS= ARGS=
	$(BIN)/python -m loadtests.ingestion $(if $(BROKERS),--bootstrap-servers $(BROKERS)) $(ARGS)

resilience: $(VENV)/.dev ## Kill, cut, freeze and fill, and write what was lost to docs/resilience.md: ARGS=
	$(BIN)/pytest tests/resilience --full --accounts .resilience $(ARGS); status=$$?; \
	$(BIN)/python -m tests.resilience.report .resilience docs/resilience.md; exit $$status

clean: ## Remove the environment and caches
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis .resilience $(NODE)/node_modules $(JAVA)/target
