# Targets beyond ./run and ./test. All of them use the environment that those two make.
PY := .venv/bin/python
export PATH := $(CURDIR)/.venv/bin:$(PATH)

.PHONY: help conformance bench transcripts test-long fuzz lock format clean
help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16

conformance: ## tests/vectors and, when it is there, ../shared/vectors; MESH_VECTORS=<folder> runs that folder instead
	@$(PY) -m tests.conformance

bench: ## benchmarks, as ratios within one run
	@$(PY) -m tests.bench

test-long: ## soak, long fuzzing and kill tests
	@./test -m long

lock: ## new lock files after a change of pyproject.toml (needs uv, which is in the environment)
	uv pip compile --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -q --upgrade --extra build pyproject.toml -o requirements.lock
	uv pip compile --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -q --upgrade --extra build --extra dev pyproject.toml -o requirements-dev.lock
	uv pip compile --generate-hashes --no-emit-index-url --no-header --universal --python-version 3.11 -q stubs.in -o stubs.lock

transcripts: ## the command lines of the architecture document, over real sockets
	@$(PY) -m tests.transcripts

fuzz: ## every parser for 10 minutes each
	@$(PY) -m tests.fuzz --seconds 600

format: ## ruff's formatter and safe fixes
	@ruff check -q --fix . ; ruff format -q .

clean: ## what can be made again
	rm -rf .venv .stubs .build .mypy_cache .ruff_cache .pytest_cache
