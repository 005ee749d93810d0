# Everything a developer types. `make demo` and `make test` set up what they need by themselves.
SHELL := /bin/bash
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
ROOT := $(dir $(abspath $(lastword $(MAKEFILE_LIST))))
export CROSSLIFT_DATA ?= $(abspath $(ROOT)../shared/data)
GO_PACKAGES = ./...
BENCHED = $$(git grep -l '^func Benchmark' -- '*_test.go' | sed 's|^|./|; s|/[^/]*$$||' | sort -u)
VERSION = $(shell git -C $(ROOT) describe --tags --always --dirty 2>/dev/null || echo unknown)
STATICCHECK = honnef.co/go/tools/cmd/staticcheck@v0.8.2

.PHONY: help
help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

.PHONY: build
build: need ## build ./crosslift
	@cd $(ROOT) && CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X crosslift/jobs/cli.version=$(VERSION)" -o crosslift .

.PHONY: demo
demo: build postgres ## the whole pipeline on generated input, in demo/
	@cd $(ROOT) && ./crosslift demo demo

.PHONY: test
test: need postgres ## all tests, on a real Postgres and a real S3 server
	@cd $(ROOT) && .ci/test

.PHONY: check
check: need ## gofmt, vet, staticcheck, and the arrows between packages
	@cd $(ROOT) && bad=$$(gofmt -l $$(git ls-files '*.go')); [ -z "$$bad" ] || { echo "gofmt -w $$bad"; exit 1; }
	@cd $(ROOT) && go vet $(GO_PACKAGES)
	@cd $(ROOT) && go run $(STATICCHECK) $(GO_PACKAGES)
	@cd $(ROOT) && .ci/arrows

.PHONY: bench
bench: need postgres ## benchmarks, extracting beside dlt, identity beside scipy, Polars, DuckDB and Splink, and facts beside DuckDB
	@cd $(ROOT) && go test -run '^$$' -bench . -benchtime 500ms $(BENCHED) | grep -vE '^(PASS|ok|\?|testing:)'
	@cd $(ROOT) && CROSSLIFT_DLT="$$(.ci/dlt)" CROSSLIFT_PEERS="$$(.ci/peers)" go run ./bench

.PHONY: soak
soak: need postgres ## long runs: many kills, races, simulations and a day of 5,000,000 events (about fifteen minutes)
	@cd $(ROOT) && CROSSLIFT_SOAK=1 go test -count=1 -timeout 40m -p 1 $(GO_PACKAGES)
	@cd $(ROOT) && CROSSLIFT_BENCH_EVENTS=500000,5000000 go run ./bench ga

.PHONY: need
need:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or later, then run make again"; exit 2; }

# Debian's server package is installed when we are root and it is missing; otherwise we say what to install.
.PHONY: postgres
postgres:
	@$(ROOT).ci/postgres

.PHONY: clean
clean: ## remove what was built and the demo, stopping its Postgres
	@cd $(ROOT) && { [ ! -e demo/crosslift.yaml ] || ./crosslift --config demo/crosslift.yaml warehouse stop; } && rm -rf demo crosslift .bin
