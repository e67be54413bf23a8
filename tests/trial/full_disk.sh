#!/usr/bin/env bash
# A full disk: `build` into a file system of 1 MiB ends with exit 74, names the path, and leaves nothing. Needs root (mount).
#   full_disk.sh TOOL
set -euo pipefail
tool=$(realpath "$1")
root=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'umount "$work/small" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir "$work/small"
mount -t tmpfs -o size=1m tmpfs "$work/small" 2>/dev/null || { echo "full_disk.sh: SKIPPED, this user cannot mount a file system"; exit 0; }
cp -r "$root/examples/workspace" "$work/workspace"
rm -rf "$work/workspace/target"
export XDG_CACHE_HOME="$work/cache"
"$tool" supplychain key generate -q --output "$work/key.pem"
dd if=/dev/zero of="$work/small/filler" bs=1k count=700 status=none
code=0
message=$("$tool" supplychain build --offline -q --manifest-path "$work/workspace/Cargo.toml" --key "$work/key.pem" \
  --release-dir "$work/small/releases" 2>&1) || code=$?
left=$(find "$work/small/releases" -mindepth 1 ! -name .lock 2>/dev/null)
if [ "$code" -ne 74 ] || [ -n "$left" ] || ! grep -q "$work/small" <<<"$message"; then
  printf 'full_disk.sh: exit %s, left: %s\n%s\n' "$code" "$left" "$message" >&2
  exit 1
fi
rm "$work/small/filler"
umount "$work/small"
"$tool" supplychain build --offline -q --manifest-path "$work/workspace/Cargo.toml" --key "$work/key.pem" --release-dir "$work/small/releases" >/dev/null 2>&1
echo "full_disk.sh: exit 74 with the path, nothing left, and a rerun with room succeeds"
