# make run     set everything up, fetch the models, serve; the second time starts in seconds, offline
# make test    set everything up and run every test: real models, peers and browser as well
# make check   what is quick: lint, types, the unit and session tests
# make replay  hold the corpus of calls, a regression test of conversation; ARGS="--only barge-in"
# make sdk     the web SDK as one file, with its types, in web_client/dist (docs/sdk.md)
# make bench   measure whole calls; ARGS=--json prints one JSON object on stdout

PRESENCIA = .venv/bin/presencia
PYTEST = .venv/bin/python -m pytest
# They use a core each; importing the others takes seconds. What they import is compiled once, also
# where the machine's habit is not to keep it: each worker would take 4 s for it, every time.
QUICK_TESTS = PYTHONDONTWRITEBYTECODE= $(PYTEST) -m "not e2e" --ignore tests/e2e -p no:schemathesis --numprocesses auto
# They hold calls in real time and mostly wait: three workers keep two cores busy. A file's tests
# share a server, so stay together; tests/e2e/order.py says which files do, and what begins.
E2E_TESTS = $(PYTEST) -m e2e --numprocesses 3 --dist loadfile --no-loadscope-reorder
ARGS =

.PHONY: run test check replay bench setup setup-dev setup-clients models lint check-web check-types-web constraints sdk

run: models
	@exec $(PRESENCIA) serve $(ARGS)

test: setup-dev setup-clients
	@$(PRESENCIA) models fetch
	$(QUICK_TESTS) $(ARGS)
	$(E2E_TESTS) $(ARGS)

check: lint check-web
	$(QUICK_TESTS) $(ARGS)

replay: models
	@$(PRESENCIA) replay corpus $(ARGS)

bench: models
	@exec $(PRESENCIA) bench $(ARGS)

setup:
	@deploy/setup.sh run

setup-dev:
	@deploy/setup.sh dev

# The clients of other projects that tests/e2e tries.
setup-clients: tests/clients/node_modules/.package-lock.json

models: setup
	@$(PRESENCIA) models fetch

lint: setup-dev
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

check-web:
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory check-types-web; \
	else echo "check-web: skipped, Node.js isn't installed"; fi

sdk: web_client/node_modules/.package-lock.json
	npm --prefix web_client run --silent build

check-types-web: web_client/node_modules/.package-lock.json
	npm --prefix web_client run --silent check

web_client/node_modules/.package-lock.json: web_client/package-lock.json
	npm --prefix web_client ci --no-audit --no-fund --loglevel=error
	@touch $@

tests/clients/node_modules/.package-lock.json: tests/clients/package-lock.json
	npm --prefix tests/clients ci --ignore-scripts --no-audit --no-fund --loglevel=error
	@touch $@

# Every dependency's version, as a fresh environment resolves pyproject.toml now.
constraints:
	deploy/pin.sh > deploy/constraints.new
	mv deploy/constraints.new deploy/constraints.txt
