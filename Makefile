# `make bench` and `make test` set up all they need: a virtual environment with the versions in constraints.txt.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
# Where `make pulumi` puts what it builds; harmless where it has not.
export PATH := $(CURDIR)/.tools/bin:$(PATH)

.DEFAULT_GOAL := help
.PHONY: help install bench test thorough check pulumi benchmarks lock clean

help:  ## what can be made
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(READY)  ## the virtual environment

$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info; (3, 11) <= v < (3, 14) or sys.exit("Python %d.%d is not supported: set PYTHON to one of 3.11 to 3.13" % v[:2])'
	@$(PYTHON) -c 'import sys; sys.platform == "win32" and sys.exit("Windows is not supported: use Linux, or WSL")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

bench: $(READY)  ## the main job: stand the stack up, load it, judge, take it down
	$(BIN)/python -m bench

# In the order of the files, else those of few and long tests would be left for the end, and for one core.
test: check  ## static checks, then the tests, on all cores
	$(BIN)/python -m pytest -n logical --dist loadfile --no-loadscope-reorder

thorough: $(READY)  ## the proofs that take minutes each: `make pulumi` first
	REQUIRE_ENGINE_TESTS=1 $(BIN)/python -m pytest --thorough -m thorough \
		-n logical --dist loadfile --no-loadscope-reorder

check: $(READY)  ## static checks only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

pulumi: $(READY)  ## build the Pulumi CLI and, for the tests, language hosts from Go modules into .tools/bin
	tools/pulumi/build.sh .tools/bin

benchmarks: $(READY)  ## measure the load generator against Locust's
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[benchmarks]'
	$(BIN)/python -m benchmarks load_generator

lock: $(READY)  ## resolve pyproject.toml's ranges into constraints.txt again
	$(BIN)/uv pip compile pyproject.toml --extra dev --extra benchmarks --universal --python-version 3.11 --upgrade \
		--no-header --quiet --output-file constraints.txt
	$(BIN)/uv pip compile --group checkov --universal --python-version 3.11 --upgrade \
		--no-header --quiet --output-file tests/checkov/constraints.txt

clean:  ## remove what the targets above made
	rm -rf $(VENV) .tools results
