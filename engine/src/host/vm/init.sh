#!/bin/busybox sh
# The first program of the guest: loads what its disk and network need, and hands over to the disk's init.
/bin/busybox mount -t devtmpfs dev /dev
while read -r module; do
    /bin/busybox insmod "/modules/$module" || echo "sdc-engine: can't load $module"
done </modules/order
tries=0
while [ ! -b /dev/vda ] && [ "$tries" -lt 100 ]; do
    /bin/busybox sleep 0.05
    tries=$((tries + 1))
done
/bin/busybox mount -t ext4 -o rw,noatime /dev/vda /disk || echo "sdc-engine: can't mount the disk"
# Without virtual terminals, as machines in a data centre mostly are: privileged containers would all have the same ones,
# and the getty of each would hang up the others'.
/bin/busybox rm -f /dev/tty[0-9]*
/bin/busybox mount -n -o move /dev /disk/dev
exec /bin/busybox switch_root /disk /sbin/init
