package address

import (
	"net/mail"
	"strings"
	"unicode/utf8"
)

// Email gives an email address its canonical form, or fault.Invalid with a sentence.
// It accepts one mailbox alone: no display name, list, comment, quoted local part or
// address literal, and a domain with a dot in it. Letters beyond ASCII are allowed
// before the @ (RFC 6531); a relay without SMTPUTF8 will refuse them.
//
// Whether the domain exists is not asked here.
func Email(typed string) (Canonical, error) {
	login, err := Login(typed)
	if err != nil {
		return "", err
	}
	if !IsDeliverable(login) {
		return refuse(errMailbox)
	}
	return login, nil
}

// IsDeliverable reports whether a login name has the form of an address that mail can
// be sent to.
func IsDeliverable(login Canonical) bool {
	parsed, err := mail.ParseAddress(string(login))
	if err != nil || parsed.Name != "" || parsed.Address != string(login) {
		return false
	}
	local, domain := login.Local(), login.Domain()
	return local != "" && len(local) <= maxLocal && dotted(local) && isDomain(domain)
}

// dotted reports a dot-atom: RFC 5322's atom characters with single dots between
// them.
func dotted(local string) bool {
	for atom := range strings.SplitSeq(local, ".") {
		if atom == "" || strings.ContainsFunc(atom, func(r rune) bool { return !atext(r) }) {
			return false
		}
	}
	return true
}

func atext(r rune) bool {
	return plain(r) || r >= utf8.RuneSelf || strings.ContainsRune("!#$%&'*+/=?^_`{|}~", r)
}

// isDomain reports two or more labels of letters, digits and inner hyphens, of which
// the last is not a number, so that no IP address passes.
func isDomain(domain string) bool {
	labels := strings.Split(domain, ".")
	if len(labels) < 2 {
		return false
	}
	for _, label := range labels {
		if label == "" || len(label) > maxLabel || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool { return !plain(r) }) {
			return false
		}
	}
	top := labels[len(labels)-1]
	return len(top) >= 2 && strings.Trim(top, "0123456789") != ""
}

// Mask shows an address to somebody who knows it, and little to others: the first
// character, two dots however long the rest is, and the domain. Of a local part of
// one character nothing is shown.
func Mask(c Canonical) string {
	local, domain := split(string(c))
	shown := ""
	if first, size := utf8.DecodeRuneInString(local); size > 0 && size < len(local) {
		shown = string(first)
	}
	if domain == "" {
		return shown + "••"
	}
	return shown + "••@" + domain
}
