package mail

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/secret"
)

// signedAt is when the vectors were signed, and hookNow a minute later.
var (
	signedAt = time.Unix(1795651200, 0)
	hookNow  = signedAt.Add(time.Minute)
	plainKey = secret.NewText("plain-key-of-24-characters")
)

func hook(id, signature string) textproto.MIMEHeader {
	h := textproto.MIMEHeader{}
	h.Set("Webhook-Id", id)
	h.Set("Webhook-Timestamp", strconv.FormatInt(signedAt.Unix(), 10))
	h.Set("Webhook-Signature", signature)
	return h
}

// sign signs as a sender does.
func sign(key, id, body string) textproto.MIMEHeader {
	mac := hmac.New(sha256.New, []byte(key))
	_, _ = mac.Write([]byte(id + "." + strconv.FormatInt(signedAt.Unix(), 10) + "." + body))
	return hook(id, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

const bounceBody = `{"event":"bounced","key":"0192-abc","to":"sam@bayside.example","status":"5.1.1","said":"no such user"}`

// The signatures were made with openssl dgst -sha256 -hmac.
const (
	bounceSignature = "v1,jSCRFLU7b7zXOaTbRL2B+xrDBDyYjw9Yskh2k5c//jc="
	canarySignature = "v1,G6cat55gbc474nwOAwIIrssvLLkSxRmhGQNYR4rZ+tI="
)

func TestSignaturesThatAnotherProgramMadeAreRight(t *testing.T) {
	t.Parallel()
	got, err := ReadHook(hook("msg_1", bounceSignature), []byte(bounceBody), plainKey, hookNow)
	want := Told{Bounced, message.Bounce{Key: "0192-abc", To: "sam@bayside.example", Status: "5.1.1", Said: "no such user", Permanent: true}}
	if err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("got %+v, %v", got, err)
	}
	encoded := secret.NewText("whsec_dGhlIGtleSBiZWhpbmQgdGhlIGJhc2U2NCB0ZXh0")
	got, err = ReadHook(hook("msg_2", canarySignature), []byte(`{"event":"arrived","key":"0192-abc"}`), encoded, hookNow)
	if err != nil || len(got) != 1 || got[0] != (Told{Arrived, message.Bounce{Key: "0192-abc"}}) {
		t.Errorf("got %+v, %v", got, err)
	}
}

func TestOneRightSignatureOfSeveralIsEnough(t *testing.T) {
	t.Parallel()
	for _, several := range []string{
		"v1,AAAA " + bounceSignature, bounceSignature + " v1a,AAAA", "v2,x  " + bounceSignature + " v1,",
	} {
		if _, err := ReadHook(hook("msg_1", several), []byte(bounceBody), plainKey, hookNow); err != nil {
			t.Errorf("%q: %v", several, err)
		}
	}
}

func TestWhatIsNotSignedNowWithOurKeyIsNotThere(t *testing.T) {
	t.Parallel()
	changed := func(name, value string) textproto.MIMEHeader {
		h := hook("msg_1", bounceSignature)
		h.Set(name, value)
		return h
	}
	good := hook("msg_1", bounceSignature)
	for name, c := range map[string]struct {
		header textproto.MIMEHeader
		body   string
		key    secret.Text
		now    time.Time
	}{
		"no headers":           {textproto.MIMEHeader{}, bounceBody, plainKey, hookNow},
		"no id":                {changed("Webhook-Id", ""), bounceBody, plainKey, hookNow},
		"another id":           {changed("Webhook-Id", "msg_2"), bounceBody, plainKey, hookNow},
		"no time":              {changed("Webhook-Timestamp", ""), bounceBody, plainKey, hookNow},
		"another time":         {changed("Webhook-Timestamp", "1795651201"), bounceBody, plainKey, hookNow},
		"a time that is none":  {changed("Webhook-Timestamp", "soon"), bounceBody, plainKey, hookNow},
		"no signature":         {changed("Webhook-Signature", ""), bounceBody, plainKey, hookNow},
		"another version":      {changed("Webhook-Signature", strings.Replace(bounceSignature, "v1", "v2", 1)), bounceBody, plainKey, hookNow},
		"no version":           {changed("Webhook-Signature", bounceSignature[3:]), bounceBody, plainKey, hookNow},
		"half of it":           {changed("Webhook-Signature", bounceSignature[:23]), bounceBody, plainKey, hookNow},
		"an empty one":         {changed("Webhook-Signature", "v1,"), bounceBody, plainKey, hookNow},
		"behind too many":      {changed("Webhook-Signature", strings.Repeat("v1,AAAA ", 10)+bounceSignature), bounceBody, plainKey, hookNow},
		"another body":         {good, bounceBody + " ", plainKey, hookNow},
		"another key":          {good, bounceBody, secret.NewText("plain-key-of-24-character5"), hookNow},
		"no key":               {sign("", "msg_1", bounceBody), bounceBody, secret.Text{}, hookNow},
		"over five minutes":    {good, bounceBody, plainKey, signedAt.Add(5*time.Minute + time.Second)},
		"from the future":      {good, bounceBody, plainKey, signedAt.Add(-5*time.Minute - time.Second)},
		"another encoded key":  {good, bounceBody, secret.NewText("whsec_" + base64.StdEncoding.EncodeToString([]byte("x"))), hookNow},
		"a key that is a name": {good, bounceBody, secret.NewText("whsec_plain-key-of-24-characters"), hookNow},
	} {
		if got, err := ReadHook(c.header, []byte(c.body), c.key, c.now); !errors.Is(err, fault.NotFound) || got != nil {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
	for _, edge := range []time.Duration{-5 * time.Minute, 5 * time.Minute} {
		if _, err := ReadHook(good, []byte(bounceBody), plainKey, signedAt.Add(edge)); err != nil {
			t.Errorf("%v: %v", edge, err)
		}
	}
}

func TestAHooksBodyIsReadOrRefusedWithASentence(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]Told{
		`{"event":"bounced","message_id":"<0192-abc@signin.example>"}`:                 {Bounced, message.Bounce{Key: "0192-abc", Permanent: true}},
		`{"event":"bounced","key":"k","status":"4.2.2","said":"452 4.2.2 full"}`:       {Bounced, message.Bounce{Key: "k", Status: "4.2.2", Said: "full"}},
		`{"event":"bounced","key":"k","said":"smtp; 550 5.1.1 code 482913 unknown"}`:   {Bounced, message.Bounce{Key: "k", Status: "5.1.1", Said: "code … unknown", Permanent: true}},
		`{"event":"complained","key":"k","to":"sam@bayside.example","said":"spam"}`:    {Complained, message.Bounce{Key: "k", To: "sam@bayside.example"}},
		`{"event":"delivered","key":"k","more":{"of":["another","program"]}}` + "\n\n": {Delivered, message.Bounce{Key: "k"}},
	} {
		got, err := ReadHook(sign(plainKey.Reveal(), "m", body), []byte(body), plainKey, hookNow)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s: got %+v, %v", body, got, err)
		}
	}
	for _, body := range []string{
		``, `null`, `[]`, `"bounced"`, `{}`, `{"event":"bounced"}`, `{"event":"opened","key":"k"}`, `{"event":"bounced","key":"a b"}`,
		`{"event":"bounced","key":"k","to":"two@a.example, three@a.example"}`, `{"event":"bounced","key":"k"}{"event":"bounced","key":"k"}`,
		`{"event":"bounced","key":["k"]}`, `{"event":"bounced","message_id":"<a b@c>"}`, `{"event":"bounced","key":"k"`,
		`{"event":"bounced","key":"k","said":"` + strings.Repeat("x", MaxReport) + `"}`,
	} {
		got, err := ReadHook(sign(plainKey.Reveal(), "m", body), []byte(body), plainKey, hookNow)
		if !errors.Is(err, fault.Invalid) || got != nil {
			t.Errorf("%.60s: got %+v, %v", body, got, err)
		}
	}
}

func TestAHookMayCarryANotification(t *testing.T) {
	t.Parallel()
	body := sample(t, "exim")
	h := sign(plainKey.Reveal(), "m", body)
	h.Set("Content-Type", "message/rfc822; charset=utf-8")
	got, err := ReadHook(h, []byte(body), plainKey, hookNow)
	if err != nil || len(got) != 1 || got[0].Event != Bounced || got[0].Bounce.Status != "5.2.2" {
		t.Errorf("got %+v, %v", got, err)
	}
	h = sign(plainKey.Reveal(), "m", "hello")
	h.Set("Content-Type", "message/rfc822")
	if got, err := ReadHook(h, []byte("hello"), plainKey, hookNow); !errors.Is(err, fault.Invalid) || got != nil {
		t.Errorf("got %+v, %v", got, err)
	}
}

func FuzzReadHook(f *testing.F) {
	f.Add("msg_1", "v1,x", []byte(bounceBody), "", true)
	f.Add("", bounceSignature, []byte(`{"event":"arrived","key":"0192-abc"}`), "application/json", true)
	f.Add("msg_1", bounceSignature+" v1,AAAA", []byte(sample(f, "exchange")), "message/rfc822", false)
	f.Fuzz(func(t *testing.T, id, signature string, body []byte, kind string, right bool) {
		h := hook(id, signature)
		if right {
			h = sign(plainKey.Reveal(), id, string(body))
		}
		h.Set("Content-Type", kind)
		all, err := ReadHook(h, body, plainKey, hookNow)
		switch {
		case err != nil:
			if len(all) > 0 || !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.NotFound) {
				t.Fatalf("%+v with %v", all, err)
			}
			if right && id != "" && errors.Is(err, fault.NotFound) {
				t.Error("a right signature is refused")
			}
		case !right && signature != bounceSignature:
			t.Errorf("%q is believed", signature)
		}
		for _, one := range all {
			sound(t, one.Bounce)
		}
	})
}
