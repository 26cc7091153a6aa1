#!/bin/bash
# Tries the sandbox on this machine: that clusters work, and that whatever happens
# to them nothing remains. Needs root. It runs in namespaces of its own, so that a
# sandbox that is up beside it is neither seen nor disturbed.
#
# usage: sandbox/selftest.sh [ARGUMENTS OF go test]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

# Folders outside its own that a sandbox's components use: the test gets empty ones.
shared="/var/lib/cni /var/lib/kubelet /var/log/containers /run/containerd"

# hierarchies: the mounted cgroup hierarchies, as "TYPE OPTIONS DIR" lines.
hierarchies() {
	awk '$3 == "cgroup" || $3 == "cgroup2" { print $3, $4, $2 }' /proc/self/mounts
}

if [ "${1:-}" != --inside ]; then
	"$here/install-packages.sh"
	"$here/build.sh"
	# A cgroup of its own becomes the root that the test sees.
	group=pintle-selftest-$$
	while read -r _ _ dir; do
		mkdir "$dir/$group"
		for file in cpuset.cpus cpuset.mems; do
			[ ! -f "$dir/$group/$file" ] || [ -f "$dir/cgroup.controllers" ] || cat "$dir/$file" >"$dir/$group/$file"
		done
		[ ! -f "$dir/cgroup.controllers" ] || for controller in $(<"$dir/cgroup.controllers"); do
			echo "+$controller" >"$dir/cgroup.subtree_control" || true
		done
	done < <(hierarchies)
	clean() {
		while read -r _ _ dir; do
			[ ! -d "$dir/$group/inside" ] || rmdir "$dir/$group/inside"
			rmdir "$dir/$group"
		done < <(hierarchies)
	}
	trap clean EXIT
	status=0
	(
		while read -r _ _ dir; do echo "$BASHPID" >"$dir/$group/cgroup.procs"; done < <(hierarchies)
		exec unshare --net --mount --pid --fork --kill-child --cgroup --mount-proc "$here/selftest.sh" --inside "$@"
	) || status=$?
	exit "$status"
fi
shift

ip link set lo up
mounted=$(hierarchies)
while read -r _ _ dir; do umount "$dir"; done <<<"$mounted"
! mountpoint -q /sys/fs/cgroup || umount /sys/fs/cgroup
# A new /sys shows the network interfaces of these namespaces.
mount -t sysfs none /sys
mount -t tmpfs none /sys/fs/cgroup
while read -r type options dir; do
	mkdir -p "$dir"
	if [ "$type" = cgroup2 ]; then
		mount -t cgroup2 none "$dir"
		# Only a cgroup without processes hands its controllers on.
		mkdir "$dir/inside"
		echo $$ >"$dir/inside/cgroup.procs"
	else
		# Of the options, those that name the hierarchy.
		mount -t cgroup -o "$(echo "$options" | tr , '\n' | grep -vE '^(rw|ro|relatime|noatime|nosuid|nodev|noexec|xattr|seclabel)$' | paste -sd,)" none "$dir"
	fi
done <<<"$mounted"
for dir in $shared; do
	[ ! -d "$dir" ] || mount -t tmpfs none "$dir"
done

cd "$here"
export PINTLE_SANDBOX_SELFTEST="$(dirname "$here")/bin"
go test ./internal/selftest -count=1 -timeout=30m "$@"
