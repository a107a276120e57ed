#!/usr/bin/env bash
# Measures sdc-engine on this machine, beside a shell loop, bats and pytest; `make bench` calls it and has set up what it needs.
#
#   engine/benches/suite/run.sh [RUNS]     how often each thing is done; 3 without it
#
# PARTS takes some of its parts only: boots matrix start pure growth. LONG_RUNS is how often the longest row of boots is done,
# TOOLS which tools do boots: loop sdc-engine bats pytest; the first two at least. Tables go to stdout and to
# target/bench/results.md, plots to target/bench. It asserts no time, but that everything it measures succeeds. What is
# measured, and how: engine/docs/BENCHMARKS.md.
set -euo pipefail
cd "$(dirname "$0")/../../.."

runs=${1:-3}
parts=${PARTS:-boots matrix start pure growth}
suite=$PWD/engine/benches/suite
out=$PWD/target/bench
engine=$PWD/${SDC_ENGINE_BIN:-target/release/sdc-engine}
venv=$out/venv
mkdir -p "$out"
scratch=$(mktemp -d)
. "$suite/lib.sh"
. "$suite/work.sh"
trap 'close_engine; rm -rf "$scratch"' EXIT
export WORK=$scratch ENGINE=$engine VENV=$venv

: >"$out/results.md"
say "revision $(git describe --always --dirty 2>/dev/null || echo unknown), $("$engine" --version); medians of $runs runs"
say "machine: $(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1), $(nproc) cores, $(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r); $(load) at the start"
for part in $parts; do
    . "$suite/$part.sh"
done
say
say "$(load) at the end"
