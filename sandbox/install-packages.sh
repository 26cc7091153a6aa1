#!/bin/sh
# Installs the Debian packages of packages.txt that are missing, and nothing
# else. Does nothing, and needs no network, when all are there. Services that
# packages bring are not started: the sandbox runs its own containerd.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

missing=
for package in $(sed 's/#.*//' "$here/packages.txt"); do
	status=$(dpkg-query -W -f '${Status}' "$package" 2>/dev/null || true)
	[ "$status" = "install ok installed" ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" != 0 ]; then
	echo "these packages are missing:$missing; run as root: apt-get install --no-install-recommends$missing" >&2
	exit 1
fi

# A policy-rc.d that says no keeps packages from starting services. One that the
# machine already has (containers often do) is left alone.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
	printf '#!/bin/sh\nexit 101\n' >"$policy"
	chmod 755 "$policy"
	trap 'rm -f "$policy"' EXIT
fi

echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update && apt-get install -y --no-install-recommends $missing; } >"$log" 2>&1; then
	cat "$log" >&2
	exit 1
fi
rm -f "$log"
