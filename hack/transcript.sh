#!/usr/bin/env bash
# Plays the demo and puts what it prints into the README, between its markers.
set -euo pipefail
cd "$(dirname "$0")/.."

transcript=$(mktemp)
trap 'rm -f "$transcript" README.md.next' EXIT
hack/demo.sh 2>&1 | tee "$transcript"

# Spaces at the ends of lines are padding of tables.
sed -i -e 's/[[:space:]]*$//' -e '1{/^$/d}' "$transcript"
awk -v transcript="$transcript" '
	/^<!-- transcript:/ { print; print "```console"; while ((getline line < transcript) > 0) print line; print "```"; skip = 1 }
	/^<!-- end of transcript/ { skip = 0 }
	!skip { print }
' README.md >README.md.next
mv README.md.next README.md
