# rediscache: what a contributor runs. `make` alone lists it.

# Tools are built once for each version, into the user's cache folder, so that a fresh clone finds them.
TOOLS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/rediscache/tools

GOLANGCI_VERSION := v2.15.0
GOLANGCI         := $(TOOLS)/golangci-lint-$(GOLANGCI_VERSION)
SERVERS          := go run ./internal/testkit/withservers
MEASURED         := $(SERVERS) -measure

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

quickstart: ## run the example shop: on embedded SQLite and Redis, or on DATABASE_URL and REDIS_URL
	go run ./examples/quickstart

examples: ## run the example API, ask it something and stop it; and the example function (examples/README.md)
	./examples/httpapi/smoke.sh
	go run ./examples/serverless

# Tests with other plugins are a module of their own, so that applications do not get what only they need.
PLUGINS := tests/plugins

# So are benchmarks.
BENCHMARKS := benchmarks

# The tests that take longest begin first.
test: ## run all tests on PostgreSQL and Redis, which are found or started
	$(SERVERS) sh -c 'go test -timeout 40m ./tests ./... && go -C $(PLUGINS) test -timeout 10m ./... && go -C $(BENCHMARKS) test ./...'

# vet is off, as `make lint` and `make test` run it: it analyses every package a second time.
test-race: ## the same with the race detector, and fewer combinations
	$(SERVERS) sh -c 'go test -race -vet=off -short -timeout 60m ./tests ./... && go -C $(PLUGINS) test -race -vet=off -timeout 20m ./... \
		&& go -C $(BENCHMARKS) test -race -vet=off ./...'

matrix: ## try every way to write with every way to read, on every database
	$(SERVERS) env REDISCACHE_MATRIX=full go test -timeout 60m -run TestMatrix ./tests

SOAK ?= 20m

soak: ## simulated and real histories under faults, and memory under traffic, for SOAK each (20m)
	$(SERVERS) env REDISCACHE_SOAK=$(SOAK) go test -p 1 -count=1 -timeout 10h -v ./internal/sim ./tests/histories

precision: ## count how often answers are dropped for nothing, and write docs/precision.md
	$(SERVERS) env REDISCACHE_PRECISION=$(CURDIR)/docs/precision.md go test -count=1 -timeout 60m -run TestAnswerThatAWriteChanged ./tests/soundness

mutants: ## break the plugin on purpose, and see the tests notice
	$(SERVERS) go run ./tests/mutants

bench: ## measure everything, and write docs/benchmarks.md: a quarter of an hour
	$(MEASURED) go -C $(BENCHMARKS) run . -mode full -o $(CURDIR)/docs/benchmarks.md

bench-quick: ## measure less, and print it: two minutes
	$(MEASURED) go -C $(BENCHMARKS) run . -mode quick

bench-outage: ## measure what statements cost while Redis is away, and print it: a minute
	$(MEASURED) go -C $(BENCHMARKS) run . -mode quick -parts outage

bench-smoke: ## see that the benchmarks work; their figures mean nothing
	$(MEASURED) go -C $(BENCHMARKS) run . -mode smoke > /dev/null

FUZZTIME ?= 200000x
export FUZZTIME

gorm-suite: ## run GORM's own tests without and with the plugin (GORM_CHECKOUT, MODES: see tests/gormsuite/main.go)
	$(SERVERS) go run ./tests/gormsuite -modes "$(MODES)"

fuzz: ## fuzz parsers and codecs, FUZZTIME inputs each (200000x)
	$(SERVERS) ./internal/testkit/fuzz.sh

lint: $(GOLANGCI) ## run go vet and golangci-lint
	go vet ./...
	go -C $(PLUGINS) vet ./...
	go -C $(BENCHMARKS) vet ./...
	$(GOLANGCI) run
	cd $(PLUGINS) && $(GOLANGCI) run
	cd $(BENCHMARKS) && $(GOLANGCI) run

$(GOLANGCI):
	$(call build-tool,github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION))

# Two clones may build one tool at the same time: each builds in a folder of its own, and the last to end renames over the other's file.
define build-tool
mkdir -p $(TOOLS)
folder=$$(mktemp -d $(TOOLS)/build.XXXXXX) && GOBIN=$$folder go install $(1) && mv $$folder/* $@ && rmdir $$folder
endef

PROMTOOL_VERSION := v0.316.0
PROMTOOL         := $(TOOLS)/promtool-$(PROMTOOL_VERSION)

rules: $(PROMTOOL) ## check the alert rules, and run their tests
	$(PROMTOOL) check rules --lint=all --lint-fatal deploy/prometheus/rules.yml
	$(PROMTOOL) test rules deploy/prometheus/rules_test.yml

# v0.316.0 is Prometheus 3.16. The first build takes some minutes.
$(PROMTOOL):
	$(call build-tool,github.com/prometheus/prometheus/cmd/promtool@$(PROMTOOL_VERSION))

VULN_VERSION := v1.9.0
GOVULNCHECK  := $(TOOLS)/govulncheck-$(VULN_VERSION)
VULN_DB      ?= https://vuln.go.dev

vuln: $(GOVULNCHECK) ## look for known vulnerabilities in what is called, if VULN_DB answers
	GOVULNCHECK=$(GOVULNCHECK) VULN_DB=$(VULN_DB) ./internal/testkit/vuln.sh . $(PLUGINS) $(BENCHMARKS)

$(GOVULNCHECK):
	$(call build-tool,golang.org/x/vuln/cmd/govulncheck@$(VULN_VERSION))

fmt: $(GOLANGCI) ## format the code
	$(GOLANGCI) fmt
	cd $(PLUGINS) && $(GOLANGCI) fmt
	cd $(BENCHMARKS) && $(GOLANGCI) fmt

tidy: ## tidy each go.mod
	go mod tidy
	go -C $(PLUGINS) mod tidy
	go -C $(BENCHMARKS) mod tidy

.PHONY: help quickstart examples test test-race bench bench-quick bench-outage bench-smoke matrix soak precision mutants gorm-suite fuzz lint vuln rules fmt tidy
