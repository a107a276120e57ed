#!/bin/bash
# The least that systemd needs on v1: its own hierarchy, name=systemd, writable. The controllers stay as they are.
. "${0%/*}/lib.sh"
begin minimal

[[ $SDC_VERSION == v1 ]] || not_supported "cgroup v2 has one tree, so there is no systemd hierarchy to treat apart"

found=
while read -r target type _ flags options; do
    [[ $type == cgroup ]] && has_flag "$options" name=systemd || continue
    found=$target
    if has_flag "$flags" ro; then
        unmount_all "$target"
        mount_hierarchy "$target" "$type" "$options"
    else
        log "$target is writable already: nothing to do"
    fi
done < <(hierarchies)
[[ -n $found ]] ||
    not_supported "the name=systemd hierarchy is not mounted here: the host has none, or the engine left it out"

become_init "$@"
