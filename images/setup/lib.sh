# What the setup scripts share. A setup script runs as a container's first process, changes the cgroup mounts that the
# engine made, and then becomes systemd: source this file, call `begin`, do the work, end with `become_init "$@"`.
#
# Every step goes to /var/log/sdc-setup.log, on the container's root file system, so it can be fetched from a container
# that has stopped. The console hears of a failure only: the log, then a last line with "FAILED: " or "NOT SUPPORTED: ".
# shellcheck shell=bash

set -Eeuo pipefail

SDC_LOG=/var/log/sdc-setup.log
SDC_CGROUP=/sys/fs/cgroup
SDC_MODE=unknown
SDC_VERDICT=

log() { printf '%s\n' "$*" >>"$SDC_LOG"; }

fail() { # reason
    SDC_VERDICT="FAILED: $*"
    exit 1
}

not_supported() { # reason
    SDC_VERDICT="NOT SUPPORTED: $*"
    exit 1
}

# Runs a command; its words and what it prints go to the log.
run() {
    local output status=0
    log "+ $*"
    output=$("$@" 2>&1) || status=$?
    [[ -z $output ]] || log "  ${output//$'\n'/$'\n  '}"
    ((status == 0)) || fail "'$*' exited with $status: ${output%%$'\n'*}"
}

# Runs when the script ends in any way but by becoming systemd.
explain_exit() {
    local status=$? line
    trap - ERR EXIT
    [[ -n $SDC_VERDICT ]] || SDC_VERDICT="FAILED: exit code $status"
    log_mounts "cgroup mounts at the end" || true
    log "$SDC_VERDICT" || true
    while IFS= read -r line; do
        printf 'sdc-setup[%s]: %s\n' "$SDC_MODE" "$line"
    done <"$SDC_LOG" >&2
    exit 1
}

begin() { # mode
    SDC_MODE=$1
    # Nobody can fetch a file from /run, but a container with a read-only root has nowhere else to write.
    { : >>"$SDC_LOG"; } 2>/dev/null || SDC_LOG=/run/sdc-setup.log
    trap explain_exit EXIT
    trap 'SDC_VERDICT=${SDC_VERDICT:-"FAILED: line $LINENO: $BASH_COMMAND"}' ERR
    detect
    log "mode $SDC_MODE, kernel $(uname -r)"
    log "cgroup version: $SDC_VERSION, layout $SDC_LAYOUT, namespace $SDC_CGROUPNS $(readlink /proc/self/ns/cgroup)"
    log "SYSTEMD_PROC_CMDLINE=${SYSTEMD_PROC_CMDLINE:-}"
    log_lines "cgroups of this process" </proc/self/cgroup
    log_mounts "cgroup mounts before"
}

# The script's last step. Arguments name another init, or an init with arguments.
become_init() {
    [[ $# -gt 0 ]] || set -- /sbin/init
    command -v "$1" >/dev/null || fail "there is no program '$1' to become"
    log_mounts "cgroup mounts after"
    log "SYSTEMD_PROC_CMDLINE=${SYSTEMD_PROC_CMDLINE:-}"
    log "becoming: $*"
    exec "$@"
}

log_lines() { # title; lines on stdin
    local line
    log "$1:"
    while IFS= read -r line; do log "  $line"; done
}

log_mounts() { # title
    cgroup_mounts | log_lines "$1 (target type root flags options)"
}

# --- What is there ---------------------------------------------------------------------------------------------------

# SDC_VERSION   v1 | v2              what is mounted on /sys/fs/cgroup
# SDC_LAYOUT    v1 | hybrid | v2     hybrid: v1 on a kernel where a v2 tree is in use too
# SDC_CGROUPNS  host | private       private: every tree that counts has this process in its root
detect() {
    local kind id controllers path
    kind=$(stat -f -c %T "$SDC_CGROUP")
    case $kind in
        cgroup2fs) SDC_VERSION=v2 SDC_LAYOUT=v2 ;;
        tmpfs) SDC_VERSION=v1 SDC_LAYOUT=v1 ;;
        *) not_supported "no cgroup file system is mounted on $SDC_CGROUP (found $kind)" ;;
    esac
    SDC_CGROUPNS=private
    while IFS=: read -r id controllers path; do
        [[ $SDC_VERSION == v1 && $id == 0 ]] && SDC_LAYOUT=hybrid
        # A kernel can have v1 hierarchies that a v2 container has no part in; they say nothing about it.
        [[ $SDC_VERSION == v2 && -n $controllers ]] && continue
        [[ $path == / ]] || SDC_CGROUPNS=host
    done </proc/self/cgroup
}

# The mounts on and below /sys/fs/cgroup, in mount order: target, type, root, flags, super block options.
cgroup_mounts() {
    local -a lines field
    local line i
    # At once: the kernel writes the file anew for every read, of which `read` makes one a line.
    mapfile -t lines </proc/self/mountinfo
    for line in "${lines[@]}"; do
        [[ $line == *" $SDC_CGROUP"[\ /]* ]] || continue
        read -r -a field <<<"$line"
        [[ ${field[4]} == "$SDC_CGROUP" || ${field[4]} == "$SDC_CGROUP"/* ]] || continue
        for ((i = 6; i < ${#field[@]}; i++)); do [[ ${field[i]} == - ]] && break; done
        printf '%s %s %s %s %s\n' "${field[4]}" "${field[i + 1]}" "${field[3]}" "${field[5]}" "${field[i + 3]}"
    done
}

# As cgroup_mounts, but v1 hierarchies and v2 trees only, and of those stacked on one target the visible one.
hierarchies() {
    local -A last=()
    local -a order=()
    local target type root flags options
    while read -r target type root flags options; do
        [[ $type == cgroup || $type == cgroup2 ]] || continue
        [[ -n ${last[$target]:-} ]] || order+=("$target")
        last[$target]="$target $type $root $flags $options"
    done < <(cgroup_mounts)
    for target in "${order[@]}"; do printf '%s\n' "${last[$target]}"; done
}

has_flag() { [[ ,$1, == *",$2,"* ]]; } # comma-list flag

# The cgroup of this process in one hierarchy, which is named by its type and super block options.
own_path() { # type options
    local id controllers path
    while IFS=: read -r id controllers path; do
        if [[ $1 == cgroup2 ]]; then
            [[ $id != 0 ]] || { printf '%s\n' "$path"; return; }
        elif [[ -n $controllers ]] && has_flag "$2" "${controllers%%,*}"; then
            printf '%s\n' "$path"
            return
        fi
    done </proc/self/cgroup
    return 1
}

# Super block options to mount the same hierarchy again. They are passed on because a cgroup2 mount from the host's
# cgroup namespace sets the options of the one tree there is: leaving out nsdelegate switches it off for the host.
mount_options() { # options
    local option kept=
    for option in ${1//,/ }; do
        case $option in
            rw | ro | seclabel | release_agent=*) ;;
            *) kept+=,$option ;;
        esac
    done
    printf 'rw,nosuid,nodev,noexec%s\n' "$kept"
}

# --- Steps -----------------------------------------------------------------------------------------------------------

# Without a program (mountpoint): a mode may ask twenty times.
is_mounted() { # target
    local -a lines field
    local line
    mapfile -t lines </proc/self/mountinfo
    for line in "${lines[@]}"; do
        [[ $line == *" $1 "* ]] || continue
        read -r -a field <<<"$line"
        [[ ${field[4]} != "$1" ]] || return 0
    done
    return 1
}

# Unmounts a folder and all below it, as often as something is mounted there: some engines stack two mounts.
unmount_all() { # target
    while is_mounted "$1"; do run umount -R "$1"; done
}

mount_hierarchy() { # target type options
    run mount -t "$2" -o "$(mount_options "$3")" "$2" "$1"
}

mount_cgroup_tmpfs() {
    run mount -t tmpfs -o mode=755,nosuid,nodev,noexec,size=4m,nr_inodes=1024 tmpfs "$SDC_CGROUP"
}

# systemd reads the version to use from what is mounted; with no cgroup file system there, its build decides. This has
# it stay with the engine's version. In a container SYSTEMD_PROC_CMDLINE stands for the kernel's command line.
keep_version() {
    local option=systemd.unified_cgroup_hierarchy=0
    [[ $SDC_VERSION == v1 ]] || option=systemd.unified_cgroup_hierarchy=1
    export SYSTEMD_PROC_CMDLINE="${SYSTEMD_PROC_CMDLINE:+$SYSTEMD_PROC_CMDLINE }$option"
}

legacy_wanted() { [[ " ${SYSTEMD_PROC_CMDLINE:-} " == *" systemd.legacy_systemd_cgroup_controller=1 "* ]]; }

# Moves this process, which is to be systemd, and says why where the kernel refuses.
move_self() { # cgroup folder
    log "+ echo $$ > $1/cgroup.procs"
    echo $$ 2>>"$SDC_LOG" >"$1/cgroup.procs" || fail "process $$ can't be moved into $1"
}

# A new v1 cpuset cgroup takes no process until it has CPUs and memory nodes.
fill_cpuset() { # cgroup folder
    local file
    for file in cpuset.cpus cpuset.mems; do
        [[ -e $1/$file && -z $(<"$1/$file") ]] || continue
        log "+ $file of $1: $(<"${1%/*}/$file")"
        cat "${1%/*}/$file" >"$1/$file"
    done
}
