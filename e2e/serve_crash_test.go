package e2e_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

// rescue is how long the work of a process that was killed may lie until another takes
// it up: the job's own time, the dead node's lease, and the round of whoever looks.
const rescue = 100 * time.Second

func TestWhatWasPromisedBeforeAKillIsSentAfterIt(t *testing.T) {
	t.Parallel()
	dbtest.EachURL(t, func(t *testing.T, url string) {
		p, sink := installed(t, url)
		pat, sam := p.Visitor(t), p.Visitor(t)

		// Sam's code is with the mail server, which has not said so: kill -9.
		sink.Hold()
		p.Start(t)
		sam.Post(t, "/signin", "email", e2etest.Sam, "password", e2etest.Password).Leads(t, "/signin/code")
		taken := e2etest.NextLetter(t, sink, e2etest.Sam, 0)
		p.Kill(t)
		sink.Answer()

		// Pat's code is promised, and no mail server has heard of it: kill -9.
		silent := e2etest.StartSilent(t)
		p.Set("KEYTURN_SMTP_URL", silent.URL)
		p.Start(t)
		pat.Post(t, "/signin", "email", e2etest.Pat, "password", e2etest.Password).Leads(t, "/signin/code")
		e2etest.Until(t, "the product to call the silent relay", func() bool { return silent.Callers() > 0 })
		p.Kill(t)
		if n := len(sink.Letters(t, e2etest.Pat)); n != 0 {
			t.Fatalf("%d letters to Pat before the second kill", n)
		}

		from := time.Now()
		p.Set("KEYTURN_SMTP_URL", sink.URL)
		p.Start(t)
		e2etest.Within(t, rescue, "both codes to be with the mail server", func() bool {
			return takenByServer(t, pat) && takenByServer(t, sam)
		})
		t.Logf("both were sent %s after the restart", time.Since(from).Round(time.Second/10))

		once := sink.Letters(t, e2etest.Pat)
		if len(once) != 1 {
			t.Fatalf("Pat's code arrived %d times", len(once))
		}
		twice := sink.Letters(t, e2etest.Sam)
		if len(twice) > 2 {
			t.Errorf("Sam's code arrived %d times; one extra copy at most", len(twice))
		}
		for _, l := range twice {
			if l.MessageID != taken.MessageID || l.Code(t) != taken.Code(t) {
				t.Errorf("the repeat is another message: %s instead of %s", l.MessageID, taken.MessageID)
			}
		}
		pat.Post(t, "/signin/code", "code", once[0].Code(t)).Leads(t, "/me")
		sam.Post(t, "/signin/code", "code", taken.Code(t)).Leads(t, "/me")
		if !in(t, pat) || !in(t, sam) {
			t.Error("a code from before the kill opened no session")
		}
		if said := p.MustRun(t, "audit", "verify"); !strings.Contains(said, "as it was written") {
			t.Errorf("after the kills the trail does not verify: %s", said)
		}
	})
}

// takenByServer says whether the page of a sign-in shows that the mail server took the
// code.
func takenByServer(t *testing.T, v *e2etest.Visitor) bool {
	t.Helper()
	page := v.Get(t, "/signin/code")
	page.Is(t, http.StatusOK)
	return strings.Contains(page.Body, "The mail server took it")
}
