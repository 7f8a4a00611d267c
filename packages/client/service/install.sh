#!/bin/sh
# Installs the folder client from this folder, without network: install.sh [--prefix DIR] [--no-service]
set -eu
prefix=/opt/openmesh-client service=yes
while [ $# -gt 0 ]; do
  case $1 in
    --prefix) prefix=$2; shift 2 ;;
    --no-service) service=no; shift ;;
    *) echo "usage: install.sh [--prefix DIR] [--no-service]" >&2; exit 64 ;;
  esac
done
here=$(cd "$(dirname "$0")" && pwd)
(cd "$here" && sha256sum --quiet --check SHA256SUMS) || { echo "the pack is damaged: fetch it again" >&2; exit 1; }
mkdir -p "$prefix"
cp -R "$here/." "$prefix/"
"$prefix/openmesh-client" --version
if [ "$service" = yes ]; then
  id openmesh-client >/dev/null 2>&1 || useradd --system --home-dir /var/lib/openmesh-client --shell /usr/sbin/nologin openmesh-client
  mkdir -p /etc/openmesh-client
  sed "s#/opt/openmesh-client/#$prefix/#" "$prefix/service/openmesh-client.service" >/etc/systemd/system/openmesh-client.service
  systemctl daemon-reload
  echo "put meshclient.cfg and shared-key into /etc/openmesh-client, then: systemctl enable --now openmesh-client"
else
  echo "installed in $prefix; next: $prefix/openmesh-client check /path/of/meshclient.cfg"
fi
