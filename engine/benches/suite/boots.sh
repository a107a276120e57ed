# Part of run.sh: containers that boot, do steps and are removed, by each tool on the same docker, in turn.

jobs=4
tools=${TOOLS:-loop sdc-engine bats pytest}

# A row of the table: so many containers, so many steps in each.
boots() { # words containers steps jobs
    local words=$1 tool
    shift
    write_work "$1" "$2"
    for _ in $(seq "$runs"); do
        for tool in $tools; do measure "$tool-$1-$2" "$suite/tool.sh" "$tool" "$@"; done
    done
    for tool in $tools; do
        local name=$tool-$1-$2 cpu
        cpu=$(of "$name" 2 | median)
        row "$words, -j$3" "$tool" "$(wall "$name") s" "$(each "$name")" "$(ratio "$name" "loop-$1-$2" | xargs printf %.2f)" \
            "$(ratio "$name" "sdc-engine-$1-$2" | xargs printf %.2f)" "$cpu s" "$(memory "$suite/tool.sh" "$tool" "$@") MB"
    done
    row "$words" "sdc-engine, CPU a case" "$(of "sdc-engine-$1-$2" 2 | median | awk "{ printf \"%.1f ms\", \$1 * 1000 / $1 }")" "" "" "" "" ""
}

open_engine
# Makes the image, and warms up whatever keeps something.
write_work 1 1
IMAGE=none "$suite/tool.sh" sdc-engine 1 1 1 >/dev/null
IMAGE=$(docker images --format '{{.Repository}}:{{.Tag}}' sdc-engine/debian-12 | head -n 1)
export IMAGE
for tool in $tools; do [[ $tool == sdc-engine ]] || "$suite/tool.sh" "$tool" 1 1 1 >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; die "$tool"; }; done
heading "Boots on one private docker $(docker version --format '{{.Server.Version}}')" work tool wall each "× the loop" "× sdc-engine" "CPU of the tool" "memory, all processes"
boots "1 container, 1 step" 1 1 1
boots "16 containers, 1 step" 16 1 $jobs
# 128 boots by bats and by pytest: minutes.
all=$runs runs=${LONG_RUNS:-$runs}
boots "16 containers, 8 steps ($runs runs)" 16 8 $jobs
runs=$all
close_engine
