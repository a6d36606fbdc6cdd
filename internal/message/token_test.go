package message

import (
	"encoding/base64"
	"errors"
	"regexp"
	"testing"

	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/secret"
)

var tokenShape = regexp.MustCompile(`^[A-Za-z0-9_.-]{1,200}$`)

func TestATokenNamesItsTryAndNobodyElseCanMakeOne(t *testing.T) {
	t.Parallel()
	keys, other := memory(t), memory(t)
	want := try{User: id.New[id.User](), Message: id.New[id.Message](), No: 300}
	token, err := want.token(keys)
	if err != nil || !tokenShape.MatchString(token) {
		t.Fatal(token, err)
	}
	if got, err := readToken(keys, token); err != nil || got != want {
		t.Errorf("%+v, %v", got, err)
	}
	if _, err := readToken(other, token); !errors.Is(err, fault.NotFound) {
		t.Errorf("with other keys: %v", err)
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		t.Fatal(err)
	}
	for at := range raw {
		raw[at] ^= 1
		if _, err := readToken(keys, base64.RawURLEncoding.EncodeToString(raw)); !errors.Is(err, fault.NotFound) {
			t.Errorf("byte %d changed: %v", at, err)
		}
		raw[at] ^= 1
	}
	for _, bad := range []try{{User: "x", Message: want.Message, No: 1}, {User: want.User, Message: "x", No: 1}, {User: want.User, Message: want.Message}, {User: want.User, Message: want.Message, No: 1 << 16}} {
		if token, err := bad.token(keys); err == nil {
			t.Errorf("%+v has the token %s", bad, token)
		}
	}
}

func FuzzATokenIsOursOrNotFound(f *testing.F) {
	keys, err := secret.Memory()
	if err != nil {
		f.Fatal(err)
	}
	token, err := try{User: id.New[id.User](), Message: id.New[id.Message](), No: 1}.token(keys)
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{token, "", "AQ", token + "A", token[:len(token)-1], token + token, "....", "AAAA\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got, err := readToken(keys, text)
		if err != nil {
			if !errors.Is(err, fault.NotFound) || got != (try{}) {
				t.Fatalf("%q: %+v, %v", text, got, err)
			}
			return
		}
		if again, err := got.token(keys); err != nil || again != text {
			t.Fatalf("%q is %+v, whose token is %q, %v", text, got, again, err)
		}
	})
}

func memory(t *testing.T) *secret.Keys {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return keys
}
