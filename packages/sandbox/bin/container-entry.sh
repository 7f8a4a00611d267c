#!/bin/sh
# Starts the sandbox in a container as the Python image starts: port 443 with TLS, 80 without, unless PORT says another.
# Started as root it goes on as the owner of the data folder, so that what it writes into a mounted folder belongs to
# whoever mounted it; the right to open a port below 1024 is kept.
set -eu

if [ -z "${PORT:-}" ]; then
  case "${SSL:-yes}" in
    [Nn]* | [Ff]* | 0 | [Oo][Ff][Ff]) PORT=80 ;;
    *) PORT=443 ;;
  esac
fi
export PORT

# Where compose files of the Python image mount lists of mailboxes and workflows, and a certificate.
lists=/app/mesh_sandbox/store/data
if [ -z "${OPENMESH_SANDBOX_FIXTURES:-}" ] && [ -d "$lists" ]; then
  export OPENMESH_SANDBOX_FIXTURES="$lists"
fi
certificate=/tmp/server-cert
if [ -z "${SSL_CRTFILE:-}${SSL_KEYFILE:-}" ] && [ -f "$certificate.pem" ] && [ -f "$certificate.key" ]; then
  export SSL_CRTFILE="$certificate.pem" SSL_KEYFILE="$certificate.key"
fi

sandbox="$(dirname "$0")/openmesh-sandbox.js"
folder="${MAILBOXES_DATA_DIR:-${FILE_STORE_DIR:-/tmp/mesh_store}}"
unprivileged=1000

if [ "$(id -u)" -ne 0 ]; then
  exec node "$sandbox" "$@"
fi

mkdir -p "$folder"
user="$(stat -c %u "$folder")"
group="$(stat -c %g "$folder")"
# A folder of root's with nothing in it is a new volume; one with something in it stays as it is, and so do we.
if [ "$user" -eq 0 ] && [ -z "$(ls -A "$folder")" ] && chown "$unprivileged:$unprivileged" "$folder" 2>/dev/null; then
  user="$unprivileged"
  group="$unprivileged"
fi
if [ "$user" -eq 0 ]; then
  exec node "$sandbox" "$@"
fi
exec setpriv --reuid "$user" --regid "$group" --clear-groups \
  --inh-caps=-all,+net_bind_service --ambient-caps=+net_bind_service \
  node "$sandbox" "$@"
