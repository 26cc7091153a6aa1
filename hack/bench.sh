#!/usr/bin/env bash
# Measures pintle beside Helm 4 and Helm 3 on the sandbox, taking turns. Run it
# on a machine that does nothing else: the ratios are the result. It ends within
# 35 minutes; what was found is in bench/results after each scenario.
#
#   ONLY='version,200'   runs only the scenarios whose names begin like that; the
#                        rest of bench/results stays as it was (bin/pintle-bench -list)
#   ROUNDS=5             counted rounds, where a scenario is short
#   LIMIT=29m            no scenario begins after that time
#   PINTLE_CHARTS=DIR    a folder of chart archives, for the template scenarios
#   KEEP=1               leaves the filled namespaces for the next run
set -euo pipefail
cd "$(dirname "$0")/.."

make --no-print-directory packages sandbox build helm
started=
cleanup() {
	local status=$?
	trap - EXIT
	[ -z "$started" ] || bin/pintle-sandbox down || status=1
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
if ! bin/pintle-sandbox status >/dev/null 2>&1; then
	started=yes
	bin/pintle-sandbox up
fi
go=${GO:-go}
"$go" -C bench build -buildvcs=false -o ../bin/pintle-bench .
system=$(. /etc/os-release 2>/dev/null && echo "$PRETTY_NAME" || uname -s)
memory=$(awk '/^MemTotal:/ { printf "%.0f GiB", $2 / 1048576 }' /proc/meminfo)
kubernetes=$(bin/pintle-sandbox status | sed -n '1s/^Kubernetes v\([^ ]*\) .*/\1/p')
machine="$(nproc) cores, $memory, $system, $("$go" env GOVERSION), Kubernetes $kubernetes of the sandbox"
bin/pintle-bench -kubeconfig "$(bin/pintle-sandbox kubeconfig --path)" -rounds "${ROUNDS:-5}" -machine "$machine" \
	-page docs/performance.md ${ONLY:+-only "$ONLY"} ${LIMIT:+-limit "$LIMIT"} ${KEEP:+-keep}
