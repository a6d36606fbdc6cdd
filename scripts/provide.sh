# Finds what the suite needs, installs what is missing where it may, and exports where
# everything is. Read by test.sh after lib.sh. Each part says in one line what it did.
# shellcheck shell=sh disable=SC2154 # $tools comes from lib.sh
#
# It may install Debian packages when it is root and apt-get is there. Nothing of the
# system's PostgreSQL is started or used: the suite runs a private cluster.

# lacks WHAT: under KEYTURN_TEST_REQUIRE=all a missing part of the first order ends the
# run; otherwise its tests are skipped, and say so.
lacks() {
	if [ "${KEYTURN_TEST_REQUIRE:-}" = all ]; then
		say "$1, and KEYTURN_TEST_REQUIRE=all demands it"
		exit 1
	fi
	say "$1: its tests will be skipped"
}

may_apt() { [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null 2>&1; }

# apt PACKAGE... installs without questions; what apt says is kept for the case of failure.
apt() {
	log=$(mktemp)
	if [ -z "${apt_is_fresh:-}" ]; then
		apt-get update >"$log" 2>&1 || say "apt-get update did not work; going on with the lists that are there"
		apt_is_fresh=yes
	fi
	if ! DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends \
		-o Dpkg::Options::=--force-confold "$@" >"$log" 2>&1; then
		tail -n 20 "$log"
		rm -f "$log"
		return 1
	fi
	rm -f "$log"
}

find_postgres() {
	for found in /usr/lib/postgresql/*/bin/initdb; do
		[ -x "$found" ] && return
	done
	command -v initdb
}

# Chromium's headless shell is the same engine without the windows around the pages, which
# cost the suite more than the pages do: it is looked for first.
find_shell() {
	for name in /usr/lib/chromium/chromium-headless-shell chromium-headless-shell; do
		command -v "$name" && return
	done
	return 1
}

find_chromium() {
	[ -n "${KEYTURN_TEST_CHROMIUM:-}" ] && command -v "$KEYTURN_TEST_CHROMIUM" && return
	find_shell && return
	for name in chromium chromium-browser google-chrome-stable google-chrome; do
		command -v "$name" && return
	done
	return 1
}

provide_postgres() {
	if [ -n "${KEYTURN_TEST_POSTGRES:-}" ]; then
		say "PostgreSQL: the one that KEYTURN_TEST_POSTGRES names"
	elif find_postgres >/dev/null; then
		say "PostgreSQL: is there"
	elif may_apt; then
		# No cluster of the system's own is made or started with the package.
		if [ ! -e /etc/postgresql-common/createcluster.conf ]; then
			mkdir -p /etc/postgresql-common
			echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.conf
		fi
		if apt postgresql; then
			say "PostgreSQL: installed the Debian package postgresql, without a cluster"
		else
			lacks "PostgreSQL: apt-get could not install postgresql"
		fi
	else
		lacks "PostgreSQL: not installed, and this is not root on Debian (apt-get install postgresql)"
	fi
}

provide_chromium() {
	if [ -z "${KEYTURN_TEST_CHROMIUM:-}" ] && ! find_shell >/dev/null && may_apt &&
		apt chromium-headless-shell fonts-liberation fonts-dejavu-core; then
		say "browser: installed the Debian packages chromium-headless-shell, fonts-liberation, fonts-dejavu-core"
	elif find_chromium >/dev/null; then
		say "browser: $(find_chromium) is there"
	elif may_apt; then
		# A Debian that has no package of the shell.
		if apt chromium fonts-liberation fonts-dejavu-core; then
			say "browser: installed the Debian packages chromium, fonts-liberation, fonts-dejavu-core"
		else
			lacks "browser: apt-get could not install chromium"
		fi
	else
		lacks "browser: no Chromium, and this is not root on Debian (apt-get install chromium-headless-shell fonts-liberation)"
	fi
	if KEYTURN_TEST_CHROMIUM=$(find_chromium); then
		export KEYTURN_TEST_CHROMIUM
	else
		unset KEYTURN_TEST_CHROMIUM
	fi
}

provide_axe() {
	if [ -n "${KEYTURN_TEST_AXE:-}" ]; then
		say "axe: the one that KEYTURN_TEST_AXE names"
		return
	fi
	at=$tools/axe-core-$AXE
	if [ -f "$at/axe.min.js" ]; then
		say "axe: $AXE is there"
	else
		if ! command -v npm >/dev/null 2>&1 && may_apt; then
			apt npm && say "npm: installed the Debian package npm"
		fi
		if ! command -v npm >/dev/null 2>&1; then
			say "axe: no npm to fetch axe-core with: the accessibility checks will be skipped"
			return
		fi
		part=$at.part.$$
		mkdir -p "$part"
		if (cd "$part" && npm pack --silent "axe-core@$AXE" >/dev/null && tar -xzf "axe-core-$AXE.tgz" package/axe.min.js package/LICENSE); then
			mkdir -p "$at" && mv -f "$part/package/LICENSE" "$part/package/axe.min.js" "$at/"
			say "axe: fetched axe-core $AXE with npm into $at"
		fi
		rm -rf "$part"
		if [ ! -f "$at/axe.min.js" ]; then
			say "axe: npm could not fetch axe-core $AXE: the accessibility checks will be skipped"
			return
		fi
	fi
	export KEYTURN_TEST_AXE="$at/axe.min.js"
}

provide_mailpit() {
	if [ -n "${KEYTURN_TEST_MAILPIT:-}" ]; then
		say "mail server: the one that KEYTURN_TEST_MAILPIT names"
	elif KEYTURN_TEST_MAILPIT=$(go_tool mailpit "$MAILPIT" github.com/axllent/mailpit); then
		export KEYTURN_TEST_MAILPIT
		say "mail server: mailpit $MAILPIT is there"
	else
		unset KEYTURN_TEST_MAILPIT
		say "mail server: mailpit $MAILPIT could not be built: the tests against a real mail server will be skipped"
	fi
}

# provide_npm VARIABLE NAME FOLDER WHAT LEFT: what FOLDER/package.json lists, at the versions of
# its lock file. Where it is put is named by that file, so that another one is another folder.
provide_npm() {
	if eval "[ -n \"\${$1:-}\" ]"; then
		say "$4: the one that $1 names"
		return
	fi
	at=$tools/$2-$(cksum <"$3/package-lock.json" | cut -d' ' -f1)
	if [ -d "$at/node_modules" ]; then
		say "$4: is there"
	elif ! command -v npm >/dev/null 2>&1; then
		say "$4: no npm to fetch it with: $5 will be skipped"
		return
	else
		part=$at.part.$$
		mkdir -p "$part"
		cp "$3/package.json" "$3/package-lock.json" "$part/"
		if (cd "$part" && npm ci --silent --no-audit --no-fund --ignore-scripts >/dev/null 2>&1) && mv "$part" "$at"; then
			say "$4: fetched with npm into $at"
		else
			rm -rf "$part"
			say "$4: npm could not fetch it: $5 will be skipped"
			return
		fi
	fi
	export "$1=$at"
}

# Apache with mod_auth_openidc, to run a private one of. The packages start nothing.
provide_apache() {
	apache=/usr/sbin/apache2 module=/usr/lib/apache2/modules/mod_auth_openidc.so
	if [ -x $apache ] && [ -f $module ]; then
		say "Apache: is there, with mod_auth_openidc"
	elif may_apt && apt apache2-bin libapache2-mod-auth-openidc; then
		say "Apache: installed the Debian packages apache2-bin and libapache2-mod-auth-openidc"
	else
		lacks "Apache: mod_auth_openidc is not installed (apt-get install apache2-bin libapache2-mod-auth-openidc)"
	fi
}

# nginx and Caddy, for the tests of what stands before pages that know nothing of signing in.
# The suite runs them itself, on ports of its own.
provide_proxies() {
	for name in nginx caddy; do
		package=$name
		[ $name = nginx ] && package=nginx-light
		if command -v $name >/dev/null 2>&1; then
			say "proxy: $name is there"
		elif may_apt; then
			# Nothing of the system's is started with the package.
			[ -e /usr/sbin/policy-rc.d ] || { printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && no_start=ours; }
			if apt $package; then
				say "proxy: installed the Debian package $package"
			else
				lacks "proxy: apt-get could not install $package"
			fi
			[ "${no_start:-}" = ours ] && rm -f /usr/sbin/policy-rc.d
			no_start=''
		else
			lacks "proxy: no $name, and this is not root on Debian (apt-get install $package)"
		fi
	done
}

provide_postgres
provide_proxies
provide_chromium
provide_axe
provide_npm KEYTURN_TEST_CLIENT api-client internal/web/api/testdata/client "API client" "the test with a made client"
provide_npm KEYTURN_TEST_NODE node-product e2e/testdata/node "product of Node" "the test with openid-client"
provide_apache
provide_mailpit
if [ -n "${KEYTURN_TEST_PICTURES:-}" ]; then
	say "pictures of the pages go to $KEYTURN_TEST_PICTURES"
fi
