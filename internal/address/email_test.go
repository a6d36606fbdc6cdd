package address_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"keyturn/internal/address"
	"keyturn/internal/fault"
)

func TestAnEmailAddressIsOneMailbox(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]address.Canonical{
		" Pat.Smith@Bayside.Example. ":           "pat.smith@bayside.example",
		"o'brien+work@bayside.com.au":            "o'brien+work@bayside.com.au",
		"zoë@münchen.example":                    "zoë@xn--mnchen-3ya.example",
		"_x=1!#$%&*/?^`{|}~-@bayside.example":    "_x=1!#$%&*/?^`{|}~-@bayside.example",
		strings.Repeat("x", 64) + "@a.example":   address.Canonical(strings.Repeat("x", 64) + "@a.example"),
		"pat@" + strings.Repeat("y", 63) + ".io": address.Canonical("pat@" + strings.Repeat("y", 63) + ".io"),
		"pat@4wd.example":                        "pat@4wd.example",
	} {
		t.Run(typed, func(t *testing.T) {
			t.Parallel()
			if got, err := address.Email(typed); err != nil || got != want {
				t.Errorf("became %+q, %v", got, err)
			}
		})
	}
	for name, typed := range map[string]string{
		"nothing":                "",
		"no at sign":             "alex",
		"two at signs":           "arjun@@precisionauto16.example",
		"no mailbox":             "@bayside.example",
		"no domain":              "pat@",
		"no dot in the domain":   "pat@localhost",
		"an empty label":         "pat@bayside..example",
		"a dot first":            "pat@.example",
		"a hyphen first":         "pat@-bayside.example",
		"a hyphen last":          "pat@bayside-.example",
		"an underscore":          "pat@front_desk.example",
		"a long label":           "pat@" + strings.Repeat("y", 64) + ".example",
		"a long mailbox":         strings.Repeat("x", 65) + "@bayside.example",
		"a network address":      "pat@192.0.2.1",
		"an address literal":     "pat@[192.0.2.1]",
		"dots before the at":     ".pat@bayside.example",
		"a dot at the at":        "pat.@bayside.example",
		"two dots":               "pat..smith@bayside.example",
		"a display name":         "Pat <pat@bayside.example>",
		"angle brackets":         "<pat@bayside.example>",
		"a quoted mailbox":       `"pat smith"@bayside.example`,
		"a comment":              "pat(work)@bayside.example",
		"a list":                 "pat@bayside.example,kim@bayside.example",
		"a group":                "staff:pat@bayside.example;",
		"a line break":           "pat@bayside.example\r\nBcc: kim@bayside.example",
		"a folded line":          "pat@bayside.example\r\n ",
		"a space inside":         "pat smith@bayside.example",
		"a one-letter top level": "pat@bayside.e",
		"a symbol as mailbox":    "pat\\@bayside.example",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := address.Email(typed); !errors.Is(err, fault.Invalid) || got != "" {
				t.Errorf("became %+q, %v", got, err)
			}
		})
	}
}

func TestAMaskShowsLittle(t *testing.T) {
	t.Parallel()
	for typed, want := range map[string]string{
		"sam321@gmail.example":  "s••@gmail.example",
		"jo@gmail.example":      "j••@gmail.example",
		"j@gmail.example":       "••@gmail.example",
		"ëlla@münchen.example":  "ë••@xn--mnchen-3ya.example",
		"alex":                  "a••",
		"arjun@@garage.example": "a••@garage.example",
		"a":                     "••",
		"@gmail.example":        "••@gmail.example",
	} {
		if got := address.Mask(login(t, typed)); got != want {
			t.Errorf("%s is shown as %s, want %s", typed, got, want)
		}
	}
	if got := address.Mask(""); got != "••" {
		t.Errorf("nothing is shown as %s", got)
	}
}

func TestASlipOfAProvidersNameIsSuggested(t *testing.T) {
	t.Parallel()
	for domain, want := range map[string]string{
		"gmial.com": "gmail.com", "gmal.com": "gmail.com", "gmaill.com": "gmail.com", "gnail.com": "gmail.com",
		"gmail.con": "gmail.com", "gmail.co": "gmail.com", "gmailcom": "gmail.com", "hotmial.com": "hotmail.com",
		"outlok.com": "outlook.com", "yaho.com.au": "yahoo.com.au", "bigpnod.com": "bigpond.com", "iclould.com": "icloud.com",
		"gmial.example": "gmail.example", "hotmai.example": "hotmail.example",
	} {
		if got, ok := address.Slip(domain); !ok || got != want {
			t.Errorf("%s: suggested %q, want %q", domain, got, want)
		}
	}
	for _, domain := range []string{
		"gmail.com", "hotmail.com", "mail.com", "ymail.com", "me.com", "msn.com", "live.com", "yahoo.co.nz", "live.co.uk",
		"hotmail.com.au", "gmail.example", "mail.example", "live.example", "hive.com", "bayside.example", "myworkshop.invalid",
		"gamil.co.uk", "gmailgarage.com", "", ".example", "example",
	} {
		if got, ok := address.Slip(domain); ok {
			t.Errorf("%s: suggested %q", domain, got)
		}
	}
}

func TestRoleAndDummyMailboxesAreSuspected(t *testing.T) {
	t.Parallel()
	role, dummy := address.Role, address.Dummy
	for typed, want := range map[string][]address.Suspicion{
		"info@bayside.example":            {role},
		"Reception@bayside.example":       {role},
		"accounts2@bayside.example":       {role},
		"front-desk@bayside.example":      {role},
		"admin+xero@bayside.example":      {role},
		"user1207@myworkshop.com":         {dummy},
		"user1207@myworkshop.invalid":     {dummy},
		"noemail@bayside.example":         {dummy},
		"no-email@bayside.example":        {dummy},
		"no.reply@bayside.example":        {dummy},
		"test@test":                       {dummy},
		"test@test.com":                   {dummy},
		"pat@pat":                         {dummy},
		"pat@noemail.com":                 {dummy},
		"pat@example.com":                 {dummy},
		"admin@test.com":                  {role, dummy},
		"pat.smith@bayside.example":       nil,
		"pat@workshop.example":            nil,
		"testa@bayside.example":           nil,
		"0491570156@bayside.example":      nil,
		"informatics.pat@bayside.example": nil,
		"arjun@@precisionauto16.example":  nil,
		"helen+s01011@ledgerline.example": nil,
		"admin":                           nil,
	} {
		if got := address.Suspect(login(t, typed)); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", typed, got, want)
		}
	}
}
