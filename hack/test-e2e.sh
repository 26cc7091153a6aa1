#!/usr/bin/env bash
# Runs the stories of e2e/ with the real binary on a real cluster. A sandbox
# that is up is used and left up; else one is started, and removed at the end
# however that comes: success, failure or an interrupt.
#
#   RUN=hooks   runs only the stories whose name matches this expression
#   V=1         shows every command and its output, not only those of failures
set -euo pipefail
cd "$(dirname "$0")/.."
go=${GO:-go}

# give_up MESSAGE: the stories could not run, which is a failure.
give_up() {
	cat >&2 <<-TEXT
		FAIL: the end-to-end tests did not run: $1
		They run on a Kubernetes that this machine starts for itself, as root.
		The tests that need no cluster run anywhere: make test-unit
	TEXT
	exit 1
}

[ "$(uname -s)" = Linux ] || give_up "this is $(uname -s), not Linux"
[ "$(id -u)" = 0 ] || give_up "you are not root"
make -s packages || give_up "packages are missing; see above"
make -s sandbox || give_up "the sandbox could not be built; see above"
make -s build helm
# The build takes minutes the first time: too long to wait for one story that does not need it.
case ${RUN:-helmfile} in
*helmfile*) make -s helmfile || give_up "Helmfile could not be built; see above" ;;
esac
make -s chart-testing || give_up "chart-testing could not be built; see above"
make -s otlp-receiver || give_up "the receiver of tools/otlp-receiver could not be built; see above"

started=
tests=
cleanup() {
	local status=$?
	trap '' INT TERM
	if [ -n "$tests" ]; then
		kill -TERM -- "-$tests" 2>/dev/null && wait "$tests" || true
		# What the tests had started finds no API server any more, and would look for it.
		kill -KILL -- "-$tests" 2>/dev/null || true
	fi
	if [ -n "$started" ]; then
		bin/pintle-sandbox down || status=1
	elif [ -n "${PINTLE_E2E_RUN:-}" ] && [ "$status" != 0 ]; then
		bin/kubectl --kubeconfig "$PINTLE_E2E_KUBECONFIG" delete namespace --wait=false --selector "pintle.dev/e2e=$PINTLE_E2E_RUN" >/dev/null 2>&1 || true
	fi
	exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

if ! bin/pintle-sandbox status >/dev/null 2>&1; then
	bin/pintle-sandbox check >/dev/null || give_up "this machine cannot run the sandbox; see above"
	started=yes
	bin/pintle-sandbox up || give_up "the sandbox did not start; see above"
fi

PINTLE_E2E_KUBECONFIG=$(bin/pintle-sandbox kubeconfig --path)
PINTLE_E2E_RUN=run-$$-$(date +%s)
export PINTLE_E2E=required PINTLE_E2E_KUBECONFIG PINTLE_E2E_RUN
# In a sandbox of our own, parts of the cluster may be made to fail.
[ -z "$started" ] || export PINTLE_E2E_DISRUPT=yes

# In the background, so that a signal is acted on at once, and in a process group
# of its own (set -m), so that it reaches the test's own processes.
set -m
"$go" test -buildvcs=false -count=1 -timeout "${TIMEOUT:-60m}" -parallel "${PARALLEL:-4}" ${V:+-v} ${RUN:+-run "$RUN"} ./e2e &
tests=$!
set +m
status=0
wait "$tests" || status=$?
tests=
exit "$status"
