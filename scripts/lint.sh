#!/bin/sh
# The house rules for code and scripts: scripts/lint.sh [run|fmt]
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh

lint=$(go_tool golangci-lint "$GOLANGCI_LINT" github.com/golangci/golangci-lint/v2/cmd/golangci-lint)

if [ "${1:-run}" = fmt ]; then
	exec "$lint" fmt ./...
fi

for script in scripts/*.sh; do
	sh -n "$script"
done
bash -n .ci/run
if command -v shellcheck >/dev/null 2>&1; then
	shellcheck -x scripts/*.sh .ci/run
else
	say "shellcheck is not installed: the scripts were checked for syntax only"
fi

# Another checkout of this machine may be checked at the same time.
"$lint" run --allow-parallel-runners ./...
