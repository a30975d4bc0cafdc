# Every target has one line of help: `make help`.
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
PYTHON_CODE := python tests benches examples
SOURCES := $(shell find rust python -name '*.rs' -o -name '*.toml' -o -name '*.py' -o -name '*.pyi')

.PHONY: help
help: ## Show this help
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "%-12s %s\n", $$1, $$2}'

# The environment is made once, with the newest pip: older ones cannot read dependency groups.
$(VENV)/bin/maturin: pyproject.toml
	python3 -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --group dev
	touch $@

$(STAMP): $(VENV)/bin/maturin Cargo.toml Cargo.lock pyproject.toml $(SOURCES)
	$(BIN)/maturin develop --release --quiet
	touch $@

.PHONY: build
build: $(STAMP) ## Build recio into a local environment (.venv)

.PHONY: demo
demo: build ## Pack photographs, train on them, leave a contact sheet in build/demo; pictures of boxes and masks in build/examples
	$(BIN)/python benches/python/demo.py
	$(BIN)/python examples/detection.py
	$(BIN)/python examples/segmentation.py

.PHONY: test
test: build ## Run all tests: Rust's and Python's
	cargo test --workspace --release --locked
	$(BIN)/python -m pytest

# The kernels for ARM, on a PC: cross-compiled, and run by QEMU.
ARM := aarch64-unknown-linux-gnu
.PHONY: test-neon
test-neon: ## Run the JPEG decoder's tests with NEON, under QEMU
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -L /usr/aarch64-linux-gnu" \
	cargo test -p recio-jpeg --locked --target $(ARM)

.PHONY: lint
lint: build ## Check format, lints, types and stubs
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(BIN)/ruff check $(PYTHON_CODE)
	$(BIN)/ruff format --check $(PYTHON_CODE)
	$(BIN)/mypy
	$(BIN)/python -m mypy.stubtest recio._recio

.PHONY: format
format: build ## Format all code
	cargo fmt
	$(BIN)/ruff check --fix-only --quiet $(PYTHON_CODE)
	$(BIN)/ruff format --quiet $(PYTHON_CODE)

.PHONY: wheel
wheel: $(VENV)/bin/maturin ## Build the wheel into dist/
	$(BIN)/maturin build --release --locked --out dist

.PHONY: bench
bench: build ## Measure: each stage, then whole epochs against the peers that are installed
	cargo bench -p recio-benches
	$(BIN)/python benches/python/throughput.py

.PHONY: clean
clean: ## Remove everything that was built
	rm -rf target build dist $(VENV)
