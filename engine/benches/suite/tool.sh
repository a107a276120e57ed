#!/usr/bin/env bash
# The same work by one of the tools: tool.sh TOOL CONTAINERS STEPS JOBS, in the folder that work.sh has written to. What it needs
# besides is in the environment: DOCKER_HOST, IMAGE, ENGINE (the program) and VENV (the folder that has pytest).
#
# sdc-engine and the shell loop do all steps in one boot; bats and pytest boot a container for each, as their tests do.
set -euo pipefail
here=$(realpath "$(dirname "$0")")
tool=$1 containers=$2 steps=$3 jobs=$4
case $tool in
    sdc-engine)
        exec "$ENGINE" check "$WORK/$containers-$steps.toml" --quiet --jobs "$jobs" --allow-host-risk \
            --aside "$WORK/aside" --json "$WORK/run.json"
        ;;
    loop) seq "$containers" | xargs -P "$jobs" -I{} bash "$here/loop.sh" {} "$steps" ;;
    bats) exec bats --jobs "$jobs" "$WORK/$containers-$steps.bats" ;;
    pytest)
        export CONTAINERS=$containers STEPS=$steps PYTHONDONTWRITEBYTECODE=1
        exec "$VENV/bin/python" -m pytest --quiet -p no:cacheprovider --numprocesses "$jobs" "$here/test_boots.py"
        ;;
    *) echo "tool.sh: no tool $tool" >&2; exit 2 ;;
esac
