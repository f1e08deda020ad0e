#!/usr/bin/env bash
# Starts the API as its documentation says, asks it something, and stops it.
set -euo pipefail
set -m # what is started has a process group of its own, for go run does not pass signals on
cd "$(dirname "$0")/../.."

export ADDR=${ADDR:-localhost:8080}
go run ./examples/httpapi &
trap 'kill -KILL -- "-$!" 2> /dev/null || true' EXIT
for _ in {1..600}; do # it is built first
	! curl --fail --silent --max-time 5 "http://$ADDR/ready" || break
	kill -0 "$!" # is it still there?
	sleep 0.2
done
answer=$(curl --fail --silent --show-error "http://$ADDR/users/1?explain=1")
echo "$answer"
grep -q '"name":"Ada"' <<< "$answer"
kill -INT -- "-$!"
wait "$!" || true # go run says that it was interrupted
