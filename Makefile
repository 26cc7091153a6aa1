# The chores of this repository. `make` alone is the gate before a commit; `make help` lists the rest.

GO      ?= go
# No version control stamp: it would change the binary with every commit. A release sets VERSION, or is a tag.
VERSION ?= $(shell git describe --tags --match 'v*' --dirty 2>/dev/null)
LDFLAGS := -s -w -X github.com/pintle-dev/pintle/internal/cli.version=$(VERSION)
BUILD   := CGO_ENABLED=0 $(GO) build -trimpath -buildvcs=false
BIN     := $(CURDIR)/bin

# What is checked and tested without a cluster. The modules that only link Kubernetes together, and those that only
# pin tools, hold no code of ours to check.
MODULES := . sandbox examples/server bench tools/otlp-receiver

.DEFAULT_GOAL := check
.PHONY: bench fuzz check fmt vet lint test test-unit test-e2e chaos build sandbox packages helm helmfile chart-testing otlp-receiver demo demo-down transcript clean help FORCE

check: fmt vet lint test-unit ## Format, vet, lint and run the tests that need no cluster (the default)

fmt: ## Format the code
	@for m in $(MODULES); do (cd $$m && $(GO) list -f '{{.Dir}}' ./... | xargs gofmt -l -w); done

vet:
	@for m in $(MODULES); do echo "vet $$m"; $(GO) -C $$m vet ./... || exit 1; done

lint: $(BIN)/golangci-lint ## Lint the code
	@for m in $(MODULES); do echo "lint $$m"; (cd $$m && $(BIN)/golangci-lint run --config $(CURDIR)/.golangci.yml ./...) || exit 1; done

test: ## Run all tests: those without a cluster, then the stories of e2e/ on the sandbox
	@hack/test.sh

test-unit: ## Run the tests that need no cluster
	@hack/test-unit.sh

test-e2e: ## Run the stories of e2e/ on the sandbox; RUN='hooks' chooses some, V=1 shows every command
	@hack/test-e2e.sh

chaos: ## Kill operations at every step boundary and within every step, cut the network, send signals, let runs compete, and see that all goes on (half an hour)
	@PINTLE_CHAOS=full RUN='^(TestCrashes|TestInterrupts|TestCompetingRuns|TestSignals|TestFaultyNetwork|TestThrottled|TestHeavyLoss|TestOutage)$$' V=1 TIMEOUT=90m hack/test-e2e.sh

soak: ## Run OPERATIONS=200 operations in one process, and see that nothing piles up
	@OPERATIONS=$(or $(OPERATIONS),200) RUN='^TestSoak$$' V=1 TIMEOUT=60m hack/test-e2e.sh

race: ## Run the tests of all modules with the race detector, then stories with a binary that has it
	@hack/race.sh

build: $(BIN)/pintle ## Build bin/pintle

$(BIN)/pintle: FORCE
	$(BUILD) -ldflags '$(LDFLAGS)' -o $@ ./cmd/pintle

sandbox: packages ## Build the sandbox into bin/ (minutes the first time)
	sandbox/build.sh

packages: ## Install the Debian packages that the sandbox runs with
	sandbox/install-packages.sh

helm: $(BIN)/helm $(BIN)/helm3 ## Build the Helm 4 and Helm 3 that we compare with

# The version that the module of a tool pins.
pinned = $(shell sed -n 's|^[[:space:]]*$(2) \(v[0-9.]*\).*|\1|p' $(1)/go.mod)

$(BIN)/helm: tools/helm/go.mod tools/helm/go.sum
	cd tools/helm && $(BUILD) -ldflags '-s -w -X helm.sh/helm/v4/internal/version.version=$(call pinned,tools/helm,helm.sh/helm/v4)' -o $@ helm.sh/helm/v4/cmd/helm

$(BIN)/helm3: tools/helm3/go.mod tools/helm3/go.sum
	cd tools/helm3 && $(BUILD) -ldflags '-s -w -X helm.sh/helm/v3/internal/version.version=$(call pinned,tools/helm3,helm.sh/helm/v3)' -o $@ helm.sh/helm/v3/cmd/helm

otlp-receiver: $(BIN)/otlp-receiver ## Build the OpenTelemetry Collector's receiver that the stories send to (half a minute of CPU the first time)

$(BIN)/otlp-receiver: $(wildcard tools/otlp-receiver/*)
	cd tools/otlp-receiver && $(BUILD) -ldflags '-s -w' -o $@ .

helmfile: $(BIN)/helmfile ## Build the Helmfile that drives pintle in a story of e2e/ (five minutes of one core the first time)

$(BIN)/helmfile: tools/helmfile/go.mod tools/helmfile/go.sum tools/helmfile/vals/vals.go
	cd tools/helmfile && $(BUILD) -ldflags '-s -w' -o $@ github.com/helmfile/helmfile

chart-testing: $(BIN)/ct ## Build the chart-testing that drives pintle in a story of e2e/

$(BIN)/ct: tools/chart-testing/go.mod tools/chart-testing/go.sum
	cd tools/chart-testing && $(BUILD) -ldflags '-s -w' -o $@ github.com/helm/chart-testing/v3/ct

$(BIN)/golangci-lint: tools/go.mod tools/go.sum
	cd tools && $(BUILD) -ldflags '-s -w' -o $@ github.com/golangci/golangci-lint/v2/cmd/golangci-lint

fuzz: ## Fuzz each target in turn; FUZZTIME=1m for each, RUN='chart' chooses by package and name
	@hack/fuzz.sh

bench: ## Measure beside Helm, on an idle machine; ONLY='version,200' chooses, ROUNDS=5
	@hack/bench.sh

demo: ## Play the story of a release on a Kubernetes of this machine, and leave it up
	@hack/demo.sh

demo-down: ## Remove every trace of the demo
	@hack/demo-down.sh

transcript: ## Play the demo and put what it prints into the README
	@hack/transcript.sh

clean: ## Remove what was built here
	rm -rf $(BIN)

help: ## List the targets
	@sed -n 's/^\([a-z0-9-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r t d; do printf '  %-10s %s\n' "$$t" "$$d"; done
