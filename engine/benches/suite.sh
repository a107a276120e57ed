#!/usr/bin/env bash
# Measures sdc-engine on this machine and prints a table of medians; asserts nothing. `make bench` calls it.
#
#   engine/benches/suite.sh [runs]     how often each thing is done; 3 without it
#
# 1. The shipped scenarios, on the host that `check` chooses by itself.
# 2. Sixteen containers that boot and are removed, four at a time, by sdc-engine and by a shell loop around the docker
#    program, on one private engine each: the loop is the floor. It needs root and the docker program.
# 3. Reading, expanding and planning the shipped scenarios, without an engine.
set -euo pipefail
cd "$(dirname "$0")/../.."

runs=${1:-3}
engine=${SDC_ENGINE_BIN:-target/release/sdc-engine}
jobs=4 containers=16
scratch=$(mktemp -d)
trap 'close_engine; rm -rf "$scratch"' EXIT

median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'; }
row() { printf '%-58s %12s   %s\n' "$1" "$2" "${3:-}"; }
number() { sed -nE "/\"$1\": *[0-9]/{s/.*\"$1\": *([0-9.]+).*/\1/p;q}" "$2"; } # the first key of that name in a JSON file

# Runs a command; "$scratch/<name>.{wall,cpu,rss}" get a line each: seconds, seconds, MB. Its verdict does not matter.
measure() { # name command
    local name=$1 pid wall user system
    shift
    TIMEFORMAT='%R %U %S'
    {
        time {
            "$@" >"$scratch/out" 2>&1 &
            pid=$!
            # The peak of the program itself; an engine below it is not counted.
            while sed -nE 's/^VmHWM:\s+([0-9]+) kB/\1/p' "/proc/$pid/status" >"$scratch/hwm" 2>/dev/null; do
                [[ ! -s $scratch/hwm ]] || cp "$scratch/hwm" "$scratch/peak"
                [[ -s $scratch/hwm ]] || break
                sleep 0.3 # the peak only grows; looking more often would be measured too
            done
            wait "$pid" || true
        }
    } 2>"$scratch/time"
    read -r wall user system < <(tail -n 1 "$scratch/time")
    echo "$wall" >>"$scratch/$name.wall"
    awk "BEGIN { print $user + $system }" >>"$scratch/$name.cpu"
    awk '{ printf "%.1f\n", $1 / 1024 }' "$scratch/peak" >>"$scratch/$name.rss"
}

# A private engine for the shell loop, by the scripts that sdc-engine itself uses; it lives until fd 3 closes.
open_engine() {
    local private=engine/src/host/private
    mkfifo "$scratch/life"
    unshare --mount --propagation private sh -c "$(<$private/guard.sh)" sdc-engine-guard-docker-v1 docker-v1 keep \
        /var/lib/sdc-engine/engines /run/sdc-engine "$(command -v dockerd)" "$(<$private/inner.sh)" \
        <"$scratch/life" >"$scratch/guard" 2>&1 &
    guard=$!
    exec 3>"$scratch/life"
    for _ in $(seq 300); do
        export DOCKER_HOST=unix://$(sed -n 's/^run //p' "$scratch/guard")/docker.sock
        ! docker version >/dev/null 2>&1 || return 0
        sleep 0.1
    done
    cat "$scratch/guard" >&2
    return 1
}
close_engine() {
    exec 3>&-
    [[ -z ${guard:-} ]] || wait "$guard" || true
    unset guard DOCKER_HOST
}

one_container() { # number
    docker create --name "bench-$1" --interactive --tty --network none --cgroupns host --cap-add SYS_ADMIN \
        --tmpfs /run --env container=docker --env "N=$1" --volume /sys/fs/cgroup:/sys/fs/cgroup:ro \
        --stop-signal SIGRTMIN+3 --entrypoint /sbin/init "$image"
    docker start "bench-$1"
    docker logs --follow "bench-$1" | grep --max-count 1 'Multi-User'
    docker rm --force "bench-$1"
}
export -f one_container

cat >"$scratch/bench.toml" <<END
title = "$containers containers that boot"
inherit = false

[matrix]
n = [$(seq -s, $containers)]

[container]
image = "debian-12"
cgroupns = "host"
network = "none"
cap_add = ["SYS_ADMIN"]
tmpfs = ["/run"]
env = { container = "docker", N = "\${{ n }}" }
volumes = ["/sys/fs/cgroup:/sys/fs/cgroup:ro"]
stop_signal = "SIGRTMIN+3"

[boot]
expect.state = "running"
END

echo "revision  $(git describe --always --dirty 2>/dev/null || echo unknown), $("$engine" --version)"
echo "machine   $(nproc) cores ($(sed -n 's/^model name\s*: //p' /proc/cpuinfo | head -n 1)), $(awk '/^MemTotal/ { printf "%.0f GB", $2 / 1048576 }' /proc/meminfo), Linux $(uname -r)"
echo "load      $(cut -d' ' -f1-3 /proc/loadavg) at the start; medians of $runs runs"
echo

for _ in $(seq "$runs"); do
    measure suite "$engine" check scenarios --quiet --json "$scratch/run.json"
    number took "$scratch/run.json" >>"$scratch/suite.took"
done
row "the shipped scenarios: cases run" "$(number ran "$scratch/run.json")" "boots: $(number boots "$scratch/run.json"), at a time: $(number jobs "$scratch/run.json")"
row "  wall time" "$(median <"$scratch/suite.wall") s" "each: $(paste -sd' ' "$scratch/suite.wall")"
row "  of which boots and steps" "$(median <"$scratch/suite.took" | xargs printf %.2f) s" "the rest opens and closes the engine"
row "  CPU, engine and containers included" "$(median <"$scratch/suite.cpu") s"
row "  peak memory of sdc-engine" "$(median <"$scratch/suite.rss") MB"

if [[ $EUID == 0 && -z ${DOCKER_HOST:-} ]] && command -v docker dockerd >/dev/null &&
    "$engine" host --host docker-v1 >/dev/null 2>&1; then
    for _ in $(seq "$runs"); do
        measure ours "$engine" check "$scratch/bench.toml" --quiet --jobs $jobs --host docker-v1 --json "$scratch/ours.json"
        number took "$scratch/ours.json" >>"$scratch/ours.took"
    done
    open_engine
    image=$(docker images --format '{{.Repository}}:{{.Tag}}' sdc-engine/debian-12 | head -n 1)
    export image
    for _ in $(seq "$runs"); do
        start=$EPOCHREALTIME
        seq $containers | xargs -P $jobs -I{} bash -c 'one_container {}' >/dev/null
        awk "BEGIN { print $EPOCHREALTIME - $start }" >>"$scratch/loop"
    done
    close_engine
    floor=$(median <"$scratch/loop")
    row "$containers containers, $jobs at a time: shell loop (the floor)" "$(printf %.2f "$floor") s" "each: $(paste -sd' ' "$scratch/loop")"
    row "  sdc-engine, boots" "$(median <"$scratch/ours.took" | xargs printf %.2f) s" "$(median <"$scratch/ours.took" | awk "{ printf \"%.2f x the floor\", \$1 / $floor }"); asks systemd, not the console alone"
    row "  sdc-engine, all" "$(median <"$scratch/ours.wall") s"
else
    row "$containers containers by a shell loop" "not measured" "needs root, docker and dockerd, and a v1 hierarchy"
fi

for _ in $(seq "$runs"); do
    measure plan "$engine" list scenarios --assume cgroups=v1
done
row "plan of the shipped scenarios (list --assume cgroups=v1)" "$(median <"$scratch/plan.wall") s" "CPU $(median <"$scratch/plan.cpu") s"
