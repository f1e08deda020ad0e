# rediscache: what a contributor runs. `make` alone lists it.

GOLANGCI_VERSION := v2.15.0
SERVERS          := go run ./internal/testkit/withservers

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

test: ## run all tests on PostgreSQL and Redis, which are found or started
	$(SERVERS) sh -c 'go test -timeout 40m ./... && go -C $(PLUGINS) test -timeout 10m ./... && go -C $(BENCHMARKS) test ./...'

test-race: ## the same with the race detector, and fewer combinations
	$(SERVERS) sh -c 'go test -race -short -timeout 60m ./... && go -C $(PLUGINS) test -race -timeout 20m ./... && go -C $(BENCHMARKS) test -race ./...'

matrix: ## try every way to write with every way to read, on every database
	$(SERVERS) env REDISCACHE_MATRIX=full go test -timeout 60m -run TestMatrix ./tests

precision: ## count how often answers are dropped for nothing, and write docs/precision.md
	$(SERVERS) env REDISCACHE_PRECISION=$(CURDIR)/docs/precision.md go test -count=1 -timeout 60m -run TestAnswerThatAWriteChanged ./tests/soundness

mutants: ## break the plugin on purpose, and see the tests notice
	$(SERVERS) go run ./tests/mutants

bench: ## measure everything, and write docs/benchmarks.md: a quarter of an hour
	$(SERVERS) go -C $(BENCHMARKS) run . -mode full -o $(CURDIR)/docs/benchmarks.md

bench-quick: ## measure less, and print it: two minutes
	$(SERVERS) go -C $(BENCHMARKS) run . -mode quick

bench-smoke: ## see that the benchmarks work; their figures mean nothing
	$(SERVERS) go -C $(BENCHMARKS) run . -mode smoke > /dev/null

FUZZTIME ?= 30s
export FUZZTIME

gorm-suite: ## run GORM's own tests without and with the plugin (GORM_CHECKOUT, MODES: see tests/gormsuite/main.go)
	$(SERVERS) go run ./tests/gormsuite -modes "$(MODES)"

fuzz: ## fuzz parsers and codecs, FUZZTIME each
	$(SERVERS) ./internal/testkit/fuzz.sh

lint: bin/golangci-lint-$(GOLANGCI_VERSION) ## run go vet and golangci-lint
	go vet ./...
	go -C $(PLUGINS) vet ./...
	go -C $(BENCHMARKS) vet ./...
	bin/golangci-lint-$(GOLANGCI_VERSION) run
	cd $(PLUGINS) && $(CURDIR)/bin/golangci-lint-$(GOLANGCI_VERSION) run
	cd $(BENCHMARKS) && $(CURDIR)/bin/golangci-lint-$(GOLANGCI_VERSION) run

bin/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@

PROMTOOL_VERSION := v0.316.0

rules: bin/promtool-$(PROMTOOL_VERSION) ## check the alert rules, and run their tests
	bin/promtool-$(PROMTOOL_VERSION) check rules --lint=all --lint-fatal deploy/prometheus/rules.yml
	bin/promtool-$(PROMTOOL_VERSION) test rules deploy/prometheus/rules_test.yml

# v0.316.0 is Prometheus 3.16. The first build takes some minutes.
bin/promtool-$(PROMTOOL_VERSION):
	GOBIN=$(CURDIR)/bin go install github.com/prometheus/prometheus/cmd/promtool@$(PROMTOOL_VERSION)
	mv bin/promtool $@

fmt: bin/golangci-lint-$(GOLANGCI_VERSION) ## format the code
	bin/golangci-lint-$(GOLANGCI_VERSION) fmt
	cd $(PLUGINS) && $(CURDIR)/bin/golangci-lint-$(GOLANGCI_VERSION) fmt
	cd $(BENCHMARKS) && $(CURDIR)/bin/golangci-lint-$(GOLANGCI_VERSION) fmt

tidy: ## tidy each go.mod
	go mod tidy
	go -C $(PLUGINS) mod tidy
	go -C $(BENCHMARKS) mod tidy

.PHONY: help quickstart examples test test-race bench bench-quick bench-smoke matrix precision mutants gorm-suite fuzz lint rules fmt tidy
