package policy

import "strconv"

// The levels of proof, as the claim acr states them.
const (
	acrPassword = 1
	acrEmail    = 2
	acrSecond   = 3
	acrPasskey  = 4
)

const acrPrefix = "urn:keyturn:"

// LevelOf is the acr that passing a method after the password reaches: 2 for an email
// code, 3 for SMS, an authenticator or a recovery code, 4 for a passkey with user
// verification. Anything else adds nothing to the password's 1.
func LevelOf(kind MethodKind) int {
	switch kind {
	case Email:
		return acrEmail
	case SMS, TOTP, Recovery:
		return acrSecond
	case Passkey:
		return acrPasskey
	}
	return acrPassword
}

// ACR is the level that a session has proved: the highest of what was passed in it,
// and 1 when nothing was. A remembered device proves nothing here, whatever it spares.
func ACR(passed []Pass) int {
	level := acrPassword
	for _, p := range passed {
		level = max(level, LevelOf(p.Kind))
	}
	return level
}

// URN is a level as the claim acr carries it, "urn:keyturn:1" to "urn:keyturn:4".
func URN(level int) string { return acrPrefix + strconv.Itoa(level) }

// ParseURN reads a value of acr_values. It knows the four values of URN and no other
// spelling of them.
func ParseURN(acr string) (level int, known bool) {
	for level := acrPassword; level <= acrPasskey; level++ {
		if acr == URN(level) {
			return level, true
		}
	}
	return 0, false
}

// strength orders methods by what a site may demand. It is finer than the level: SMS
// and an authenticator prove the same acr, but a site may refuse the first.
func strength(kind MethodKind) int {
	switch kind {
	case Email:
		return 1
	case SMS:
		return 2
	case TOTP, Recovery:
		return 3
	case Passkey:
		return 4
	}
	return 0
}

// weakest is the strength that a site demands. An unknown demand is read as the
// strongest that a site can choose.
func weakest(kind MethodKind) int {
	if kind == "" {
		return strength(Email)
	}
	if s := strength(kind); s > 0 {
		return s
	}
	return strength(TOTP)
}
