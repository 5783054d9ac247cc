# The verbs of this project; `make help` lists them. All of them work from a fresh clone with Python 3.11+ and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
SECONDS ?= 600
SEED ?= 1
.DEFAULT_GOAL := help

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "tricast needs Python 3.11 or newer, $(PYTHON) is $$($(PYTHON) --version 2>&1). Say which one: make PYTHON=python3.12 …"; exit 2; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "This Python cannot make virtual environments (Debian: apt install python3-venv)."; exit 2; }

# --no-deps after a hash-checked install: nothing that is not in the lock can come in.
$(VENV)/.local: requirements.lock pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --progress-bar on --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.local
	$(BIN)/python -m pip install --quiet --progress-bar on --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

# In an environment of its own: what it needs is none of ours.
$(VENV)/audit/.done: requirements-audit.lock | $(BIN)/python
	$(BIN)/python -m venv $(VENV)/audit
	$(VENV)/audit/bin/python -m pip install --quiet --progress-bar on --disable-pip-version-check --require-hashes -r requirements-audit.lock
	@touch $@

.PHONY: up test check bench bench-full chaos faults recovery endurance endurance-fastpath endurance-rms storm-rms outage scenarios oracle fuzz java-reader image mutants soak audit-dependencies format help

up: $(VENV)/.local ## Start everything on this machine, with a live view (make up ARGS="--for 60")
	@$(BIN)/tricast up $(ARGS)

test: $(VENV)/.dev ## Run all tests, with a real Kafka of their own
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --no-loadscope-reorder $(ARGS)

check: $(VENV)/.dev ## Lint, types, import rules, stale files
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python -m schemas.export --check
	$(BIN)/python -m schemas.metrics --check
	$(BIN)/python -m tests.contracts.examples --check
	$(BIN)/python -m schemas.topics --check
	$(BIN)/python -m schemas.release --check
	$(BIN)/python -m deploy.strimzi --check
	$(BIN)/python -m deploy.access --page --check

bench: $(VENV)/.dev ## The engine beside its peers and all other workloads, a quarter of an hour (ARGS="--only throughput")
	$(BIN)/python -m benchmarks $(ARGS)

bench-full: $(VENV)/.dev ## The same in five rounds; both write docs/benchmarks.md
	$(BIN)/python -m benchmarks --full $(ARGS)

soak: $(VENV)/.dev ## Watch the memory of connector and worker under load
	$(BIN)/python -m benchmarks.soak $(ARGS)

chaos: $(VENV)/.dev ## Strike the whole product with one fault after another and count what is lost (SECONDS=600 SEED=1)
	$(BIN)/python -m tests.chaos --seconds $(SECONDS) --seed $(SEED) $(ARGS)

faults: $(VENV)/.dev ## Kill, stop and starve workers of a toy processor for half an hour and count what is lost
	$(BIN)/python -m tests.faults $(ARGS)

recovery: $(VENV)/.dev ## How long the engine needs to be back: restore, kill -9, rebalance
	$(BIN)/python -m tests.faults.recovery $(ARGS)

endurance: $(VENV)/.dev ## Two hours of simulated offering in twelve minutes, with drops and kills; then compare the end
	$(BIN)/python -m tests.endurance $(ARGS)

endurance-fastpath: $(VENV)/.dev ## The same for FastPath: packets lost, swapped, doubled; connectors, workers, brokers killed
	$(BIN)/python -m tests.endurance.fastpath $(ARGS)

endurance-rms: $(VENV)/.dev ## The same for RMS: every part killed, sockets cut; each outcome true or unverified, no secret shown
	$(BIN)/python -m tests.endurance.rms $(ARGS)

storm-rms: $(VENV)/.dev ## Fifteen minutes of refusals over three RMS connectors that crash; no limit of the vendor is broken
	$(BIN)/python -m tests.endurance.rms.storm $(ARGS)

outage: $(VENV)/.dev ## Take Kafka away for minutes and see what the spool brings back (ARGS="--minutes 10")
	$(BIN)/python -m tests.outage $(ARGS)

scenarios: $(VENV)/.dev ## Strike the product beside a real Prometheus: do page, status, /readyz and alerts agree (ARGS="vendor --record")
	$(BIN)/python -m tests.scenarios $(ARGS)

oracle: $(VENV)/.dev ## Random histories of facts against an oracle (ARGS="--histories 100000 --jobs 2")
	$(BIN)/python -m tests.oracle $(ARGS)

fuzz: $(VENV)/.dev ## A million odd inputs into everything that reads vendors' bytes: no crash, no hang (ARGS="--jobs 2")
	$(BIN)/python -m tests.fuzz $(ARGS)

audit-dependencies: $(VENV)/audit/.done ## Ask the vulnerability database about every locked package; needs the network
	@for lock in requirements*.lock; do echo "$$lock"; \
	  $(VENV)/audit/bin/pip-audit --strict --require-hashes --disable-pip -r $$lock $(ARGS) || exit 1; done

java-reader: $(VENV)/.dev ## Hold kambi.offers to its contract from Java (ARGS="127.0.0.1:9092 tricast. 60")
	@$(BIN)/python -m tests.examples.offers_reader $(ARGS)

image: $(VENV)/.dev ## Run the steps of the container image in an empty directory, without an engine (ARGS=--whole)
	$(BIN)/python -m tests.deploy.image $(ARGS)

mutants: $(VENV)/.dev ## Remove one engine property at a time; a named test must notice each
	$(BIN)/python -m tests.mutants $(ARGS)

format: $(VENV)/.dev ## Format the code
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

help: ## List the verbs
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1|\2/' | column -t -s '|'
