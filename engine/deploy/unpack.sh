#!/bin/sh
# Reads the log of a task that ran sdc-share, on standard input, and writes the report that is in it to a file:
#
#   docker service logs --raw TASK 2>/dev/null | unpack.sh share.json
#
# What stands before `sdc-report: ` on a line, such as a time, is passed over. A log without a report, or with a part of one, is an
# error, and no file is written.
set -u

file=${1:?a file to write}
trap 'rm -f "$file.part"' EXIT
if sed -n 's/^.*sdc-report: //p' | base64 -d 2>/dev/null | gzip -dc 2>/dev/null >"$file.part" && [ -s "$file.part" ]; then
    # gzip has a checksum, so what is there is whole.
    mv "$file.part" "$file"
else
    echo "unpack.sh: no whole report for $file in this log" >&2
    exit 1
fi
