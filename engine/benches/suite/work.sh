# What sdc-engine and bats read, written for so many containers and the first so many of steps.tsv: write_work CONTAINERS STEPS.

write_work() {
    scenario "$1" "$2" >"$WORK/$1-$2.toml"
    tests "$1" "$2" >"$WORK/$1-$2.bats"
}

scenario() { # containers steps
    local name command expected words
    cat <<END
title = "$1 containers that boot"
inherit = false
host_risk = "systemd in the host's cgroup namespace: a bench, on an engine of its own"

[matrix]
n = [$(seq -s, "$1")]

[container]
image = "debian-12"
cgroupns = "host"
network = "none"
cap_add = ["SYS_ADMIN"]
tmpfs = ["/run"]
env = { container = "docker", N = "\${{ n }}" }
volumes = ["/sys/fs/cgroup:/sys/fs/cgroup:ro"]
stop_signal = "SIGRTMIN+3"

[boot]
expect.state = "running"
END
    while IFS=$'\t' read -r name command expected; do
        words=$(printf '"%s", ' $command)
        printf '\n[[step]]\nname = "%s"\nrun = [%s]\n' "$name" "${words%, }"
        printf "expect.stdout.regex = '%s'\n" "$expected"
    done < <(head -n "$2" "$suite/steps.tsv")
}

tests() { # containers steps
    local n name command expected
    cat "$suite/container.bash"
    for n in $(seq "$1"); do
        while IFS=$'\t' read -r name command expected; do
            printf '\n@test "%s in container %s" {\n    expected=%q\n' "$name" "$n" "$expected"
            printf '    run docker exec "$container" %s\n    [ "$status" -eq 0 ]\n    [[ $output =~ $expected ]]\n}\n' "$command"
        done < <(head -n "$2" "$suite/steps.tsv")
    done
}
