#!/bin/sh
# Runs every fuzz target of the repository for FUZZTIME each, one after the other.
# An input that fails is written to the package's testdata/fuzz by go itself.
set -eu
cd "$(dirname "$0")/.."
. scripts/lib.sh
FUZZTIME=${FUZZTIME:-15s}

targets=$(grep -rhoE --include='*_test.go' --exclude-dir=.git '^func Fuzz[A-Za-z0-9_]+' . | wc -l)
if [ "$targets" -eq 0 ]; then
	say "there is no fuzz target"
	exit 1
fi

grep -rHoE --include='*_test.go' --exclude-dir=.git '^func Fuzz[A-Za-z0-9_]+' . | sort | while IFS=: read -r file found; do
	name=${found#func }
	package=$(dirname "$file")
	say "$package $name, $FUZZTIME"
	go test -run '^$' -fuzz "^$name\$" -fuzztime "$FUZZTIME" "$package"
done
say "$targets targets ran for $FUZZTIME each"
