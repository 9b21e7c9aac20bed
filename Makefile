# Everything a newcomer needs: `make run` serves, `make test` tests, `make check` is what CI demands.

# Finds the first Python that is new enough and able to make virtual environments.
PYTHON_CANDIDATES = python3.11 python3.12 python3.13 python3.14 python3 python
VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.installed
# One worker per core; the tests of one file stay together and share a database.
PYTEST = $(BIN)/python -m pytest -n auto --dist loadfile

PRINT_SCHEMA = $(BIN)/python -c 'import sys; from resolvers.print_schema import print_contract; sys.stdout.write(print_contract())'

PRINT_SCOPES = $(BIN)/python -c 'import sys; from resolvers.print_scopes import print_scopes; sys.stdout.write(print_scopes())'

.PHONY: setup run test check check-static check-schema check-scopes scopes coverage-report format schema migrate verify lock clean

setup: $(STAMP) graphiql ## Create the virtual environment and install what is pinned.

# The pins are installed with every hash checked. pip ignores the hashes of a file given with -c when
# the requirement itself has none, so the pins are requirements (-r) here. They are complete, so nothing
# is resolved (--no-deps): a pip older than 23.3 would ask a newer release of `pydantic[email]` for its
# hash, whatever is pinned. `pip check` says whether they fit. `make lock` writes both files of pins.
$(STAMP): constraints-dev.txt pyproject.toml
	@python=$$(for candidate in $(PYTHON_CANDIDATES); do \
		if $$candidate -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; \
		then echo $$candidate; break; fi; done); \
	if [ -z "$$python" ]; then \
		echo 'No Python 3.11 or newer was found. On Debian: apt-get install python3 python3-venv' >&2; exit 1; fi; \
	if ! $$python -c 'import venv, ensurepip' >/dev/null 2>&1; then \
		echo "$$python cannot make virtual environments. On Debian: apt-get install python3-venv" >&2; exit 1; fi; \
	test -x $(BIN)/python && $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| $$python -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r constraints-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(BIN)/python -m pip check --disable-pip-version-check >$(VENV)/pip-check.log || { cat $(VENV)/pip-check.log >&2; exit 1; }
	@touch $@

# GraphiQL is built from npm packages. Where that fails once, as without a network, set-up does not try again.
.PHONY: graphiql
graphiql: $(STAMP)
	@if [ ! -e $(VENV)/.graphiql-failed ] && ! sh gateway/http/graphiql/build.sh; then touch $(VENV)/.graphiql-failed; \
		echo 'GraphiQL was not built; everything else works. To try again: sh gateway/http/graphiql/build.sh' >&2; fi

run: setup ## Start the database, migrate, seed the demo, and serve the API and GraphiQL.
	@DEVELOPMENT=$${DEVELOPMENT:-true} exec $(BIN)/gateway serve

test: setup ## Run all tests on a real PostgreSQL; coverage-report tells afterwards what they covered.
	@$(PYTEST) --cov --cov-report= --cov-fail-under=0

check: check-static test coverage-report ## All that CI demands, cheapest first.

check-static: setup ## Lint, format, types, import contracts and schema drift.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@$(MAKE) --no-print-directory check-schema check-scopes

check-schema: setup ## Fail if schema.graphql is not what the code says.
	@$(PRINT_SCHEMA) | diff -u schema.graphql - || { echo 'schema.graphql is out of date: make schema' >&2; exit 1; }

check-scopes: setup ## Fail if docs/scopes.md is not what the schema says.
	@$(PRINT_SCOPES) | diff -u docs/scopes.md - || { echo 'docs/scopes.md is out of date: make scopes' >&2; exit 1; }

coverage-report: setup ## Fail below the limit; what `make test` covered, and the lines it missed.
	@total=$$($(BIN)/coverage report --format=total) && echo "Coverage: $$total %" || { $(BIN)/coverage report; exit 1; }

format: setup ## Rewrite the code as the linter and formatter want it.
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

schema: setup ## Print the GraphQL schema to schema.graphql.
	$(PRINT_SCHEMA) >$(VENV)/schema.graphql && mv $(VENV)/schema.graphql schema.graphql

scopes: setup ## Write docs/scopes.md: what each field needs of a credential.
	$(PRINT_SCOPES) >$(VENV)/scopes.md && mv $(VENV)/scopes.md docs/scopes.md

migrate: setup ## Bring the database to the newest migration.
	$(BIN)/gateway migrate

verify: setup ## Check every invariant of the ledger; fails with the offending rows.
	$(BIN)/gateway verify

.PHONY: bench-setup bench
bench-setup: setup ## Install what the benchmark's peers need: wrk, and PostGraphile into build/.
	sh benchmarks/setup.sh

bench: setup ## Measure the gateway beside its peers, in 15 minutes; QUICK=1 in about 3, ONLY="S1 S3" some of it.
	$(BIN)/python -m benchmarks.run $(if $(QUICK),--quick) $(ONLY)

.PHONY: hostile
hostile: setup ## Measure what one tenant notices of another that floods, in four minutes; ONLY="H1 H5" some of it.
	$(BIN)/python -m benchmarks.hostile $(ONLY)

.PHONY: mutants
mutants: setup ## Put chosen faults into a copy, one by one, and see that tests notice; ONLY="keys http" some of them.
	$(BIN)/python -m tests.mutants.run $(ONLY)

# Pins for every platform and Python that the project supports, with no index address in them.
# `make lock UPGRADE=--upgrade` takes the newest versions that pyproject.toml allows.
LOCK = build/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate $(UPGRADE) pyproject.toml
lock: setup ## Pin the dependencies again.
	@test -x build/lock/bin/uv || { $(BIN)/python -m venv build/lock && build/lock/bin/pip install --quiet uv; }
	$(LOCK) --output-file constraints.txt
	$(LOCK) --extra dev --constraint constraints.txt --output-file constraints-dev.txt

clean: ## Remove what set-up and tests made; the data directory stays.
	rm -rf $(VENV) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .coverage .coverage.*
