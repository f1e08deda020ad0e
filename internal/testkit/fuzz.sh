#!/usr/bin/env bash
# Fuzzes every fuzz target of the module, FUZZTIME each: a time (30s) or a number of inputs (1000x).
# With a time, Go up to 1.26 now and then takes the end of that time for a failure, "context deadline
# exceeded" (golang/go#75804). A number of inputs has no such end.
set -euo pipefail
cd "$(dirname "$0")/../.."
: "${FUZZTIME:=200000x}"

grep -rlE '^func Fuzz' --include='*_test.go' . | xargs -n1 dirname | sort -u | while read -r pkg; do
  for target in $(grep -hoE '^func (Fuzz[A-Za-z0-9_]+)' "$pkg"/*_test.go | awk '{print $2}'); do
    echo "$pkg $target"
    go test -run '^$' -fuzz "^$target\$" -fuzztime "$FUZZTIME" "$pkg" </dev/null
  done
done
