#!/bin/bash
# Tries job.sh on a real swarm: three dockerds of this machine, each with a network, PID and mount namespace of its own, as
# three machines have them. One of them is killed in mid-run, with everything that runs on it.
#
#   sudo engine/deploy/swarm/try.sh          exit 0: all of it was as it should be
#
# Needs root, dockerd, docker, ip, mmdebstrap and target/release/sdc-engine (make build; or SDC_BINARY). No registry, and nothing of
# the network outside but Debian's packages. It leaves nothing: what it makes is below one folder, in namespaces that end with
# their processes, and in cgroups with its name; what a try that was killed has left, the next one removes.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../../.." && pwd)
export SDC_BINARY=${SDC_BINARY:-$repo/target/release/sdc-engine}
unset DOCKER_HOST DOCKER_CONTEXT
base=/var/tmp/sdc-swarm
# Cases of several shapes that boot in a second or two each, on any engine.
cases=(-k "cgroups/ private" -k "exec/ private")
nodes=(1 2 3)
declare -A process=()

say() { printf '%(%H:%M:%S)T %s\n' -1 "$*"; }
fail() { say "FAILED: $*"; exit 1; }
# On the engine of a node; the first is the manager.
on() { local node=$1; shift; DOCKER_HOST=unix://$work/$node/docker.sock "$@"; }

remove_traces() { # folder
    local name=${1##*/}
    for _ in {1..50}; do
        find /sys/fs/cgroup -maxdepth 2 -type d -name "$name-*" 2>/dev/null | while read -r cgroup; do
            find "$cgroup" -depth -type d -exec rmdir {} \; 2>/dev/null || :
        done
        [ -n "$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$name-*" 2>/dev/null)" ] || break
        sleep 0.1
    done
    rm -rf "$1"
}

finish() {
    local code=$?
    trap '' HUP INT TERM
    for pid in "${process[@]}"; do kill -KILL "$pid" 2>/dev/null || :; done
    wait 2>/dev/null || :
    [ "$code" = 0 ] || tail -n 15 "$work"/*/dockerd.log 2>/dev/null || :
    remove_traces "$work"
    local left
    left=$(find /sys/fs/cgroup -maxdepth 2 -type d -name "${work##*/}-*" 2>/dev/null; grep -o "$work[^ ]*" /proc/self/mountinfo || :)
    [ -z "$left" ] || { say "left: $left"; code=1; }
    exit "$code"
}

sweep() {
    for old in "$base"-*; do
        [ -e "$old/lock" ] || continue
        if (flock -n 8) 8<"$old/lock"; then remove_traces "$old"; fi
    done
}

# The first process of a node. It dies with this script, and its death ends its namespaces and all that is in them.
start_node() { # number
    local node=$1 own
    mkdir -p "$work/$node"
    setpriv --pdeathsig KILL unshare --mount --net --pid --uts --fork --kill-child --mount-proc --propagation private \
        sh -c '
            set -e
            hostname "node-$1"
            mount -n -t tmpfs -o mode=755 tmpfs /run
            until [ -e "$2/wired" ]; do sleep 0.05; done
            exec dockerd --host unix:///run/docker.sock --host "unix://$2/docker.sock" --data-root "$2/data" \
                --exec-root /run/docker --pidfile /run/docker.pid --config-file "$2/daemon.json" \
                --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$3" \
                --bridge none --iptables=false --ip-forward=false --ip-masq=false --userland-proxy=false --log-level warn
        ' node "$node" "$work/$node" "${work##*/}-$node" </dev/null >"$work/$node/dockerd.log" 2>&1 8>&- &
    process[$node]=$!
    echo '{}' >"$work/$node/daemon.json"
    own=$(readlink /proc/self/ns/net)
    until [ "$(readlink "/proc/${process[$node]}/ns/net")" != "$own" ]; do sleep 0.05; done
    in_lan ip link add "port$node" type veth peer name eth0 netns "${process[$node]}"
    in_lan ip link set "port$node" master lan up
    nsenter --net="/proc/${process[$node]}/ns/net" sh -c "ip link set lo up; ip addr add 10.213.0.$node/24 dev eth0; ip link set eth0 up"
    : >"$work/$node/wired"
    until on "$node" docker version >/dev/null 2>&1; do
        kill -0 "${process[$node]}" 2>/dev/null || fail "dockerd of node $node did not start"
        sleep 0.1
    done
}

in_lan() { nsenter --net="/proc/${process[lan]}/ns/net" "$@"; }

kill_node() { # number
    kill -KILL "${process[$1]}"
    wait "${process[$1]}" 2>/dev/null || :
    unset "process[$1]"
}

job() { on 1 "$here/job.sh" "$@"; }

# Runs a command that is to end with a code, and shows what it says.
expect() { # code command…
    local code=$1 got=0
    shift
    say "\$ $*"
    "$@" || got=$?
    say "  exit $got"
    [ "$got" = "$code" ] || fail "it should have been $code"
}

# Containers of runs that are there on a node.
containers() { on "$1" docker ps --quiet --filter label=sdc-engine.run | wc -l; }

[ "$(id -u)" = 0 ] || { echo "try.sh: needs root" >&2; exit 3; }
[ -x "$SDC_BINARY" ] || { echo "try.sh: there is no $SDC_BINARY: make build" >&2; exit 3; }
sweep
work=$base-$$
mkdir -m 711 "$work"
trap finish EXIT
trap 'exit 130' HUP INT TERM
exec 8>"$work/lock"
flock 8

say "three nodes"
setpriv --pdeathsig KILL unshare --net sleep infinity </dev/null >/dev/null 2>&1 8>&- &
process[lan]=$!
until [ "$(readlink "/proc/${process[lan]}/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
in_lan ip link add lan type bridge
in_lan ip link set lan up
for node in "${nodes[@]}"; do start_node "$node"; done
on 1 docker swarm init --advertise-addr 10.213.0.1 --listen-addr 10.213.0.1:2377 >/dev/null
on 1 docker swarm update --dispatcher-heartbeat 2s >/dev/null
# Nothing is published, and its load balancer needs ip_vs.
yes | on 1 docker network rm ingress >/dev/null || :
token=$(on 1 docker swarm join-token --quiet worker)
for node in 2 3; do
    on "$node" docker swarm join --advertise-addr "10.213.0.$node" --token "$token" 10.213.0.1:2377 >/dev/null
done
on 1 docker node ls

say "the image, on each of them"
on 1 "$SDC_BINARY" --images "$repo/images" images build debian-12 --host "unix://$work/1/docker.sock" >/dev/null
on 1 "$here/../image.sh" --bootstrap --carry debian-12 --output "$work/image.tar" sdc-engine:try
for node in 2 3; do on "$node" docker load --quiet --input "$work/image.tar"; done
rm "$work/image.tar"

say "a run that nobody disturbs"
expect 0 job start calm 3 sdc-engine:try "${cases[@]}"
expect 0 job wait calm
on 1 docker service ps calm
expect 0 job collect calm "$work/calm"
expect 0 "$SDC_BINARY" merge "$work"/calm/*.json --json "$work/calm.json"
job remove calm >/dev/null

say "a run in which node-3 is killed"
expect 0 job start killed 6 sdc-engine:try -j 1 "${cases[@]}"
until [ "$(containers 3)" -gt 0 ]; do sleep 0.2; done
sleep 2
on 3 docker ps --format '  on node-3: {{.Names}}  {{.Image}}'
say "node-3 is killed, with all of this"
kill_node 3
expect 2 job wait killed
on 1 docker service ps killed
expect 0 job collect killed "$work/killed"
expect 2 "$SDC_BINARY" merge "$work"/killed/*.json --json "$work/killed.json"
[ ! -e "$work/killed.json" ] || fail "a report was written of a part"

say "its shares are given to the others"
expect 0 on 1 docker node rm --force node-3
expect 0 job wait killed
on 1 docker service ps killed
expect 0 job collect killed "$work/killed"
expect 0 "$SDC_BINARY" merge "$work"/killed/*.json --json "$work/killed.json"
expect 0 "$SDC_BINARY" compare "$work/calm.json" "$work/killed.json"
job remove killed >/dev/null

say "a replicated service moves them by itself: node-2 is killed"
SDC_MODE=replicated expect 0 job start moved 4 sdc-engine:try -j 1 "${cases[@]}"
until [ "$(containers 2)" -gt 0 ]; do sleep 0.2; done
kill_node 2
expect 0 job wait moved
on 1 docker service ps moved
expect 0 job collect moved "$work/moved"
expect 0 "$SDC_BINARY" merge "$work"/moved/*.json --json "$work/moved.json"
expect 0 "$SDC_BINARY" compare "$work/calm.json" "$work/moved.json"

[ "$(on 1 docker ps --all --quiet --filter label=sdc-engine.run | wc -l)" = 0 ] || fail "containers are left on node-1"
say "all of it was as it should be"
