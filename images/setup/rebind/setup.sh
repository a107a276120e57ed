#!/bin/bash
# Shows the host's whole cgroup tree, read-only but for the container's own cgroup in each hierarchy.
. "${0%/*}/lib.sh"
begin rebind

[[ $SDC_CGROUPNS == host ]] ||
    not_supported "a private cgroup namespace hides the host's tree, so there is nothing to bind into it"

found=$(hierarchies)
[[ -n $found ]] || not_supported "no cgroup hierarchy is mounted below $SDC_CGROUP"

# Where the engine put this container, for a hierarchy in which it put it nowhere.
common_path() {
    local path
    while IFS=: read -r _ _ path; do
        [[ $path == / ]] || { printf '%s\n' "$path"; return; }
    done </proc/self/cgroup
}

# Leaves $1 read-only and its cgroup $2 writable: a mount of its own for the latter, and the flag on each apart.
bind_own() { # target path
    run mount --bind "$1$2" "$1$2"
    run mount -o remount,bind,rw "$1$2"
    run mount -o remount,bind,ro "$1"
}

# Sets "options" to those of the host's v2 tree, where none of it is mounted here to read them from: a mount made in
# another cgroup namespace shows them, and can't change them.
read_v2_options() { # folder to use
    local target
    run unshare --cgroup mount -t cgroup2 cgroup2 "$1"
    while read -r target _ _ _ options; do [[ $target != "$1" ]] || break; done < <(hierarchies)
    run umount "$1"
}

# Puts the promise to the kernel: a new cgroup outside is refused, one inside is not.
check_isolation() { # target path
    local outside=$1/sdc-outside inside=$1$2/sdc-inside
    if mkdir "$outside" 2>>"$SDC_LOG"; then
        rmdir "$outside"
        fail "$1 is writable outside the container's own cgroup"
    fi
    run mkdir "$inside"
    run rmdir "$inside"
    log "checked: $1 is read-only, $1$2 is writable"
}

if [[ $SDC_VERSION == v2 ]]; then
    read -r target type root _ options <<<"$found"
    path=$(own_path cgroup2 "$options")
    if [[ $root != / ]]; then
        unmount_all "$SDC_CGROUP"
        mount_hierarchy "$SDC_CGROUP" cgroup2 "$options"
    fi
    bind_own "$SDC_CGROUP" "$path"
    check_isolation "$SDC_CGROUP" "$path"
    become_init "$@"
fi

# systemd's hybrid mode needs the v2 tree too. It would mount it itself, whole and writable, so it must be there before.
if [[ $SDC_LAYOUT == hybrid && $found != *" cgroup2 "* ]] && ! legacy_wanted; then
    found+=$'\n'"$SDC_CGROUP/unified cgroup2 / rw unknown"
fi

links=()
for entry in "$SDC_CGROUP"/*; do
    [[ ! -L $entry ]] || links+=("$(readlink "$entry")" "$entry")
done

unmount_all "$SDC_CGROUP"
mount_cgroup_tmpfs
while read -r target type root flags options; do
    run mkdir -p "$target"
    [[ $options != unknown ]] || read_v2_options "$target"
    mount_hierarchy "$target" "$type" "$options"
    path=$(own_path "$type" "$options") || fail "this process has no cgroup in $target"
    if [[ $path == / ]]; then
        path=$(common_path)
        log "the engine made no cgroup in $target: using $path. Nobody removes it with the container."
        run mkdir -p "$target$path"
        fill_cpuset "$target$path"
        move_self "$target$path"
    fi
    bind_own "$target" "$path"
    check_isolation "$target" "$path"
done <<<"$found"
for ((i = 0; i < ${#links[@]}; i += 2)); do run ln -s "${links[i]}" "${links[i + 1]}"; done
# systemd mounts every v1 controller that has no folder yet, again whole and writable, so it gets no room for folders.
run mount -o remount,bind,ro "$SDC_CGROUP"

become_init "$@"
