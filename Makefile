# make check   sets up what is missing, then boots real systemd in real containers and says what works
# make test    sets up what is missing, then runs every test
# make fuzz    tries mutated input on everything that reads files, for SECONDS (60); what fails is kept and told
# make audit   licences and sources of all dependencies; with ADVISORIES=<clone of RustSec's database> their known faults
# make lint    formatting and clippy, as the tests want them
# make bench   measures it beside a shell loop, bats and pytest, as root: medians of RUNS (3) runs, on a machine that is quiet
# make soak    the whole suite TIMES (10) times on HOST (docker-v1): same verdicts, open files, memory, what is left
# make picture takes the picture of the support table anew that the README shows, of REPORTS (files of check --json)
# make setup   only sets up
# make sshd    only unpacks an ssh server for the tests, below target/; nothing of it is installed or listens

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help setup sshd build check test fuzz audit lint bench soak picture

ENGINE := target/release/sdc-engine
# What `make check` is given besides: make check ARGS='--host docker-v2 -k cgroups'
ARGS ?=

help:
	@sed -n 's/^# //p' Makefile

# A browser for the page of the support table. Ubuntu has none but as a snap: there the tests that need one are skipped.
BROWSER = $(shell grep -q '^ID=debian' /etc/os-release && echo chromium:chromium chromedriver:chromium-driver)

# Programs and packages that the tests need besides, for the lab hosts of podman, the virtual machines and the page. Where
# $(LABS) is empty, none.
LABS :=
picture: LABS = $(BROWSER)
test: LABS = dockerd:docker.io podman:podman conmon:conmon crun:crun newuidmap:uidmap slirp4netns:slirp4netns \
    qemu-system-x86_64:qemu-system-x86 qemu-img:qemu-utils mke2fs:e2fsprogs \
    ssh:openssh-client ip:iproute2 $(BROWSER)

# Packages by the program that shows that they are there. An engine is asked for only where none can be reached. Looked at
# twice: apt may remove a program of another version to install the first that is missing.
setup:
	@set -eu; PATH="$$PATH:/usr/sbin:/sbin"; \
	need() { command -v "$$1" >/dev/null 2>&1 || missing="$$missing $$2"; }; \
	look() { \
	    missing=; \
	    need cargo cargo; need cc gcc; need unshare util-linux; need mmdebstrap mmdebstrap; \
	    [ -n "$${DOCKER_HOST:-}$${CONTAINER_HOST:-}" ] || need dockerd docker.io; \
	    [ -e /usr/share/keyrings/debian-archive-keyring.gpg ] || missing="$$missing debian-archive-keyring"; \
	    for lab in $(LABS); do need "$${lab%:*}" "$${lab#*:}"; done; \
	}; \
	look; \
	case "$$missing" in *cargo*) \
	    echo "setup: Rust is missing, and how to have it is yours to choose: https://rustup.rs" >&2; exit 1;; esac; \
	[ -n "$$missing" ] || exit 0; \
	command -v apt-get >/dev/null || { echo "setup: please install$$missing (only apt is known here)" >&2; exit 1; }; \
	root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	echo "setup: installing$$missing (apt-get install; docker.io brings the engine, mmdebstrap makes the images)"; \
	$$root apt-get update -qq; \
	for try in 1 2; do \
	    DEBIAN_FRONTEND=noninteractive $$root apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	    look; [ -n "$$missing" ] || { echo "setup: done"; exit 0; }; \
	done; \
	echo "setup: still missing after apt-get install:$$missing" >&2; exit 1

# A server for the tests of ssh://, where the machine has none. To install it would open a port of the machine's; the tests
# run it from where it is unpacked, on loopback, with keys of their own.
SSHD := target/sshd
sshd: setup
	@set -eu; PATH="$$PATH:/usr/sbin:/sbin"; \
	command -v sshd >/dev/null 2>&1 || [ -x $(SSHD)/usr/sbin/sshd ] && exit 0; \
	root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	echo "setup: unpacking openssh-server below $(SSHD) (not installed)"; \
	rm -rf $(SSHD); mkdir -p $(SSHD)/debs/partial; \
	get() { $$root apt-get install -y -qq --download-only --no-install-recommends \
	    -o Dir::Cache::archives="$$PWD/$(SSHD)/debs" -o APT::Sandbox::User=root openssh-server >/dev/null; }; \
	get || { $$root apt-get update -qq; get; }; \
	for deb in $(SSHD)/debs/*.deb; do dpkg -x "$$deb" $(SSHD); done; \
	[ -x $(SSHD)/usr/sbin/sshd ] || { echo "setup: no sshd came out of openssh-server" >&2; exit 1; }

build: setup
	cargo build --release --locked

# A private engine needs root; an engine that listens needs access to its socket.
check: build
	@if [ "$$(id -u)" = 0 ] || [ -n "$${DOCKER_HOST:-}$${CONTAINER_HOST:-}" ] || [ -w /var/run/docker.sock ]; \
	then $(ENGINE) check scenarios $(ARGS); else echo "check: a private engine needs root: using sudo"; sudo $(ENGINE) check scenarios $(ARGS); fi

test: setup sshd
	cargo test --locked --workspace

SECONDS ?= 60
fuzz:
	SDC_ENGINE_FUZZ_SECONDS=$(SECONDS) cargo test --locked --test fuzz -- --nocapture no_input

ADVISORIES ?=
audit:
	$(if $(ADVISORIES),SDC_ENGINE_ADVISORIES=$(abspath $(ADVISORIES))) cargo test --locked --test audit

lint:
	cargo fmt --all --check
	cargo clippy --locked --all-targets -- -D warnings

TIMES ?= 10
HOST ?= docker-v1
soak: build
	engine/benches/soak.sh $(TIMES) $(HOST)

picture: setup
	SDC_ENGINE_MUST_RUN=1 SDC_ENGINE_REPORTS='$(abspath $(REPORTS))' SDC_ENGINE_SCREENSHOT=$(CURDIR)/engine/docs/support-table.png \
	    cargo test --locked --test page the_readmes_picture

# What it is held against, and what draws the plot.
bench: LABS = dockerd:docker.io podman:podman conmon:conmon crun:crun bats:bats parallel:parallel gnuplot:gnuplot-nox \
    python3:python3-venv

# pytest and what its tests need, in a folder of their own.
VENV := target/bench/venv
$(VENV)/bin/pytest: engine/benches/suite/requirements.txt | setup
	@set -eu; root=; [ "$$(id -u)" = 0 ] || root=sudo; \
	python3 -c 'import ensurepip' 2>/dev/null || { \
	    echo "setup: installing python3-venv (apt-get install)"; $$root apt-get install -y -qq python3-venv >/dev/null; }; \
	echo "setup: making $(VENV) with $$(sed 's/==/ /' $< | paste -sd, | sed 's/,/, /g') (pip install; not installed elsewhere)"; \
	rm -rf $(VENV); python3 -m venv $(VENV); \
	$(VENV)/bin/pip install --quiet --disable-pip-version-check --requirement $<; \
	touch $@

RUNS ?= 3
PARTS ?=
bench: build $(VENV)/bin/pytest
	@$(if $(PARTS),PARTS="$(PARTS)") engine/benches/suite/run.sh $(RUNS)
