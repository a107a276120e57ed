#!/bin/bash
# As cgroupns, with as few changes to the mounts as will do: none on v1, and on v2 one mount less.
. "${0%/*}/lib.sh"
begin cgroupns_simple

[[ $SDC_CGROUPNS == host ]] ||
    not_supported "the container has a private cgroup namespace already, so there is nothing to do"

if [[ $SDC_VERSION == v2 ]]; then
    # This mount shows the host's tree, where "/" of the new namespace is not at the top.
    unmount_all "$SDC_CGROUP"
    keep_version
fi

[[ $# -gt 0 ]] || set -- /sbin/init
become_init unshare --cgroup "$@"
