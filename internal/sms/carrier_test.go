package sms

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/internal/fault"
	"keyturn/internal/message"
	"keyturn/internal/secret"
	"keyturn/internal/sms/smstest"
)

func TestWhatAnAnswerMeans(t *testing.T) {
	t.Parallel()
	type meaning struct {
		accepted, unknown, permanent, next, rests bool
		reason                                    message.Reason
	}
	const down, other = message.CarrierDown, message.Other
	usual := map[smstest.Way]meaning{
		smstest.Take:         {accepted: true},
		smstest.TakeSlowly:   {accepted: true},
		smstest.TakeHangUp:   {unknown: true, reason: down, rests: true},
		smstest.HangUp:       {unknown: true, reason: down, rests: true},
		smstest.TakeBroken:   {unknown: true, next: true, reason: down, rests: true},
		smstest.Broken:       {unknown: true, next: true, reason: down, rests: true},
		smstest.BadGateway:   {unknown: true, next: true, reason: down, rests: true},
		smstest.TakeGarbled:  {unknown: true, reason: other, rests: true},
		smstest.TooMany:      {next: true, reason: down, rests: true},
		smstest.Unavailable:  {next: true, reason: down, rests: true},
		smstest.Unauthorized: {next: true, reason: message.Auth, rests: true},
		smstest.RefuseNumber: {permanent: true, reason: message.NumberInvalid},
		smstest.RefuseOther:  {next: true, reason: message.Blocked},
		smstest.RefuseInside: {next: true, reason: down, rests: true},
		smstest.Redirect:     {next: true, reason: other, rests: true},
	}
	differs := map[smstest.Kind]map[smstest.Way]meaning{
		smstest.MessageMedia: {
			// Its words for a bad number are not documented, so that the next one is asked.
			smstest.RefuseNumber: {next: true, reason: other},
			smstest.RefuseOther:  {next: true, reason: other},
			smstest.RefuseInside: {next: true, reason: other},
		},
		smstest.Webhook: {
			smstest.TakeGarbled:  {accepted: true}, // its status is enough
			smstest.RefuseOther:  {next: true, reason: other},
			smstest.RefuseInside: {next: true, reason: other},
		},
	}
	for _, kind := range kinds {
		for way, want := range usual {
			if special, ok := differs[kind][way]; ok {
				want = special
			}
			t.Run(fmt.Sprintf("%s %s", kind, way), func(t *testing.T) {
				t.Parallel()
				one, other := smstest.New(t, kind).Start(), smstest.NewTwilio(t)
				d := open(t, nil, one, other)
				one.Then(way)
				r := d.sends(t.Context(), t, text("key-1"))
				got := meaning{r.Accepted, r.Unknown, r.Permanent, r.Next == 1, d.lanes[0].health.resting(time.Now()), r.Reason}
				if got != want {
					t.Errorf("got %+v\nwant %+v\nfrom %+v", got, want, r)
				}
				if !got.next && r.Next != none {
					t.Errorf("next is %d", r.Next)
				}
				if r.Relay != string(kind) || len(other.Asked()) != 0 {
					t.Errorf("it went to %s, and to the next %d times", r.Relay, len(other.Asked()))
				}
				if r.Accepted && way == smstest.Take && kind != smstest.MessageMedia && r.Parts != 1 {
					t.Errorf("it has %d parts", r.Parts)
				}
				if taken := one.Taken(); r.Accepted && way == smstest.Take && (len(taken) != 1 || taken[0].ID != r.Ref || taken[0].Key != "key-1" || taken[0].Body != text("").Body) {
					t.Errorf("the provider's log: %+v", taken)
				}
				if (r.Code == 0) != strings.HasSuffix(string(way), "hangs up") {
					t.Errorf("the status is %d", r.Code)
				}
			})
		}
	}
}

func TestTwilioSaysWhyInItsOwnCodes(t *testing.T) {
	t.Parallel()
	p := &twilio{}
	for code, want := range map[string]cause{
		"21211": {why: message.NumberInvalid, final: true},
		"21614": {why: message.NumberInvalid, final: true},
		"21635": {why: message.NumberInvalid, final: true},
		"21610": {why: message.OptedOut, final: true},
		"21408": {why: message.Blocked},
		"21612": {why: message.Blocked},
		"20429": {why: message.CarrierDown, blame: true},
		"30004": {why: message.NumberBlocked, final: true},
		"30006": {why: message.NumberInvalid, final: true},
		"99999": {why: message.Other},
	} {
		body := `{"code": ` + code + `, "message": "To ` + number + ` said ` + code + `", "status": 400}`
		v := p.judge(answer{status: http.StatusBadRequest, body: []byte(body)})
		if v.Reason != want.why || v.Permanent != want.final || v.next == want.final || v.blame != want.blame || v.Accepted || v.Unknown {
			t.Errorf("%s: got %+v", code, v)
		}
		if v.Text != code+": To +… said "+code {
			t.Errorf("%s: said %q", code, v.Text)
		}
	}
}

func TestATextByAMessagingServiceHasNoCountedParts(t *testing.T) {
	t.Parallel()
	f := smstest.NewTwilio(t)
	f.From = service
	if r := open(t, nil, f).sends(t.Context(), t, text("k")); !r.Accepted || r.Parts != 0 {
		t.Errorf("got %+v", r)
	}
}

func TestAProviderThatIsNotThereTookNothing(t *testing.T) {
	t.Parallel()
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		gone, next := smstest.NewTwilio(t), smstest.NewClickSend(t)
		d := open(t, nil, gone, next)
		gone.Down()
		r := d.sends(t.Context(), t, text("k"))
		if r.Accepted || r.Unknown || r.Permanent || r.Next != 1 || r.Reason != message.CarrierDown {
			t.Errorf("got %+v", r)
		}
		m := text("k2")
		m.After = r.Next
		if r = d.sends(t.Context(), t, m); !r.Accepted || r.Relay != "clicksend" {
			t.Errorf("got %+v", r)
		}
	})
	for name, want := range map[string]message.Reason{
		"https://no-such-host.invalid": message.CarrierDown,
		"TLS":                          message.TLS,
		"certificate":                  message.TLS,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := smstest.New(t, smstest.MessageMedia)
			at := name
			switch name {
			case "TLS":
				at = strings.Replace(smstest.NewTwilio(t).BaseURL(), "http:", "https:", 1) // speaks no TLS
			case "certificate":
				server := httptest.NewTLSServer(f) // by nobody that is trusted
				server.Config.ErrorLog = log.New(io.Discard, "", 0)
				t.Cleanup(server.Close)
				at = server.URL
			}
			c, err := opened(t, "http://localhost", f.URLAt(at))
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.Text(t.Context(), text("k"))
			if err != nil || r.Unknown || r.Accepted || r.Next != none || r.Reason != want && !strings.Contains(name, "invalid") || len(f.Asked()) != 0 {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	}
}

// pipes is a network in memory, so that time is the bubble's.
type pipes struct {
	conns chan net.Conn
	end   func()
}

func newPipes() pipes {
	conns := make(chan net.Conn)
	return pipes{conns, sync.OnceFunc(func() { close(conns) })}
}

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p.conns
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}
func (p pipes) Close() error   { p.end(); return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func TestSilenceAfterTheRequestLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	for _, kind := range kinds {
		for _, way := range []smstest.Way{smstest.TakeSilent, smstest.Silent} {
			synctest.Test(t, func(t *testing.T) {
				f := smstest.New(t, kind)
				f.Then(way)
				p := newPipes()
				server := &http.Server{Handler: f}
				var served sync.WaitGroup
				served.Go(func() { _ = server.Serve(p) })
				transport := &http.Transport{DialContext: func(context.Context, string, string) (net.Conn, error) {
					near, far := net.Pipe()
					p.conns <- far
					return near, nil
				}}
				keys, err := secret.Memory()
				if err != nil {
					t.Fatal(err)
				}
				c, err := Open([]secret.Text{secret.NewText(f.URLAt("http://localhost"))}, Setup{
					HookSecret: keys, Now: time.Now, Client: &http.Client{Transport: transport},
				})
				if err != nil {
					t.Fatal(err)
				}
				began := time.Now()
				r, err := c.Text(t.Context(), text("k"))
				if err != nil || !r.Unknown || r.Accepted || r.Next != none || r.Reason != message.Timeout {
					t.Errorf("%s %s: got %+v, %v", kind, way, r, err)
				}
				if took := time.Since(began); took != whole {
					t.Errorf("it took %v", took)
				}
				transport.CloseIdleConnections()
				_ = server.Close()
				served.Wait()
			})
		}
	}
}

func TestAProviderThatDoesNotFinishTheHandshakeTookNothing(t *testing.T) {
	t.Parallel()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			t.Cleanup(func() { _ = c.Close() }) // and says nothing
		}
	}()
	f := smstest.New(t, smstest.ClickSend)
	c, err := opened(t, "http://localhost", f.URLAt("https://"+l.Addr().String()))
	if err != nil {
		t.Fatal(err)
	}
	c.client.Transport.(*http.Transport).TLSHandshakeTimeout = 20 * time.Millisecond //nolint:forcetypeassert,errcheck // newClient makes it
	r, err := c.Text(t.Context(), text("k"))
	if err != nil || r.Unknown || r.Reason != message.Timeout {
		t.Errorf("got %+v, %v", r, err)
	}
}

func TestADeadlineIsKept(t *testing.T) {
	t.Parallel()
	f := smstest.NewTwilio(t)
	now := time.Now()
	d := open(t, func(s *Setup) { s.Now = func() time.Time { return now } }, f)
	m := text("k")
	for _, m.Deadline = range []time.Time{now, now.Add(-time.Hour)} {
		if r, err := d.Text(t.Context(), m); !errors.Is(err, message.Late) || r.Accepted || r.Unknown {
			t.Errorf("got %+v, %v", r, err)
		}
	}
	if n := len(f.Asked()); n != 0 {
		t.Errorf("it was handed over %d times", n)
	}
	for left, want := range map[time.Duration]time.Duration{
		1500 * time.Millisecond: time.Second, 5 * time.Minute: 5 * time.Minute, 48 * time.Hour: 10 * time.Hour,
	} {
		m.Deadline = now.Add(left)
		d.sends(t.Context(), t, m)
		all := f.Asked()
		if got := time.Until(all[len(all)-1].Until); (got - want).Abs() > 5*time.Second {
			t.Errorf("%v before the deadline Twilio is told to wait %v", left, got)
		}
	}
	m.Deadline = time.Time{}
	d.sends(t.Context(), t, m)
	if all := f.Asked(); !all[len(all)-1].Until.IsZero() {
		t.Error("a text without a deadline has a validity")
	}
}

func TestAnAnswerAfterTheDeadlineLeavesTheOutcomeOpen(t *testing.T) {
	t.Parallel()
	f := smstest.NewClickSend(t)
	f.Then(smstest.TakeSilent)
	d, m := open(t, nil, f), text("k")
	m.Deadline = time.Now().Add(300 * time.Millisecond)
	if r := d.sends(t.Context(), t, m); !r.Unknown || r.Reason != message.Timeout || r.Next != none {
		t.Errorf("got %+v", r)
	}
}

func TestATextThatCannotBeSentIsRefused(t *testing.T) {
	t.Parallel()
	f := smstest.NewTwilio(t)
	d := open(t, nil, f)
	for name, change := range map[string]func(*message.Text){
		"a national number":    func(m *message.Text) { m.To = "0491570156" },
		"a number and more":    func(m *message.Text) { m.To = number + "&x=1" },
		"two lines":            func(m *message.Text) { m.To = number + "\n" },
		"no text":              func(m *message.Text) { m.Body = "" },
		"a text far too long":  func(m *message.Text) { m.Body = strings.Repeat("x", mostBody+1) },
		"a text that is bytes": func(m *message.Text) { m.Body = "\xff" },
		"no key":               func(m *message.Text) { m.Key = "" },
		"a key that is a path": func(m *message.Text) { m.Key = "../x" },
	} {
		m := text("k")
		change(&m)
		if _, err := d.Text(t.Context(), m); !errors.Is(err, fault.Invalid) || strings.Contains(err.Error(), "491570") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	if n := len(f.Asked()); n != 0 {
		t.Errorf("%d were handed over", n)
	}
}

func TestATextWhoseSenderGoesAwayIsGivenAgain(t *testing.T) {
	t.Parallel()
	d := open(t, nil, smstest.NewTwilio(t))
	ctx, stop := context.WithCancel(t.Context())
	stop()
	r, err := d.Text(ctx, text("k"))
	if !errors.Is(err, fault.Busy) || !errors.Is(err, context.Canceled) || r.Unknown || d.lanes[0].health.resting(time.Now()) {
		t.Errorf("got %+v, %v", r, err)
	}
}

func FuzzAnswers(f *testing.F) {
	f.Add(201, []byte(`{"sid":"SM1","status":"queued","num_segments":"1","error_code":null}`))
	f.Add(400, []byte(`{"code":21211,"message":"Invalid 'To' Phone Number: +61491570156"}`))
	f.Add(202, []byte(`{"messages":[{"message_id":"x","status":"queued"}]}`))
	f.Add(200, []byte(`{"response_code":"SUCCESS","data":{"messages":[{"message_id":"x","status":"SUCCESS","message_parts":"1"}]}}`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, p := range []provider{&twilio{}, &messageMedia{}, &clickSend{}, &webhook{}} {
			l := lane{speaks: p}
			v := l.judge(answer{status: 100 + (status&0x3ff)%500, body: body, written: true})
			n := 0
			for _, is := range []bool{v.Accepted, v.Unknown, v.Permanent} {
				if is {
					n++
				}
			}
			if n > 1 || (v.Accepted != (v.Reason == "")) || (v.Accepted && v.next) || (v.Permanent && v.next) {
				t.Errorf("%T: got %+v", p, v)
			}
			if digits.MatchString(v.Text) || len(v.Text) > maxText || bytes.ContainsAny([]byte(v.Text), "\n\r\x1b") || v.Parts < 0 {
				t.Errorf("%T: got %+v", p, v)
			}
		}
	})
}
