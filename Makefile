# rediscache: what a contributor runs. `make` alone lists it.

GOLANGCI_VERSION := v2.15.0
SERVERS          := go run ./internal/testkit/withservers

.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sort | awk -F':.*## ' '{printf "  %-12s %s\n", $$1, $$2}'

quickstart: ## run the example shop: on embedded SQLite and Redis, or on DATABASE_URL and REDIS_URL
	go run ./examples/quickstart

test: ## run all tests on PostgreSQL and Redis, which are found or started
	$(SERVERS) go test -timeout 20m ./...

test-race: ## the same with the race detector, and fewer combinations
	$(SERVERS) go test -race -short -timeout 40m ./...

FUZZTIME ?= 30s
export FUZZTIME

fuzz: ## fuzz parsers and codecs, FUZZTIME each
	$(SERVERS) ./internal/testkit/fuzz.sh

lint: bin/golangci-lint-$(GOLANGCI_VERSION) ## run go vet and golangci-lint
	go vet ./...
	bin/golangci-lint-$(GOLANGCI_VERSION) run

bin/golangci-lint-$(GOLANGCI_VERSION):
	GOBIN=$(CURDIR)/bin go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_VERSION)
	mv bin/golangci-lint $@

fmt: bin/golangci-lint-$(GOLANGCI_VERSION) ## format the code
	bin/golangci-lint-$(GOLANGCI_VERSION) fmt

tidy: ## tidy go.mod
	go mod tidy

.PHONY: help quickstart test test-race fuzz lint fmt tidy
