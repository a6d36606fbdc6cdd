// Package phone gives a mobile number its one canonical form, and tells numbers that
// codes may be sent to from those that they may not.
//
// The judgement is that of libphonenumber's metadata: it knows the plan of a country,
// not whether somebody has the number. It is what stands between a form field and a
// bill for premium numbers, so everything that is not plainly a mobile of an allowed
// country is refused.
package phone

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"github.com/nyaruka/phonenumbers"

	"keyturn/internal/fault"
)

// maxTyped bounds what is looked at, in bytes: E.164 has 15 digits at most, and the
// rest is room for spaces, dashes and brackets.
const maxTyped = 60

// What is wrong with a number: sentences for the person who typed it.
var (
	errEmpty    = errors.New("type a mobile number")
	errLetters  = errors.New("a mobile number has digits, spaces, dashes and brackets only, with a + before the country")
	errNumber   = errors.New("this is not a phone number of that country; check the digits, or begin with + and the country, as in +61 412 345 678")
	errLandline = errors.New("this number is not a mobile, and codes go to mobiles only")
	errAbroad   = errors.New("codes are not sent to mobiles of that country")
)

// mobiles are the types of numbers that get codes; all others are refused.
var mobiles = []phonenumbers.PhoneNumberType{phonenumbers.MOBILE, phonenumbers.FIXED_LINE_OR_MOBILE}

func refuse(why error) (string, error) {
	return "", fmt.Errorf("%w: %w", why, fault.Invalid)
}

// Mobile gives a mobile number its E.164 form (+61491570156), or fault.Invalid with a
// sentence that repeats nothing of it. region is the country whose numbers are written
// without a country code, as two letters (ISO 3166-1); allowed are the countries whose
// mobiles may get codes, and an empty list allows none.
//
// Landlines, premium, shared-cost, toll-free, personal, satellite, pager and short
// numbers are refused, and numbers with an extension. In countries whose plan does not
// tell mobiles from landlines (+1), a number that may be a mobile is one.
func Mobile(typed, region string, allowed []string) (string, error) {
	plain, err := strip(typed)
	if err != nil {
		return refuse(err)
	}
	number, err := phonenumbers.Parse(plain, region)
	if err != nil || number.GetExtension() != "" || !phonenumbers.IsValidNumber(number) {
		return refuse(errNumber)
	}
	if !slices.Contains(mobiles, phonenumbers.GetNumberType(number)) {
		return refuse(errLandline)
	}
	// The region of the number itself: +1 is shared by countries of very different price.
	if !slices.Contains(allowed, phonenumbers.GetRegionCodeForNumber(number)) {
		return refuse(errAbroad)
	}
	return phonenumbers.Format(number, phonenumbers.E164), nil
}

// Spoken writes a number as people read it out: "+61 491 570 156". What is no number stays
// as it is.
func Spoken(e164 string) string {
	number, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return e164
	}
	return phonenumbers.Format(number, phonenumbers.INTERNATIONAL)
}

// Country is the country of a number in E.164, as two letters; empty if it has none.
func Country(e164 string) string {
	number, err := phonenumbers.Parse(e164, "")
	if err != nil {
		return ""
	}
	return phonenumbers.GetRegionCodeForNumber(number)
}

// IsRegion reports whether two letters are a country whose numbers are known.
func IsRegion(region string) bool { return phonenumbers.GetSupportedRegions()[region] }

// Mask shows a number to somebody who knows it, and little to others: its last three
// digits.
func Mask(e164 string) string {
	const shown = 3
	digits := strings.TrimPrefix(e164, "+")
	if len(digits) < 2*shown {
		return "•••"
	}
	return "••• " + digits[len(digits)-shown:]
}

// strip leaves ASCII digits and a plus sign at the start. Invisible characters, which
// address books put around numbers, are dropped; letters and the digits of other
// scripts are refused, because the library would turn them into digits.
func strip(typed string) (string, error) {
	if len(typed) > maxTyped {
		return "", errNumber
	}
	var out strings.Builder
	for _, r := range typed {
		switch {
		case r >= '0' && r <= '9', r == '+' && out.Len() == 0:
			out.WriteRune(r)
		case unicode.IsSpace(r), unicode.Is(unicode.Pd, r), unicode.Is(unicode.Cf, r), strings.ContainsRune("().-/", r):
		default:
			return "", errLetters
		}
	}
	if out.Len() == 0 {
		return "", errEmpty
	}
	return out.String(), nil
}
