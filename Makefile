# Two commands do everything on a fresh machine with Python >= 3.11 and make:
#   make verify   sets up a virtual environment and runs the main job
#   make test     sets up a virtual environment and runs the tests
# Also: make ledger (recompute every verdict and compare it with the ledger), make report (static site in report/), make lint,
# make lowest (the tests with the oldest dependencies that pyproject.toml allows).
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: verify test lowest ledger report lint clean

verify: $(STAMP)
	$(BIN)/python -m verify.theorem1 --M 256 --L 8

# Processes of one thread, a file in one of them; more than four would share too little memory.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

lowest: $(VENV)-lowest/.installed
	OMP_NUM_THREADS=1 $(VENV)-lowest/bin/python -m pytest -n auto --maxprocesses 4 --dist loadfile

ledger: $(STAMP)
	$(BIN)/python -m verify

report: $(STAMP)
	$(BIN)/python -m verify report -o report

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check --quiet .
	$(BIN)/mypy
	$(BIN)/lint-imports

$(STAMP): pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e ".[dev]"
	touch $(STAMP)

$(VENV)-lowest/.installed: pyproject.toml tests/lowest.py
	$(PYTHON) -m venv --clear $(VENV)-lowest
	$(VENV)-lowest/bin/python tests/lowest.py pyproject.toml > $(VENV)-lowest/lowest.txt
	$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check -c $(VENV)-lowest/lowest.txt -e ".[dev]"
	touch $@

clean:
	rm -rf $(VENV) $(VENV)-lowest build *.egg-info
