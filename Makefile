# Thin: the work is Meson's.  `make help` lists the targets.
#
#	CC=clang, B=DIR		another compiler, another build directory
#	ARGS='-f mem'		arguments for `make run`

B ?= build
PREFIX ?= /usr/local
MESON = /usr/bin/meson
NINJA = ninja -C $(B)
SETUP = packaging/setup

ifneq ($(origin CC),default)
export CC
endif

all: $(B)/build.ninja
	@$(NINJA)

$(B)/build.ninja:
	@$(SETUP) --check build
	$(MESON) setup $(B) --prefix $(PREFIX)

run:
	@$(SETUP) run
	@$(MAKE) --no-print-directory $(B)/build.ninja >&2
	@$(NINJA) pinefs $$($(NINJA) -t targets all | \
	    sed -n 's,^\(python/[^:]*\):.*,\1,p') >&2
	@$(B)/pinefs $(ARGS)

test:
	@$(SETUP) test
	@tests/run

# Everything of `make test`, and what takes hours.
test-long:
	@$(SETUP) test fuzz
	@tests/run --long

bench:
	@$(SETUP) bench
	@$(MAKE) --no-print-directory all >&2
	@$(NINJA) bench/nfsbench bench/rawloop >&2
	@PINEFS_BUILD=$(B) bench/run $(ARGS)

# The Python package alone, into dist/: for pip, without this tree.
wheel: all
	@packaging/pinefs_build.py $(B) dist

# The source of a release, into dist/: the same bytes for whoever makes it.
dist:
	@packaging/pinefs_build.py --dist dist

# Packages of Debian, into dist/deb/.
deb:
	@$(SETUP) deb
	@packaging/deb

# The same, installed, used and removed in a new system.  Minutes, and root.
test-deb:
	@$(SETUP) test deb test-deb
	@$(MAKE) --no-print-directory all >&2
	@PINEFS_LONG=1 PINEFS_BUILD=$(B) /usr/bin/pytest-3 tests/install/test_deb.py

# A PREFIX that is given counts, also for a build that was made with another.
install: $(B)/build.ninja
ifeq ($(origin PREFIX),command line)
	@$(MESON) introspect --buildoptions $(B) | \
	    grep -q '"name": "prefix", "value": "$(PREFIX)"' || \
	    $(MESON) configure $(B) -Dprefix=$(PREFIX)
endif
	@$(NINJA)
	@$(MESON) install -C $(B) --no-rebuild

clean:
	rm -rf build build-asan build-tsan build-fuzz

help:
	@echo "make            build the programs in $(B)/"
	@echo "make run        build and start: your Python, mounted"
	@echo "make test       every test; the last line counts them"
	@echo "make bench      our share of what TCP on this machine can do"
	@echo "make wheel      the Python package, into dist/"
	@echo "make dist       the source of a release, into dist/"
	@echo "make deb        packages of Debian, into dist/deb/"
	@echo "make install    to PREFIX=$(PREFIX)"
	@echo "make test-long  make test, and what takes hours"
	@echo "make test-deb   make deb, tried in a new system"

.PHONY: all run test test-long bench wheel dist deb test-deb install \
    clean help
