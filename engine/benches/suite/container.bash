# A container that boots: what the shell loop and the tests of bats share.

boot() { # name number
    docker run --detach --name "$1" --interactive --tty --network none --cgroupns host --cap-add SYS_ADMIN \
        --tmpfs /run --env container=docker --env "N=$2" --volume /sys/fs/cgroup:/sys/fs/cgroup:ro \
        --stop-signal SIGRTMIN+3 --entrypoint /sbin/init "$IMAGE" >/dev/null
    # Not by a pipe, which would wait until docker has one more line to write, and sees that nobody reads it.
    # Now and then docker 20.10 loses what follows the getty; then systemd is asked, after as long as sdc-engine waits.
    timeout 3 grep --quiet --max-count 1 Multi-User < <(docker logs --follow "$1" 3>&-) ||
        docker exec "$1" systemctl is-system-running --wait >/dev/null
}

# For bats.
setup() {
    container=bench-bats-$BATS_TEST_NUMBER
    boot "$container" "$BATS_TEST_NUMBER"
}
teardown() { docker rm --force "$container" >/dev/null; }
