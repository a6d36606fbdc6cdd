# Everything that is done to this repository by a command is a target here.
# Two commands are enough on a fresh machine with Go: make demo, make test.

SHELL := /bin/sh
.DEFAULT_GOAL := help

# What `keyturn version` says.
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)

# Arguments for the demo: make demo ARGS='--addr 127.0.0.1:9090'
ARGS ?=
# Packages and flags for the tests: make test PKG=./internal/policy/... TESTFLAGS='-run Remembered'
PKG ?= ./...
TESTFLAGS ?=
# How long each fuzz target runs: make fuzz FUZZTIME=5m
FUZZTIME ?= 15s

export PKG TESTFLAGS FUZZTIME

.PHONY: help
help: ## list the targets
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

.PHONY: demo
demo: build ## build and run the whole product, with people, an inbox, a movable clock and an example that signs in
	@CGO_ENABLED=0 go build -trimpath -buildvcs=false -o bin/workshop ./examples/workshop
	@bin/keyturn demo --example bin/workshop $(ARGS)

# The version is handed in, so that a build needs no git history and two builds of one
# commit are the same bytes.
.PHONY: build
build: ## build bin/keyturn
	@mkdir -p bin
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags "-s -w -X main.version=$(VERSION)" -o bin/keyturn ./cmd/keyturn

.PHONY: test
test: ## run the whole suite on both engines, installing what it needs where it may
	@scripts/test.sh

.PHONY: pictures
pictures: ## take pictures of every page into build/pictures, and those of the guides anew
	@KEYTURN_TEST_PICTURES="$(CURDIR)/build/pictures" KEYTURN_TEST_HELP_PICTURES=write PKG=./e2e/ \
		TESTFLAGS="-run Sound|Page|Person|Admin|Somebody|Site|Guides|Email|Mobile|Left|Staff|Passkey|Authenticator|Recovery|Login $(TESTFLAGS)" scripts/test.sh

.PHONY: race
race: ## run the suite with the race detector (needs gcc, slow)
	@CGO_ENABLED=1 TESTFLAGS="-race $(TESTFLAGS)" scripts/test.sh

.PHONY: soak
soak: ## run the long tests on both engines: 10,000 SMS with 50 kills, 10,000 in shadow, 1,000 renewals, everybody of the sample
	@KEYTURN_TEST_SOAK=1 PKG="./e2e ./internal/signin ./internal/connect" \
		TESTFLAGS="-timeout 120m -run Ledger|Predicted|EnforcementInShadow|ThreeNodes $(TESTFLAGS)" scripts/test.sh

.PHONY: lint
lint: ## check the code and the scripts by the house rules
	@scripts/lint.sh

.PHONY: fmt
fmt: ## format the Go code
	@scripts/lint.sh fmt

.PHONY: check
check: lint test ## lint, then test: what has to pass before a change is handed in

.PHONY: fuzz
fuzz: ## run every fuzz target for a short while
	@scripts/fuzz.sh

.PHONY: clean
clean: ## remove what make made (the tools cached outside the repository stay)
	rm -rf bin build
