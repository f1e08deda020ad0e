#!/usr/bin/env bash
# Looks for known vulnerabilities in the modules of the given folders. Where the database of vulnerabilities cannot be reached,
# nothing is known, and that is said; VULN_REQUIRED=1 makes it a failure.
set -euo pipefail
: "${GOVULNCHECK:?}" "${VULN_DB:?}"

if ! curl --silent --show-error --fail --max-time 20 --output /dev/null "$VULN_DB/index/db.json"; then
  printf '\n!! NOT CHECKED: %s cannot be reached. Nothing is known of vulnerabilities.\n\n' "$VULN_DB" >&2
  [ "${VULN_REQUIRED:-0}" = 0 ]
  exit
fi
for folder in "$@"; do
  echo "govulncheck: $folder"
  (cd "$folder" && "$GOVULNCHECK" -db "$VULN_DB" ./...)
done
