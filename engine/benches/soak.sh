#!/usr/bin/env bash
# The whole suite so many times in one run: soak.sh [TIMES] [HOST] [PROGRAM]. Says whether each case came to the same verdict each
# time (a case that did not is `flaky k/n`), how many files the program had open and how much memory it took while it went on,
# and what of the machine differs afterwards: run folders, cgroups, mounts, processes of ours.
set -euo pipefail
cd "$(dirname "$0")/../.."
times=${1:-10} host=${2:-docker-v1} program=${3:-target/release/sdc-engine}

traces() {
    { find /run/sdc-engine -mindepth 1 -maxdepth 1 -type d 2>/dev/null || :; } | sed 's/^/folder /'
    find /sys/fs/cgroup -type d -name 'sdc-engine-*' 2>/dev/null | sed 's/^/cgroup /'
    grep -c . /proc/self/mountinfo | sed 's/^/mounts /'
    grep -h -o ' - cgroup2 .*' /proc/self/mountinfo | sed 's/^/options/' || :
    { pgrep -f 'sdc-engine-guard|/run/sdc-engine/' || :; } | wc -l | sed 's/^/processes /'
}

out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
traces >"$out/before"
"$program" check scenarios --host "$host" --repeat "$times" --json "$out/report.json" --aside "$out/aside" >"$out/said" 2>&1 &
pid=$!
start=$SECONDS
printf '%8s %6s %9s\n' second files memory
while kill -0 $pid 2>/dev/null; do
    files=$(ls /proc/$pid/fd 2>/dev/null | wc -l)
    memory=$(sed -n 's/^VmRSS:[ \t]*//p' /proc/$pid/status 2>/dev/null || :)
    [ -z "$memory" ] || printf '%8s %6s %9s\n' $((SECONDS - start)) "$files" "$memory"
    sleep $((times * 6 > 60 ? 60 : times * 6)) &
    nap=$!
    wait -n $pid $nap || :
    kill $nap 2>/dev/null || :
done
code=0; wait $pid || code=$?
traces >"$out/after"
tail -n 4 "$out/said"
grep -E '^flaky|^✘|^! (leaked|warn)' "$out/said" || :
echo "exit code $code after $((SECONDS - start)) s; what differs on the machine:"
diff "$out/before" "$out/after" && echo nothing
exit $code
