package sms

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/sms/smstest"
)

const (
	number = "+61491570156" // for fiction (ACMA)
	code   = "482913"
)

var kinds = []smstest.Kind{smstest.Twilio, smstest.MessageMedia, smstest.ClickSend, smstest.Webhook}

// desk is a Carrier over fakes, with what it logged.
type desk struct {
	*Carrier
	log  *bytes.Buffer
	slow map[string]bool
}

func public(t testing.TB) *url.URL {
	t.Helper()
	u, err := url.Parse("http://127.0.0.1:8080")
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// open makes a Carrier, whose public address is on loopback as the fakes are.
func open(t testing.TB, change func(*Setup), fakes ...*smstest.Fake) *desk {
	t.Helper()
	keys, err := secret.Memory()
	if err != nil {
		t.Fatal(err)
	}
	d := &desk{log: &bytes.Buffer{}, slow: map[string]bool{}}
	setup := Setup{
		Public: public(t), HookSecret: keys, Now: time.Now,
		Log:  slog.New(slog.NewTextHandler(d.log, nil)),
		Slow: func(name string) bool { return d.slow[name] },
	}
	if change != nil {
		change(&setup)
	}
	var urls []string
	for _, f := range fakes {
		urls = append(urls, f.URL())
	}
	if d.Carrier, err = Open([]secret.Text{secret.NewText(strings.Join(urls, ","))}, setup); err != nil {
		t.Fatal(err)
	}
	for i, f := range fakes {
		f.Rule(d.lanes[i].hook.url(d.lanes[i].hook.secret()))
	}
	return d
}

func text(key string) message.Text {
	return message.Text{
		Key: key, To: number, Deadline: time.Now().Add(5 * time.Minute),
		Body: "Keyturn code " + code + " for Bayside Motors.\n\n@id.bayside.example #" + code,
	}
}

// sends hands a text over, and checks that nothing of it leaks.
func (d *desk) sends(ctx context.Context, t testing.TB, m message.Text) message.Receipt {
	t.Helper()
	r, err := d.Text(ctx, m)
	if err != nil {
		t.Fatal(err)
	}
	for what, s := range map[string]string{"the receipt": r.Text + r.Ref, "the log": d.log.String()} {
		for _, private := range []string{code, number, number[1:]} {
			if strings.Contains(s, private) {
				t.Errorf("%s holds %q: %s", what, private, s)
			}
		}
	}
	return r
}

// receives gives a receipt's request to the Carrier, as the web would.
func (d *desk) receives(t testing.TB, r *http.Request) ([]message.News, error) {
	t.Helper()
	_, path, ok := strings.Cut(r.URL.Path, "/hooks/sms/")
	if !ok {
		t.Fatalf("the receipt goes to %s", r.URL.Path)
	}
	provider, rest, _ := strings.Cut(path, "/")
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	return d.Receipt(r, provider, rest, body)
}

// twilioWith is a Twilio with this token.
func twilioWith(token string) *twilio {
	return &twilio{given{password: secret.NewText(token)}}
}
