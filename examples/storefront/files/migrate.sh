#!/bin/sh
# Applies the numbered SQL files beside it that the database has not had yet, in the order of their numbers.
# Each is one transaction, together with its row in _schema_version: it is applied and recorded, or neither.
# Run twice at once, the second is stopped by that table's primary key.
set -eu
cd "${0%/*}"
export PGOPTIONS="--client-min-messages=warning"

sql() {
    psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"
}

sql --command="CREATE TABLE IF NOT EXISTS _schema_version (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now())"

for file in [0-9]*.sql; do
    version=${file%%_*}
    applied=$(sql --command="SELECT count(*) FROM _schema_version WHERE version = $version")
    if [ "$applied" = 1 ]; then
        echo "$file: already applied"
        continue
    fi
    echo "$file: applying"
    sql --single-transaction --file="$file" \
        --command="INSERT INTO _schema_version (version, name) VALUES ($version, '${file%.sql}')"
done

echo "schema version: $(sql --command="SELECT max(version) FROM _schema_version")"
