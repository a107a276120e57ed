# dockerd, for inner.sh.

prepare() {
    if [ "$runtime" = runc ]; then
        echo '{}'
    else
        printf '{"runtimes": {"%s": {"path": "%s"}}, "default-runtime": "%s"}\n' "$runtime" "$runtime" "$runtime"
    fi >"$run/daemon.json"
}

# Most of what an engine computes is done by short-lived Go programs (runc, shims, dockerd's own hooks) that would collect
# garbage in their first milliseconds. They inherit this; the second is the limit of what lives as long as we do.
serve() {
    exec env -i PATH="$PATH" GOGC=800 GOMEMLIMIT=512MiB "$program" --config-file "$run/daemon.json" \
        --host "unix://$run/docker.sock" \
        --data-root "$data" --exec-root "$run/exec" --pidfile "$run/dockerd.pid" \
        --exec-opt native.cgroupdriver=cgroupfs --cgroup-parent "/$parent" \
        --iptables=false --ip-forward=false --ip-masq=false --userland-proxy=false \
        --shutdown-timeout 3 --log-level warn
}

stop() {
    kill -TERM "$1"
    # Stopping containerd is the last that dockerd does, and then it may sleep for a second before it looks.
    containerd=$(cat "$run/exec/containerd/containerd.pid") || return
    while kill -0 "$containerd" 2>/dev/null; do sleep 0.01; done
    kill -KILL "$1"
}
