# What an engine's machine says of itself, in sections that facts/machine.rs reads: look <the engine's process>. Some files
# end without a line end, so each section starts on a line of its own.
look() {
    section() {
        printf '\n==> %s <==\n' "$1"
        [ -z "${2-}" ] || cat "$2" 2>/dev/null
    }
    # Where the engine's own view can't be had, it is this one.
    view=/proc/$1/root
    ls "$view/sys/fs/cgroup" >/dev/null 2>&1 || view=
    section status "/proc/$1/status"
    section limits "/proc/$1/limits"
    section uid_map "/proc/$1/uid_map"
    section command
    tr '\000' '\n' <"/proc/$1/cmdline"
    section daemon "$view/etc/docker/daemon.json"
    section cgroup "/proc/$1/cgroup"
    section mountinfo
    cat "/proc/$1/mountinfo" 2>/dev/null || cat /proc/self/mountinfo
    section cgroup.controllers "$view/sys/fs/cgroup/cgroup.controllers"
    # The cgroups below which containers may go, and those above them.
    section enabled
    {
        printf '/\n/docker\n/libpod_parent\n/system.slice\n/machine.slice\n/user.slice\n'
        tr '\000' '\n' <"/proc/$1/cmdline" | sed -n '/^--cgroup-parent$/{n;p;}; s/^--cgroup-parent=//p'
        sed -n 's/.*"cgroup-parent" *: *"\([^"]*\)".*/\1/p' "$view/etc/docker/daemon.json" 2>/dev/null
        own=$(sed -n 's/^0:://p' "/proc/$1/cgroup")
        case $own in */user@*.service*)
            manager=${own%%.service*}.service
            printf '%s\n' "${manager%/*}" "$manager" "$manager/user.slice" ;;
        esac
    } | sort -u | while read -r place; do
        file=$view/sys/fs/cgroup/$place/cgroup.subtree_control
        [ ! -r "$file" ] || printf '%s %s\n' "$place" "$(cat "$file")"
    done
    section cap_last_cap /proc/sys/kernel/cap_last_cap
    section lsm /sys/kernel/security/lsm
    section os-release "$view/etc/os-release"
    section apparmor_parser
    for parser in /sbin/apparmor_parser /usr/sbin/apparmor_parser; do
        [ ! -e "$view$parser" ] || printf '%s\n' "$parser"
    done
    section systemd
    read -r first </proc/1/comm
    [ "$first" != systemd ] || systemctl --version 2>/dev/null | sed -n 1p
}
