# Two commands do everything on a fresh machine with Python >= 3.11 and make:
#   make verify   sets up a virtual environment and runs the main job
#   make test     sets up a virtual environment and runs the tests
# Also: make ledger (recompute every verdict and compare it with the ledger), make report (static site in report/), make lint.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed

.PHONY: verify test ledger report lint clean

verify: $(STAMP)
	$(BIN)/python -m verify.theorem1 --M 256 --L 8

# Processes of one thread, a file in one of them; more than four would share too little memory.
test: $(STAMP)
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile

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

clean:
	rm -rf $(VENV) build *.egg-info
