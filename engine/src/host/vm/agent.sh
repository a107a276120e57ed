#!/bin/sh
# Answers on the guest's second serial port: what this machine is, and orders to it. A line each way; every answer ends
# with "==> end <==".
stty -F /dev/ttyS1 raw -echo
exec </dev/ttyS1 >/dev/ttyS1

section() { # name file
    echo "==> $1 <=="
    cat "$2" 2>/dev/null
}

machine() {
    section status /proc/1/status
    section cap_last_cap /proc/sys/kernel/cap_last_cap
    section mountinfo /proc/1/mountinfo
    section cgroup.controllers /sys/fs/cgroup/cgroup.controllers
    section cgroup.subtree_control /sys/fs/cgroup/cgroup.subtree_control
    section lsm /sys/kernel/security/lsm
    echo
    section limits /proc/1/limits
    echo "==> systemd <=="
    systemctl --version | head -n 1
}

while read -r order argument; do
    case $order in
        machine) machine ;;
        # A restored machine's clock stands where it was saved.
        clock) date -u -s "@$argument" >/dev/null ;;
        *) echo "no such order: $order" ;;
    esac
    echo "==> end <=="
done
