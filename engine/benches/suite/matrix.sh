# Part of run.sh: the original's 12 tests, as the shipped scenarios have them, on a private docker and a private podman.

names=()
for name in boot/privileged boot/non_priv boot/passthrough boot/non_priv_systemd_mode boot/privileged_systemd_mode \
    cgroups/dir cgroups/mounts cgroups/paths cgroups/controllers exec/late exec/early exec/spam; do
    names+=(-k "$name[")
done
counted() { # verdict host
    sed -nE "/\"counts\": *\{/,/\}/s/.*\"$1\": *([0-9]+).*/\1/p" "$scratch/$2.json"
}
matrix() { # name arguments
    measure "$1" "$engine" check scenarios "${names[@]}" --select full --quiet --aside "$scratch/aside-$1" "${@:2}"
}

heading "The original's matrix" host "cases: run + skipped" boots "wall, with the engine's start and end" each "259 s ÷ wall" \
    "CPU of sdc-engine a case" "memory of sdc-engine"
for host in docker-v1 podman-v1; do
    for _ in $(seq "$runs"); do matrix "matrix-$host" --host "$host" --json "$scratch/$host.json"; done
    # Once more with an engine that is no child of sdc-engine, for what is its own.
    open_engine "$host"
    SAMPLE=1 matrix "own-$host" --allow-host-risk
    close_engine
    ran=$(number ran "$scratch/$host.json") skipped=$(counted skipped "$host")
    row "$host" "$((ran + skipped)): $ran + $skipped" "$(number boots "$scratch/$host.json")" "$(wall "matrix-$host") s" "$(each "matrix-$host")" \
        "$(wall "matrix-$host" | awk '{ printf "%.2f", 259 / $1 }')" "$(of "own-$host" 2 | awk "{ printf \"%.1f ms\", \$1 * 1000 / $ran }")" "$(of "own-$host" 4) MB"
done
