# `make` alone lists the targets. Everything runs in .venv, which the targets make and keep up to date:
# a stamp file is newer than the requirements it installed, so a second run installs nothing.

PYTHON ?= python3
WORKERS = auto
PARALLEL = -n $(WORKERS) --dist worksteal
INPUT = data/test.csv
OUTPUT = submission.csv
MODEL =
ARGS =

# Compile packages once, when they are installed, and our modules once, when they are first imported:
# the tests start Python hundreds of times, and without compiled files each start takes seconds more.
export UV_COMPILE_BYTECODE := 1
unexport PYTHONDONTWRITEBYTECODE

# Where a virtual environment has its programs; on Windows the recipes need the shell that git brings.
SCRIPTS := bin
ifeq ($(OS),Windows_NT)
SCRIPTS := Scripts
SHELL := bash
endif
BIN := .venv/$(SCRIPTS)
# Errors only: the lock pins every version, so there is nothing else to read.
PIP := -m pip --quiet --quiet --disable-pip-version-check install
POETRY := POETRY_VIRTUALENVS_CREATE=false .venv-lock/$(SCRIPTS)/poetry

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help install install-serve install-all train evaluate predict serve mlflow airflow airflow-run airflow-lock notebook notebook-check browser pictures docs docs-serve docs-links format format-check \
	lint large-files secrets hooks hooks-run run-tests run-tests-system coverage mutants \
	run-tests-lowest run-tests-newest \
	run-tests-remote run-tests-known known-results check lock lock-check wheel image image-check \
	quality bench-tables bench-formats clean

help:  ## List the targets
	@echo "make TARGET [VARIABLE=value]"
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' Makefile
	@echo "Example: make train ARGS=\"seed=7\""

install: .venv/.installed  ## Make .venv with the main dependencies, by their hashes

install-serve: .venv/.installed-serve  ## Add the extras of the service (FastAPI) and of databases

install-all: .venv/.installed-all  ## Add the tests' tools and all extras

train: install  ## Choose, measure and store a model (ARGS: settings, as in seed=7)
	@$(BIN)/python main.py train $(ARGS)

evaluate: install  ## Measure a stored model (MODEL: version or alias)
	@$(BIN)/python main.py evaluate $(if $(MODEL),--model "$(MODEL)") $(ARGS)

predict: install  ## Answer INPUT into OUTPUT (data/test.csv into submission.csv; MODEL)
	@$(BIN)/python main.py predict "$(INPUT)" --output "$(OUTPUT)" $(if $(MODEL),--model "$(MODEL)") $(ARGS)

serve: install-serve  ## Serve the champion over HTTP on port 8000 (MODEL; ARGS: settings, --port)
	@$(BIN)/python main.py serve $(if $(MODEL),--model "$(MODEL)") $(ARGS)

mlflow: install-all  ## Train, tell MLflow (mlflow.db), and show its page on port 5000
	@$(BIN)/python main.py train tracking.uri=sqlite:///mlflow.db $(ARGS)
	@MLFLOW_DISABLE_TELEMETRY=true MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false \
		$(BIN)/mlflow server --workers 1 --backend-store-uri sqlite:///mlflow.db

# An environment of its own, made anew when the file that it installs has another hash.
AIRFLOW := .venv-airflow/.installed-$(shell git hash-object deploy/airflow/requirements.txt 2> /dev/null)
AIRFLOW_VARIABLES := AIRFLOW_HOME="$(CURDIR)/.airflow" AIRFLOW__CORE__LOAD_EXAMPLES=False \
	AIRFLOW__CORE__DAGS_FOLDER="$(CURDIR)/deploy/airflow/dags"

airflow: $(AIRFLOW)  ## Make .venv-airflow, which runs the DAG (Airflow knows no Windows)

airflow-run: airflow  ## Run the DAG once, from the table to the counted predictions (ARGS: --conf JSON)
	@$(AIRFLOW_VARIABLES) .venv-airflow/bin/airflow db migrate > /dev/null
	@$(AIRFLOW_VARIABLES) .venv-airflow/bin/airflow dags test titanic $(ARGS)

airflow-lock: install-all  ## Write deploy/airflow/requirements.txt anew
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
		--no-annotate deploy/airflow/requirements.in -o deploy/airflow/requirements.txt

notebook: install-all  ## Run main.ipynb from top to bottom, in place
	@$(BIN)/python -c 'import nbclient, nbformat; book = nbformat.read("main.ipynb", 4); \
		nbclient.NotebookClient(book, record_timing=False).execute(); nbformat.write(book, "main.ipynb.new")'
	@mv main.ipynb.new main.ipynb

notebook-check: install-all  ## Run a copy of main.ipynb: it prints what is committed, and is small
	@$(BIN)/python -m pytest --quiet -n 0 tests/test_notebook.py $(ARGS)

# A browser of the machine will do, by any of these names.
browser:  ## Install Chromium and nginx for tests of the service, unless present (root on Debian)
	@for name in chromium chromium-browser google-chrome; do \
		command -v $$name > /dev/null && found=1; done; \
		test "$$found" && command -v nginx > /dev/null || { echo "Installing chromium, nginx-light ..."; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq --yes \
			$$(test "$$found" || echo chromium) nginx-light > /dev/null; }

pictures: install-all  ## Take the pictures of the docs, after train and run-tests (Chromium)
	@$(BIN)/python docs/pictures/take.py

format: install-all  ## Rewrite the code with isort and black
	@$(BIN)/isort --quiet .
	@$(BIN)/black --quiet .

format-check: install-all  ## Tell what `format` would rewrite
	@$(BIN)/isort --check --quiet .
	@$(BIN)/black --check --quiet . || { $(BIN)/black --diff --quiet .; exit 1; }

lint: install-all  ## Check code (flake8), types (mypy), imports, workflows (actionlint), image (hadolint)
	@$(BIN)/flake8 .
	@$(BIN)/mypy --no-error-summary
	@told=$$($(BIN)/lint-imports --no-cache --no-logo) || { echo "$$told"; exit 1; }
	@$(BIN)/numpydoc lint --config . $$(git ls-files 'titanic_ml/*.py')
	@$(BIN)/actionlint -shellcheck= -pyflakes=
	@if [ -e $(BIN)/hadolint ]; then $(BIN)/hadolint --failure-threshold info Dockerfile; fi

large-files: install-all  ## Look for files of more than 500 kB in git, but for the lock
	@git rev-parse --git-dir > /dev/null && git ls-files -z ':!poetry.lock' | xargs -0 $(BIN)/check-added-large-files --maxkb=500 --enforce-all

# Allowed are the passwords of examples and tests, the digests of data/, of packages and pictures.
secrets: install-all  ## Look for passwords and keys in git
	@git rev-parse --git-dir > /dev/null && git ls-files -z | xargs -0 -n 120 -P 4 $(BIN)/detect-secrets-hook \
		--exclude-secrets '^(password|secret|s3cret|pw|p%40w)$$' \
		--exclude-lines '"image/png": "' \
		--exclude-files '^(poetry\.lock|requirements.*\.txt|tests/test_data\.py|tests/known/tables\.json)$$'

hooks: install-all  ## Run checks before each commit and push (.pre-commit-config.yaml)
	@$(BIN)/pre-commit install

hooks-run: install-all  ## Run all of these checks on all files
	@$(BIN)/pre-commit run --all-files; before=$$?; \
		$(BIN)/pre-commit run --all-files --hook-stage pre-push && exit $$before

run-tests: install-all  ## Run the quick tests with branch coverage (coverage/index.html, coverage.xml)
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(PARALLEL) -m "not system" $(ARGS)
	@$(BIN)/coverage combine --quiet
	@$(BIN)/coverage html --quiet --fail-under=0
	@$(BIN)/coverage xml --quiet --fail-under=0
	@$(BIN)/coverage report --fail-under=90

# Generated tests run here once more, with four times the examples.
run-tests-system: export COVERAGE_FILE = .coverage-system
run-tests-system: install-all  ## Run the tests with real servers and programs
	@$(BIN)/coverage erase
	@$(BIN)/coverage run -m pytest $(PARALLEL) -m "system or hypothesis" --hypothesis-profile many $(ARGS)
	@$(BIN)/coverage combine --quiet

coverage: install-all  ## Report the coverage of both, after run-tests and run-tests-system
	@for file in .coverage .coverage-system; do test -e $$file || { echo \
		"There is no $$file: run make run-tests and make run-tests-system first" >&2; exit 1; }; done
	@$(BIN)/coverage combine --quiet --keep --data-file .coverage-all .coverage .coverage-system
	@$(BIN)/coverage html --quiet --fail-under=0 --data-file .coverage-all
	@$(BIN)/coverage xml --quiet --fail-under=0 --data-file .coverage-all
	@$(BIN)/coverage report --data-file .coverage-all

# But for the notebook, whose outputs are those of the locked versions.
run-tests-lowest: .venv-lowest/.installed  ## Run all tests with the lowest versions that are allowed
	@.venv-lowest/$(SCRIPTS)/python -m pytest $(PARALLEL) --ignore tests/test_notebook.py $(ARGS)

run-tests-newest: .venv-newest/.installed  ## Run all tests with the newest versions that are allowed
	@.venv-newest/$(SCRIPTS)/python -m pytest $(PARALLEL) $(ARGS)

run-tests-remote: install-all  ## Run tests/integration on servers that TITANIC_TEST_…_URI name
	@TITANIC_TEST_REMOTE=1 $(BIN)/python -m pytest $(PARALLEL) tests/integration $(ARGS)

run-tests-known: install-all  ## Run the tests on the known database alone (half a minute)
	@$(BIN)/python -m pytest --quiet $(PARALLEL) tests/integration/test_known_database.py $(ARGS)

known-results: install-all  ## Renew tests/known/*.json, when results are meant to change
	@rm -f .known.* && $(BIN)/python tests/known/load.py sqlite:///.known.db > .known.tables.json
	@$(BIN)/python tests/known/results.py sqlite:///.known.db > .known.json
	@mv .known.tables.json tests/known/tables.json && mv .known.json tests/known/results.json
	@rm -f .known.db

check:  ## Format, lint, lock, secrets, all tests: what CI runs
	@$(MAKE) --no-print-directory --jobs=2 format-check lint lock-check secrets airflow
	@$(MAKE) --no-print-directory run-tests
	@$(MAKE) --no-print-directory run-tests-system
	@$(MAKE) --no-print-directory coverage

docs: install-all  ## Build the site of docs/ into docs/site/; a warning is an error
	@$(BIN)/sphinx-build --fail-on-warning --keep-going --quiet --jobs auto docs docs/site

docs-serve: docs  ## Build it and show it at http://127.0.0.1:8080
	@$(BIN)/python -m http.server 8080 --bind 127.0.0.1 --directory docs/site

docs-links: install-all  ## Ask every address that the docs link to, also those of other hosts
	@$(BIN)/sphinx-build --quiet --builder linkcheck docs docs/site/links

# The lock's exports, each with the groups and extras that it holds.
EXPORTS := requirements requirements-image requirements-build requirements-uv requirements-dev
PARTS_requirements := --with build
PARTS_requirements-image := --extras sql --extras serve
PARTS_requirements-build := --only build
PARTS_requirements-uv := --only uv
PARTS_requirements-dev := --with build,dev,docs,lint,uv --all-extras

lock: .venv-lock/.installed  ## Lock again and export (ARGS=--regenerate takes newer versions)
	@$(POETRY) lock $(ARGS)
	@$(foreach name,$(EXPORTS),$(POETRY) export $(PARTS_$(name)) --output $(name).txt &&) true

lock-check: .venv-lock/.installed  ## Check that pyproject.toml, the lock and its exports agree
	@$(POETRY) check --lock --quiet || { echo "pyproject.toml has changed: run make lock" >&2; exit 1; }
	@$(foreach name,$(EXPORTS),$(POETRY) export $(PARTS_$(name)) | diff $(name).txt - || \
		{ echo "$(name).txt is not of this lock: run make lock" >&2; exit 1; };) true

wheel: install  ## Build the wheel into dist/
	@$(BIN)/python -m pip --quiet --disable-pip-version-check wheel --no-deps --no-build-isolation \
		--wheel-dir dist .

image:  ## Build the container image, by docker
	@docker build --tag titanic_ml .

image-check: install-all  ## Build it by buildah on a stand-in of its base, and use it (root on Linux)
	@$(BIN)/python deploy/check_image.py $(ARGS)

mutants: .venv-mutants/.installed  ## Change four modules in many ways; count what their tests notice
	@rm -rf mutants
	@.venv-mutants/$(SCRIPTS)/mutmut run
	@.venv-mutants/$(SCRIPTS)/mutmut export-cicd-stats

quality: .venv-quality/.installed  ## Compare our procedure with others' (minutes; ARGS: --repeats 2)
	@.venv-quality/$(SCRIPTS)/python benchmarks/quality.py $(ARGS)

bench-tables: .venv-tables/.installed  ## Time writes to PostgreSQL against pandas'
	@.venv-tables/$(SCRIPTS)/python benchmarks/tables.py

bench-formats: .venv-formats/.installed  ## Compare ways to keep a model: seconds and bytes
	@.venv-formats/$(SCRIPTS)/python benchmarks/formats.py

clean:  ## Remove what the other targets made, except models/ and the predictions
	@rm -rf .venv .venv-* .image .coverage .coverage[.-]* coverage coverage.xml dist mutants
	@rm -rf docs/site docs/api
	@rm -rf .mypy_cache .pytest_cache .hypothesis .ipynb_checkpoints .titanic_ml
	@find . -name __pycache__ -not -path './.git/*' -prune -exec rm -rf {} +

.venv/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo \
		"Python 3.11 or newer is needed, and $(PYTHON) is not: name one, as in make PYTHON=python3.12" \
		>&2; exit 1; }
	@$(PYTHON) -m venv .venv
	@touch $@

.venv/.installed: requirements.txt pyproject.toml | .venv/.made
	@echo "Installing the main dependencies into .venv ..."
	@$(BIN)/python $(PIP) --require-hashes -r requirements.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-serve: requirements-image.txt requirements-build.txt pyproject.toml | .venv/.made
	@echo "Installing the dependencies of the service into .venv ..."
	@$(BIN)/python $(PIP) --require-hashes -r requirements-image.txt -r requirements-build.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch .venv/.installed $@

# The development export holds all of the others, so it leaves all stamps.
.venv/.installed-all: requirements-dev.txt requirements-uv.txt requirements.txt pyproject.toml | .venv/.made
	@echo "Installing all dependencies into .venv ..."
	@$(BIN)/python $(PIP) --require-hashes -r requirements-uv.txt
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-dev.txt
	@$(BIN)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch .venv/.installed .venv/.installed-serve $@

.venv-lock/.installed:
	@$(PYTHON) -m venv .venv-lock
	@.venv-lock/$(SCRIPTS)/python $(PIP) "poetry >=2.3" poetry-plugin-export
	@touch $@

RESOLUTION_lowest := lowest-direct
RESOLUTION_newest := highest

.venv-lowest/.installed .venv-newest/.installed: .venv-%/.installed: pyproject.toml .venv/.installed-all
	@echo "Installing the $* dependencies into .venv-$* ..."
	@$(PYTHON) -m venv .venv-$*
	@$(BIN)/uv pip compile --quiet --python .venv-$*/$(SCRIPTS)/python --all-extras \
		--resolution $(RESOLUTION_$*) --output-file .venv-$*/requirements.txt pyproject.toml
	@$(BIN)/uv pip install --quiet --python .venv-$*/$(SCRIPTS)/python --group dev --group build \
		--requirement .venv-$*/requirements.txt
	@$(BIN)/uv pip install --quiet --python .venv-$*/$(SCRIPTS)/python --no-deps --no-build-isolation \
		--editable .
	@touch $@

.venv-quality/.installed: requirements.txt benchmarks/requirements-quality.txt
	@$(PYTHON) -m venv .venv-quality
	@.venv-quality/$(SCRIPTS)/python $(PIP) --require-hashes -r requirements.txt
	@.venv-quality/$(SCRIPTS)/python $(PIP) -r benchmarks/requirements-quality.txt
	@.venv-quality/$(SCRIPTS)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv-airflow/.installed-%: | .venv/.installed-all
ifeq ($(OS),Windows_NT)
	@echo "Airflow knows no Windows: its tests are skipped"
else
	@echo "Installing Airflow into .venv-airflow ..."
	@rm -rf .venv-airflow
	@$(PYTHON) -m venv .venv-airflow
	@$(BIN)/uv pip install --quiet --python .venv-airflow/bin/python --require-hashes \
		-r deploy/airflow/requirements.txt
	@touch $@
endif

.venv-mutants/.installed: requirements-dev.txt tests/requirements-mutants.txt
	@$(PYTHON) -m venv .venv-mutants
	@.venv-mutants/$(SCRIPTS)/python $(PIP) --require-hashes -r requirements-dev.txt
	@.venv-mutants/$(SCRIPTS)/python $(PIP) -r tests/requirements-mutants.txt
	@touch $@

.venv-tables/.installed: requirements-dev.txt benchmarks/requirements-tables.txt
	@$(PYTHON) -m venv .venv-tables
	@.venv-tables/$(SCRIPTS)/python $(PIP) --require-hashes -r requirements-dev.txt
	@.venv-tables/$(SCRIPTS)/python $(PIP) -r benchmarks/requirements-tables.txt
	@.venv-tables/$(SCRIPTS)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

.venv-formats/.installed: requirements.txt benchmarks/requirements-formats.txt
	@$(PYTHON) -m venv .venv-formats
	@.venv-formats/$(SCRIPTS)/python $(PIP) --require-hashes -r requirements.txt
	@.venv-formats/$(SCRIPTS)/python $(PIP) -r benchmarks/requirements-formats.txt
	@.venv-formats/$(SCRIPTS)/python $(PIP) --no-deps --no-build-isolation --editable .
	@touch $@
