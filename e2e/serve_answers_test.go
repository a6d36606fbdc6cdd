package e2e_test

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestWhoeverCannotSignInGetsOneAndTheSameAnswer(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		const wrong = "not the password at all"
		tries := []struct{ name, email, password string }{
			{"a wrong password", e2etest.Pat, wrong},
			{"a wrong password of a site without 2FA", e2etest.TwinPat, wrong},
			{"an unknown name", "nobody@bayside.example", e2etest.Password},
			{"a name that is no address", "nobody", e2etest.Password},
			{"a name of an unlikely form", `"a b"@[127.0.0.1]`, e2etest.Password},
			{"a blocked member's right password", e2etest.Blocked, e2etest.Password},
			{"a blocked member's wrong password", e2etest.Blocked, wrong},
			{"an inactive member's right password", e2etest.Resting, e2etest.Password},
			{"an inactive member's wrong password", e2etest.Resting, wrong},
			{"somebody without a password", e2etest.Passless, e2etest.Password},
			{"somebody without a password, and a blank", e2etest.Passless, " "},
			{"a mobile member's wrong password", e2etest.OnMobile, wrong},
		}
		want := ""
		for _, try := range tries {
			v := p.Visitor(t)
			page := v.Post(t, "/signin", "email", try.email, "password", try.password)
			got := plainly(page, try.email)
			if want == "" {
				page.Is(t, http.StatusUnprocessableEntity, "do not go together")
				want = got
			}
			if got != want {
				t.Errorf("%s is answered otherwise:\n%s\n— instead of —\n%s", try.name, got, want)
			}
			if in(t, v) {
				t.Errorf("%s opened a session", try.name)
			}
		}
		if n := len(sink.Letters(t, "")); n != 0 {
			t.Errorf("%d mails were sent to people who did not get in", n)
		}
	})
}

func TestASpentBudgetOfPasswordsAnswersAsBefore(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		for _, email := range []string{e2etest.Pat, "nobody@bayside.example"} {
			v, want := p.Visitor(t), ""
			for i := range 6 {
				password := "wrong"
				if i == 5 {
					password = e2etest.Password // right, and not looked at any more
				}
				got := plainly(v.Post(t, "/signin", "email", email, "password", password), email)
				if want == "" {
					want = got
				}
				if got != want {
					t.Errorf("try %d as %s is answered otherwise:\n%s\n— instead of —\n%s", i+1, email, got, want)
				}
			}
		}
		// Elsewhere, the owner is not shut out by it.
		p.Visitor(t).SignIn(t, sink, e2etest.Pat, e2etest.Password)
	})
}

var (
	secretOfBrowser = regexp.MustCompile(`keyturn_browser=[A-Z2-7]{26};`)
	lengthOfAll     = regexp.MustCompile(`X-Length: \d+`)
)

// plainly is an answer without what differs between any two: the date, the browser's
// random id, the request's reference, and the echo of what was typed.
func plainly(page e2etest.Answer, typed string) string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(page.Header)) {
		if name == "Date" {
			continue
		}
		value := strings.Join(page.Header[name], "\n")
		out.WriteString(name + ": " + secretOfBrowser.ReplaceAllString(value, "keyturn_browser=X;") + "\n")
	}
	escaped := strings.NewReplacer(`"`, "&#34;").Replace(typed)
	echoed := ` value="` + escaped + `"`
	body := strings.Replace(page.Body, echoed, ` value=""`, 1)
	// Its own length is the only one that the echo may change.
	text := strings.Replace(out.String(), "Content-Length", "X-Length", 1)
	text = lengthOfAll.ReplaceAllString(text, "X-Length: N")
	return text + reference.ReplaceAllString(body, "X")
}
