#!/bin/sh
# Removes the folder client: uninstall.sh [--prefix DIR]. Mailbox folders, configuration and logs stay as they are.
set -eu
prefix=/opt/openmesh-client
[ "${1:-}" = --prefix ] && prefix=$2
if [ -f /etc/systemd/system/openmesh-client.service ]; then
  systemctl disable --now openmesh-client || true
  rm -f /etc/systemd/system/openmesh-client.service
  systemctl daemon-reload
fi
[ -x "$prefix/openmesh-client" ] || { echo "there is no client in $prefix" >&2; exit 1; }
rm -rf "$prefix/runtime" "$prefix/app" "$prefix/service" "$prefix/openmesh-client" "$prefix/install.sh" "$prefix/uninstall.sh" \
  "$prefix/GUIDE.md" "$prefix/LICENSE" "$prefix/SHA256SUMS"
rmdir "$prefix" 2>/dev/null || true
echo "removed; the Java client can be started again with the same meshclient.cfg"
