#!/bin/sh
# A run as a replicated job of Docker Swarm: one task a share, on whichever nodes swarm chooses. Run on a manager.
#
#   job.sh start NAME SHARES IMAGE [arguments of `sdc-engine check`]
#   job.sh status NAME            the tasks; exit 0 when all have ended well, 1 while some run, 2 where one can't go on by itself
#   job.sh wait NAME              until status is not 1
#   job.sh collect NAME FOLDER    the report of each task that has ended well, as FOLDER/TASK.json
#   job.sh remove NAME
#
# Then: sdc-engine merge FOLDER/*.json --json run.json, which says what is missing.
#
# SDC_KIND        the kind of node, which reports bear as the host's name (node); with another one the job runs on nodes with that
#                 label alone: docker node update --label-add sdc-engine=KIND NODE
# SDC_HOW         slice or hash
# SDC_MODE        replicated-job; `replicated` also moves the tasks of a node that is lost by itself
# SDC_CONCURRENT  so many tasks at a time (all)
# SDC_SOCKET      where the engines of the nodes listen (/var/run/docker.sock)
set -eu

here=$(cd "$(dirname "$0")" && pwd)
usage() { sed -n '2,19s/^# \{0,1\}//p' "$0" >&2; exit 2; }
[ $# -ge 2 ] || usage
command=$1 name=$2
shift 2

start() {
    [ $# -ge 2 ] || usage
    shares=$1 image=$2
    shift 2
    kind=${SDC_KIND:-node}
    set -- --host "unix:///run/$kind/docker.sock" "$@"
    set -- "$image" "$@"
    [ "$kind" = node ] || set -- --constraint "node.labels.sdc-engine==$kind" "$@"
    mode=${SDC_MODE:-replicated-job}
    [ "$mode" != replicated-job ] || set -- --max-concurrent "${SDC_CONCURRENT:-$shares}" "$@"
    # The host's network, for a node needs no network of swarm's then. The report is in the log, which json-file keeps whole
    # unless the daemon was told otherwise. A task whose share failed for the environment's sake is tried again, where swarm likes.
    docker service create --detach --quiet --name "$name" --mode "$mode" --replicas "$shares" \
        --mount "type=bind,source=${SDC_SOCKET:-/var/run/docker.sock},target=/run/$kind/docker.sock" \
        --env "SDC_SHARES=$shares" --env 'SDC_SLOT={{.Task.Slot}}' --env "SDC_HOW=${SDC_HOW:-slice}" \
        --network host --no-resolve-image --label "sdc-engine.shares=$shares" \
        --log-driver json-file \
        --restart-condition on-failure --restart-max-attempts 2 --stop-grace-period 60s \
        --entrypoint sdc-share "$@"
}

# The tasks: `ID NODE SLOT STATE`, where the state is swarm's own; `lost` on a node that is down, `old` where swarm has ended it.
tasks() {
    docker service ps --no-trunc --quiet "$name" | while read -r task; do
        docker inspect --type task --format '{{.ID}} {{or .NodeID "-"}} {{or .Slot 0}} {{.DesiredState}} {{.Status.State}}' "$task"
    done 2>/dev/null | while read -r task node slot desired state; do
        case $state in
            complete | failed | rejected) ;;
            *)
                case $desired in shutdown | remove) state=old ;; esac
                [ "$state" = old ] || [ "$node" = - ] ||
                    [ "$(docker node inspect --format '{{.Status.State}}' "$node" 2>/dev/null)" != down ] || state=lost
                ;;
        esac
        echo "$task $node $slot $state"
    done
}

status() {
    shares=$(docker service inspect --format '{{index .Spec.Labels "sdc-engine.shares"}}' "$name")
    list=$(tasks)
    count() { echo "$list" | grep -c " $1\$" || :; }
    complete=$(count complete) lost=$(count lost)
    under_way=$(($(echo "$list" | grep -c .) - complete - lost - $(count failed) - $(count rejected) - $(count old)))
    # A job's tasks are tried again for ever, whatever --restart-max-attempts says.
    failed=$(echo "$list" | awk '
        $4 == "complete" { done[$3] = 1 }
        $4 == "failed" || $4 == "rejected" { times[$3]++ }
        END { for (slot in times) if (times[slot] > 2 && !(slot in done)) n++; print n + 0 }')
    echo "$name: $complete of $shares shares are done, $under_way under way, $failed failed three times, $lost on nodes that are down"
    [ "$complete" -lt "$shares" ] || return 0
    if [ "$lost" -gt 0 ]; then
        echo "swarm does not move a job's tasks from a node that is down (for a day); to have them run elsewhere now:"
        echo "$list" | sed -n 's/^[^ ]* \([^ ]*\) [^ ]* lost$/  docker node rm --force \1/p' | sort -u
    fi
    [ "$failed" = 0 ] || return 2
    [ "$under_way" -gt 0 ] || [ "$lost" = 0 ] || return 2
    return 1
}

# The last word of status is told again only when it differs.
wait_for() {
    said=
    while :; do
        code=0
        now=$(status) || code=$?
        [ "$now" = "$said" ] || echo "$now"
        said=$now
        [ "$code" = 1 ] || return "$code"
        sleep 2
    done
}

collect() {
    [ $# -eq 1 ] || usage
    mkdir -p "$1"
    list=$(tasks)
    echo "$list" | while read -r task _ _ state; do
        [ "$state" = complete ] || continue
        # A node that has gone since is asked for its log in vain.
        timeout 60 docker service logs --raw "$task" 2>/dev/null </dev/null | "$here/../unpack.sh" "$1/$task.json" ||
            echo "job.sh: the report of task $task is lost" >&2
    done
}

case $command in
    start) start "$@" ;;
    status) status ;;
    wait) wait_for ;;
    collect) collect "$@" ;;
    remove) docker service rm "$name" ;;
    *) usage ;;
esac
