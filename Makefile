# `make setup` installs, `make demo` shows it working, `make test` and `make lint` check it.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PACKAGES := jobsite jobs notifications maintenance benchmarks tests
# With JOBSITE_ENV=production and nothing real: what `check --deploy` looks at.
PRODUCTION = JOBSITE_ENV=production ALLOWED_HOSTS=jobs.example.org SITE_URL=https://jobs.example.org \
	SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')"

.PHONY: help setup demo test test-sqlite test-postgresql test-rabbitmq test-long fuzz drills nemesis lint clean

help:
	@echo "make setup   install into $(VENV); quick when nothing changed"
	@echo "make demo    show the whole site on this machine; ONCE=1 ends by itself, REPO=path names a repository"
	@echo "make test    the tests, on SQLite with the embedded Redis, PostgreSQL with Redis, and RabbitMQ"
	@echo "make test-long  the tests that take too long for that"
	@echo "make fuzz    200 things that a fuzzer thinks of, to each operation of the API by each role"
	@echo "make drills  every fault, injected into real processes: half an hour; DRILL_BEATS_SECONDS=120 shortens it"
	@echo "make nemesis SECONDS=600 SEED=n STACK=sqlite: the faults at random, and the account at the end"
	@echo "make lint    style, types, layers, migrations, production settings"

setup: $(STAMP)
	@:

# The first Python that runs, is 3.11 or newer and can make a virtual environment.
$(STAMP): pyproject.toml constraints.txt
	@set -e; \
	if ! $(PY) -c 'import pip' 2>/dev/null; then \
		found=; \
		for python in $(PYTHON) python3 python3.13 python3.12 python3.11; do \
			if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
				2>/dev/null; then found=$$python; break; fi; \
		done; \
		if [ -z "$$found" ]; then \
			echo "No Python 3.11 or newer with venv and pip was found. Install one (on Debian:" \
				"apt install python3-venv), or name it: make setup PYTHON=/path/to/python3.11" >&2; \
			exit 1; \
		fi; \
		echo "making $(VENV) with $$("$$found" --version)"; \
		"$$found" -m venv --clear $(VENV); \
	fi; \
	echo "installing into $(VENV): about a minute the first time"; \
	$(PY) -m pip install --quiet --disable-pip-version-check -e '.[dev]' -c constraints.txt; \
	touch $@

demo: setup
	@$(PY) manage.py jobs demo $(if $(filter-out 0,$(ONCE)),--once) $(if $(REPO),--repo "$(REPO)")

test: test-sqlite test-postgresql test-rabbitmq

test-sqlite: setup
	@echo "== SQLite and the embedded Redis"
	@JOBSITE_TEST_STACK=sqlite $(PY) -m pytest $(ARGS)

test-postgresql: setup
	@echo "== PostgreSQL and Redis"
	@$(call on-stack,postgresql,$(ARGS))

# The contract that holds on every pair of a database and a broker; the suite above holds it too.
test-rabbitmq: setup
	@echo "== RabbitMQ: the contract, with PostgreSQL and with SQLite"
	@$(call on-stack,rabbitmq,tests/conformance)
	@$(call on-stack,sqlite-rabbitmq,tests/conformance)

# What takes too long for every change: workers that scale, obey their profiles, and are balanced.
test-long: setup
	@$(call on-stack,postgresql,tests/acceptance -m long $(ARGS))

# With FUZZ_EXAMPLES=n for each operation and role; below 100 the boundaries are left out.
fuzz: setup
	@export FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-200}; \
		$(call on-stack,postgresql,tests/integration/api/test_fuzz.py $(ARGS))

# All of them on one pair; on the others those that the pair may change. Each prints its table.
drills: setup
	@echo "== PostgreSQL and Redis: all drills"
	@$(call on-stack,postgresql,tests/drills -m "drill and not (nemesis or stress)" $(ARGS))
	@echo "== SQLite and the embedded Redis: 2,000 histories, and what the pair may change"
	@export DRILL_EXAMPLES=$${DRILL_EXAMPLES:-2000}; \
		$(call on-stack,sqlite,tests/drills -m every_pair $(ARGS))
	@echo "== PostgreSQL and RabbitMQ: what the pair may change"
	@$(call on-stack,rabbitmq,tests/drills -m every_pair $(ARGS))

SECONDS ?= 600
STACK ?= postgresql
nemesis: setup
	@export NEMESIS_SECONDS=$(SECONDS) NEMESIS_SEED=$(SEED); \
		$(call on-stack,$(STACK),tests/drills -m nemesis -s)

# In CI (CI=true) every stack must run; elsewhere one line says why one cannot.
define on-stack
if why=$$($(PY) -m tests.stack $(1)); then JOBSITE_TEST_STACK=$(1) $(PY) -m pytest $(2); \
elif [ "$$CI" = true ]; then echo "failed: $(1) tests: $$why"; exit 1; \
else echo "skipped: $(1) tests: $$why"; fi
endef

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(PACKAGES)
	$(VENV)/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

clean:
	rm -rf $(VENV) build staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
