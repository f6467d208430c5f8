#!/bin/sh
# Runs a command on a machine of its own: this machine's files, with changes in memory alone, and its own processes. The network
# is shared. Needs root.
#
#     guest.sh COMMAND…        with the variable FOLDER: the folder that is the same inside and outside
set -e

if [ "$GUEST" != inside ]; then
    # Whatever runs inside ends with this process.
    GUEST=inside exec unshare --mount --pid --fork --kill-child --ipc --uts --cgroup --propagation private sh "$0" "$@"
fi

top="$FOLDER/guest"
mkdir -p "$top"
mount -t tmpfs -o mode=755 guest "$top"
root="$top/root"
mkdir "$top/changes" "$top/work" "$root"
mount -t overlay -o "lowerdir=/,upperdir=$top/changes,workdir=$top/work" guest "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 run "$root/run"
mount --rbind /sys "$root/sys"
mount -t tmpfs -o mode=755 groups "$root/sys/fs/cgroup"
mkdir "$root/sys/fs/cgroup/systemd"
mount -t cgroup -o none,name=systemd groups "$root/sys/fs/cgroup/systemd"
mkdir -p "$root$FOLDER"
mount --bind "$FOLDER" "$root$FOLDER"
# Not chroot alone: the kernel gives nobody in a chroot a user namespace, which units ask for (PrivateUsers).
cd "$root"
mkdir before
pivot_root . before
umount -l before
exec chroot . env -i PATH="$PATH" FOLDER="$FOLDER" container=guest "$@"
