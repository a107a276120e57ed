# Part of run.sh: what needs no engine. Planning, goldens, a page.

# A scenario of 10^N cases: axes of ten values, with what real ones have besides: a rule, layers under conditions, texts with
# templates, two steps.
large() { # N
    local axis value= n=$1
    cat <<'END'
title = "Does it boot?"
inherit = false

[matrix]
END
    for axis in $(printf '%s\n' a b c d e f | head -n "$n"); do
        echo "$axis = [$(printf '"v%d", ' $(seq 0 9))]"
        value+="\${{ $axis }}"
    done
    cat <<END

[[matrix.exclude]]
when = "a == 'v0' and b == 'v0'"
reason = "a bench's rule"

[container]
image = "debian-12"
cgroupns = "private"
network = "none"
cap_add = ["SYS_ADMIN"]
env = { container = "docker", CASE = "$value" }
stop_signal = "SIGRTMIN+3"

[[container.when]]
if = "host.engine == 'docker'"
tmpfs = ["/run", "/run/lock"]

[[container.when]]
if = "b in ['v1', 'v2']"
memory = "256m"

[boot]
expect.state = "running"

[[step]]
name = "mounts"
run = ["findmnt", "-R", "/sys/fs/cgroup"]
expect.stdout.golden = true

[[step]]
name = "type"
run = "stat -f -c %T /sys/fs/cgroup; echo \${{ c }}"
expect.stdout.regex = "^\${{ 'tmpfs' if host.cgroups == 'v1' else 'cgroup2fs' }}$"
expect.stdout.contains = "\${{ c }}"
END
}

bench() { # name arguments; without cargo, whose own time and memory would be measured
    "$(find target/release/deps -maxdepth 1 -name "$1-*" -type f -executable -printf '%T@ %p\n' | sort -n | tail -n 1 | cut -d' ' -f2)" "${@:2}"
}

pure() { # words name command
    local words=$1 name=$2
    shift 2
    for _ in $(seq "$runs"); do measure "$name" "$@"; done
    row "$words" "$(wall "$name") s" "$(each "$name")" "$(of "$name" 2 | median) s" "$(of "$name" 3 | median) MB"
}

cargo build --quiet --release --locked --benches
heading "Without an engine" what wall each CPU "peak memory"
for n in 3 5; do
    large "$n" >"$scratch/large-$n.toml"
    cases=$((10 ** n))
    for _ in $(seq "$runs"); do bench growth plan "$scratch/large-$n.toml" | tr '\t' ' ' >>"$scratch/plan-$n"; done
    row "parse, expand and plan $cases cases, one host (library)" "$(wall "plan-$n") s" "$(each "plan-$n")" "$(of "plan-$n" 2 | median) s" "$(of "plan-$n" 3 | median) MB"
    pure "\`list --assume\` of $cases cases: read, planned for five kinds of host, printed" "list-$n" \
        "$engine" list "$scratch/large-$n.toml" --assume cgroups=v1 --max-cases "$cases"
done
golden=$(bench golden "$runs" "structured 10,000" | awk '/^structured/ { print $(NF - 1) " " $NF }')
row "10,000 golden compares (found among 103 files, text held against text)" "$golden" "" "" ""
bench growth run 10000 1 1 "$scratch/10000.json" >/dev/null
pure "HTML report of 10,000 cases, from $(($(stat -c %s "$scratch/10000.json") / 1000000)) MB of JSON" html \
    "$engine" report "$scratch/10000.json" --html "$scratch/page.html"
