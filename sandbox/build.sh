#!/bin/sh
# Builds the sandbox into bin/ at the top of the repository:
#
#   pintle-sandbox              the control program
#   pintle-sandbox-components   etcd and Kubernetes, linked once and kept
#   pintle-sandbox-dns          CoreDNS, likewise
#   kubectl                     likewise
#   images/                     programs that go into images
#
# and then the images. What takes minutes to build is kept in a cache folder under
# a hash of its sources: neither an edit of the control program nor a fresh clone
# on the same machine builds it again.
#
# usage: sandbox/build.sh [--no-images]
#
# PINTLE_SANDBOX_CACHE   the cache folder; default ~/.cache/pintle/sandbox-build
set -eu
here=$(cd "$(dirname "$0")" && pwd)
top=$(dirname "$here")
bin=$top/bin
cache=${PINTLE_SANDBOX_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/pintle/sandbox-build}
kept=$cache/bin

# Kubernetes' version is what its module is; a plain build calls itself v0.0.0,
# and charts with a kubeVersion are refused.
kubernetes=$(sed -n 's/^[[:space:]]*k8s.io\/kubernetes \(v[0-9.]*\)$/\1/p' "$here/components/go.mod")
minor=${kubernetes#v1.}
minor=${minor%%.*}
version=k8s.io/component-base/version
ldflags="-s -w -X $version.gitVersion=$kubernetes -X $version.gitMajor=1 -X $version.gitMinor=$minor -X $version.gitTreeState=clean"

mkdir -p "$bin/images" "$kept"
# A build cache of its own: the usual one is emptied at times, and what is in here
# takes ten minutes of processor time. No cgo, so that programs run in any image
# and no C compiler is needed; no version control stamp, which would change the
# binary with every commit.
export GOCACHE="$cache/go-build" GOFLAGS= GOWORK=off CGO_ENABLED=0

# One build at a time in this cache.
exec 9>"$cache/.lock"
flock 9

# build MODULE PACKAGE OUTPUT [LDFLAGS]
build() {
	(cd "$1" && go build -trimpath -buildvcs=false -ldflags "${4:--s -w}" -o "$3.next" "$2")
	# A running program cannot be written to, but its file can be replaced.
	mv -f "$3.next" "$3"
}

# sources MODULE: a hash of everything in it and of how it is built.
sources() {
	(
		cd "$1"
		find . -type f \( -name '*.go' -o -name go.mod -o -name go.sum \) | LC_ALL=C sort | xargs sha256sum
		go version
		echo "$ldflags"
	) | sha256sum | cut -c1-16
}

# keep MODULE PACKAGE NAME: builds a program unless the cache has it, and links
# it into bin/.
keep() {
	file=$kept/$3-$(sources "$1")
	if [ ! -x "$file" ]; then
		echo "building $3 (minutes the first time)" >&2
		build "$1" "$2" "$file" "$ldflags"
		# Only what was built last is wanted again.
		find "$kept" -type f -name "$3-????????????????" ! -path "$file" -exec rm -f {} +
	fi
	[ "$file" -ef "$bin/$3" ] || ln -f "$file" "$bin/$3" 2>/dev/null || { cp "$file" "$bin/$3.next" && mv -f "$bin/$3.next" "$bin/$3"; }
}

keep "$here/components" . pintle-sandbox-components
keep "$here/components" ./kubectl kubectl
keep "$here/dns" . pintle-sandbox-dns
build "$here" ./cmd/image-tools "$bin/images/image-tools"
build "$here" ./cmd/pintle-sandbox "$bin/pintle-sandbox"

# Programs of this repository that have an image: NAME MODULE, as in
# internal/image/program.go. One whose source is not there has no image.
while read -r name module; do
	if [ -f "$top/$module/go.mod" ]; then
		build "$top/$module" . "$bin/images/$name"
	else
		rm -f "$bin/images/$name"
	fi
done <<'PROGRAMS'
storefront examples/server
PROGRAMS

if [ "${1:-}" != --no-images ]; then
	"$bin/pintle-sandbox" images >/dev/null
fi
