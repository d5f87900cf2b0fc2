#!/usr/bin/env bash
# Starts a throwaway PostgreSQL and prints its URL on standard output, all else on standard error:
#
#     KGRAG_TEST_POSTGRES=$(.ci/postgres.sh) pytest -m server tests/contract
#     .ci/postgres.sh stop
#
# Installs Debian's postgresql when the machine has none. The cluster lives in PGROOT (a new
# temporary folder otherwise), listens on 127.0.0.1 only, and keeps nothing worth keeping.
set -euo pipefail

state="${TMPDIR:-/tmp}/kgrag-postgres.$(id -u)"

as_server() { # the server refuses to run as root
  if [ "$(id -u)" = 0 ]; then setpriv --reuid postgres --regid postgres --init-groups -- "$@"; else "$@"; fi
}

find_bin() { find /usr/lib/postgresql -maxdepth 2 -name bin 2>/dev/null | sort -V | tail -1; }

if [ "${1:-start}" = stop ]; then
  if [ -f "$state" ]; then
    root=$(cat "$state")
    (cd / && as_server "$(find_bin)/pg_ctl" -D "$root/data" -m immediate stop >&2) || true
    rm -rf "$root" "$state"
  fi
  exit 0
fi

if [ -z "$(find_bin)" ]; then
  run=""; [ "$(id -u)" = 0 ] || run=sudo
  $run apt-get update -qq >&2
  $run env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >&2
fi
bin=$(find_bin)

"$0" stop # one that an earlier run left
root="${PGROOT:-$(mktemp -d "${TMPDIR:-/tmp}/kgrag-pg.XXXXXX")}"
port="${PGPORT:-$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')}"
mkdir -p "$root"
[ "$(id -u)" != 0 ] || chown postgres "$root"
cd /
as_server "$bin/initdb" -D "$root/data" -U kgrag --auth=trust -E UTF8 --locale=C.UTF-8 -N >&2
as_server "$bin/pg_ctl" -D "$root/data" -w -t 60 -l "$root/log" \
  -o "-p $port -c listen_addresses=127.0.0.1 -c unix_socket_directories='$root' -c fsync=off" start >&2
echo "$root" >"$state"
as_server "$bin/createdb" -h 127.0.0.1 -p "$port" -U kgrag kgrag_test >&2
echo "postgresql+pg8000://kgrag@127.0.0.1:$port/kgrag_test"
