#!/usr/bin/env bash
# Checks the units with systemd-analyze, and the sample configuration with our own programs.
set -u
build=${SYNCLINE_BIN:-build}
"$build/syncline-fcgi" --config systemd/syncline.conf --print-config > /dev/null || exit 1
if ! command -v systemd-analyze > /dev/null; then
  echo "1 passed, 0 failed, 1 skipped"
  echo "skipped: no systemd-analyze"
  exit 0
fi
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
units=$root/usr/lib/systemd/system
mkdir -p "$units" "$root/usr/bin"
cp -r "$build"/units/* systemd/*.target systemd/*.service systemd/*.d "$units"
# The system's targets, which our units depend on.
cp /usr/lib/systemd/system/*.target "$units"
for program in syncline-fcgi syncline-worker syncline-admin; do
  printf '#!/bin/sh\n' > "$root/usr/bin/$program"
  chmod +x "$root/usr/bin/$program"
done
names=(syncline.target syncline-migrate.service syncline-worker@1.service)
for socket in "$build"/units/*.socket; do
  names+=("$(basename "$socket")" "$(basename "$socket" .socket)@1.service")
done
passed=1 failed=0
for name in "${names[@]}"; do
  # systemd-analyze exits with 0 after warnings about settings it ignores; our units must not cause any.
  if output=$(systemd-analyze verify --man=no --root="$root" "$name" 2>&1) && [[ -z $output ]]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf '%s: %s\n' "$name" "$output"
  fi
done
echo "$passed passed, $failed failed"
((failed == 0))
