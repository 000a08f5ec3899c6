# make build   the program, bin/newswatch
# make run     build it, and watch with the files in configs/
# make test    every test, with the race detector where there is a C compiler
# make check   format, vet, lint, floors and fences: what each commit must pass
# make bench   the benchmarks
# make fuzz    every fuzz target for FUZZTIME each
# make image   the container image

GO       ?= go
FUZZTIME ?= 20s
IMAGE    ?= newswatch:dev
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS   = -s -w -X main.version=$(VERSION)
TOOL      = $(GO) tool -modfile=tools/go.mod

# The race detector needs cgo. Without a C compiler the tests still run, and say
# what is missing.
RACE := $(shell command -v $${CC:-cc} >/dev/null 2>&1 && echo -race)

.PHONY: build run test check lint bench fuzz image parts

build:
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/newswatch ./cmd/newswatch

run: build
	bin/newswatch run

test: parts
	@test -n "$(RACE)" || echo "no C compiler: running without the race detector"
	$(if $(RACE),CGO_ENABLED=1) $(GO) test $(RACE) -timeout 8m ./...

# The tests talk to real servers. In CI they are installed; elsewhere a test
# whose server is missing is skipped, and says so.
parts:
	@./tools/parts

check:
	@out=$$($(TOOL) gofumpt -l $$(git ls-files -co --exclude-standard '*.go')); \
	  test -z "$$out" || { echo "not formatted (run gofumpt -w):"; echo "$$out"; exit 1; }
	$(GO) vet ./...
	$(TOOL) golangci-lint run ./...
	$(GO) test -run 'TestFloors|TestFences' .

bench:
	$(GO) test -run '^$$' -bench . -benchmem ./...

fuzz:
	@set -e; for f in $$(grep -rlE '^func Fuzz' --include='*_test.go' .); do \
	  for t in $$(grep -oE '^func Fuzz[A-Za-z0-9_]+' $$f | cut -c6-); do \
	    echo "$$f $$t"; $(GO) test -run '^$$' -fuzz "^$$t$$" -fuzztime $(FUZZTIME) ./$$(dirname $$f); done; done

image:
	@if command -v docker >/dev/null && docker info >/dev/null 2>&1; then docker build --build-arg VERSION=$(VERSION) -t $(IMAGE) .; \
	  elif command -v buildah >/dev/null; then buildah bud --format docker --isolation chroot --build-arg VERSION=$(VERSION) -t $(IMAGE) .; \
	  else echo "make image needs docker or buildah"; exit 1; fi
