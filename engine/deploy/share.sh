#!/bin/sh
# Runs one share of a run, as a task of something that numbers its tasks, and prints the report at the end in lines that begin
# with `sdc-report: ` (gzip, base64), so that it is had from the task's log wherever that goes: unpack.sh reads it back.
#
#   SDC_SHARES=3 SDC_SHARE=1 sdc-share [arguments of `sdc-engine check`]
#
# SDC_SHARES   how many shares there are
# SDC_SLOT     docker swarm: {{.Task.Slot}}
# JOB_COMPLETION_INDEX   Kubernetes sets it in an indexed Job: 0, 1, …
# SDC_SHARE    the share itself: 1, 2, …
# SDC_HOW      slice or hash; slice where it is not set
# SDC_REPORTS  a folder in which the report is left too, if it is set
#
# Exit code 0: the share ran, and its report says what came of it, also where the subject differs: whoever merges the reports
# gets that. Else 1: the environment failed or the run was ended, and another node may do better.
set -u

of=${SDC_SHARES:?how many shares there are}
if [ -n "${SDC_SLOT-}" ]; then
    case $SDC_SLOT in
        # Tasks of a replicated job are in slots from 0, and swarm writes slot 0 as the id of the node. A replicated service has
        # slots from 1, so that either has each share once.
        0 | *[!0-9]*) share=$of ;;
        *) share=$SDC_SLOT ;;
    esac
elif [ -n "${JOB_COMPLETION_INDEX-}" ]; then
    share=$((JOB_COMPLETION_INDEX + 1))
else
    share=${SDC_SHARE:?which share, if nothing else numbers the tasks}
fi

folder=$(mktemp -d) || exit 1
report=$folder/report.json
# As the first process it would be sent no signal that it does not ask for.
trap 'kill -TERM "$engine" 2>/dev/null' TERM INT HUP
sdc-engine check --partition "${SDC_HOW:-slice}:$share/$of" --json "$report" "$@" >&2 &
engine=$!
# A signal ends a wait, not what is waited for.
while :; do
    wait "$engine"
    code=$?
    kill -0 "$engine" 2>/dev/null || break
done

done=1
if [ -s "$report" ]; then
    gzip -c "$report" | base64 -w 120 | sed 's/^/sdc-report: /'
    # These need no other node: every case has its verdict, was skipped with its reason, or is another share's.
    case $(sed -n 's/^    "outcome": "\(.*\)",$/\1/p' "$report") in
        held | differs | all_skipped | empty_share) done=0 ;;
    esac
    if [ -n "${SDC_REPORTS-}" ]; then
        # Under another name until it is whole.
        cp "$report" "$SDC_REPORTS/.share-$share" && mv "$SDC_REPORTS/.share-$share" "$SDC_REPORTS/share-$share.json" || done=1
    fi
else
    echo "sdc-share: no report of share $share of $of (sdc-engine ended with $code)" >&2
fi
rm -rf "$folder"
exit "$done"
