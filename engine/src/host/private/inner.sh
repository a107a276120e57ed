# The first process of a private engine's namespaces: it prepares them, runs the engine and reaps what is orphaned.
# Its end is the end of everything in them. How the engine itself is started and stopped is in $service, which defines
# prepare, serve and stop.
set -u
cgroups=$1   # keep or replace
run=$2       # the run folder, below /run
data=$3      # the data folder
parent=$4    # the cgroup of all containers
root=$5      # a root folder that the engine's programs come from; empty: this machine's
runtime=$6   # runc or crun
rootless=$7  # the user that the engine runs as; empty: root
program=$8   # dockerd or podman
service=$9
eval "$service"

# Engines use fixed paths below /run: a /run of their own, with the run folder in it.
own_run() { # where
    mkdir "$run/tmpfs"
    mount -n -t tmpfs -o mode=755 tmpfs "$run/tmpfs"
    mkdir -p "$run/tmpfs/${run#/run/}"
    mount -n --bind "$run" "$run/tmpfs/${run#/run/}"
    mount -n --move "$run/tmpfs" "$1"
}

# Makes the cgroup of all containers, and turns every controller on for them, as the runtime would for the first one: what
# containers get is then known before. Where a controller can't be turned on they go without, and a rootless engine is
# given none.
place() {
    [ -z "$rootless" ] && [ -e /sys/fs/cgroup/cgroup.controllers ] || return 0
    mkdir "/sys/fs/cgroup/$parent"
    for cgroup in /sys/fs/cgroup "/sys/fs/cgroup/$parent"; do
        for controller in $(cat "$cgroup/cgroup.controllers"); do
            echo "+$controller" >"$cgroup/cgroup.subtree_control" || continue
        done
    done 2>/dev/null
}

# Makes the root folder this namespace's root. It is shared between engines: what is written goes to memory.
enter() {
    mkdir "$run/over" "$run/root"
    mount -n -t tmpfs -o mode=755 tmpfs "$run/over"
    mkdir "$run/over/upper" "$run/over/work"
    mount -n -t overlay -o "lowerdir=$root,upperdir=$run/over/upper,workdir=$run/over/work" overlay "$run/root"
    mkdir -p "$run/root$data" "$run/root/run"
    mount -n --rbind /dev "$run/root/dev"
    mount -n --rbind /sys "$run/root/sys"
    mount -n -t proc proc "$run/root/proc"
    mount -n --bind "$data" "$run/root$data"
    own_run "$run/root/run"
    cd "$run/root"
    pivot_root . .
    umount -n -l .
    cd /
}

set -e
if [ "$cgroups" = replace ]; then
    # Without the options that the machine has, which the guard tells, this mount would take them from it.
    umount -n -R /sys/fs/cgroup
    mount -n -t cgroup2 ${unified_options:+-o "$unified_options"} cgroup2 /sys/fs/cgroup
fi
place
# Not in the user's folder, where conmon leaves a file `oom` when a container is out of memory: in one that ends with the engine.
if [ -n "$root" ]; then enter; else own_run /run; cd "$run"; fi
ip link set lo up 2>/dev/null || :
prepare
set +e

serve &
engine=$!
(
    read -r _ <"$run/stop"
    stop "$engine"
) &
while kill -0 "$engine" 2>/dev/null; do
    wait "$engine"
    code=$?
done
exit "$code"
