package method

import (
	"net/url"
	"testing"

	"github.com/descope/virtualwebauthn"
	"github.com/go-webauthn/webauthn/webauthn"
)

// FuzzPasskeyAnswers: whatever a browser sends is read or refused, and without having
// been signed it is never right.
func FuzzPasskeyAnswers(f *testing.F) {
	public := &url.URL{Scheme: "https", Host: "login.vendor.example"}
	p, err := NewPasskeys(nil, public, "Workshop Software")
	if err != nil {
		f.Fatal(err)
	}
	rp := virtualwebauthn.RelyingParty{ID: public.Host, Name: "Workshop Software", Origin: public.String()}
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(key.Key.AttestationData()) != 77 { // a coordinate that begins with a zero is cut
		key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	auth := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: make([]byte, 16)})
	challenge := make([]byte, 32)
	made := virtualwebauthn.CreateAttestationResponse(rp, auth, key, virtualwebauthn.AttestationOptions{Challenge: challenge})
	used := virtualwebauthn.CreateAssertionResponse(rp, auth, key, virtualwebauthn.AssertionOptions{Challenge: challenge})
	for _, seed := range []string{made, used, "", "{}", `{"id":"AA","rawId":"AA","type":"public-key","response":{"userHandle":"AA"}}`} {
		f.Add(seed)
	}
	parsed, ok := parseMade(made)
	if !ok {
		f.Fatal("a right answer is not read")
	}
	h := &holder{handle: make([]byte, 16)}
	credential, err := webauthn.NewCredential(nil, parsed)
	if err != nil {
		f.Fatal(err)
	}
	h.credentials = []webauthn.Credential{*credential}
	_, asked, err := p.Web.BeginDiscoverableLogin() // another challenge than the seeds'
	if err != nil {
		f.Fatal(err)
	}
	_, adding, err := p.Web.BeginRegistration(h)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, response string) {
		if parsed, ok := parseUsed(response); ok {
			_, _ = whose(parsed.Response.UserHandle)
			if _, ok := p.used(h, *asked, parsed); ok {
				t.Error("an answer to another ceremony is right")
			}
		}
		if _, ok := p.made(h, *adding, response); ok {
			t.Error("an answer to another ceremony makes a passkey")
		}
	})
}
