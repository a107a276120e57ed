#!/bin/bash
# Makes the engine's cgroup mounts writable: on v2 in place, on v1 by mounting each hierarchy anew, whole.
. "${0%/*}/lib.sh"
begin remount

if [[ $SDC_VERSION == v2 ]]; then
    # "bind" changes the flags of this mount alone; a plain remount would also reset the options of the host's tree.
    run mount -o remount,bind,rw "$SDC_CGROUP"
else
    found=$(hierarchies)
    [[ -n $found ]] || not_supported "no cgroup hierarchy is mounted below $SDC_CGROUP"
    while read -r target type _ _ options; do
        unmount_all "$target"
        mount_hierarchy "$target" "$type" "$options"
    done <<<"$found"
fi

become_init "$@"
