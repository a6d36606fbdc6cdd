// Package address gives a login name or an email address its one canonical form,
// which is used for lookup, uniqueness, limits and policy alike, and judges whether
// mail can reach it.
//
// Login is generous, because for years a login name did not have to be an address:
// alex, user1207@myworkshop.invalid and arjun@@garage.example sign in. Email is
// strict: one mailbox that mail can be sent to.
//
// Two spellings of one name have one canonical form:
//
//   - white space and invisible characters around it are dropped
//   - Unicode compatibility forms fold (NFKC): full-width letters, ligatures, composed
//     and decomposed accents
//   - letters are lower case, one by one (Unicode's simple mapping: the Turkish İ
//     becomes i), and the Greek sigma has the shape of its place in the word. It is
//     not case folding, which would turn ß into ss and so name another's mailbox
//   - a domain is in its ASCII form (IDNA, UTS 46) without the dot at its end
//
// What does not change where mail goes for everybody is left alone: dots and plus
// signs before the @ (only some providers ignore them), and letters of another script
// that look the same, which are other letters.
package address

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
	"golang.org/x/text/unicode/norm"

	"keyturn/internal/fault"
)

// Lengths in bytes, of the canonical form (RFC 5321 section 4.5.3.1, and errata 1690
// to RFC 3696 for the whole).
const (
	MaxBytes = 254
	maxLocal = 64
	maxLabel = 63
)

// maxTyped bounds what is looked at, with room for spaces and wide spellings.
const maxTyped = 4 * MaxBytes

// Canonical is a login name or email address in its canonical form. Login and Email
// make it; a conversion from string is for values that came from there.
type Canonical string

// Local is the part before the last @, or the whole of a name without one.
func (c Canonical) Local() string {
	local, _ := split(string(c))
	return local
}

// Domain is the part after the last @; empty if there is none.
func (c Canonical) Domain() string {
	_, domain := split(string(c))
	return domain
}

// What is wrong with a name: sentences for the person who typed it.
var (
	errEmpty     = errors.New("type your login name")
	errLong      = errors.New("this is too long for a login name; 254 characters is the limit")
	errInvisible = errors.New("this contains a line break or a character that cannot be seen; type it again by hand")
	errSeveral   = errors.New("type one login name alone, without commas, brackets or quotes")
	errSpace     = errors.New("an email address has no spaces in it; take them out")
	errDomain    = errors.New("the part after the @ is not a domain name; check its spelling")
	errMailbox   = errors.New("this is not an email address; it looks like name@business.com")
)

func refuse(why error) (Canonical, error) {
	return "", fmt.Errorf("%w: %w", why, fault.Invalid)
}

// Login gives a login name its canonical form, or fault.Invalid with a sentence that
// repeats nothing of it. It accepts what is no address, and refuses what is empty,
// longer than 254 bytes, not UTF-8, has a line break anywhere, or inside it a control
// or invisible character, or is a list, a quoted name or one in brackets, which would
// be a second spelling of another. Login of a canonical form is that form.
func Login(typed string) (Canonical, error) {
	if len(typed) > maxTyped {
		return refuse(errLong)
	}
	if !utf8.ValidString(typed) || strings.ContainsFunc(typed, breaksLine) {
		return refuse(errInvisible)
	}
	name := fold(typed)
	if name == "" {
		return refuse(errEmpty)
	}
	if strings.ContainsFunc(name, unseen) {
		return refuse(errInvisible)
	}
	if strings.ContainsAny(name, `,;<>"`) {
		return refuse(errSeveral)
	}
	name, err := settle(name)
	if err != nil {
		return refuse(err)
	}
	if len(name) > MaxBytes {
		return refuse(errLong)
	}
	return Canonical(name), nil
}

// settle gives the parts of a folded name their form.
func settle(name string) (string, error) {
	if !strings.Contains(name, "@") {
		// A colon or percent sign here is the scheme or the %40 of an address.
		if strings.ContainsAny(name, ":%") {
			return "", errSeveral
		}
		return strings.Join(strings.Fields(name), " "), nil
	}
	local, domain := split(name)
	if strings.ContainsFunc(name, unicode.IsSpace) {
		return "", errSpace
	}
	if strings.ContainsAny(local, `:()[]\`) {
		return "", errSeveral
	}
	domain, err := settleDomain(domain)
	if err != nil {
		return "", err
	}
	if local == "" && domain == "" {
		return "", errEmpty
	}
	return local + "@" + domain, nil
}

// settleDomain is the ASCII form of a domain. What IDNA refuses stays as it is if it
// is made of letters, digits, hyphens, dots and underscores, because old login names
// have such domains; but not an xn-- label that IDNA refuses, which might be another
// spelling of a good one.
func settleDomain(domain string) (string, error) {
	domain = strings.TrimRight(strings.ReplaceAll(domain, "\u3002", "."), ".")
	if slices.Contains(strings.Split(domain, "."), "xn--") { // which package idna takes for an empty label
		return "", errDomain
	}
	if ascii, err := idna.Lookup.ToASCII(domain); err == nil {
		return strings.TrimRight(ascii, "."), nil
	}
	if strings.HasPrefix(domain, "xn--") || strings.Contains(domain, ".xn--") ||
		strings.ContainsFunc(domain, func(r rune) bool { return !plain(r) && r != '.' && r != '_' }) {
		return "", errDomain
	}
	return domain, nil
}

// fold trims, normalises and lowers until nothing changes: lowering can undo the
// normal form, and normalising can bring spaces out.
func fold(s string) string {
	for range 4 {
		before := s
		s = strings.TrimFunc(s, blank)
		s = norm.NFKC.String(s)
		s = sigmas(strings.ToLower(s))
		if s == before {
			break
		}
	}
	return s
}

// sigmas writes ς at the end of a word and σ elsewhere: upper case does not tell.
func sigmas(s string) string {
	if !strings.ContainsAny(s, "σς") {
		return s
	}
	letters := []rune(s)
	for i, r := range letters {
		if r != 'σ' && r != 'ς' {
			continue
		}
		letters[i] = 'σ'
		starts := i == 0 || !unicode.In(letters[i-1], unicode.L, unicode.M)
		ends := i == len(letters)-1 || !unicode.In(letters[i+1], unicode.L, unicode.M)
		if ends && !starts {
			letters[i] = 'ς'
		}
	}
	return string(letters)
}

// split cuts at the last @.
func split(name string) (local, domain string) {
	i := strings.LastIndexByte(name, '@')
	if i < 0 {
		return name, ""
	}
	return name[:i], name[i+1:]
}

// plain reports a letter, digit or hyphen of ASCII in lower case.
func plain(r rune) bool { return r >= 'a' && r <= 'z' || r >= '0' && r <= '9' || r == '-' }

func breaksLine(r rune) bool {
	return r >= '\n' && r <= '\r' || r == 0x85 || r == 0x2028 || r == 0x2029
}

// blank reports what is dropped around a name.
func blank(r rune) bool { return unicode.IsSpace(r) || ignorable(r) }

// ignorable reports characters without a glyph: Unicode's default ignorable code
// points, and the blank Braille pattern.
func ignorable(r rune) bool {
	return unicode.In(r, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector) ||
		r == 0x2800
}

// unseen reports what may not stand inside a name. U+FFFD marks text that was lost on
// the way here.
func unseen(r rune) bool {
	return ignorable(r) || !unicode.IsGraphic(r) || r == utf8.RuneError
}
