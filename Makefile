# Every step that a developer or the CI takes. `make help` lists them.
# Each target does its own set-up: all that must be there is Rust (cargo) and Python >= 3.11.

PYTHON ?= python3
CARGO ?= cargo
VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
PIP := $(BIN)/python -m pip --disable-pip-version-check

# The directory and the large file's size for `make demo`; empty means the demo's own defaults.
DIR ?=
SIZE ?=
# Further arguments for pytest and for the side-by-side runner.
PYTEST_ARGS ?=
BENCH_ARGS ?=
# How long each of the two targets of `make fuzz` looks for something that breaks.
FUZZ_SECONDS ?= 30

# One interpreter for every cargo call: a change of it would build PyO3 anew.
export PYO3_PYTHON := $(abspath $(BIN)/python)

WHEEL_SOURCES := $(shell find rust python -type f ! -path '*/__pycache__/*' ! -name '*.so') \
	Cargo.toml Cargo.lock pyproject.toml README.md LICENSE

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup build install develop fmt lint lint-rust lint-python stubtest test test-rust \
	test-python fuzz demo bench bench-hash bench-simulator bench-listing \
	bench-sync clean require-rclone

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  \033[1m%-12s\033[0m %s\n", $$1, $$2 }' \
		$(MAKEFILE_LIST)

setup: $(STAMPS)/development ## Make .venv with everything that building, linting and testing need

build: $(STAMPS)/wheel ## Build the release wheel into dist/

install: $(STAMPS)/installed ## Install the release wheel and its dependencies into .venv

develop: $(STAMPS)/development ## Build quickly and install the source tree itself into .venv
	rm -f $(STAMPS)/installed
	$(BIN)/maturin develop --profile quick --extras cli

fmt: $(STAMPS)/development ## Format the Rust and Python code in place
	$(CARGO) fmt --all
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

lint: lint-rust lint-python stubtest ## Check formatting, clippy, ruff, mypy --strict and the stubs

lint-rust: $(STAMPS)/venv ## rustfmt --check and clippy, warnings are errors
	$(CARGO) fmt --all --check
	$(CARGO) clippy --locked --workspace --all-targets -- -D warnings

lint-python: $(STAMPS)/development ## ruff (check and format) and mypy --strict
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

stubtest: $(STAMPS)/development $(STAMPS)/installed ## Compare the stubs of b2fast._core with the built extension
	$(BIN)/stubtest b2fast._core --allowlist tests/stubtest_allowlist.txt

test: test-rust test-python ## Run the whole suite: cargo test, then pytest on the installed wheel

test-rust: $(STAMPS)/venv ## cargo test of the crates that know no Python
	$(CARGO) test --locked --workspace --exclude b2fast-py

test-python: $(STAMPS)/development $(STAMPS)/installed ## pytest on the installed wheel
	@$(BIN)/python -c 'import b2fast, sys; ok = "site-packages" in b2fast.__file__; \
		sys.exit(None if ok else f"b2fast is imported from {b2fast.__file__}, not from the wheel")'
	$(BIN)/python -m pytest $(PYTEST_ARGS)

fuzz: $(STAMPS)/fuzz $(STAMPS)/installed ## Look for requests that break the simulator (FUZZ_SECONDS=...)
	$(BIN)/python -m tests.fuzz.run door --seconds $(FUZZ_SECONDS)
	$(BIN)/python -m tests.fuzz.run connection --seconds $(FUZZ_SECONDS)

demo: $(STAMPS)/installed ## Send real files to a local simulator and back (DIR=... SIZE=...)
	$(BIN)/b2fast demo $(if $(DIR),--dir '$(DIR)') $(if $(SIZE),--size '$(SIZE)')

bench: require-rclone $(STAMPS)/installed $(STAMPS)/bench ## Measure single functions, then b2fast beside b2sdk and rclone
	$(BIN)/python -m pytest benches $(PYTEST_ARGS)
	$(BIN)/python benches/side_by_side.py $(BENCH_ARGS)
	$(BIN)/python benches/listing_speed.py
	$(BIN)/python benches/sync_speed.py

bench-hash: $(STAMPS)/venv ## Measure every SHA-1 kernel that runs here, each beside OpenSSL
	for kernel in '' sha-ni sha-ni-avx512 avx512 avx2 portable; do \
		B2FAST_SHA1=$$kernel $(CARGO) bench --locked -p b2fast-core --bench sha1 -- $(BENCH_ARGS) || exit 1; \
	done

bench-simulator: $(STAMPS)/installed ## Measure how fast the simulator itself is
	$(BIN)/python benches/simulator_speed.py $(BENCH_ARGS)

bench-listing: $(STAMPS)/installed $(STAMPS)/bench ## Measure the CPU time of listings beside b2sdk's
	$(BIN)/python benches/listing_speed.py $(BENCH_ARGS)

bench-sync: require-rclone $(STAMPS)/installed $(STAMPS)/bench ## Measure syncs beside b2sdk's and rclone's
	$(BIN)/python benches/sync_speed.py $(BENCH_ARGS)

clean: ## Remove everything that was built, .venv included
	rm -rf $(VENV) dist target .benchmarks .fuzz .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find python tests benches -name __pycache__ -prune -exec rm -rf {} +

require-rclone:
	@command -v rclone >/dev/null || { \
		echo 'rclone is missing: the benchmarks compare with it.' >&2; \
		echo 'Install it (Debian, Ubuntu: apt-get install rclone; else https://rclone.org/downloads/).' >&2; \
		exit 1; }

# A stamp says that its step was done; a second run does only what its sources call for.

$(STAMPS)/venv:
	@command -v $(CARGO) >/dev/null || { \
		echo 'cargo is missing: install Rust (https://rustup.rs).' >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'Python 3.11 or later is needed: name one by PYTHON=...' >&2; exit 1; }
	$(PYTHON) -m venv $(VENV) || { \
		echo 'python -m venv failed (Debian and Ubuntu keep it in the package python3-venv).' >&2; \
		rm -rf $(VENV); exit 1; }
	$(PIP) install --quiet 'maturin>=1.9,<2'
	@mkdir -p $(STAMPS) && touch $@

# The extras' requirements without the package itself, which the wheel provides.
define install_extras
	$(BIN)/python -c 'import sys, tomllib; \
		project = tomllib.load(open("pyproject.toml", "rb"))["project"]; \
		print(*project["dependencies"], \
			*(line for extra in sys.argv[1:] for line in project["optional-dependencies"][extra]), \
			sep="\n")' $(1) > $@.txt
	$(PIP) install --quiet -r $@.txt
	@touch $@
endef

$(STAMPS)/development: pyproject.toml | $(STAMPS)/venv
	$(call install_extras,cli test)

$(STAMPS)/bench: pyproject.toml | $(STAMPS)/venv
	$(call install_extras,cli bench)

$(STAMPS)/fuzz: pyproject.toml | $(STAMPS)/venv
	$(call install_extras,fuzz)

$(STAMPS)/wheel: $(WHEEL_SOURCES) | $(STAMPS)/venv
	rm -rf dist
	$(BIN)/maturin build --release --locked --interpreter $(BIN)/python --out dist
	@touch $@

$(STAMPS)/installed: $(STAMPS)/wheel
	$(PIP) install --quiet "$$(echo dist/*.whl)[cli]"
	$(PIP) install --quiet --force-reinstall --no-deps dist/*.whl
	@touch $@
