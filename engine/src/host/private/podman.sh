# podman's service, for inner.sh. Its state lies on a fixed path of the namespace's own /run: podman writes that path into
# its database and refuses another one.

state=/run/sdc-engine-podman
# On v2, the cgroup of the service itself. From the root of the tree podman would move to one of its own choice, which nobody
# removes; and what it makes beside itself (`cgroups = "split"`) goes with this one.
service_cgroup=/sys/fs/cgroup/$parent${rootless:+/user}/service

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

# Adds a line to a file of /etc, in this namespace alone.
add() { # file line
    if [ -e "$state/$1" ]; then
        echo "$2" >>"$state/$1"
        return
    fi
    if ! [ -e "/etc/$1" ]; then
        mkdir -p "$state/etc/upper" "$state/etc/work"
        mount -n -t overlay -o "lowerdir=/etc,upperdir=$state/etc/upper,workdir=$state/etc/work" overlay /etc
        touch "/etc/$1"
    fi
    { cat "/etc/$1"; echo "$2"; } >"$state/$1"
    mount -n --bind "$state/$1" "/etc/$1"
}

# Identities for the containers of a user, for their user namespaces. A machine's own are kept. Newer podmans look only for
# those of a user that there is.
identities() { # name id first number
    grep -q "^$1:" /etc/passwd || add passwd "$1:x:$2:$2::$state/home:/bin/sh"
    for file in subuid subgid; do
        grep -qs "^$1:" "/etc/$file" || add "$file" "$1:$3:$4"
    done
}

# A user of the engine's own, with identities to map, whom this machine's files do not know; and a cgroup that is the
# user's, as systemd would delegate it.
user() {
    mkdir "$state/home" "$state/user" "$run/user"
    mkdir -p "$data/home"
    add group "sdc-engine:x:$rootless:"
    # Enough for many `userns = "auto"` at a time, which takes 65536 for an image that has them all.
    identities sdc-engine "$rootless" 524288 1048576
    mount -n --bind "$data/home" "$state/home"
    chown "$rootless:$rootless" "$state/user" "$run/user" "$state/home"
    chown -R "$rootless:$rootless" "/sys/fs/cgroup/$parent/user"
    chmod 711 "$run" "$data"
    # A rootless network is made with a tap device, which is everybody's on most machines.
    if [ -e /dev/net/tun ] && ! setpriv --reuid "$rootless" --clear-groups test -w /dev/net/tun; then
        mknod -m 666 "$state/tun" c 10 200
        mount -n --bind "$state/tun" /dev/net/tun
    fi
}

prepare() {
    mkdir -p "$state"
    limits >"$state/containers.conf"
    [ ! -e /sys/fs/cgroup/cgroup.controllers ] || mkdir -p "$service_cgroup"
    if [ -n "$rootless" ]; then
        user
    else
        mkdir -p "$data/storage"
        # What `userns = "auto"` takes from: 256 namespaces, above all that Debian and systemd give away.
        identities containers 64998 1879048192 16777216
    fi
}

serve() {
    [ ! -e "$service_cgroup" ] || echo 0 >"$service_cgroup/cgroup.procs"
    if [ -n "$rootless" ]; then
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
