#!/usr/bin/env bash
# Runs shellcheck on every shell script of the tree, recognised by its first line.
set -u
if ! command -v shellcheck > /dev/null; then
  echo "skipped: no shellcheck"
  exit 77
fi
passed=0 failed=0
while read -r file; do
  # 2317: reports functions that are called by name as unreachable.
  if shellcheck -e SC2317 -S warning "$file"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done < <(git ls-files | while read -r file; do head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*sh$' && echo "$file"; done)
echo "$passed passed, $failed failed"
((failed == 0))
