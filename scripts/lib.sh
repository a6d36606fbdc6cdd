# Shared by the scripts here; read with ". scripts/lib.sh" from the repository's root.
# shellcheck shell=sh disable=SC2034 # the names are used by those who read this

# The tools' versions. They are pinned: a newer one is a change like any other.
GOLANGCI_LINT=v2.15.0
MAILPIT=v1.27.11
AXE=4.14.1

# Tools are kept outside the repository, one folder for each version, so that a clean
# clone and another branch find them again.
tools=${XDG_CACHE_HOME:-$HOME/.cache}/keyturn/tools

say() { printf '%s: %s\n' "${0##*/}" "$*"; }

# go_tool NAME VERSION PACKAGE prints the path of a tool, building it once. What it
# says on the way goes to standard error.
go_tool() {
	at=$tools/$1-$2
	if [ ! -x "$at/$1" ]; then
		say "building $1 $2, once: it is kept in $at" >&2
		made=$at.part.$$
		if ! CGO_ENABLED=0 GOFLAGS='' GOBIN="$made" go install -trimpath "$3@$2" >&2; then
			rm -rf "$made"
			return 1
		fi
		# Somebody else may have been quicker; theirs is as good.
		mkdir -p "$at" && mv -f "$made/$1" "$at/$1"
		rm -rf "$made"
	fi
	[ -x "$at/$1" ] && printf '%s\n' "$at/$1"
}
