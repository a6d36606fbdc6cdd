package e2e_test

import (
	"net/http"
	"sync"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestOneRightCodeFromManyConnectionsAtOnceOpensOneSession(t *testing.T) {
	t.Parallel()
	const connections = 32
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		var last *e2etest.Visitor
		var code string
		people := []string{e2etest.Pat, e2etest.Sam, e2etest.Pat}
		for _, email := range people {
			last = p.Visitor(t)
			code = last.Password(t, sink, email, e2etest.Password)
			crowd := crowdOf(t, p, last, connections)
			pages := atOnce(t, crowd, code)
			opened := 0
			for i, page := range pages {
				if page.Status >= http.StatusInternalServerError {
					t.Errorf("connection %d was answered %d", i, page.Status)
				}
				if c := page.Cookie(e2etest.SessionCookie); c != nil && c.Value != "" {
					page.Leads(t, "/me")
				}
				if in(t, crowd[i]) {
					opened++
				}
			}
			if opened != 1 {
				t.Errorf("%d of %d connections have a session; exactly one must", opened, connections)
			}
		}
		trail := p.Trail(t)
		if got := e2etest.Count(trail, "code.accepted"); got != len(people) {
			t.Errorf("the trail has %d accepted codes, not %d", got, len(people))
		}
		if got := e2etest.Count(trail, "session.started"); got != len(people) {
			t.Errorf("the trail has %d sessions, not %d", got, len(people))
		}
		p.Restart(t)
		last.Post(t, "/signin/code", "code", code).Leads(t, "/signin?ended=1")
		if in(t, last) {
			t.Error("a used code opened a session after a restart")
		}
	})
}

// crowdOf is many connections of one sign-in: each has its cookies, and none has what the
// others are answered.
func crowdOf(t *testing.T, p *e2etest.Product, of *e2etest.Visitor, n int) []*e2etest.Visitor {
	t.Helper()
	crowd := make([]*e2etest.Visitor, n)
	for i := range crowd {
		crowd[i] = p.Visitor(t)
		crowd[i].Network = of.Network
		for _, name := range []string{e2etest.AttemptCookie, e2etest.BrowserCookie} {
			crowd[i].Plant(t, name, of.Cookie(t, name))
		}
	}
	return crowd
}

// atOnce posts one code by every connection at the same moment.
func atOnce(t *testing.T, crowd []*e2etest.Visitor, code string) []e2etest.Answer {
	t.Helper()
	pages := make([]e2etest.Answer, len(crowd))
	start, all := make(chan struct{}), sync.WaitGroup{}
	for i, v := range crowd {
		r := v.Request(t, http.MethodPost, "/signin/code", e2etest.Form("code", code))
		all.Go(func() {
			<-start
			var err error
			if pages[i], err = v.Try(r); err != nil {
				t.Errorf("connection %d: %v", i, err)
			}
		})
	}
	close(start)
	all.Wait()
	return pages
}

func TestFiveWrongCodesSpendTheCodeAndANewOneGivesNoNewBudget(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password) // the browser is known from here on

		first := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		wrongCodes(t, pat, first, 5)
		pat.Post(t, "/signin/code", "code", first).Is(t, http.StatusUnprocessableEntity)
		if got := e2etest.Count(p.Trail(t), "code.accepted"); got != 1 {
			t.Fatal("the right code was taken after five wrong ones")
		}

		// A new one, when its time has come, is right again.
		pat.Post(t, "/signin/method", "method", "email").Is(t, http.StatusTooManyRequests)
		p.Set("KEYTURN_CLOCK_OFFSET", "31s")
		p.Restart(t)
		had := len(sink.Letters(t, e2etest.Pat))
		pat.Post(t, "/signin/method", "method", "email").Leads(t, "/signin/code")
		second := e2etest.NextLetter(t, sink, e2etest.Pat, had).Code(t)
		pat.Post(t, "/signin/code", "code", second).Leads(t, "/me")

		// But the budget of the user goes on: five more, and the method rests.
		spare := p.Visitor(t)
		spare.Network = pat.Network
		spare.Plant(t, e2etest.BrowserCookie, pat.Cookie(t, e2etest.BrowserCookie))
		unused := spare.Password(t, sink, e2etest.Pat, e2etest.Password)
		third := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		wrongCodes(t, pat, third, 5)
		page := spare.Post(t, "/signin/code", "code", unused)
		page.Is(t, http.StatusTooManyRequests)
		if page.Header.Get("Retry-After") == "" || in(t, spare) {
			t.Error("a resting method must say when it takes codes again, and open nothing")
		}
		trail := p.Trail(t)
		if got := e2etest.Count(trail, "code.accepted"); got != 2 {
			t.Errorf("the trail has %d accepted codes, not 2", got)
		}
		if got := e2etest.Count(trail, "code.wrong"); got != 10 {
			t.Errorf("the trail has %d wrong codes, not 10", got)
		}

		// The window frees by itself.
		p.Set("KEYTURN_CLOCK_OFFSET", "62m")
		p.Restart(t)
		later := p.Visitor(t)
		later.SignIn(t, sink, e2etest.Pat, e2etest.Password)
	})
}

// wrongCodes types wrong codes, each of which must be answered as wrong.
func wrongCodes(t *testing.T, v *e2etest.Visitor, code string, n int) {
	t.Helper()
	for i := range n {
		v.Post(t, "/signin/code", "code", otherCode(code, i)).Is(t, http.StatusUnprocessableEntity)
	}
}

func TestACodeBelongsToItsOwnSignIn(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat, sam, again := p.Visitor(t), p.Visitor(t), p.Visitor(t)
		ofPat := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		ofSam := sam.Password(t, sink, e2etest.Sam, e2etest.Password)
		ofAgain := again.Password(t, sink, e2etest.Pat, e2etest.Password)
		for _, wrong := range []struct {
			who  *e2etest.Visitor
			own  string
			code string
		}{{pat, ofPat, ofSam}, {pat, ofPat, ofAgain}, {sam, ofSam, ofPat}, {again, ofAgain, ofPat}} {
			if wrong.own == wrong.code {
				continue // one time in a million two codes are the same
			}
			wrong.who.Post(t, "/signin/code", "code", wrong.code).Is(t, http.StatusUnprocessableEntity)
			if in(t, wrong.who) {
				t.Error("a code of another sign-in opened a session")
			}
		}
		again.Post(t, "/signin/code", "code", ofAgain).Leads(t, "/me")
		pat.Post(t, "/signin/code", "code", " "+ofPat[:3]+" "+ofPat[3:]+" ").Leads(t, "/me")
	})
}

func TestACodeRunsOutAndSaysSo(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat, sam := p.Visitor(t), p.Visitor(t)
		early := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		late := sam.Password(t, sink, e2etest.Sam, e2etest.Password)
		p.Set("KEYTURN_CLOCK_OFFSET", "9m")
		p.Restart(t)
		pat.Post(t, "/signin/code", "code", early).Leads(t, "/me")
		p.Set("KEYTURN_CLOCK_OFFSET", "10m1s")
		p.Restart(t)
		sam.Post(t, "/signin/code", "code", late).Is(t, http.StatusUnprocessableEntity, "has run out")
		if in(t, sam) {
			t.Error("a code that had run out opened a session")
		}
	})
}

func TestOnlySixASCIIDigitsCanBeACode(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		code := pat.Password(t, sink, e2etest.Pat, e2etest.Password)
		fullWidth, arabic := "", ""
		for _, digit := range code {
			fullWidth += string('０' + digit - '0')
			arabic += string('٠' + digit - '0')
		}
		for name, shape := range map[string]string{
			"nothing": "", "spaces": "      ", "letters": "abcdef", "five digits": code[:5], "seven digits": code + "0",
			"full-width digits": fullWidth, "Arabic digits": arabic, "a sign": "+" + code, "a dash inside": code[:3] + "-" + code[3:],
			"a point": code + ".0", "an exponent": code[:5] + "e0", "a list": code + "," + code, "JSON": `{"code":"` + code + `"}`,
			"a NUL": code + "\x00", "a wild card": "%", "a quote": "' OR '1'='1", "a line break inside": code[:3] + "\n" + code[3:],
			"a no-break space inside": code[:3] + "\u00a0" + code[3:], "a sign of no width": code[:3] + "\u200b" + code[3:],
		} {
			page := pat.Post(t, "/signin/code", "code", shape)
			if page.Status != http.StatusBadRequest {
				t.Errorf("%s: the answer is %d, not 400", name, page.Status)
			}
		}
		pat.Post(t, "/signin/code", "CODE", code).Is(t, http.StatusBadRequest)
		pat.Post(t, "/signin/code", "code", code, "code", code).Is(t, http.StatusBadRequest)
		pat.Post(t, "/signin/code?code="+code, "x", "y").Is(t, http.StatusBadRequest)
		if got := e2etest.Count(p.Trail(t), "code.wrong"); got != 0 {
			t.Errorf("%d guesses were counted for what cannot be a code", got)
		}
		pat.Post(t, "/signin/code", "code", code).Leads(t, "/me")
	})
}
