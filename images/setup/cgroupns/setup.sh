#!/bin/bash
# Gives the container a private cgroup namespace that the engine did not, with fresh mounts that show no more than it.
. "${0%/*}/lib.sh"
begin cgroupns

# Only a new program starts in the new namespace, so this script runs twice: SDC_OUTSIDE is the one it came from.
if [[ -z ${SDC_OUTSIDE:-} ]]; then
    [[ $SDC_CGROUPNS == host ]] ||
        not_supported "the container has a private cgroup namespace already, so there is nothing to do"
    SDC_OUTSIDE=$(readlink /proc/self/ns/cgroup)
    export SDC_OUTSIDE
    log "+ unshare --cgroup $0 $*"
    exec unshare --cgroup "$0" "$@"
fi

[[ $(readlink /proc/self/ns/cgroup) != "$SDC_OUTSIDE" ]] ||
    fail "unshare --cgroup left this process in the namespace it was in"
[[ $SDC_CGROUPNS == private ]] || fail "after unshare --cgroup this process is not in the root of its namespace"
unset SDC_OUTSIDE

found=$(hierarchies)
unmount_all "$SDC_CGROUP"
if [[ $SDC_VERSION == v2 ]]; then
    read -r target type _ _ options <<<"$found"
    mount_hierarchy "$target" "$type" "$options"
else
    # The hierarchies are left to systemd, for it to choose between its legacy and its hybrid mode.
    mount_cgroup_tmpfs
    keep_version
fi

become_init "$@"
