# make help lists the targets.

SHELL       := bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

GO       ?= go
PKGS     ?= ./...
DURATION ?= 20s
FUZZTIME ?= 30s
SCALE    ?= 1 2 4 8 16
CLANG    ?= clang-14
STDMODE  ?= default
BUILD    := build

# Releases that have a layout file, newest patch known to work of each.
RELEASES ?= go1.25.3 go1.26.8 go1.27.4

# Targets that the portable backend serves and that must at least compile.
COMPILE_ONLY := windows/amd64 darwin/arm64 freebsd/amd64 js/wasm wasip1/wasm linux/riscv64

# An emulated program runs 10 to 50 times slower: short tests, a long limit.
EMULATED := -short -timeout 8m

# unsafe may be imported by files of these names, and by the kernel in the root.
UNSAFE_FILES := (_unsafe(_[a-z0-9]+)*\.go|^\./[a-z0-9_]+\.go)$$

.PHONY: help
help: ## this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo "  variables: GO=$(GO) PKGS=$(PKGS) DURATION=$(DURATION) FUZZTIME=$(FUZZTIME) RELEASES='$(RELEASES)'"

## Preparation

.PHONY: setup
setup: ## install what the tests need and this machine lacks: gcc, qemu-user, valgrind
	@missing=(); \
	command -v gcc >/dev/null || missing+=(gcc libc6-dev); \
	command -v qemu-aarch64-static >/dev/null && command -v qemu-riscv64-static >/dev/null || missing+=(qemu-user-static); \
	command -v valgrind >/dev/null || missing+=(valgrind); \
	$(MAKE) --no-print-directory install WANT="$${missing[*]}"

.PHONY: setup-peers
setup-peers:
	@missing=(); \
	command -v g++ >/dev/null || missing+=(g++); \
	[[ -e /usr/include/boost/context/detail/fcontext.hpp ]] || missing+=(libboost-context-dev); \
	$(MAKE) --no-print-directory install WANT="$${missing[*]}"

.PHONY: install
install:
	@[[ -n "$(strip $(WANT))" ]] || exit 0; \
	if ! command -v apt-get >/dev/null; then echo "make: please install what Debian calls: $(WANT)" >&2; exit 1; fi; \
	if [[ $$(id -u) == 0 ]]; then root=""; \
	elif sudo -n true 2>/dev/null; then root="sudo -n"; \
	else echo "make: missing: $(WANT). Run: sudo apt-get install $(WANT)" >&2; exit 1; fi; \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get -qq update; \
	$$root env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(WANT) >/dev/null

## Checks that run no test

.PHONY: check
check: fmt lint vet compile staticcheck layouts ## everything but the tests

.PHONY: fmt
fmt: ## no file that gofmt would change
	@out=$$(gofmt -l .); [[ -z "$$out" ]] || { echo "gofmt would change:"; echo "$$out"; exit 1; }

.PHONY: lint
lint: ## unsafe only in *_unsafe.go and the kernel, each use with its invariant
	@out=$$(grep -rlE '^(import)?[[:space:]]*(_ )?"unsafe"' --include='*.go' . | grep -vE '$(UNSAFE_FILES)' || true); \
	[[ -z "$$out" ]] || { echo "unsafe outside *_unsafe.go:"; echo "$$out"; exit 1; }
	@out=$$(find . -name '*_unsafe*.go' ! -name '*_test.go' -print0 | xargs -0 -r grep -LE 'SAFETY\([A-Z][0-9]'); \
	[[ -z "$$out" ]] || { echo "no // SAFETY(I<n>): comment in:"; echo "$$out"; exit 1; }

.PHONY: vet
vet: ## go vet, assembly included, on both native architectures
	GOARCH=amd64 $(GO) vet $(PKGS)
	GOARCH=arm64 CGO_ENABLED=0 $(GO) vet $(PKGS)

.PHONY: compile
compile: ## go vet on every target that only the portable backend serves
	@for t in $(COMPILE_ONLY); do \
		echo "GOOS=$${t%/*} GOARCH=$${t#*/} $(GO) vet $(PKGS)"; \
		GOOS=$${t%/*} GOARCH=$${t#*/} CGO_ENABLED=0 $(GO) vet $(PKGS); \
	done

.PHONY: staticcheck
staticcheck: ## honnef.co/go/tools, the release that go.mod names
	$(GO) tool staticcheck $(PKGS)

.PHONY: layouts
layouts: ## the layout files say what the generator says
	$(GO) run ./internal/layoutgen -check

## Tests

.PHONY: test
test: setup unit modules check portable checked race growth std-smoke arm64 riscv64 secret stress ## everything: what continuous integration runs
	@echo "make test: all passed"

.PHONY: unit
unit: ## unit tests, assembly backend where there is one
	$(GO) test -skip '^TestStress$$' -timeout 10m $(PKGS)

# Tests with dependencies that no user of the library should get, each a module.
MODULES := tests/otel tests/goleak tests/nettest

.PHONY: modules
modules: ## tests that are modules of their own: the OpenTelemetry SDK, goleak, nettest
	@for m in $(MODULES); do \
		echo "(cd $$m && $(GO) vet ./... && $(GO) test -timeout 5m ./...)"; \
		(cd $$m && $(GO) vet ./... && $(GO) test -timeout 5m ./...); \
	done

.PHONY: portable
portable: ## the same tests on the portable backend
	STACKHOP_BACKEND=portable $(GO) test -short -timeout 5m $(PKGS)

.PHONY: checked
checked: ## the kernel with -tags stackhopcheck, where two owners at once get an error; a check allocates
	$(GO) test -tags stackhopcheck -short -skip AllocatesNothing -timeout 5m . ./resume
	STACKHOP_BACKEND=portable $(GO) test -tags stackhopcheck -run '^Test(TwoOwners|AClaim)' .

.PHONY: race
race: setup ## the same tests under the race detector
	CGO_ENABLED=1 $(GO) test -race -short -timeout 5m $(PKGS)

.PHONY: asan
asan: setup ## the same tests under the address sanitizer
	CGO_ENABLED=1 $(GO) test -asan -short -timeout 5m $(PKGS)

.PHONY: setup-msan
setup-msan:
	@missing=(); command -v $(CLANG) >/dev/null || missing+=(clang-14 libclang-rt-14-dev); \
	$(MAKE) --no-print-directory install WANT="$${missing[*]}"

.PHONY: msan
msan: setup-msan ## the same tests under the memory sanitizer, which needs clang: CLANG=clang-14
	CC=$(CLANG) CGO_ENABLED=1 $(GO) test -msan -short -timeout 5m $(PKGS)

.PHONY: cross
cross: arm64 riscv64 ## the same tests on other architectures, emulated

.PHONY: arm64
arm64: setup ## linux/arm64 under qemu-user
	GOARCH=arm64 CGO_ENABLED=0 $(GO) test $(EMULATED) -exec qemu-aarch64-static $(PKGS)

.PHONY: riscv64
riscv64: setup ## linux/riscv64 under qemu-user: the portable backend
	GOARCH=riscv64 CGO_ENABLED=0 $(GO) test $(EMULATED) -exec qemu-riscv64-static $(PKGS)

.PHONY: secret
secret: ## what runtime/secret (Go 1.26 and later) expects of a switch
	@if GOEXPERIMENT=runtimesecret $(GO) env GOEXPERIMENT >/dev/null 2>&1; then \
		echo "GOEXPERIMENT=runtimesecret $(GO) test -run '^TestH15' ./tests"; \
		GOEXPERIMENT=runtimesecret $(GO) test -run '^TestH15' ./tests; \
	else echo "make secret: no runtime/secret in $$($(GO) env GOVERSION)"; fi

.PHONY: growth
growth: ## stacks that grow, without cgo: with it their first window is the widest
	CGO_ENABLED=0 $(GO) test -timeout 5m . ./guard ./mmapstack
	CGO_ENABLED=0 $(GO) test -timeout 5m ./tests -run 'Overflow|Growth|Trap|Strict'

.PHONY: stress
stress: ## tasks against every observer of the runtime, DURATION=20s
	$(GO) test ./tests -run '^TestStress$$' -count=1 -timeout 0 -v -stress.duration=$(DURATION)

.PHONY: std-suites
std-suites: ## the standard library's own tests with each goroutine on a task: STDMODE=default, native, size:65536, …
	CGO_ENABLED=0 $(GO) run ./internal/stdsuites -mode $(STDMODE)

.PHONY: std-smoke
std-smoke: ## a small part of std-suites
	CGO_ENABLED=0 $(GO) run ./internal/stdsuites -mode $(STDMODE) -smoke

.PHONY: fuzz
fuzz: ## every native fuzz target, FUZZTIME=30s each
	@for p in ./fuzz ./internal/pcln ./internal/code; do \
		for f in $$($(GO) test $$p -list '^Fuzz' | grep '^Fuzz'); do \
			echo "$(GO) test $$p -run '^$$' -fuzz '^$$f$$' -fuzztime $(FUZZTIME)"; \
			$(GO) test $$p -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 1x; \
		done; \
	done

.PHONY: setup-bound
setup-bound:
	@missing=(); command -v objdump >/dev/null || missing+=(binutils); \
	command -v aarch64-linux-gnu-objdump >/dev/null || missing+=(binutils-aarch64-linux-gnu); \
	$(MAKE) --no-print-directory install WANT="$${missing[*]}"

.PHONY: bound-check
bound-check: setup-bound ## the readers of programs against objdump and others: large programs, every build mode, both architectures
	$(GO) test ./internal/pcln ./internal/code -count=1 -timeout 30m -long

.PHONY: experiments
experiments: ## every GOEXPERIMENT of every supported Go release: stacks that grow, the kernel's own checks
	@for r in $(RELEASES); do \
		echo "GOTOOLCHAIN=$$r $(GO) test ./tests -run UnderEveryExperiment"; \
		GOTOOLCHAIN=$$r $(GO) test ./tests -run UnderEveryExperiment -timeout 60m -v -experiments.all; \
	done

.PHONY: matrix
matrix: ## unit tests on every supported Go release
	@for r in $(RELEASES); do \
		echo "GOTOOLCHAIN=$$r $(GO) test $(PKGS)"; \
		GOTOOLCHAIN=$$r $(GO) test -timeout 10m $(PKGS); \
	done

## Figures

.PHONY: bench
bench: ## the table of times, heap and memory
	$(GO) run ./cmd/stackhop bench

.PHONY: bench-scale
bench-scale: ## the same work on several processors at once, beside goroutines: SCALE='1 2 4 8 16'
	@GO=$(GO) internal/scale/bench.sh $(SCALE)

.PHONY: bench-peers
bench-peers: setup-peers ## the same round trip in Boost.Context (C++)
	@mkdir -p $(BUILD)
	g++ -O2 -std=c++17 -Wall -Wextra -o $(BUILD)/boost-bench internal/peers/boost/jump.cpp -lboost_context
	$(BUILD)/boost-bench

.PHONY: setup-echo
setup-echo:
	@missing=(); command -v wrk >/dev/null || missing+=(wrk); \
	$(MAKE) --no-print-directory install WANT="$${missing[*]}"

.PHONY: bench-echo
bench-echo: setup-echo ## echo server on sched.Net and on goroutines, loaded by wrk
	GO=$(GO) examples/echo/bench.sh

# $(call put,begin of a marker line,file): the README with file below that marker.
put = awk -v begin='$(1)' -v file='$(2)' \
	'/^<!-- end of / { skip = 0 } \
	!skip { print } \
	index($$0, begin) == 1 { print "```"; while ((getline line < file) > 0) print line; print "```"; skip = 1 }' \
	README.md >$(BUILD)/README.md; cp $(BUILD)/README.md README.md

.PHONY: figures
figures: ## measure again and put the figures into the README
	@mkdir -p $(BUILD)
	$(GO) run ./cmd/stackhop bench | sed 's/ *$$//; s/\(Linux [0-9.]*\)-[^,]*/\1/' >$(BUILD)/bench.txt
	$(MAKE) --no-print-directory bench-peers | grep -v '^g++\|^$(BUILD)' >$(BUILD)/bench-peers.txt
	$(MAKE) --no-print-directory --silent bench-echo >$(BUILD)/bench-echo.txt
	@$(call put,<!-- bench:,$(BUILD)/bench.txt)
	@$(call put,<!-- bench-peers:,$(BUILD)/bench-peers.txt)
	@$(call put,<!-- bench-echo:,$(BUILD)/bench-echo.txt)

.PHONY: clean
clean: ## remove what make built
	rm -rf $(BUILD)
