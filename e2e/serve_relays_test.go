package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

func TestACodeGoesByTheSecondRelayWhenTheFirstIsDown(t *testing.T) {
	t.Parallel()
	for name, first := range map[string]func(t *testing.T) string{
		"refuses connections": func(t *testing.T) string { t.Helper(); return e2etest.RelayDown(t) },
		"is silent":           func(t *testing.T) string { t.Helper(); return e2etest.StartSilent(t).URL },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dbtest.EachURL(t, func(t *testing.T, url string) {
				p, sink := installed(t, url)
				p.Set("KEYTURN_SMTP_URL", first(t)+","+sink.URL)
				p.Start(t)
				pat := p.Visitor(t)
				pat.Post(t, "/signin", "email", e2etest.Pat, "password", e2etest.Password).Leads(t, "/signin/code")
				promised := time.Now()
				letter := e2etest.NextLetter(t, sink, e2etest.Pat, 0)
				took := letter.At.Sub(promised)
				t.Logf("the code arrived %s after it was promised", took.Round(time.Millisecond))
				if took > 2*time.Second {
					t.Errorf("the second relay had the code only after %s", took)
				}
				pat.Post(t, "/signin/code", "code", letter.Code(t)).Leads(t, "/me")
				if n := len(sink.Letters(t, "")); n != 1 {
					t.Errorf("%d letters arrived, not one", n)
				}
			})
		})
	}
}

func TestWithNoRelayAtAllNobodyGetsInAndNothingHangs(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, _ *e2etest.Sink) {
		p.Set("KEYTURN_SMTP_URL", e2etest.RelayDown(t))
		p.Restart(t)
		pat := p.Visitor(t)
		from := time.Now()
		pat.Post(t, "/signin", "email", e2etest.Pat, "password", e2etest.Password).Leads(t, "/signin/code")
		page := pat.Get(t, "/signin/code")
		page.Is(t, http.StatusOK, "Sent by email")
		if took := time.Since(from); took > 5*time.Second {
			t.Errorf("the pages waited %s for the mail server", took)
		}
		e2etest.Until(t, "the page to say that the code was not taken yet", func() bool {
			return strings.Contains(pat.Get(t, "/signin/code").Body, "we are trying again")
		})
		if in(t, pat) {
			t.Error("a code that could not be sent let somebody in")
		}
	})
}
