# Everything runs through tests/local/stack.py, which makes its own tools under .local/ the first time.
-include .env
export LOCAL_DIR LOCAL_GOOGLE_URL LOCAL_PARAMETERS

PYTHON ?= python3
STACK := $(PYTHON) tests/local/stack.py

.DEFAULT_GOAL := help
.PHONY: help local local-up local-down local-logs test test-long console console-dev metrics runbooks security security-teeth sim sim-teeth fuzz build lint deny notices locks sam-local bench capacity clean

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

local: local-up ## Start the local stack and tell one demo mail step by step
	@$(STACK) story

local-up: ## Start the local stack; return when it serves
	@$(STACK) up

local-down: ## End what local-up started
	@$(STACK) down

local-logs: ## Show what the local stack's functions wrote
	@$(STACK) logs

test: ## Run all tests, on stacks of their own (VERBOSE=1: with all that they print)
	@$(STACK) test

test-long: ## Run what takes long by nature, whole: simulation, teeth, weather, runbooks, the API after its description
	@$(STACK) test-long

console: ## Build the console into the function that serves it
	@$(STACK) console

console-dev: ## The console with hot reload, before the running local stack
	@$(STACK) console-dev

metrics: ## What the functions of the running stack counted, as Prometheus text
	@$(STACK) metrics

runbooks: ## Walk through docs/operations.md on the running stack (ARGS: names of runbooks)
	@$(STACK) runbooks $(ARGS)

security: ## Try every security case on a stack of the tests', and print the table
	@$(STACK) security

security-teeth: ## Take checks out, one by one, and see a security case fail for each
	@$(PYTHON) tests/teeth/bite.py --security $(ARGS)

sim: ## Simulate every fault in every scenario (SEEDS=n: n random histories, ARGS: --help)
	@cargo build --locked --quiet --workspace --bin sim
	@$(or $(CARGO_TARGET_DIR),target)/debug/sim $(if $(SEEDS),--only-seeds --seeds $(SEEDS)) $(ARGS)

sim-teeth: ## Plant known bugs, one by one, and see the simulation catch each
	@$(PYTHON) tests/teeth/bite.py $(ARGS)

fuzz: ## Look for inputs that break a parser's promise (MINUTES=n for each target, ARGS: names of targets)
	@$(PYTHON) tests/local/fuzz.py $(or $(MINUTES),1) $(ARGS)

build: ## Build the functions for this machine, and the fake Google
	@$(STACK) build

lint: ## Check format, lints, the lock of the fuzz targets and the template
	@cargo fmt --all --check
	@cargo clippy --locked --workspace --all-targets -- -D warnings
	@cargo metadata --locked --quiet --format-version 1 --manifest-path tests/fuzz/Cargo.toml > /dev/null
	@$(STACK) validate

deny: ## Check licences, bans, sources, advisories and notices of the crates (ADVISORIES=required: fail where none can be had)
	@$(STACK) linked

notices: ## Write THIRD-PARTY-NOTICES anew, after a change of Cargo.lock
	@$(STACK) notices

locks: ## Make the locks of the Python tools from tests/local/requirements-*.txt (ARGS=--upgrade: renew what they hold)
	@$(STACK) locks $(ARGS)

sam-local: ## Invoke every sample event with sam local, and check what it answers (needs Docker; ONE=name: that one)
	@$(STACK) sam-local $(ONE)

bench: ## Measure what waiting for mail costs, beside other patterns (ARGS: --help)
	@$(STACK) bench $(ARGS)

capacity: ## Count what mail and mailboxes cost, and simulate the renewer (ARGS: --help)
	@cargo build --locked --quiet --profile capacity --workspace --bin capacity
	@$(or $(CARGO_TARGET_DIR),target)/capacity/capacity $(ARGS)

clean: local-down ## End the stack and remove what was built and installed
	@rm -rf .aws-sam .local
	@cargo clean
