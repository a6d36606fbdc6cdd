package sms

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	twilioclient "github.com/twilio/twilio-go/client"
	"pgregory.net/rapid"

	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/sms/smstest"
)

func TestReceiptsBecomeNews(t *testing.T) {
	t.Parallel()
	const (
		accepted, delivered   = message.NewsAccepted, message.NewsDelivered
		undelivered, rejected = message.NewsUndelivered, message.NewsRejected
	)
	type row struct {
		status, code string
		state        message.NewsState
		why          message.Reason
	}
	rows := map[smstest.Kind][]row{
		smstest.Twilio: {
			{"queued", "", accepted, ""},
			{"sending", "", accepted, ""},
			{"sent", "", accepted, ""},
			{"delivered", "", delivered, ""},
			{"undelivered", "30003", undelivered, message.Unreachable},
			{"undelivered", "30005", undelivered, message.NumberInvalid},
			{"undelivered", "30004", undelivered, message.NumberBlocked},
			{"undelivered", "30008", undelivered, message.Other},
			{"failed", "30001", rejected, message.CarrierDown},
			{"failed", "", rejected, message.Other},
			{"invented", "", "", ""},
		},
		smstest.MessageMedia: {
			{"enroute", "", accepted, ""},
			{"submitted", "200", accepted, ""},
			{"delivered", "220", delivered, ""},
			{"expired", "", undelivered, message.Unreachable},
			{"undeliverable", "", undelivered, message.Other},
			{"rejected", "", rejected, message.Other},
			{"failed", "", rejected, message.Other},
			{"invented", "", "", ""},
		},
		smstest.ClickSend: {
			{"200", "", accepted, ""},
			{"201", "", delivered, ""},
			{"300", "", accepted, ""},
			{"301", "", undelivered, message.Other},
			{"302", "7", undelivered, message.Other},
			{"999", "", "", ""},
		},
		smstest.Webhook: {
			{"accepted", "", accepted, ""},
			{"delivered", "", delivered, ""},
			{"undelivered", "unreachable", undelivered, message.Unreachable},
			{"rejected", "opted_out", rejected, message.OptedOut},
			{"rejected", "<invented>", rejected, message.Other},
		},
	}
	for _, kind := range kinds {
		f := smstest.New(t, kind).Start()
		d := open(t, nil, f)
		if r := d.sends(t.Context(), t, text("key-1")); !r.Accepted {
			t.Fatalf("%s: got %+v", kind, r)
		}
		m := f.Taken()[0]
		for _, row := range rows[kind] {
			news, err := d.receives(t, f.Receipt(m, row.status, row.code))
			if err != nil {
				t.Errorf("%s %s: %v", kind, row.status, err)
				continue
			}
			if row.state == "" {
				if len(news) != 0 {
					t.Errorf("%s %s: got %+v", kind, row.status, news)
				}
				continue
			}
			if len(news) != 1 {
				t.Errorf("%s %s: got %d news", kind, row.status, len(news))
				continue
			}
			n := news[0]
			if n.Carrier != string(kind) || n.Token != "key-1" || n.Ref != m.ID || n.State != row.state || n.Why != row.why || row.why == "" && n.Said != "" {
				t.Errorf("%s %s: got %+v", kind, row.status, n)
			}
			if row.code != "" && kind != smstest.Webhook && row.why != "" && !strings.Contains(n.Said, row.code) {
				t.Errorf("%s %s: the code is not in %q", kind, row.status, n.Said)
			}
		}
	}
}

func TestForgedAndForeignReceiptsLookAlike(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		f, other := smstest.New(t, kind).Start(), smstest.New(t, kind).Start()
		d := open(t, nil, f, other) // the second one has the same name and a number
		d.sends(t.Context(), t, text("key-1"))
		m := f.Taken()[0]
		word := map[smstest.Kind]string{smstest.ClickSend: "201"}[kind]
		if word == "" {
			word = "delivered"
		}
		right := func() *http.Request { return f.Receipt(m, word, "") }
		elsewhere := func(r *http.Request, path string) *http.Request { r.URL.Path = path; return r }
		base := "/hooks/sms/" + string(kind)
		for name, r := range map[string]*http.Request{
			"forged":                       f.Forged(m, word),
			"to another provider":          elsewhere(right(), strings.Replace(right().URL.Path, string(kind), string(kind)+"-2", 1)),
			"to a provider there is none":  elsewhere(right(), "/hooks/sms/nexmo/x"),
			"with more of a path":          elsewhere(right(), right().URL.Path+"/x"),
			"with an address without rest": elsewhere(f.Forged(m, word), base),
			"with a long rest":             elsewhere(f.Forged(m, word), base+"/"+strings.Repeat("A", 5000)),
		} {
			if news, err := d.receives(t, r); !errors.Is(err, fault.NotFound) || news != nil {
				t.Errorf("%s, %s: got %v, %v", kind, name, news, err)
			}
		}
		if news, err := d.receives(t, right()); err != nil || len(news) != 1 {
			t.Errorf("%s: the right one: %v, %v", kind, news, err)
		}
	}
}

func TestAReceiptThatCannotBeReadIsInvalid(t *testing.T) {
	t.Parallel()
	for _, kind := range []smstest.Kind{smstest.MessageMedia, smstest.ClickSend} {
		d := open(t, nil, smstest.New(t, kind).Start())
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Content-Type", "application/json")
		for _, body := range []string{"", "[]", "{", `{"reply_id": "1", "content": "STOP"}`, `{"status": {}}`} {
			if news, err := d.Receipt(r, string(kind), d.lanes[0].hook.secret(), []byte(body)); !errors.Is(err, fault.Invalid) || news != nil {
				t.Errorf("%s %q: got %v, %v", kind, body, news, err)
			}
		}
	}
	d := open(t, nil, smstest.NewTwilio(t))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	if _, err := d.Receipt(r, "twilio", "k", make([]byte, mostReceipt+1)); !errors.Is(err, fault.Invalid) {
		t.Errorf("a receipt that is too long: %v", err)
	}
}

func TestAReceiptOfAnothersTextIsNoNews(t *testing.T) {
	t.Parallel()
	for _, kind := range []smstest.Kind{smstest.MessageMedia, smstest.ClickSend} {
		f := smstest.New(t, kind).Start()
		d := open(t, nil, f)
		d.sends(t.Context(), t, text("k"))
		for _, key := range []string{"", "an order's number / 17"} {
			m := f.Taken()[0]
			m.Key = key
			status := "201"
			if kind == smstest.MessageMedia {
				status = "delivered"
			}
			if news, err := d.receives(t, f.Receipt(m, status, "")); err != nil || len(news) != 0 {
				t.Errorf("%s: got %v, %v", kind, news, err)
			}
		}
	}
}

func TestClickSendsReceiptsMayBeJSON(t *testing.T) {
	t.Parallel()
	d := open(t, nil, smstest.NewClickSend(t))
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", "application/json; charset=utf-8")
	body := `{"message_id":"A-1","status_code":301,"status_text":"Failed","error_code":null,"error_text":null,"custom_string":"k","user_id":7}`
	news, err := d.Receipt(r, "clicksend", d.lanes[0].hook.secret(), []byte(body))
	if err != nil || len(news) != 1 || news[0].State != message.NewsUndelivered || news[0].Ref != "A-1" || news[0].Said != "301: Failed" {
		t.Errorf("got %+v, %v", news, err)
	}
}

func TestAWebhooksReceiptIsGoodForFiveMinutes(t *testing.T) {
	t.Parallel()
	f, now := smstest.NewWebhook(t), time.Now()
	d := open(t, func(s *Setup) { s.Now = func() time.Time { return now } }, f)
	d.sends(t.Context(), t, text("k"))
	m := f.Taken()[0]
	real := now
	for drift, good := range map[time.Duration]bool{
		4 * time.Minute: true, -4 * time.Minute: true, 6 * time.Minute: false, -6 * time.Minute: false,
	} {
		now = real.Add(drift)
		if _, err := d.receives(t, f.Receipt(m, "delivered", "")); (err == nil) != good {
			t.Errorf("%v: got %v", drift, err)
		}
	}
	now = real
	r := f.Receipt(m, "delivered", "")
	r.Header.Set("webhook-signature", "v1a,xyz v1,AAAA "+r.Header.Get("webhook-signature"))
	if _, err := d.receives(t, r); err != nil {
		t.Errorf("one right signature of several: %v", err)
	}
}

func TestReceiptsByTheNetworkDoubledShuffledLateAndForged(t *testing.T) {
	t.Parallel()
	words := map[smstest.Kind][]string{
		smstest.Twilio: {"queued", "sent", "delivered"}, smstest.MessageMedia: {"enroute", "submitted", "delivered"},
		smstest.ClickSend: {"200", "201"}, smstest.Webhook: {"accepted", "delivered"},
	}
	for _, kind := range kinds {
		var (
			d    *desk
			mu   sync.Mutex
			news []message.News
		)
		mux := http.NewServeMux()
		hooks := func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			got, err := d.Receipt(r, r.PathValue("provider"), r.PathValue("rest"), body)
			if err != nil {
				w.WriteHeader(http.StatusNotFound)
				return
			}
			mu.Lock()
			defer mu.Unlock()
			news = append(news, got...)
		}
		mux.HandleFunc("POST /hooks/sms/{provider}", hooks)
		mux.HandleFunc("POST /hooks/sms/{provider}/{rest}", hooks)
		server := httptest.NewServer(mux)
		t.Cleanup(server.Close)
		f := smstest.New(t, kind).Start()
		d = open(t, func(s *Setup) {
			u, err := url.Parse(server.URL)
			if err != nil {
				t.Fatal(err)
			}
			s.Public = u
		}, f)
		d.sends(t.Context(), t, text("key-1"))
		f.Report(t.Context(), f.Taken()[0], words[kind]...)
		if len(news) != 2*len(words[kind]) {
			t.Errorf("%s: got %+v", kind, news)
		}
	}
}

func TestTwiliosSignatureIsTheOneOfItsOwnLibrary(t *testing.T) {
	t.Parallel()
	word := rapid.StringMatching(`[A-Za-z0-9 +&=%é\n-]{0,20}`)
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.StringMatching(`[0-9a-f]{32}`).Draw(t, "token")
		address := rapid.SampledFrom([]string{
			"https://id.example.com", "https://id.example.com:443", "https://id.example.com:8443",
			"http://localhost:8080", "https://id.example.com/sub/path",
		}).Draw(t, "public") + "/hooks/sms/twilio/" + rapid.StringMatching(`[A-Za-z0-9_-]{1,40}`).Draw(t, "token in the address")
		names := rapid.SliceOfDistinct(rapid.StringMatching(`[A-Za-z.]{1,8}`), func(s string) string { return s }).Draw(t, "names")
		form, plain := url.Values{}, map[string]string{}
		for _, name := range names {
			value := word.Draw(t, "value")
			form[name] = make([]string, rapid.IntRange(1, 3).Draw(t, "times")) // the same value
			for i := range form[name] {
				form[name][i] = value
			}
			plain[name] = value
		}
		p := twilioWith(token)
		theirs := twilioclient.NewRequestValidator(token)
		for _, s := range p.signatures(address, form) {
			if !theirs.Validate(address, plain, s) || !theirs.ValidateBody(address, []byte(form.Encode()), s) {
				t.Fatalf("theirs refuses %s", s)
			}
		}
		if theirs.Validate(address+"x", plain, p.signatures(address, form)[0]) {
			t.Fatal("theirs takes anything")
		}
	})
}

func TestTwiliosSignatureCoversEachValueOfADoubledName(t *testing.T) {
	t.Parallel()
	p := twilioWith("12345")
	// The values as Twilio's library for Node sorts them (twilio-node, pull request 723).
	form := url.Values{"a": {"2", "1", "2"}, "b": {""}}
	want := p.sign("https://x.example/a1a2b", nil)
	if got := p.sign("https://x.example/", form); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Twilio's own example (twilio.com/docs/usage/security).
	example := url.Values{
		"CallSid": {"CA1234567890ABCDE"}, "Caller": {"+14158675309"}, "Digits": {"1234"},
		"From": {"+14158675309"}, "To": {"+18005551212"},
	}
	if got := p.sign("https://mycompany.com/myapp.php?foo=1&bar=2", example); got != "RSOYDt4T1cUTdK1PDd93/VVr8B8=" {
		t.Errorf("got %s", got)
	}
}

func TestADoubledFieldThatMattersIsInvalid(t *testing.T) {
	t.Parallel()
	f := smstest.NewTwilio(t)
	d := open(t, nil, f)
	p := twilioWith(f.Password)
	form := url.Values{"MessageSid": {"SM1"}, "MessageStatus": {"delivered", "failed"}}
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("X-Twilio-Signature", p.sign(d.lanes[0].hook.url("k"), form))
	if news, err := d.Receipt(r, "twilio", "k", []byte(form.Encode())); !errors.Is(err, fault.Invalid) {
		t.Errorf("got %v, %v", news, err)
	}
}

func TestTheUnguessablePartOfAnAddressIsItsProvidersAlone(t *testing.T) {
	t.Parallel()
	h := open(t, nil, smstest.NewClickSend(t)).lanes[0].hook
	if !h.knows(h.secret()) || h.knows("") || h.knows(h.secret()+"A") || len(h.secret()) < 43 {
		t.Error("the unguessable part is not what is asked for")
	}
	other := h
	if other.name = "clicksend-2"; other.knows(h.secret()) {
		t.Error("one provider's part is another's")
	}
}

func fuzzReceipts(f *testing.F, kind smstest.Kind, seeds ...string) {
	f.Helper()
	fake := smstest.New(f, kind).Start()
	d := open(f, nil, fake)
	for _, s := range seeds {
		f.Add([]byte(s), true)
		f.Add([]byte(s), false)
	}
	f.Fuzz(func(t *testing.T, body []byte, form bool) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
		r.Header.Set("Content-Type", "application/json")
		if form {
			r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		}
		rest := d.lanes[0].hook.secret()
		switch kind {
		case smstest.Twilio:
			rest = "k"
			values, _ := url.ParseQuery(string(body))
			r.Header.Set("X-Twilio-Signature", twilioWith(fake.Password).sign(d.lanes[0].hook.url(rest), values))
		case smstest.Webhook:
			rest = ""
			at := "1795500000"
			d.setup.Now = func() time.Time { return time.Unix(1795500000, 0) }
			r.Header.Set("Webhook-Id", "m")
			r.Header.Set("Webhook-Timestamp", at)
			r.Header.Set("Webhook-Signature", smstest.StandardSignature(fake.Password, "m", at, body))
		case smstest.MessageMedia, smstest.ClickSend:
		}
		news, err := d.Receipt(r, string(kind), rest, body)
		if err != nil {
			if !errors.Is(err, fault.Invalid) && !errors.Is(err, fault.NotFound) || len(news) != 0 {
				t.Errorf("got %v, %v", news, err)
			}
			return
		}
		for _, n := range news {
			if n.State == "" || !keyForm.MatchString(n.Token) || n.Parts < 0 || len(n.Ref) > 100 || len(n.Said) > maxText || digits.MatchString(n.Said) {
				t.Errorf("got %+v", n)
			}
		}
	})
}

func FuzzTwilioReceipt(f *testing.F) {
	fuzzReceipts(f, smstest.Twilio, "MessageSid=SM1&MessageStatus=delivered&ErrorCode=", "MessageStatus=failed&ErrorCode=30001&ErrorCode=2")
}

func FuzzMessageMediaReceipt(f *testing.F) {
	fuzzReceipts(f, smstest.MessageMedia, `{"message_id":"x","status":"delivered","status_code":"220","metadata":{"key":"k"}}`)
}

func FuzzClickSendReceipt(f *testing.F) {
	fuzzReceipts(f, smstest.ClickSend, "message_id=A&status_code=201&custom_string=k", `{"status_code":301,"custom_string":"k"}`)
}

func FuzzWebhookReceipt(f *testing.F) {
	fuzzReceipts(f, smstest.Webhook, `{"reference":"k","status":"delivered","parts":1}`)
}
