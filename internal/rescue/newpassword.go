package rescue

import (
	"context"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"keyturn/internal/password"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

// Unfit is why a new password cannot be used; empty if it can.
type Unfit string

// The reasons. There are no rules of composition (NIST 800-63B-4 section 3.1.1.2).
const (
	// TooShort says that it has fewer than 8 characters.
	TooShort Unfit = "short"
	// TooLong says that it is longer than anybody types.
	TooLong Unfit = "long"
	// TooCommon says that it is one of those that are tried first, or made of the person's
	// own name.
	TooCommon Unfit = "common"
)

// Judge says why a password cannot become somebody's; empty if it can. Every place where
// one is set asks here, so that all have the same rules. Those that somebody has are
// never judged. sites are the names of the sites that they are to be a member of.
func (d *Desk) Judge(plain string, who user.User, sites ...string) Unfit {
	plain = norm.NFC.String(plain)
	switch {
	case password.TooLong(plain):
		return TooLong
	case utf8.RuneCountInString(plain) < password.Shortest:
		return TooShort
	case password.Common(plain, own(who, append(sites, d.VendorName))...):
		return TooCommon
	}
	return ""
}

// JudgeFor is Judge for a user who is there, with the sites that they are a member of.
func (d *Desk) JudgeFor(ctx context.Context, plain string, who user.User) (Unfit, error) {
	all, err := site.MembershipsOf(ctx, d.DB, who.ID)
	if err != nil {
		return "", fmt.Errorf("read memberships: %w", err)
	}
	var names []string
	for _, m := range all {
		at, err := site.ByID(ctx, d.DB, m.Site)
		if err != nil {
			return "", fmt.Errorf("find a site: %w", err)
		}
		names = append(names, at.Name)
	}
	return d.Judge(plain, who, names...), nil
}

// leastWord is how many letters a word of a name has that is refused by itself: "of" and
// "the" are in many good passwords.
const leastWord = 4

// own are the words that stand for a person (ASVS 6.2.11): whoever guesses tries them. They
// are the parts of their name and of their address, and the names around them, whole and
// each longer word of them.
func own(who user.User, around []string) []string {
	host, _, _ := strings.Cut(who.Login.Domain(), ".")
	all := []string{
		who.FirstName, who.LastName, who.FirstName + who.LastName, who.LastName + who.FirstName,
		host, who.Login.Local(), string(who.Login),
	}
	parts := strings.FieldsFunc(who.Login.Local(), func(r rune) bool { return strings.ContainsRune(".-_+", r) })
	for _, name := range around {
		all = append(all, name)
		parts = append(parts, strings.Fields(name)...)
	}
	for _, part := range parts {
		if utf8.RuneCountInString(part) >= leastWord {
			all = append(all, part)
		}
	}
	return all
}
