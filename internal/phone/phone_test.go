package phone_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/nyaruka/phonenumbers"

	"keyturn/internal/fault"
	"keyturn/internal/phone"
)

var sold = []string{"AU", "NZ", "GB", "US"}

func TestEverySpellingOfAMobileHasOneForm(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, typed, region, want string }{
		{"as people write it", "0491 570 156", "AU", "+61491570156"},
		{"with dashes", "0491-570-156", "AU", "+61491570156"},
		{"a spreadsheet took the zero", "491570156", "AU", "+61491570156"},
		{"with the country", "+61 491 570 156", "AU", "+61491570156"},
		{"with the country and the zero in brackets", "+61 (0)491 570 156", "AU", "+61491570156"},
		{"with the exit code", "0011 61 491 570 156", "AU", "+61491570156"},
		{"of the other country", "+61491570156", "NZ", "+61491570156"},
		{"marks of an address book", "\u202a0491\u00a0570\u2011156\u202c", "AU", "+61491570156"},
		{"New Zealand", "021 555 3943", "NZ", "+64215553943"},
		{"United Kingdom", "07400 123133", "GB", "+447400123133"},
		{"United States, where mobiles look like landlines", "(312) 555-0152", "US", "+13125550152"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := phone.Mobile(row.typed, row.region, sold)
			if err != nil || got != row.want {
				t.Errorf("got %q, %v; want %q", got, err, row.want)
			}
		})
	}
}

func TestWhatIsNoAllowedMobileIsRefused(t *testing.T) {
	t.Parallel()
	rows := []struct{ name, typed, region, says string }{
		{"nothing", "  ", "AU", "type a mobile"},
		{"a dash", "-", "AU", "type a mobile"},
		{"words", "ask reception", "AU", "digits"},
		{"letters in a number", "1800 FLOWERS", "US", "digits"},
		{"digits of another script", "٠٤٩١٥٧٠١٥٦", "AU", "digits"},
		{"full-width digits", "０４９１５７０１５６", "AU", "digits"},
		{"an extension", "0491 570 156 ext 3", "AU", "digits"},
		{"a plus in the middle", "0491+570156", "AU", "digits"},
		{"a short number", "123", "AU", "not a phone number"},
		{"an emergency number", "000", "AU", "not a phone number"},
		{"zeros", "0000000000", "NZ", "not a phone number"},
		{"too long", strings.Repeat("0491570156", 9), "AU", "not a phone number"},
		{"a region that nobody knows", "0491 570 156", "XX", "not a phone number"},
		{"no region", "0491 570 156", "", "not a phone number"},
		{"a landline", "(02) 5550 1234", "AU", "not a mobile"},
		{"premium", "1900 123 456", "AU", "not a mobile"},
		{"premium in +1", "+1 900 555 1234", "US", "not a mobile"},
		{"toll-free", "+1 800 555 1234", "US", "not a mobile"},
		{"shared cost", "1300 123 456", "AU", "not a mobile"},
		{"personal", "070 1234 5678", "GB", "not a mobile"},
		{"satellite within a plan", "0147 112 345", "AU", "not a mobile"},
		{"satellite", "+881 612 345 678", "AU", "not sent to mobiles"},
		{"Jamaica, which has +1, too", "+1 876 555 1234", "US", "not sent to mobiles"},
		{"the Isle of Man, which has +44, too", "07624 912345", "GB", "not sent to mobiles"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			got, err := phone.Mobile(row.typed, row.region, sold)
			if !errors.Is(err, fault.Invalid) || got != "" {
				t.Fatalf("got %q, %v; want it refused", got, err)
			}
			if !strings.Contains(err.Error(), row.says) {
				t.Errorf("got %q, which does not say %q", err, row.says)
			}
			if typed := strings.TrimSpace(row.typed); len(typed) > 1 && strings.Contains(err.Error(), typed) {
				t.Errorf("%q repeats what was typed", err)
			}
		})
	}
}

func TestNoCountryIsAllowedThatWasNotNamed(t *testing.T) {
	t.Parallel()
	if got, err := phone.Mobile("0491 570 156", "AU", nil); !errors.Is(err, fault.Invalid) {
		t.Errorf("got %q, %v; want it refused", got, err)
	}
}

func TestAMaskShowsTheLastThreeDigits(t *testing.T) {
	t.Parallel()
	for e164, want := range map[string]string{"+61491570156": "••• 156", "+12": "•••", "": "•••"} {
		if got := phone.Mask(e164); got != want {
			t.Errorf("the mask of %q is %q; want %q", e164, got, want)
		}
	}
}

func TestRegionsAreCountriesInTwoLetters(t *testing.T) {
	t.Parallel()
	for region, want := range map[string]bool{"AU": true, "GB": true, "UK": false, "au": false, "001": false, "": false} {
		if got := phone.IsRegion(region); got != want {
			t.Errorf("%q is a region: %v; want %v", region, got, want)
		}
	}
}

func FuzzMobile(f *testing.F) {
	f.Add("0491 570 156", "AU")
	f.Add("+1 (312) 555-0152", "US")
	f.Add("1900 123 456;ext=3", "AU")
	f.Fuzz(func(t *testing.T, typed, region string) {
		got, err := phone.Mobile(typed, region, sold)
		if err != nil {
			if !errors.Is(err, fault.Invalid) || got != "" {
				t.Fatalf("got %q, %v", got, err)
			}
			return
		}
		again, err := phone.Mobile(got, "NZ", sold)
		if err != nil || again != got {
			t.Errorf("%q becomes %q, %v: the form is not canonical", got, again, err)
		}
		if number, err := phonenumbers.Parse(got, ""); err != nil || !phonenumbers.IsValidNumber(number) {
			t.Errorf("%q is no number: %v", got, err)
		}
	})
}
