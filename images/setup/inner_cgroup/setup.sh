#!/bin/bash
# Starts systemd one cgroup further down, so that its root is not the cgroup that the engine made.
. "${0%/*}/lib.sh"
begin inner_cgroup

# The folder of this process's cgroup, as seen through a mount that may show a part of the hierarchy only.
own_folder() { # target type root options
    local path
    path=$(own_path "$2" "$4") || return 1
    [[ $3 == / ]] || path=${path#"$3"}
    printf '%s\n' "$1${path%/}"
}

# On v2 a cgroup can't both hold processes and hand out controllers. A process that the engine starts (exec) lands in
# the upper cgroup, which undoes the move: so move all there is, try, and begin again where one came in between.
enable_controllers() { # upper folder, lower folder
    local tries wanted pid
    wanted=$(printf '+%s ' $(<"$1/cgroup.controllers"))
    if [[ $wanted == "+ " ]]; then
        log "the container was given no controller to hand out"
        return
    fi
    for ((tries = 1; tries <= 100; tries++)); do
        for pid in $(<"$1/cgroup.procs"); do echo "$pid" 2>/dev/null >"$2/cgroup.procs" || true; done
        if echo "$wanted" 2>/dev/null >"$1/cgroup.subtree_control"; then
            log "+ echo $wanted> $1/cgroup.subtree_control (try $tries)"
            return
        fi
    done
    fail "the kernel would not enable '$wanted' in $1 in 100 tries: another process keeps coming into it"
}

found=$(hierarchies)
[[ -n $found ]] || not_supported "no cgroup hierarchy is mounted below $SDC_CGROUP"
while read -r target type root flags options; do
    if has_flag "$flags" ro; then
        not_supported "$target is mounted read-only, and this mode leaves mounts as they are:" \
            "the container must be given writable cgroups (privileged, or passed through)"
    fi
done <<<"$found"

while read -r target type root flags options; do
    upper=$(own_folder "$target" "$type" "$root" "$options") || fail "this process has no cgroup in $target"
    run mkdir -p "$upper/inner"
    fill_cpuset "$upper/inner"
    move_self "$upper/inner"
    [[ $SDC_VERSION == v1 ]] || enable_controllers "$upper" "$upper/inner"
done <<<"$found"
log_lines "cgroups of this process now" </proc/self/cgroup

become_init "$@"
