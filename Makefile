# `make bench` and `make test` install what they need into .venv, with the versions in constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
FOR_BENCH := $(VENV)/.installed-bench
FOR_DEV := $(VENV)/.installed-dev
FOR_BENCHMARKS := $(VENV)/.installed-benchmarks
# Two for each core: many tests wait for the processes that they start.
TEST_PROCESSES := $(shell echo $$((2 * $$(getconf _NPROCESSORS_ONLN))))
# Where `make pulumi` puts what it builds; harmless where it has not.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

# Compiled once, not by each of the processes that a run or a test starts: pulumi_aws takes 4 s.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
# Two installations into one environment would meet.
.NOTPARALLEL:
.PHONY: help install bench test thorough check digest pulumi benchmarks lock clean

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(FOR_DEV)  ## the virtual environment, with all that development needs

$(VENV)/.installed-%: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit("Python %d.%d is not supported: set PYTHON to one of 3.11 to 3.13" % v[:2])'
	@$(PYTHON) -c 'import sys; sys.platform == "win32" and sys.exit("Windows is not supported: use Linux, or WSL")'
	@$(PYTHON) tools/environment.py $*

bench: $(FOR_BENCH)  ## the main job: stand the stack up, load it, judge, take it down; ARGS="--clients 50"
	$(BIN)/python -m bench$(if $(ARGS), $(ARGS))

# In the order of the files, else those of few and long tests would be left for the end, and for one core.
test: check  ## static checks, then the tests, on all cores; ARGS="-m engine"
	$(BIN)/python -m pytest -n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder$(if $(ARGS), $(ARGS))

thorough: $(FOR_DEV)  ## the proofs that take minutes each, and 300 examples of each property: `make pulumi` first
	REQUIRE_ENGINE_TESTS=1 $(BIN)/python -m pytest --thorough -m "thorough or hypothesis" \
		-n $(TEST_PROCESSES) --dist loadfile --no-loadscope-reorder

check: $(FOR_DEV)  ## static checks only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

digest: $(FOR_DEV)  ## pin the default image by the digest that its registry gives for its tag
	$(BIN)/python -m tools.image_digest

pulumi: $(FOR_DEV)  ## build the Pulumi CLI and, for the tests, language hosts from Go modules into .tools/bin
	tools/pulumi/build.sh .tools/bin

benchmarks: $(FOR_BENCHMARKS)  ## measure the load generator against Locust's
	$(BIN)/python -m tools.microbenchmarks load_generator

lock: $(FOR_DEV)  ## resolve pyproject.toml's ranges into constraints.txt again
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra benchmarks --universal --python-version 3.11 --upgrade \
		--no-header --quiet --output-file constraints.txt
	$(BIN)/uv pip compile --group checkov --universal --python-version 3.11 --upgrade \
		--no-header --quiet --output-file tests/checkov/constraints.txt
	$(BIN)/uv pip compile --group devpi --universal --python-version 3.11 --upgrade \
		--no-header --no-annotate --quiet --output-file bench/deployment/reference/devpi.txt
	$(BIN)/uv pip compile --group current-server --universal --python-version 3.11 --upgrade \
		--no-header --no-annotate --quiet --output-file tests/pypiserver_stack/container/current_server.txt
	$(BIN)/python -m tests.client_matrix.pins

clean:  ## remove what the targets above made; baselines stay
	rm -rf $(VENV) .tools $(filter-out results/baseline,$(wildcard results/*))
