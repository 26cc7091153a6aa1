#!/usr/bin/env bash
# Plays the story of a release on a real Kubernetes of this machine, and leaves
# it up to go on by hand. Every command is printed before it is run; what it
# prints is its own output.
#
#   KEEP_PACE=1   waits for Enter before each command
set -euo pipefail
cd "$(dirname "$0")/.."

bold='' dim='' plain=''
if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
	bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'
fi

say() { printf '\n%s# %s%s\n' "$dim" "$1" "$plain"; }

# show COMMAND...: prints a command and runs it.
show() {
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
	if [ -n "${KEEP_PACE:-}" ]; then read -r _ </dev/tty; fi
	"$@"
}

# fails CODE COMMAND...: the same for a command that must end with that code.
fails() {
	local want=$1 got=0
	shift
	show "$@" || got=$?
	[ "$got" = "$want" ] || { echo "the demo went another way: exit code $got, not $want" >&2; exit 1; }
	printf '%s(exit code %s)%s\n' "$dim" "$got" "$plain"
}

say "Build pintle, and the sandbox: a real Kubernetes for this machine. It takes minutes the first time."
show make -s sandbox build
export PATH="$PWD/bin:$PATH"
say "Start it."
show pintle-sandbox up
KUBECONFIG=$(pintle-sandbox kubeconfig --path)
export KUBECONFIG

# What the tools would keep in the user's home goes to a folder that ends with the demo.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export XDG_CACHE_HOME=$scratch XDG_CONFIG_HOME=$scratch XDG_DATA_HOME=$scratch KUBECACHEDIR=$scratch

# What an earlier demo left would make this one tell another story.
kubectl delete namespace shop --ignore-not-found --wait >/dev/null
kubectl create namespace shop >/dev/null
export HELM_NAMESPACE=shop
status=/api/v1/namespaces/shop/services/storefront:80/proxy/api/v1/status

say "A database, as a release of its own."
show pintle install db examples/postgres --wait
say "A shop on it. Before its pods start, hooks make a temporary user, migrate the database, seed it, and revoke the user."
show pintle install storefront examples/storefront --wait
say "Its tests, with their logs."
show pintle test storefront --logs
say "Version 2.0.0 brings a second migration. Its tests run before the upgrade counts as done."
show pintle upgrade storefront examples/storefront --wait --test --set image.tag=2.0.0,schemaVersion=2
show kubectl get --raw "$status"
say "Now an upgrade whose migration the data does not allow. The output says why; the release goes back by itself."
fails 8 pintle upgrade storefront examples/storefront --rollback-on-failure --set image.tag=2.0.0,schemaVersion=2,migration.fail=true
say "The release is at the good revision again, and so is what it serves."
show pintle history storefront
show kubectl get --raw "$status"
if [ -x bin/helm ]; then # make helm builds it
	say "Helm sees the same release."
	show helm history storefront
fi

cat <<TEXT

${bold}The cluster stays up. To go on by hand:${plain}

  export PATH="\$PWD/bin:\$PATH" KUBECONFIG=$KUBECONFIG HELM_NAMESPACE=shop
  pintle list
  pintle status storefront
  pintle get hooks storefront
  pintle upgrade storefront examples/storefront --set image.tag=2.0.0,schemaVersion=2,seed.fail=true
  pintle uninstall storefront
  kubectl get pods --namespace shop

  make demo-down    removes every trace
TEXT
