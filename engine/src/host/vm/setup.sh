# Makes a bootstrapped root folder a guest: units for the engine and the agent, nothing else that takes time at a boot, and
# an initial file system of a few modules. Run by mmdebstrap as a hook; $1 is the root folder, $2 init.sh, $3 agent.sh, $4 the
# engine, docker or podman, and $5 its runtime.
set -eu
root=$1 engine=$4 runtime=$5

echo sdc-engine >"$root/etc/hostname"
echo '127.0.0.1 localhost sdc-engine' >"$root/etc/hosts"
tr -d - </proc/sys/kernel/random/uuid >"$root/etc/machine-id"
: >"$root/etc/fstab"
mkdir -p "$root/usr/local/lib/sdc-engine" "$root/disk"
printf '%s' "$3" >"$root/usr/local/lib/sdc-engine/agent"
chmod 755 "$root/usr/local/lib/sdc-engine/agent"

# Nobody reads what it does. Not by a kernel parameter, which containers would see: qemu.rs.
mkdir -p "$root/etc/systemd/system.conf.d"
printf '[Manager]\nShowStatus=no\n' >"$root/etc/systemd/system.conf.d/sdc-engine.conf"

units=$root/etc/systemd/system
mkdir -p "$units/sdc-engine.target.wants"
cat >"$units/sdc-engine.target" <<'END'
[Unit]
Description=The engine, and an agent that tells what this machine is
Requires=basic.target
After=basic.target
AllowIsolate=yes
END
ln -sf sdc-engine.target "$units/default.target"

cat >"$units/sdc-engine-network.service" <<'END'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'ip link set lo up; ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; ip route add default via 10.0.2.2'
StandardOutput=file:/dev/console
StandardError=file:/dev/console
END

# The cgroup manager is what the engine has by itself: systemd on v2, as on most machines.
case $engine in
    docker)
        serve="/usr/sbin/dockerd --host tcp://0.0.0.0:2375 --tls=false --iptables=false --ip-forward=false --ip-masq=false \
            --userland-proxy=false --shutdown-timeout 3 --log-level warn" ;;
    podman)
        serve="/usr/bin/podman --runtime $runtime --log-level warn system service --time 0 tcp://0.0.0.0:2375"
        # There is no journal here to log to. What `userns = "auto"` takes from is podman's own.
        mkdir -p "$root/etc/containers"
        printf '[containers]\nlog_driver = "k8s-file"\n[engine]\nevents_logger = "file"\n' >"$root/etc/containers/containers.conf"
        for file in subuid subgid; do echo containers:1879048192:16777216 >>"$root/etc/$file"; done ;;
esac
# What an engine computes is mostly done by short-lived Go programs: see private/docker.sh.
cat >"$units/sdc-engine-engine.service" <<END
[Unit]
Wants=sdc-engine-network.service
After=sdc-engine-network.service
StartLimitIntervalSec=0
[Service]
# docker gives its containerd fifteen seconds, which a busy machine may not keep.
Restart=always
RestartSec=1
Environment=HOME=/root GOGC=800 GOMEMLIMIT=512MiB
ExecStart=$serve
Delegate=yes
KillMode=process
TasksMax=infinity
LimitNOFILE=1048576
LimitNPROC=infinity
LimitCORE=infinity
OOMScoreAdjust=-500
StandardOutput=file:/dev/console
StandardError=file:/dev/console
END

cat >"$units/sdc-engine-agent.service" <<'END'
[Unit]
DefaultDependencies=no
[Service]
ExecStart=/usr/local/lib/sdc-engine/agent
Restart=always
StandardError=file:/dev/console
END
for unit in engine agent; do
    ln -sf "../sdc-engine-$unit.service" "$units/sdc-engine.target.wants/sdc-engine-$unit.service"
done

# Nothing here needs devices to be found, users, a journal or a schedule.
for unit in apparmor.service apt-daily.timer apt-daily-upgrade.timer containerd.service cron.service dbus.service \
    dbus.socket docker.service docker.socket dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    fstrim.timer getty.target kmod-static-nodes.service ldconfig.service modprobe@.service networking.service \
    podman.service podman.socket podman-auto-update.timer podman-restart.service \
    systemd-ask-password-wall.path systemd-ask-password-console.path systemd-binfmt.service \
    systemd-boot-update.service systemd-firstboot.service \
    systemd-hwdb-update.service systemd-journal-catalog-update.service systemd-journal-flush.service \
    systemd-journald-audit.socket systemd-journald-dev-log.socket systemd-journald.service systemd-journald.socket \
    systemd-logind.service systemd-machine-id-commit.service systemd-modules-load.service \
    systemd-pcrphase.service systemd-pcrphase-initrd.service systemd-pcrphase-sysinit.service \
    systemd-pstore.service systemd-random-seed.service systemd-remount-fs.service systemd-rfkill.socket \
    systemd-sysusers.service systemd-timesyncd.service systemd-tmpfiles-clean.timer systemd-tmpfiles-setup.service \
    systemd-tmpfiles-setup-dev.service systemd-udev-settle.service systemd-udev-trigger.service \
    systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-update-done.service \
    systemd-update-utmp.service systemd-user-sessions.service; do
    ln -sf /dev/null "$units/$unit"
done
# podman asks systemd for its containers' cgroups over D-Bus.
[ "$engine" = docker ] || rm -f "$units/dbus.service" "$units/dbus.socket"

# The initial file system: busybox, and the modules of the disk and the network in the order of their dependencies.
release=$(basename "$root"/lib/modules/*)
tree=$root/initrd.tree
mkdir -p "$tree/bin" "$tree/dev" "$tree/disk" "$tree/modules"
cp "$root/bin/busybox" "$tree/bin/busybox"
printf '%s' "$2" >"$tree/init"
chmod 755 "$tree/init"
for name in virtio_pci virtio_blk ext4 virtio_net; do
    chroot "$root" modprobe --show-depends --set-version "$release" "$name"
done | while read -r kind file _; do
    [ "$kind" = insmod ] || continue
    name=$(basename "$file")
    [ -e "$tree/modules/${name%.xz}" ] && continue
    cp "$root$file" "$tree/modules/$name"
    case $name in *.xz) xz -d "$tree/modules/$name" ;; esac
    echo "${name%.xz}"
done >"$root/order"
mv "$root/order" "$tree/modules/order"
chroot "$root" sh -c 'cd /initrd.tree && find . | cpio --quiet -o -H newc' >"$root/boot/sdc-engine-initrd"
rm -rf "$tree"
mv "$root/boot/vmlinuz-$release" "$root/boot/sdc-engine-kernel"
