# Everything a developer or a CI machine runs. Needs Rust (rustup) and Node.js; `scripts/setup.sh` installs the rest.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup ui run dev test lint audit fuzz instructions bench bench-quick bench-browser clean

# Folders named in this file must be true wherever a machine's own settings would put them.
export CARGO_TARGET_DIR := target
# Seconds that `make fuzz` spends on each target.
FUZZ_SECONDS ?= 20

# One profile for everything that is built here, `release`: the tests run what `make run` serves, and on a small machine
# compiling all dependencies a second time would take longer than the tests themselves. `make dev` alone uses `dev`.

help: ## list these targets
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 24

setup: ## install what building needs (every other target does this by itself)
	@scripts/setup.sh build

ui: setup ## build the web app into yew-ui/dist
	@scripts/build-ui.sh --release

run: ui ## build everything and serve meetings on this machine; Ctrl-C stops it
	@cargo build --release -p videocall-server
	@exec target/release/videocall-server

dev: setup ## serve, and rebuild on every change
	@exec scripts/dev.sh

test: ## run all tests: Rust, servers, real browsers
	@scripts/setup.sh test
	@scripts/build-ui.sh --release
	@scripts/test.sh

lint: ## formatting, clippy, dependency rules, licences
	@scripts/setup.sh lint
	@scripts/lint.sh

audit: ## known vulnerabilities in dependencies (downloads the advisory database)
	@scripts/setup.sh lint
	@cargo deny check advisories

fuzz: ## feed every parser garbage for FUZZ_SECONDS each
	@scripts/setup.sh fuzz
	@set -e; targets=$$(cargo +nightly fuzz list); for target in $$targets; do \
		echo "fuzz: $$target, $(FUZZ_SECONDS) s"; \
		mkdir -p "fuzz/corpus/$$target" "fuzz/seeds/$$target"; \
		cargo +nightly fuzz run "$$target" "fuzz/corpus/$$target" "fuzz/seeds/$$target" -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 -print_final_stats=1; \
	done

instructions: ## compare the packet path's instruction counts with the recorded ones
	@scripts/setup.sh test
	@node scripts/instructions.mjs

# Options of `bench suite`, such as --peer-ws 'my-server --port {port}'.
BENCH_OPTIONS ?=

bench: bench-build bench-moq ## measure relay, floors and peers in 40 minutes, and write PERFORMANCE.md's tables
	@target/release/bench suite $(BENCH_OPTIONS)
	@target/release/bench report

bench-quick: bench-build ## measure relay beside floors in 5 minutes, and fail if it takes too much CPU time
	@target/release/bench suite --quick --results target/bench
	@target/release/bench check --results target/bench/quick.json

.PHONY: bench-build bench-moq
bench-moq:
	@scripts/setup.sh moq

bench-build:
	@scripts/setup.sh bench
	@mkdir -p yew-ui/dist
	@cargo build --release -p bench -p videocall-server -p actix-api -p webtransport-server

bench-browser: ## measure CPU, joining and latency in real browsers in 10 minutes, and write PERFORMANCE.md's tables
	@scripts/setup.sh test
	@scripts/build-ui.sh --release
	@cargo build --release -p videocall-server -p testkit --bins
	@node e2e/bench.mjs

clean: ## remove what was built, but not the compiled build tools
	@mkdir -p target && find target -mindepth 1 -maxdepth 1 ! -name tools -exec rm -rf {} +
	@rm -rf fuzz/target yew-ui/dist yew-ui/dist.new
