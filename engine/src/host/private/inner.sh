# The first process of a private engine's namespaces: it prepares them, runs dockerd and reaps what is orphaned.
# Its end is the end of everything in them.
set -u
cgroups=$1 run=$2 data=$3 parent=$4 dockerd=$5

# docker and containerd use fixed paths below /run: a /run of their own, with the run folder in it.
set -e
mkdir "$run/tmpfs"
mount -n -t tmpfs -o mode=755 tmpfs "$run/tmpfs"
mkdir -p "$run/tmpfs/${run#/run/}"
mount -n --bind "$run" "$run/tmpfs/${run#/run/}"
mount -n --move "$run/tmpfs" /run

if [ "$cgroups" = replace ]; then
    umount -n -R /sys/fs/cgroup
    mount -n -t cgroup2 cgroup2 /sys/fs/cgroup
fi
set +e
ip link set lo up 2>/dev/null

# Most of what an engine computes is done by short-lived Go programs (runc, shims, dockerd's own hooks) that would collect
# garbage in their first milliseconds. They inherit this; the second is the limit of what lives as long as we do.
env -i PATH="$PATH" GOGC=800 GOMEMLIMIT=512MiB "$dockerd" --config-file "$run/daemon.json" --host "unix://$run/docker.sock" \
    --data-root "$data" --exec-root "$run/exec" --pidfile "$run/dockerd.pid" \
    --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$parent" \
    --iptables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
    --shutdown-timeout 3 --log-level warn &
dockerd=$!
(
    read -r _ <"$run/stop"
    kill -TERM "$dockerd"
) &
while kill -0 "$dockerd" 2>/dev/null; do
    wait "$dockerd"
    code=$?
done
exit "$code"
