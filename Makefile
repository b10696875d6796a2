# `make setup` installs, `make demo` shows it working, `make test` and `make lint` check it.
SHELL := /bin/sh
VENV := .venv
PY := $(VENV)/bin/python
STAMP := $(VENV)/.installed
PACKAGES := jobsite jobs notifications maintenance tests
# With JOBSITE_ENV=production and nothing real: what `check --deploy` looks at.
PRODUCTION = JOBSITE_ENV=production ALLOWED_HOSTS=jobs.example.org SITE_URL=https://jobs.example.org \
	SECRET_KEY="$$($(PY) -c 'import secrets; print(secrets.token_urlsafe(50))')"

.PHONY: help setup demo test test-sqlite test-postgresql lint clean

help:
	@echo "make setup   install into $(VENV); quick when nothing changed"
	@echo "make demo    show the whole site on this machine; ONCE=1 ends by itself, REPO=path names a repository"
	@echo "make test    the tests, on SQLite with the embedded Redis and on PostgreSQL with Redis"
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

test: test-sqlite test-postgresql

test-sqlite: setup
	@echo "== SQLite and the embedded Redis"
	@JOBSITE_TEST_STACK=sqlite $(PY) -m pytest $(ARGS)

# In CI (CI=true) the PostgreSQL tests must run; elsewhere one line says why they cannot.
test-postgresql: setup
	@echo "== PostgreSQL and Redis"
	@if [ -n "$$TEST_DATABASE_URL" ] || why=$$($(PY) -m tests.stack); then \
		JOBSITE_TEST_STACK=postgresql $(PY) -m pytest $(ARGS); \
	else \
		if [ "$$CI" = true ]; then echo "failed: PostgreSQL tests: $$why"; exit 1; fi; \
		echo "skipped: PostgreSQL tests: $$why"; \
	fi

lint: setup
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy $(PACKAGES)
	$(VENV)/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	$(PRODUCTION) $(PY) manage.py check --deploy --fail-level WARNING

clean:
	rm -rf $(VENV) build staticfiles .mypy_cache .pytest_cache .ruff_cache .import_linter_cache
