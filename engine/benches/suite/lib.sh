# Measuring and telling, for run.sh and its parts. What is measured lies in $scratch/<name>, a line a run: seconds, seconds of CPU,
# MB of the largest process, MB of all processes (by measured.py). The tables go to stdout and to $out/results.md.

median() { sort -n | awk '{ v[NR] = $1 } END { if (NR) print (NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2) }'; }
of() { cut -d' ' -f"$2" "$scratch/$1"; } # name column
wall() { of "$1" 1 | median; }
each() { of "$1" 1 | paste -sd' '; }
# How often one is of the other, by the runs that were done side by side: both names' first columns.
ratio() { paste -d' ' <(of "$1" 1) <(of "$2" 1) | awk '{ print $1 / $2 }' | median; }

say() { printf '%s\n' "$*" | tee -a "$out/results.md"; }
row() { # cells
    local line=
    for cell in "$@"; do line+="| $cell "; done
    say "$line|"
}
heading() { # title, columns
    say; say "## $1"; say
    shift
    row "$@"
    row "${@/*/---}"
}

# The first number with that key in a JSON file.
number() { sed -nE "/\"$1\": *[0-9]/{s/.*\"$1\": *([0-9.]+).*/\1/p;q}" "$2"; }

die() { echo "bench: $*" >&2; exit 1; }

# Takes the time of a command that must succeed.
measure() { # name command
    local name=$1
    shift
    python3 "$suite/measured.py" "$scratch/$name" "$@" >"$scratch/said" 2>&1 || { cat "$scratch/said" >&2; die "failed: $*"; }
}

# The same once more under a look at the memory of all its processes; its time does not count. Prints MB.
memory() { # command
    rm -f "$scratch/memory"
    SAMPLE=1 measure memory "$@"
    of memory 4
}

# The load of the machine, in words: what else runs is measured too.
load() { echo "load $(cut -d' ' -f1-3 /proc/loadavg) on $(nproc) cores at $(date -u +%H:%M) UTC"; }

# A private engine for all tools alike, until close_engine; as DOCKER_HOST or CONTAINER_HOST.
open_engine() { # lab host; docker-v1 without one
    local asked=
    "$engine" host --host "${1:-docker-v1}" --serve >"$scratch/served" 2>&1 &
    server=$!
    for _ in $(seq 600); do
        asked=$(sed -n 's/^export \([A-Z_]*=.*\)/\1/p' "$scratch/served")
        [[ -z $asked ]] || break
        kill -0 "$server" 2>/dev/null || break
        sleep 0.1
    done
    [[ -n $asked ]] || { cat "$scratch/served" >&2; die "no private engine"; }
    export "$asked"
}
close_engine() {
    [[ -n ${server:-} ]] || return 0
    kill -INT "$server" 2>/dev/null || :
    wait "$server" || :
    unset server DOCKER_HOST CONTAINER_HOST
}
