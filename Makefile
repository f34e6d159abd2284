# Two commands matter: `make demo` and `make test`. Each target makes the virtual environment it needs by itself.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
INPUTS := pyproject.toml $(wildcard src/bioguard/match/native/*.c src/bioguard/match/native/*.h)

.PHONY: demo test test-cbor regression bench lint clean help
.DEFAULT_GOAL := help

help:
	@echo "make demo   the whole flow on synthetic people in a temporary device"
	@echo "make test   lint, types, import contracts and every test"
	@echo "make test-cbor  the tests that read or write CBOR, on cbor2 5.6 and 6"
	@echo "make regression  accuracy on synthetic people against the stored baseline"
	@echo "make bench  timings of this machine (needs the bench extra)"
	@echo "make lint   ruff, mypy and the import contracts alone"

$(VENV)/.base: $(INPUTS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	@touch $@

$(VENV)/.test: $(VENV)/.base
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[test,bench,cluster]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r tests/formats/readers.txt || \
		echo "foreign readers are not installed: their tests are skipped by name"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(VENV)/readers \
		-r tests/formats/readers_apart.txt || echo "a foreign reader is not installed: its tests are skipped by name"
	@touch $@

demo: $(VENV)/.base
	@$(BIN)/bioguard demo

# In the order of folders: ordered by the number of their tests, files of few and long ones would come last.
test: $(VENV)/.test
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

test-cbor: $(VENV)/.test
	@.ci/cbor $(VENV)

regression: $(VENV)/.test
	@$(BIN)/python -m bench baseline --check --no-speed

bench: $(VENV)/.test
	@$(BIN)/python -m bench latency

lint: $(VENV)/.test
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
