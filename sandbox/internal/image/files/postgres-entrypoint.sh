#!/bin/bash
# Starts PostgreSQL as charts expect of the image named postgres: on an empty
# PGDATA it first makes a database from the POSTGRES_* variables and runs what
# lies in /docker-entrypoint-initdb.d. As root it prepares the folders and goes on
# as the user postgres.
set -Eeo pipefail

# from_file NAME [DEFAULT]: sets NAME from itself, the file in NAME_FILE, or DEFAULT.
from_file() {
	local name=$1 file_name=$1_FILE
	if [ -n "${!name:-}" ] && [ -n "${!file_name:-}" ]; then
		echo "error: both $name and $file_name are set" >&2
		exit 1
	fi
	if [ -n "${!file_name:-}" ]; then
		export "$name"="$(<"${!file_name}")"
	else
		export "$name"="${!name:-${2:-}}"
	fi
	unset "$file_name"
}

prepare_folders() {
	mkdir -p "$PGDATA" /run/postgresql
	chmod 0700 "$PGDATA" || true
	if [ "$(id -u)" = 0 ]; then
		find "$PGDATA" ! -user postgres -exec chown postgres '{}' +
		chown postgres /run/postgresql
	fi
	chmod 3777 /run/postgresql || true
}

read_variables() {
	from_file POSTGRES_PASSWORD
	from_file POSTGRES_USER postgres
	from_file POSTGRES_DB "$POSTGRES_USER"
	from_file POSTGRES_INITDB_ARGS
	: "${POSTGRES_HOST_AUTH_METHOD:=scram-sha-256}"
	if [ -z "$POSTGRES_PASSWORD" ] && [ "$POSTGRES_HOST_AUTH_METHOD" != trust ]; then
		echo "Error: Database is uninitialized and superuser password is not specified." >&2
		echo "       You must specify POSTGRES_PASSWORD to a non-empty value for the superuser." >&2
		exit 1
	fi
}

make_database() {
	# The data is thrown away when this fails, so nothing needs to be synced.
	eval 'initdb --no-sync --username="$POSTGRES_USER" --pwfile=<(printf "%s\n" "$POSTGRES_PASSWORD") '"$POSTGRES_INITDB_ARGS"
	echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
	printf '\nhost all all all %s\n' "$POSTGRES_HOST_AUTH_METHOD" >>"$PGDATA/pg_hba.conf"
}

# sql [ARGS]: psql as the superuser, on the server that only this script sees.
sql() {
	PGPASSWORD=$POSTGRES_PASSWORD PGHOST='' PGHOSTADDR='' \
		psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" --no-password --no-psqlrc "$@"
}

run_first_start_scripts() {
	local script
	for script in /docker-entrypoint-initdb.d/*; do
		case $script in
		*.sh)
			echo "$0: running $script"
			if [ -x "$script" ]; then "$script"; else . "$script"; fi
			;;
		*.sql) echo "$0: running $script" && sql --dbname "$POSTGRES_DB" -f "$script" ;;
		*.sql.gz) echo "$0: running $script" && gunzip -c "$script" | sql --dbname "$POSTGRES_DB" ;;
		*/\*) ;;
		*) echo "$0: ignoring $script" ;;
		esac
	done
}

first_start() {
	read_variables
	make_database
	pg_ctl -D "$PGDATA" -w start -o "-c listen_addresses='' -c fsync=off -p ${PGPORT:-5432}" >/dev/null
	if [ "$POSTGRES_DB" != postgres ]; then
		sql --dbname postgres --set db="$POSTGRES_DB" <<<'CREATE DATABASE :"db";'
	fi
	run_first_start_scripts
	pg_ctl -D "$PGDATA" -m fast -w stop >/dev/null
	echo
	echo "PostgreSQL init process complete; ready for start up."
	echo
}

if [ "${1:0:1}" = - ]; then
	set -- postgres "$@"
fi
if [ "$1" = postgres ]; then
	prepare_folders
	if [ "$(id -u)" = 0 ]; then
		exec gosu postgres "$BASH_SOURCE" "$@"
	fi
	if [ ! -s "$PGDATA/PG_VERSION" ]; then
		first_start
	fi
fi
exec "$@"
