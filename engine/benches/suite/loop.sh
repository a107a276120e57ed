#!/usr/bin/env bash
# One container of the shell loop, with the first so many of steps.tsv in it: loop.sh NUMBER STEPS. The least that it can take.
set -euo pipefail
here=$(dirname "$0")
. "$here/container.bash"
boot "bench-loop-$1" "$1"
while IFS=$'\t' read -r _ command expected; do
    output=$(docker exec "bench-loop-$1" $command </dev/null)
    [[ $output =~ $expected ]]
done < <(head -n "$2" "$here/steps.tsv")
docker rm --force "bench-loop-$1" >/dev/null
