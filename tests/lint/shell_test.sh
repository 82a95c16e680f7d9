#!/usr/bin/env bash
# Every shell script of the tree, by its first line, through shellcheck.
set -u
if ! command -v shellcheck > /dev/null; then
  echo "skipped: there is no shellcheck"
  exit 77
fi
passed=0 failed=0
while read -r file; do
  # 2317: takes functions that are called by name for dead code.
  if shellcheck -e SC2317 -S warning "$file"; then passed=$((passed + 1)); else failed=$((failed + 1)); fi
done < <(git ls-files | while read -r file; do head -c 64 "$file" | head -n 1 | grep -aqE '^#!.*sh$' && echo "$file"; done)
echo "$passed passed, $failed failed"
((failed == 0))
