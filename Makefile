# A thin face over CMake: `make run` and `make test` work on a fresh machine.
BUILD ?= build
JOBS ?= $(shell nproc)
CMAKE_FLAGS ?=
PREFIX ?= /usr/local

.PHONY: all setup build run serve test check reproduce sanitize tsan fuzz format install deb clean

all: build

setup:
	@tools/setup

$(BUILD)/build.ninja: | setup
	@cmake -S . -B $(BUILD) -G Ninja -DCMAKE_BUILD_TYPE=Release $(CMAKE_FLAGS) >/dev/null

build: $(BUILD)/build.ninja
	@ninja -C $(BUILD) -j $(JOBS) --quiet

run: build
	@tools/demo $(BUILD)/ead

# The pair in models/ behind http://127.0.0.1:8080/.
serve: build
	@$(BUILD)/ead serve

test: build
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS)

# The tests without the slow ones: while working.
check: build
	@ctest --test-dir $(BUILD) --output-on-failure -j $(JOBS) -LE slow

# The paper's table for the shipped pair; docs/RESULTS.md holds it.
reproduce: build
	@tools/reproduce $(BUILD)/ead $(BUILD)/reproduce

sanitize: setup
	@cmake -S . -B $(BUILD)-asan -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DEAD_SANITIZE=ON $(CMAKE_FLAGS) >/dev/null
	@ninja -C $(BUILD)-asan -j $(JOBS) --quiet
	@ctest --test-dir $(BUILD)-asan --output-on-failure -j $(JOBS)

# Only what runs threads: ThreadSanitizer makes everything several times slower.
tsan: setup
	@cmake -S . -B $(BUILD)-tsan -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DEAD_TSAN=ON $(CMAKE_FLAGS) >/dev/null
	@ninja -C $(BUILD)-tsan -j $(JOBS) --quiet test_scheduler test_team test_threads test_watch ead_cli
	@ctest --test-dir $(BUILD)-tsan --output-on-failure -L threads

fuzz: setup
	@CC=clang cmake -S . -B $(BUILD)-fuzz -G Ninja -DEAD_FUZZ=ON >/dev/null
	@ninja -C $(BUILD)-fuzz -j $(JOBS) --quiet fuzz_gguf fuzz_text fuzz_jinja fuzz_ask fuzz_sse fuzz_reader
	@tools/fuzz $(BUILD)-fuzz

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: build
	@cmake --install $(BUILD) --prefix $(PREFIX)

# A package for Debian, of the program without the library: $(BUILD)/ead_VERSION_ARCH.deb
deb: build
	@cd $(BUILD) && cpack --config CPackConfig.cmake >/dev/null && ls -1 "$$PWD"/*.deb

clean:
	@rm -rf $(BUILD) $(BUILD)-*
