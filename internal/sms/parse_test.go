package sms

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/secret"
)

const (
	sid     = "AC0123456789abcdef0123456789abcdef"
	service = "MG0123456789abcdef0123456789abcdef"
	whsec   = "b3Blbi1zZXNhbWUtb3Blbi1zZXNhbWUtb3Blbi1zZXNhbWU="
)

func opened(t testing.TB, public string, urls ...string) (*Carrier, error) {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	setup := Setup{HookSecret: keys, Now: time.Now}
	if setup.Public, err = setup.Public.Parse(public); err != nil {
		t.Fatal(err)
	}
	var texts []secret.Text
	for _, u := range urls {
		texts = append(texts, secret.NewText(u))
	}
	return Open(texts, setup)
}

func TestProvidersAreReadInOrder(t *testing.T) {
	t.Parallel()
	c, err := opened(t, "https://id.example.com/",
		"twilio://"+sid+":tOkEn@?from=+61480000000, clicksend://pat%40example.com:s%2Cecret@?from=Bayside",
		"", "messagemedia://key:secret@", "twilio://"+sid+":tOkEn@?from="+service+"&base=https%3A%2F%2Feu.twilio.example%2Fv",
		"webhook+https://sms.example.com/out?secret=whsec_"+whsec, "webhook+http://127.0.0.1:9/x?secret="+whsec)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"twilio", "clicksend", "messagemedia", "twilio-2", "webhook", "webhook-2"}
	if got := c.Names(); !slices.Equal(got, want) {
		t.Errorf("got %v", got)
	}
	places := []string{"api.twilio.com", "rest.clicksend.com", "api.messagemedia.com", "eu.twilio.example", "sms.example.com", "127.0.0.1:9"}
	for i, l := range c.lanes {
		if l.place != places[i] || l.hook.url() != "https://id.example.com/hooks/sms/"+want[i] {
			t.Errorf("%s is at %s, its receipts at %s", l.name, l.place, l.hook.url())
		}
	}
	if out := fmt.Sprintf("%v %+v %#v", c, c.lanes, c.lanes[1]); strings.Contains(out, "s,ecret") || strings.Contains(out, "tOkEn") {
		t.Errorf("a password shows: %s", out)
	}
}

func TestAProviderOutThereIsNotAskedToCallALoopbackAddress(t *testing.T) {
	t.Parallel()
	for public, want := range map[string]string{
		"http://localhost:8080":  "",
		"https://id.example.com": "https://id.example.com/hooks/sms/twilio/k",
	} {
		c, err := opened(t, public, "twilio://"+sid+":t@?from=+61480000000")
		if err != nil {
			t.Fatal(err)
		}
		if got := c.lanes[0].hook.url("k"); got != want {
			t.Errorf("%s: got %q", public, got)
		}
	}
}

func TestABadProviderIsRefusedWithASentenceThatRepeatsNothing(t *testing.T) {
	t.Parallel()
	const hush = "hUshHush"
	good := "twilio://" + sid + ":" + hush + "@?from=+61480000000"
	bad := map[string]string{
		"nothing":                         "",
		"another scheme":                  "smtp://" + sid + ":" + hush + "@?from=+61480000000",
		"no scheme":                       hush,
		"a broken escape":                 "twilio://" + sid + ":%zz" + hush + "@?from=+61480000000",
		"a hash sign in the password":     "twilio://" + sid + ":a#" + hush + "@?from=+61480000000",
		"a slash in the password":         "twilio://" + sid + ":a/" + hush + "@?from=+61480000000",
		"no password":                     "twilio://" + sid + "@?from=+61480000000",
		"no user":                         "messagemedia://:" + hush + "@",
		"no credentials":                  "clicksend://?from=Bayside",
		"a SID that is none":              "twilio://" + hush + ":t@?from=+61480000000",
		"an API key for a SID":            "twilio://SK0123456789abcdef0123456789abcdef:" + hush + "@?from=+61480000000",
		"a host":                          "twilio://" + sid + ":" + hush + "@api.twilio.com?from=+61480000000",
		"a path":                          "twilio://" + sid + ":" + hush + "@/x?from=+61480000000",
		"no from":                         "twilio://" + sid + ":" + hush + "@",
		"an empty from":                   "twilio://" + sid + ":" + hush + "@?from=",
		"a from twice":                    good + "&from=+61480000001",
		"a national number":               "twilio://" + sid + ":" + hush + "@?from=0480000000",
		"a number of digits alone":        "messagemedia://k:" + hush + "@?from=61480000",
		"a name too long":                 "clicksend://u:" + hush + "@?from=BaysideMotor",
		"a name with a space, ClickSend":  "clicksend://u:" + hush + "@?from=Bay%20Side",
		"a name with an odd letter":       "messagemedia://k:" + hush + "@?from=Bays%C3%AFde",
		"a service, MessageMedia":         "messagemedia://k:" + hush + "@?from=" + service,
		"a short service":                 "twilio://" + sid + ":" + hush + "@?from=MG" + hush + "x12345",
		"an unknown setting":              good + "&region=au1",
		"a secret of another":             good + "&secret=" + hush,
		"a base in the clear":             good + "&base=http://" + hush + ".example",
		"a base without a host":           good + "&base=https:///x",
		"a base with a password":          good + "&base=https://u:" + hush + "@x.example",
		"a base with a query":             good + "&base=https%3A%2F%2Fx.example%3Fa%3D" + hush,
		"a base that is none":             good + "&base=" + hush,
		"two bases":                       good + "&base=https://x.example&base=https://y.example",
		"a control character":             "twilio://" + sid + ":%0a" + hush + "@?from=+61480000000",
		"a colon in the user":             "clicksend://a%3Ab:" + hush + "@",
		"a webhook in the clear":          "webhook+http://sms.example.com/?secret=" + whsec,
		"a webhook by another scheme":     "webhook+ftp://sms.example.com/?secret=" + whsec,
		"a webhook without a host":        "webhook+https:///x?secret=" + whsec,
		"a webhook without a secret":      "webhook+https://sms.example.com/x",
		"a webhook with a short secret":   "webhook+https://sms.example.com/x?secret=aHVzaA==",
		"a webhook's secret not base64":   "webhook+https://sms.example.com/x?secret=" + hush + "!",
		"a webhook with a user":           "webhook+https://u:" + hush + "@sms.example.com/x?secret=" + whsec,
		"a webhook with a sender":         "webhook+https://sms.example.com/x?secret=" + whsec + "&from=Bayside",
		"the second of two":               good + ",twilio://" + hush,
		"a comma at the end":              good + ",",
		"nine of them":                    strings.Repeat(good+",", 8) + good,
		"settings that cannot be read":    good + "&a=%zz" + hush,
		"a broken setting with semicolon": good + ";base=" + hush,
	}
	for name, one := range bad {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c, err := opened(t, "https://id.example.com", one)
			if !errors.Is(err, fault.Invalid) || c != nil {
				t.Fatalf("got %v", err)
			}
			for _, private := range []string{hush, sid, whsec, "example", "480000"} {
				if strings.Contains(err.Error(), private) && private != "example" {
					t.Errorf("%q repeats %q", err, private)
				}
			}
			if one != "" && !strings.Contains(err.Error(), "provider") {
				t.Errorf("%q does not say which", err)
			}
		})
	}
	if len(bad) < 20 {
		t.Error("there are fewer bad addresses than that")
	}
}

func FuzzOpen(f *testing.F) {
	f.Add("twilio://" + sid + ":t@?from=+61480000000")
	f.Add("webhook+https://sms.example.com/x?secret=" + whsec)
	f.Fuzz(func(t *testing.T, one string) {
		if _, err := opened(t, "https://id.example.com", one); err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("got %v", err)
		}
	})
}
