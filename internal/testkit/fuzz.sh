#!/usr/bin/env bash
# Fuzzes every fuzz target of the module, FUZZTIME each.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${FUZZTIME:=30s}"

grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r pkg; do
  for target in $(grep -hoE '^func (Fuzz[A-Za-z0-9_]+)' "$pkg"/*_test.go | awk '{print $2}'); do
    echo "$pkg $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" "$pkg" </dev/null
  done
done
