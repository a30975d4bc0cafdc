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

# The benches have no tests; `make lint` compiles them.
.PHONY: test
test: build ## Run all tests: Rust's and Python's
	cargo test --workspace --exclude recio-benches --release --locked
	$(BIN)/python -m pytest --numprocesses=logical --maxprocesses=8 --dist=worksteal -m "not alone and not slow"
	$(BIN)/python -m pytest -m "alone and not slow"

# The kernels for ARM, on a PC: cross-compiled, and run by QEMU.
ARM := aarch64-unknown-linux-gnu
.PHONY: test-neon
test-neon: ## Run the JPEG decoder's tests with NEON, under QEMU
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-gcc \
	CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUNNER="qemu-aarch64-static -L /usr/aarch64-linux-gnu" \
	cargo test -p recio-jpeg --locked --target $(ARM)

# libFuzzer's counters, by the stable compiler. Comparisons are not traced: that takes two thirds of the time, and the numbers
# that matter are in the seeds. With --target the flags are kept from build scripts.
FUZZ_SECONDS := 600
FUZZ_FLAGS := --cfg fuzzing -Cpasses=sancov-module \
	$(addprefix -Cllvm-args=-sanitizer-coverage-,level=4 inline-8bit-counters pc-table)
FUZZ_HOST = $(shell rustc -vV | sed -n 's/host: //p')
FUZZ_TARGETS := record_stream record_random salvage index list header decode_augment detection_label \
	jpeg_compare jpeg_region jpeg_encoded
.PHONY: fuzz
fuzz: $(addprefix fuzz-,$(FUZZ_TARGETS)) ## Fuzz the readers and decoders, FUZZ_SECONDS (600) a target: docs/fuzzing.md

.PHONY: fuzz-build
fuzz-build:
	cd rust/fuzz && RUSTFLAGS="$(FUZZ_FLAGS)" \
		cargo build --release --locked --target $(FUZZ_HOST) --target-dir ../../target/fuzz

FUZZ_INPUT = -max_len=512 seeds/$*
fuzz-jpeg_compare fuzz-jpeg_region: FUZZ_INPUT := -max_len=4096 seeds/jpeg ../../tests/data/jpeg
fuzz-jpeg_encoded: FUZZ_INPUT := -max_len=128
fuzz-decode_augment: FUZZ_INPUT := -max_len=2048 seeds/decode_augment
fuzz-%: fuzz-build
	cd rust/fuzz && mkdir -p corpus/$* artifacts && ../../target/fuzz/$(FUZZ_HOST)/release/$* corpus/$* $(FUZZ_INPUT) \
		-max_total_time=$(FUZZ_SECONDS) -timeout=20 -artifact_prefix=artifacts/$*- -print_final_stats=1

.PHONY: fuzz-quick
fuzz-quick: ## Fuzz the readers and decoders, 30 seconds a target
	$(MAKE) fuzz FUZZ_SECONDS=30

# OpenCV 4.8.1 makes the images and the digests of its pixels; it does not decode GIF, which the newest OpenCV does.
REFERENCE := build/opencv-4.8.1
$(REFERENCE)/bin/python:
	python3 -m venv $(REFERENCE)
	$(REFERENCE)/bin/pip install --quiet opencv-python-headless==4.8.1.78 'numpy<2' pillow tifffile imagecodecs

FORMAT_IMAGES := build/format-images
.PHONY: test-formats
test-formats: build $(REFERENCE)/bin/python ## Compare the pixels of 5,000 PNG, BMP, GIF, WebP and TIFF files with OpenCV's
	PYTHONPATH=. $(REFERENCE)/bin/python -m tests.support.formats.make_images $(FORMAT_IMAGES)
	$(BIN)/python -m tests.support.formats.digests $(FORMAT_IMAGES) gif
	$(BIN)/python -m tests.support.formats.compare $(FORMAT_IMAGES)

# PySpark needs Java 17 or later. Each file of tests starts Ray anew, in a process of its own.
ENGINES := build/engines
$(ENGINES)/.ready: pyproject.toml
	python3 -m venv $(ENGINES)
	$(ENGINES)/bin/pip install --quiet --upgrade pip
	$(ENGINES)/bin/pip install --quiet --group dev 'ray[data,train]>=2.60,<2.61' 'pyspark[sql]>=4,<5' 'dask>=2025.1'
	echo $(CURDIR)/python > $$($(ENGINES)/bin/python -c 'import site; print(site.getsitepackages()[0])')/recio.pth
	touch $@

.PHONY: test-engines
test-engines: build $(ENGINES)/.ready ## Run the tests of recio.ray and the examples for Ray, Spark and Dask, in an environment with them
	for file in tests/ray/test_*.py; do $(ENGINES)/bin/python -m pytest $$file || exit 1; done
	$(ENGINES)/bin/python -m pytest tests/docs/test_pages.py -k "runs and (docs/ray or docs/spark)"

# Each file of tests is a process of its own: TensorFlow and PyTorch do not share one, and their threads warn of forks.
FRAMEWORKS := build/frameworks
$(FRAMEWORKS)/.ready: pyproject.toml
	python3 -m venv $(FRAMEWORKS)
	$(FRAMEWORKS)/bin/pip install --quiet --upgrade pip
	$(FRAMEWORKS)/bin/pip install --quiet --group dev 'torch>=2.15' torchvision 'torchdata>=0.11' 'lightning>=2.6' \
		'accelerate>=1.15' 'jax>=0.10' 'keras>=3.15' 'tensorflow-cpu>=2.21' 'datasets>=5'
	echo $(CURDIR)/python > $$($(FRAMEWORKS)/bin/python -c 'import site; print(site.getsitepackages()[0])')/recio.pth
	touch $@

.PHONY: test-frameworks
test-frameworks: build $(FRAMEWORKS)/.ready ## Run the tests on PyTorch, Lightning, accelerate, JAX, Grain, Keras, TensorFlow and others, 8 GB
	for file in tests/frameworks/test_*.py; do $(FRAMEWORKS)/bin/python -m pytest $$file || exit 1; done
	for page in pytorch jax-keras-tensorflow samplers; do \
		$(FRAMEWORKS)/bin/python -m pytest tests/docs/test_pages.py -k "runs and docs/$$page" || exit 1; done

.PHONY: soak
soak: build ## Run the long tests: soak, kills, salvage, sizes (docs/reliability.md)
	$(BIN)/python -m pytest -s -m slow
	SALVAGE_TRIALS=1000 cargo test --release --locked -p recio-core --test salvage -- --nocapture

.PHONY: lint
lint: build ## Check format, lints, types and stubs
	cargo fmt --check
	cargo clippy --workspace --all-targets --locked -- -D warnings
	$(BIN)/ruff check --no-cache $(PYTHON_CODE)
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
