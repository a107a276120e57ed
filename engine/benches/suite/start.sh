# Part of run.sh: how long after its start sdc-engine asks a docker that listens for its first container.

open_engine
write_work 1 1
"$suite/tool.sh" sdc-engine 1 1 1 >/dev/null
starts() { # name command
    local name=$1 _
    shift
    for _ in $(seq $((runs * 3))); do
        python3 "$suite/first.py" "${DOCKER_HOST#unix://}" "$@" >>"$scratch/first-$name"
    done
    row "$name" "$(of "first-$name" 1 | median) ms" "$(of "first-$name" 2 | median) ms" "$(of "first-$name" 1 | sort -n | paste -sd' ')"
}
check() { starts "$1" "$engine" check "${@:2}" --quiet --allow-host-risk --aside "$scratch/aside-first"; }
heading "Start to first container, medians of $((runs * 3)) runs" scenarios "first request" "first started" "first requests"
check "one file, one case" "$scratch/1-1.toml"
check "all that are shipped, one case of them" scenarios -k 'boot/passthrough[setup_mode=default,cgroupns=host,cgroup_mode=hybrid'
close_engine
