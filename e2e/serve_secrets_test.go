package e2e_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestNoCodePasswordOrTokenIsAnywhereButWhereItBelongs(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		p.Set("KEYTURN_LOG_LEVEL", "debug")
		p.Restart(t)
		pat, sam := p.Visitor(t), p.Visitor(t)
		sam.Post(t, "/signin", "email", e2etest.Sam, "password", "a wrong one, typed once")
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		code := sam.Password(t, sink, e2etest.Sam, e2etest.Password)
		attempt := sam.Cookie(t, e2etest.AttemptCookie)
		wrong := otherCode(code, 0)
		sam.Post(t, "/signin/code", "code", wrong).Is(t, http.StatusUnprocessableEntity)
		sam.Post(t, "/signin/code", "code", code).Leads(t, "/me")
		sam.Get(t, "/me").Is(t, http.StatusOK)
		p.Visitor(t).Get(t, "/signin/code?code="+code)

		codes := []string{wrong}
		for _, l := range sink.Letters(t, "") {
			codes = append(codes, l.Code(t))
		}
		whole := dump(t, p, func(string) bool { return true })
		places := map[string]string{
			"the log": p.Log(), "the database's rows": whole, "the database's files": filesOf(t, p),
			"the audit export": p.MustRun(t, "audit", "export"), "an answer": pat.Seen() + sam.Seen(),
		}
		for where, text := range places {
			for _, c := range codes {
				for form, pattern := range formsOf(c) {
					if found := pattern.FindString(text); found != "" {
						t.Errorf("%s has a code, %s: %q", where, form, around(text, found))
					}
				}
			}
			for name, secret := range map[string]string{
				"a password": e2etest.Password, "a wrong password": "a wrong one, typed once",
				"a session's token": pat.Cookie(t, e2etest.SessionCookie), "an attempt's token": attempt,
			} {
				if strings.Contains(name, "token") && where == "an answer" {
					continue // that is where it belongs: the answer that sets the cookie
				}
				for form, text2 := range map[string]string{
					"plain": secret, "hex": hex.EncodeToString([]byte(secret)),
					"base64": strings.TrimRight(base64.StdEncoding.EncodeToString([]byte(secret)), "="),
				} {
					if strings.Contains(text, text2) {
						t.Errorf("%s has %s, %s", where, name, form)
					}
				}
			}
		}
		if !strings.Contains(p.Log(), "POST /signin/code") || !strings.Contains(whole, e2etest.Sam) || !strings.Contains(sam.Seen(), "Sam Okafor") {
			t.Error("the search looked at nothing")
		}
	})
}

// formsOf are the forms in which a code could leak. Six digits in the midst of longer
// numbers and hashes are no code.
func formsOf(code string) map[string]*regexp.Regexp {
	alone := func(text string) *regexp.Regexp {
		return regexp.MustCompile(fmt.Sprintf(`(?:^|[^0-9a-zA-Z.+/])%s(?:$|[^0-9a-zA-Z.+/µ])`, text))
	}
	return map[string]*regexp.Regexp{
		"plain":       alone(code),
		"grouped":     alone(code[:3] + `(?: |%20|\+|&nbsp;|\x{a0}|-)` + code[3:]),
		"in hex":      regexp.MustCompile(hex.EncodeToString([]byte(code))),
		"grouped hex": regexp.MustCompile(hex.EncodeToString([]byte(code[:3] + " " + code[3:]))),
		"in base64":   regexp.MustCompile(base64.StdEncoding.EncodeToString([]byte(code))),
	}
}

func around(text, found string) string {
	i := strings.Index(text, found)
	return text[max(0, i-60):min(len(text), i+60)]
}
