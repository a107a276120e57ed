# Starts a virtual machine and removes every trace of it when standard input ends: when its owner closes it or dies,
# however it dies. Run as: sh -c <this> <name> <arguments>.
#
# Says, a line each, as private/guard.sh does: "run <folder>" at the start; "ended <code>" and "log <line>"s when the
# machine is gone; "left <what>" for what can't be removed; "error <words>". Its end is the end of its output.
#
# The run folder has the shape of a private engine's, a lock that its owner holds, so that either guard may remove it when
# the owner is dead. The machine's own disk can be large and lies in $disks, under the run folder's name.
set -u

name=$1    # the lab host's
runs=$2    # run folders
disks=$3   # the disks of running machines
below=$4   # the disk that the machine's own lies on
format=$5  # its format
saved=$6   # the folder of the state that is restored; empty: none
shift 6    # the rest is qemu's command line, with paths in the run folder

fail() { echo "error $*"; exit 1; }

# What runs that died with their guards have left.
sweep() {
    for dead in "$runs"/*/; do
        [ -e "$dead/vm" ] || continue
        (flock -n 8) 8>"$dead/lock" || continue
        rm -rf "$dead"
    done
    for dead in "$disks"/*.qcow2; do
        [ -e "$dead" ] && [ ! -d "$runs/$(basename "$dead" .qcow2)" ] && rm -f "$dead"
    done
}

run=$runs/$name-$$
disk=$disks/$name-$$.qcow2

mkdir -p "$runs" "$disks" || fail "can't make $runs and $disks"
exec 7>"$runs/lock"
flock 7
mkdir -m 700 "$run" || fail "can't make $run"
exec 8>"$run/lock"
flock -n 8
: >"$run/vm"
sweep
exec 7>&-

# Nobody removes a state while this is held.
if [ -n "$saved" ]; then
    exec 9<"$saved/lock"
    flock -s 9
fi
words=$(qemu-img create -q -f qcow2 -b "$below" -F "$format" "$disk" 2>&1) || { rm -rf "$run"; fail "$words"; }
ln -s "$disk" "$run/disk.qcow2"
cd "$run" || fail "can't enter $run"
echo "run $run"

exec 5<&0
# In a network namespace of its own: whoever else uses this machine does not reach the port that is the guest's docker.
unshare --net sh -c 'ip link set lo up && exec setpriv --pdeathsig KILL "$@"' machine "$@" </dev/null >qemu.log 2>&1 5<&- 8>&- 9>&- &
machine=$!
trap 'kill -KILL "$machine"' HUP INT TERM

(
    read -r _ <&5
    kill -0 $$ || exit  # without the guard, $machine may be another process by now
    kill -KILL "$machine"
) >/dev/null 2>&1 8>&- 9>&- &
owner=$!
# The owner may be gone, and the shell itself says it when the machine was killed. Not earlier: the machine would inherit it.
trap '' PIPE

while kill -0 "$machine" 2>/dev/null; do
    wait "$machine"
    code=$?
done
kill -KILL "$owner" 2>/dev/null
echo "ended $code"
[ -e console.log ] && tail -n 20 console.log | tr -d '\r' | sed 's/^/log /'
sed 's/^/log /' qemu.log
cd /
rm -rf "$run" || echo "left $run"
rm -f "$disk" || echo "left $disk"
