package audit

import "strings"

// Group is some kinds that people look for together.
type Group string

// The groups. Every kind is in exactly one: one that no other group takes is in the last.
const (
	OfSigningIn Group = "signin"
	OfSessions  Group = "session"
	OfMethods   Group = "methods"
	OfHelp      Group = "help"
	OfMessages  Group = "messages"
	OfTheTrail  Group = "trail"
	OfTheSite   Group = "site"
)

// Groups are all of them, in the order in which people read them.
func Groups() []Group {
	return []Group{OfSigningIn, OfSessions, OfMethods, OfHelp, OfMessages, OfTheSite, OfTheTrail}
}

// patterns are the kinds of a group, as SQL's LIKE reads them; none of the last group.
// They do not overlap.
func (g Group) patterns() []string {
	switch g {
	case OfSigningIn:
		return []string{"attempt.%", "signin.%", "tries.%", "code.%", "password.wrong"}
	case OfSessions:
		return []string{"session.%", "site.entered", "proof.%", "rehearsal.%"}
	case OfMethods:
		return []string{
			"method.%", "usual.%", "device.%", "recovery_codes.%", "recovery_code.%", "logins.%",
			"password.changed", "password.rehashed",
		}
	case OfHelp:
		return []string{"help.%", "help_code.%", "enrol.%", "recovery.%", "reset.%", "reset_mark.%", "password.reset"}
	case OfMessages:
		return []string{"message.%", "sms.%"}
	case OfTheTrail:
		return []string{"audit.%", "staff.viewed"}
	case OfTheSite:
	}
	return nil
}

// where is the condition for a group's kinds, with a ? for each of its values.
func (g Group) where() (text string, values []any) {
	either := func(all []string) string {
		parts := make([]string, 0, len(all))
		for _, p := range all {
			parts = append(parts, "kind LIKE ?")
			values = append(values, p)
		}
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	if own := g.patterns(); own != nil {
		return either(own), values
	}
	var others []string
	for _, one := range Groups() {
		others = append(others, one.patterns()...)
	}
	return "NOT " + either(others), values
}
