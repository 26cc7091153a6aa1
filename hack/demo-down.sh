#!/usr/bin/env bash
# Removes every trace of the demo: its releases and the cluster with all that
# is in it. What was built stays in bin/ and the build cache.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ ! -x bin/pintle-sandbox ]; then
	sandbox/build.sh --no-images
fi
bin/pintle-sandbox down
