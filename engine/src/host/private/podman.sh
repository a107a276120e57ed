# podman's service, for inner.sh. Its state lies on a fixed path of the namespace's own /run: podman writes that path into
# its database and refuses another one.

state=/run/sdc-engine-podman

# What the kernel refuses where CAP_SYS_RESOURCE is missing, and what podman asks for by itself: more open files and
# processes than there may be, and a limit of processes where containers can't have the controller.
hard() { # name most
    value=$(sed -n "s/^$1  *[^ ]*  *\([^ ]*\).*/\1/p" /proc/self/limits)
    [ "$value" != unlimited ] && [ "$value" -lt "$2" ] || value=$2
    echo "$value"
}

limits() {
    files=$(hard 'Max open files' 1048576)
    processes=$(hard 'Max processes' 32768)
    printf '[containers]\ndefault_ulimits = ["nofile=%s:%s", "nproc=%s:%s"]\n' \
        "$files" "$files" "$processes" "$processes"
    [ ! -e /sys/fs/cgroup/cgroup.controllers ] || grep -qw pids /sys/fs/cgroup/cgroup.controllers ||
        printf 'pids_limit = 0\n'
    printf '[engine]\nevents_logger = "file"\n'
}

# A user of the engine's own, with identities to map, whom this machine's files do not know; and a cgroup that is the
# user's, as systemd would delegate it.
user() {
    mkdir "$state/home" "$state/user" "$run/user"
    mkdir -p "$data/home"
    { cat /etc/passwd; echo "sdc-engine:x:$rootless:$rootless::$state/home:/bin/sh"; } >"$state/passwd"
    echo "sdc-engine:524288:65536" >"$state/subid"
    touch /etc/subuid /etc/subgid
    mount -n --bind "$state/passwd" /etc/passwd
    mount -n --bind "$state/subid" /etc/subuid
    mount -n --bind "$state/subid" /etc/subgid
    mount -n --bind "$data/home" "$state/home"
    mkdir -p "/sys/fs/cgroup/$parent/user/service"
    chown "$rootless:$rootless" "$state/user" "$run/user" "$state/home"
    chown -R "$rootless:$rootless" "/sys/fs/cgroup/$parent/user"
    chmod 711 "$run"
    # A rootless network is made with a tap device, which is everybody's on most machines.
    if [ -e /dev/net/tun ] && ! setpriv --reuid "$rootless" --clear-groups test -w /dev/net/tun; then
        mknod -m 666 "$state/tun" c 10 200
        mount -n --bind "$state/tun" /dev/net/tun
    fi
}

prepare() {
    mkdir -p "$state"
    limits >"$state/containers.conf"
    if [ -n "$rootless" ]; then user; else mkdir -p "$data/storage"; fi
}

serve() {
    if [ -n "$rootless" ]; then
        echo 0 >"/sys/fs/cgroup/$parent/user/service/cgroup.procs"
        cd "$state/home" || exit
        exec setpriv --reuid "$rootless" --regid "$rootless" --clear-groups env -i PATH="$PATH" \
            HOME="$state/home" XDG_RUNTIME_DIR="$state/user" CONTAINERS_CONF="$state/containers.conf" \
            "$program" --storage-driver overlay --cgroup-manager cgroupfs --runtime "$runtime" --log-level warn \
            system service --time 0 "unix://$run/user/podman.sock"
    fi
    exec env -i PATH="$PATH" HOME=/root CONTAINERS_CONF="$state/containers.conf" GOGC=800 GOMEMLIMIT=512MiB \
        "$program" --root "$data/storage" --runroot "$state/storage" --tmpdir "$state/tmp" --storage-driver overlay \
        --cgroup-manager cgroupfs --runtime "$runtime" --log-level warn \
        system service --time 0 "unix://$run/podman.sock"
}

stop() { kill -TERM "$1"; }
