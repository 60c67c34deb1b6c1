# This machine's root file system, a systemd and control groups → that systemd as process 1 of its own namespaces. Run as root.
#
#   WORK    an empty folder: the root is mounted in it, only in the namespaces
#   OPT     becomes /opt/quati, read-only
#   NODE    becomes /usr/bin/node
#   UNITS   its files become the only units
#   TASKS   files for a process's id, one per control group
#   GROUPS_AT   the mounts of control groups: lines of `<folder below /sys/fs/cgroup> <type> <options>`
set -eu

enter() {
  mount --make-rprivate /
  mount -t tmpfs tmpfs "$WORK"
  mkdir "$WORK/upper" "$WORK/work" "$WORK/root"
  root=$WORK/root
  mount -t overlay overlay -o "lowerdir=/,upperdir=$WORK/upper,workdir=$WORK/work" "$root"
  mount_system
  mount_groups
  fill
  cd "$root"
  mkdir -p mnt
  pivot_root . mnt
  umount -l /mnt
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin SYSTEMD_UNIT_PATH=/etc/systemd/system SYSTEMD_GENERATOR_PATH=/nothing \
    /lib/systemd/systemd --unit=multi-user.target --log-target=journal-or-kmsg
}

# Only what containers have: no change here affects the machine.
mount_system() {
  mkdir -p "$root/proc" "$root/sys" "$root/dev" "$root/run" "$root/tmp"
  mount -t proc proc "$root/proc"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t tmpfs -o mode=755 tmpfs "$root/run"
  mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  for device in null zero full random urandom tty; do
    : >"$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
}

mount_groups() {
  [ "$(echo "$GROUPS_AT" | cut -d ' ' -f 1)" = . ] || mount -t tmpfs -o mode=755 tmpfs "$root/sys/fs/cgroup"
  echo "$GROUPS_AT" | while read -r folder type options; do
    mkdir -p "$root/sys/fs/cgroup/$folder"
    mount -t "$type" -o "$options" cgroup "$root/sys/fs/cgroup/$folder"
  done
}

fill() {
  rm -rf "$root/etc/systemd/system" "$root/etc/quati.env" "$root/var/log/journal" "$root/opt/quati"
  mkdir -p "$root/etc/systemd/system" "$root/opt/quati"
  cp -a "$UNITS/." "$root/etc/systemd/system"
  mount --bind "$OPT" "$root/opt/quati"
  mount -o remount,bind,ro "$root/opt/quati"
  [ -e "$root/usr/bin/node" ] || : >"$root/usr/bin/node"
  mount --bind "$NODE" "$root/usr/bin/node"
  echo 00000000000000000000000000000001 >"$root/etc/machine-id"
}

if [ "${1:-}" = inside ]; then enter; fi
for file in $TASKS; do echo $$ >"$file"; done
exec unshare --fork --kill-child --pid --mount --uts --ipc --net --cgroup sh "$0" inside
