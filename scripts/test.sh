#!/bin/sh
# The whole suite: PKG (default ./...) names the packages, TESTFLAGS adds flags of go test.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
. scripts/provide.sh

# The product is built without cgo, and so are its tests, unless -race asks for it.
export CGO_ENABLED="${CGO_ENABLED:-0}"

mkdir -p build
go build -o build/ ./internal/house/tally ./internal/db/dbtest/cluster

# -vet=off: lint has done that, with more of it than go test would.
# -count=1: tests that build and run the product see changes that the test cache does not.
# shellcheck disable=SC2086 # the two are lists
set -- build/tally -count=1 -vet=off -timeout 20m ${TESTFLAGS:-} ${PKG:-./...}
if [ -z "${KEYTURN_TEST_POSTGRES:-}" ]; then
	# One private PostgreSQL for the whole run.
	set -- build/cluster -- "$@"
fi
exec "$@"
