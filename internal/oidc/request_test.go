package oidc

import (
	"net/url"
	"slices"
	"strings"
	"testing"
)

// FuzzRequest reads any query: whatever comes in it, what is taken from it is bounded, known
// and storable, and the answer's address begins with the one that was registered.
func FuzzRequest(f *testing.F) {
	good := "response_type=code&code_challenge_method=S256&code_challenge=" + strings.Repeat("A", 43)
	for _, seed := range []string{
		"", good, good + "&scope=openid", good + "&scope=openid+sites&state=a%26iss%3Db&max_age=0&prompt=login&acr_values=urn:keyturn:2",
		good + "&scope=openid&state=%00", good + "&scope=openid&state=%ff", good + "&scope=openid&scope=openid", good + "&scope=openid&max_age=99999999999", "state=%", "&&&=;",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		r := Request{Redirect: "https://product.example/cb?x=1"}
		refused := r.read(q)
		if refused == nil {
			if !challengeForm.MatchString(r.Challenge) || !slices.Contains(r.Scopes, ScopeOpenID) || len(r.State) > longestParam || len(r.Nonce) > longestParam {
				t.Errorf("%q is taken as %+v", raw, r)
			}
			for _, text := range []string{r.State, r.Nonce, r.Hint, r.prompt} {
				if !plain(text) {
					t.Errorf("%q leaves %q", raw, text)
				}
			}
			if r.None && r.Again || r.ACR < 0 || r.ACR > 4 || r.MaxAge != nil && *r.MaxAge < 0 {
				t.Errorf("%q is taken as %+v", raw, r)
			}
			refused = refuse(AccessDenied, "No.")
		}
		to, err := url.Parse(r.Denied("https://signin.example", refused))
		if err != nil || !strings.HasPrefix(to.String(), r.Redirect+"&") || to.Query().Get("error") != refused.Code || len(to.Query()["iss"]) != 1 {
			t.Errorf("%q leads to %v, %v", raw, to, err)
		}
	})
}
