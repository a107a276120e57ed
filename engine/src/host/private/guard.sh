# Starts a private engine in namespaces of its own, and removes every trace of it when standard input ends: when its
# owner closes it or dies, however it dies. Run as: unshare --mount --propagation private sh -c <this> <name> <arguments>.
#
# Says, a line each: "run <folder>" and "data <folder>" at the start; "ended <code>" and "log <line>"s when the engine is
# gone; "left <what>" for what can't be removed; "error <words>". Its end is the end of its output.
#
# The engine's processes are in a PID namespace: the death of its first process kills all of them, containers too. Its
# mounts are in a mount namespace and its bridge in a network namespace: they end with the processes. What is left to
# remove by name are the cgroups below $parent in every hierarchy, and the run folder.
set -u

name=$1     # the lab host's
cgroups=$2  # keep or replace: cgroup2 in place of what is on /sys/fs/cgroup
base=$3     # data folders
runs=$4     # run folders
inner=$5    # the script of the namespaces' first process
shift 5     # the rest is for that script

fail() { echo "error $*"; exit 1; }

# The options that the machine's cgroup2 file system has. A mount from its own cgroup namespace sets them anew for everybody,
# so each has to say them again.
unified_options() { sed -n 's/^.* - cgroup2 [^ ]* r[ow],\{0,1\}//p' /proc/self/mountinfo | head -n 1; }

# Whether another private engine runs. The first one notes what the machine has, and the last one brings it back.
others() {
    for other in "$runs"/*/lock; do
        [ "$other" = "$run/lock" ] || (flock -n 8) 8<"$other" || return 0
    done 2>/dev/null
    return 1
}

# Runs "$1 <arguments> <its names>" with a hierarchy on $point, which can be one that a container mounted and the host
# does not show. Its options are those of a line of /proc/self/cgroup.
on_hierarchy() { # names command
    names=$1
    shift
    case $names in
        '')
            now=${options-$(unified_options)}
            mount -n -t cgroup2 ${now:+-o "$now"} none "$point"
            ;;
        name=*) mount -n -t cgroup -o "none,$names" none "$point" ;;
        *) mount -n -t cgroup -o "$names" none "$point" ;;
    esac 2>/dev/null || return
    "$@" "$names" </dev/null
    umount -n "$point"
}

each_hierarchy() { # command
    mkdir -p "$point"
    while IFS=: read -r _ names _; do on_hierarchy "$names" "$@"; done </proc/self/cgroup
    rmdir "$point"
}

# Kills all processes in the cgroup $1 of any hierarchy, and below it.
kill_all() {
    grep -ls ":/$1\(/\|\$\)" /proc/[0-9]*/cgroup | while IFS=/ read -r _ _ pid _; do
        kill -KILL "$pid" 2>/dev/null
    done
}

# Removes the cgroup $1; its last processes may need a moment to be gone.
remove_cgroup() {
    tries=0
    # Empty as a rule: every container has been removed.
    [ -d "$point/$1" ] && rmdir "$point/$1" 2>/dev/null
    while [ -d "$point/$1" ] && [ "$tries" -lt 100 ]; do
        kill_all "$1"
        find "$point/$1" -depth -type d -exec rmdir {} \; 2>/dev/null
        [ -d "$point/$1" ] && sleep 0.05
        tries=$((tries + 1))
    done
    [ -d "$point/$1" ] && echo "left the cgroup /$1 of the hierarchy ${2:-unified}"
}

unified() { # command
    mkdir -p "$point"
    on_hierarchy '' "$@"
    rmdir "$point"
}

# Remembers which controllers the root of the unified hierarchy hands down, before the runtime turns on more of them.
remember() { [ -e "$point/cgroup.subtree_control" ] && before=$(cat "$point/cgroup.subtree_control"); }

# Turns off what was turned on, unless somebody else has cgroups there by now.
restore() {
    [ -e "$point/cgroup.subtree_control" ] || return
    find "$point" -mindepth 1 -maxdepth 1 -type d | grep -q . && return
    for controller in $(cat "$point/cgroup.subtree_control"); do
        case " $before " in
            *" $controller "*) ;;
            *) echo "-$controller" >"$point/cgroup.subtree_control" ;;
        esac
    done
}

# podman takes the v1 lines of its own /proc/self/cgroup for paths of the v2 tree, and for `cgroups = "split"` makes them.
misread() {
    while IFS=: read -r _ names path; do
        [ -n "$names" ] && [ "$path" != / ] || continue
        (cd "$point" && rmdir -p "./${names#name=}$path/runtime")
    done </proc/self/cgroup 2>/dev/null
}

# podman's own place for containers that are given none, as those of other programs that use the engine are: what is empty.
libpod_parent() {
    find "$point/libpod_parent" -depth -type d -exec rmdir {} \; 2>/dev/null
}

# What runs that died with their guards have left.
sweep() {
    for dead in "$runs"/*/; do
        [ -e "$dead/lock" ] || continue
        (flock -n 8) 8>"$dead/lock" || continue
        each_hierarchy remove_cgroup "sdc-engine-$(basename "$dead")"
        rm -rf "$dead"
    done
}

run=$runs/$name-$$
parent=sdc-engine-$name-$$
point=$run/cgroups  # where a hierarchy is mounted for a moment, in the mount namespace of this script

mkdir -p "$base" "$runs" || fail "can't make $base and $runs"
exec 7>"$runs/lock"
flock 7
mkdir -m 700 "$run" || fail "can't make $run"
exec 8>"$run/lock"
flock -n 8
sweep
others || unified_options >"$runs/options"
exec 7>&-
before=
unified remember

data=
for slot in '' -2 -3 -4 -5 -6 -7 -8; do
    exec 9>"$base/$name$slot.lock"
    if flock -n 9; then
        data=$base/$name$slot
        break
    fi
done
[ -n "$data" ] || { rm -rf "$run"; fail "eight private engines $name run already"; }
mkdir -p "$data"
chmod 700 "$data"  # what containers write is nobody else's
echo "run $run"
echo "data $data"

mkfifo "$run/stop"
exec 5<&0 6<>"$run/stop"

unified_options=$(unified_options) \
    setpriv --pdeathsig KILL unshare --mount --net --pid --fork --kill-child --mount-proc --propagation private \
    sh -c "$inner" "$name-engine" "$cgroups" "$run" "$data" "$parent" "$@" \
    </dev/null >"$run/engine.log" 2>&1 5<&- 6>&- 8>&- 9>&- &
engine=$!
trap 'echo >&6' HUP INT TERM

(
    read -r _ <&5
    # A container that still runs would be given ten seconds.
    kill_all "$parent"
    echo >&6
    setpriv --pdeathsig KILL sleep 10
    kill -0 $$ || exit  # without the guard, $engine may be another process by now
    kill -KILL "$engine"
) >/dev/null 2>&1 8>&- 9>&- &
owner=$!

while kill -0 "$engine" 2>/dev/null; do
    wait "$engine"
    code=$?
done
kill -KILL "$owner" 2>/dev/null
trap '' PIPE  # the owner may be gone; not earlier, for containers would inherit it
echo "ended $code"
tail -n 20 "$run/engine.log" | sed 's/^/log /'
each_hierarchy remove_cgroup "$parent"
each_hierarchy libpod_parent
unified misread
# The last mount takes back what a container has changed of the options.
others || [ ! -e "$runs/options" ] || options=$(cat "$runs/options")
unified restore
rm -rf "$run" || echo "left $run"
