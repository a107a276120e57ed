#!/bin/bash
# Takes the engine's cgroup mounts away; systemd, finding none, makes its own.
. "${0%/*}/lib.sh"
begin unmount

unmount_all "$SDC_CGROUP"
keep_version

become_init "$@"
