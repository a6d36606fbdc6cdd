package mail

import (
	"bytes"
	"context"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"keyturn/internal/fault"
)

const (
	first  = "first.example:587"
	second = "second.example:587"
)

func TestALetterLeavesByTheSecondRelayWhenTheFirstFails(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		first  func(net.Conn) // nil refuses connections
		within time.Duration
	}{
		"connection refused":                    {nil, 0},
		"accepts and says nothing":              {script("silence"), 400 * time.Millisecond},
		"greets a letter at a time":             {drip, 400 * time.Millisecond},
		"hangs up before greeting":              {script(), 0},
		"not in service":                        {script("> 554 no service here"), 0},
		"too busy":                              {script("> 421 try later"), 0},
		"never answers EHLO":                    {script("> 220 hi", "silence"), 400 * time.Millisecond},
		"an answer without end":                 {script("> 220 hi", "< EHLO", "> 250-"+strings.Repeat("x", 1<<20), "silence"), 0},
		"answers without end":                   {script("> 220 hi", "< EHLO", "> "+strings.Repeat("250-x\r\n", 1<<17), "silence"), 0},
		"speaks something else":                 {script("> HTTP/1.1 400 Bad Request"), 0},
		"hangs up at MAIL":                      {after(greeted, "< MAIL"), 0},
		"temporary refusal at MAIL":             {after(greeted, "< MAIL", "> 451 4.3.0 later", "< RSET", "> 250 ok", "silence"), 0},
		"permanent refusal of the sender":       {after(greeted, "< MAIL", "> 550 5.7.1 not you", "< RSET", "> 250 ok", "silence"), 0},
		"wants authentication":                  {after(greeted, "< MAIL", "> 530 5.7.0 authenticate", "< RSET", "> 250 ok", "silence"), 0},
		"greylisted":                            {after(greeted, "< MAIL", "> 250 ok", "< RCPT", "> 450 4.2.0 later", "< RSET", "> 250 ok", "silence"), 0},
		"does not answer RSET after a refusal":  {after(greeted, "< MAIL", "> 250 ok", "< RCPT", "> 450 4.2.0 later", "silence"), 400 * time.Millisecond},
		"silent at MAIL":                        {after(greeted, "silence"), 8 * time.Second},
		"silent at DATA":                        {after(greeted, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "silence"), 8 * time.Second},
		"an odd yes to DATA":                    {after(greeted, "< MAIL", "> 250 ok", "< RCPT", "> 250 ok", "< DATA", "> 250 ok"), 0},
		"temporary refusal after the final dot": {after(announced, "< .", "> 451 4.3.0 disk", "silence"), 0},
		"blocked after the final dot":           {after(announced, "< .", "> 554 5.7.1 looks like spam", "silence"), 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.host(first, c.first)
				backup := newOffice(t)
				backup.serve(t, n, second)
				desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
				began := time.Now()
				accepted(t, desk, "k1", second)
				if took := time.Since(began); took > c.within {
					t.Errorf("it took %v, more than %v", took, c.within)
				}
				if got := len(backup.got()); got != 1 {
					t.Errorf("the second relay has %d letters", got)
				}
			})
		})
	}
}

func TestABreakInTheMiddleOfTheLetterIsBeforeTheDotAndFailsOver(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		first func(net.Conn)
		lines int
		took  time.Duration
	}{
		"hangs up":                  {after(announced, "< Date"), 10_000, 0},
		"stops reading":             {after(announced, "< Date", "deaf"), 10_000, 10 * time.Second},
		"reads nothing of a letter": {after(announced, "deaf"), 1, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.host(first, c.first)
				two := newOffice(t)
				two.serve(t, n, second)
				desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
				l := letter("k1")
				l.Text = strings.Repeat("ten thousand are more than any buffer holds\n", c.lines)
				began := time.Now()
				if r := send(t, desk, l); !r.Accepted || r.Relay != second || len(two.got()) != 1 {
					t.Errorf("got %+v", r)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
			})
		})
	}
}

// drip greets a byte at a time, each soon enough to keep a naive deadline alive.
func drip(c net.Conn) {
	defer c.Close() //nolint:errcheck // a test's own end of a pipe
	for _, b := range bytes.Repeat([]byte("220-hello\r\n"), 1000) {
		if _, err := c.Write([]byte{b}); err != nil {
			return
		}
		time.Sleep(100 * time.Millisecond) // the bubble's time
	}
}

func TestAPermanentRefusalOfTheRecipientIsTheLastWord(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		at   stage
		err  error
		want Receipt
	}{
		"no such mailbox":            {stageRcpt, says(550, 5, 1, 1, "no such user"), Receipt{Code: 550, Status: "5.1.1", Text: "no such user", Reason: NoSuchMailbox}},
		"mailbox full at RCPT":       {stageRcpt, says(552, 5, 2, 2, "over quota"), Receipt{Code: 552, Status: "5.2.2", Text: "over quota", Reason: MailboxFull}},
		"mailbox full after the dot": {stageAnswer, says(552, 5, 2, 2, "over quota"), Receipt{Code: 552, Status: "5.2.2", Text: "over quota", Reason: MailboxFull}},
		"domain takes no mail":       {stageRcpt, says(556, 5, 1, 10, "null MX"), Receipt{Code: 556, Status: "5.1.10", Text: "null MX", Reason: NoSuchMailbox}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				one, two := newOffice(t), newOffice(t)
				one.serve(t, n, first)
				two.serve(t, n, second)
				one.refusing(c.at, c.err)
				desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
				c.want.Relay, c.want.Permanent = first, true
				if got := send(t, desk, letter("k1")); got != c.want {
					t.Errorf("got %+v, want %+v", got, c.want)
				}
				if n.dialled(second) != 0 {
					t.Error("the second relay was asked about an address that does not exist")
				}
				// The connection is fit for the next letter.
				one.refusing(c.at, nil)
				accepted(t, desk, "k2", first)
				if n.dialled(first) != 1 {
					t.Error("the refusal cost the connection")
				}
			})
		})
	}
}

func TestWhenNoRelayTakesItTheKinderRefusalIsTold(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		one, two := newOffice(t), newOffice(t)
		one.serve(t, n, first)
		two.serve(t, n, second)
		one.refusing(stageRcpt, says(450, 4, 2, 2, "mailbox is full now"))
		two.refusing(stageMail, says(550, 5, 7, 1, "not you"))
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
		got := send(t, desk, letter("k1"))
		want := Receipt{Relay: first, Code: 450, Status: "4.2.2", Text: "mailbox is full now", Reason: MailboxFull}
		if got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
		n.host(second, nil) // an unreachable relay does not hide the answer either
		desk = carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
		if got := send(t, desk, letter("k2")); got != want {
			t.Errorf("got %+v, want %+v", got, want)
		}
	})
}

func TestALostAnswerToTheFinalDotIsUnknownAndGoesNowhereElse(t *testing.T) {
	t.Parallel()
	cases := map[string]struct {
		end    []string
		reason Reason
		took   time.Duration
	}{
		"hangs up":        {[]string{"< ."}, RelayDown, 0},
		"silence":         {[]string{"< .", "silence"}, Timeout, 20 * time.Second},
		"garbage":         {[]string{"< .", "> what?"}, RelayDown, 0},
		"an endless word": {[]string{"< .", "> " + strings.Repeat("250-x\r\n", 1<<17)}, RelayDown, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.host(first, after(announced, c.end...))
				two := newOffice(t)
				two.serve(t, n, second)
				desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
				began := time.Now()
				got := send(t, desk, letter("k1"))
				if want := (Receipt{Relay: first, Unknown: true, Reason: c.reason}); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				if took := time.Since(began); took != c.took {
					t.Errorf("it took %v, want %v", took, c.took)
				}
				if len(two.got()) != 0 {
					t.Error("the letter was sent a second time")
				}
				accepted(t, desk, "k2", second) // and the first relay rests
			})
		})
	}
}

func TestWithAllRelaysDownTheErrorIsBusyAndNamesThem(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.host(first, script("silence"))
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
		began := time.Now()
		r, err := desk.Send(t.Context(), letter("k1"))
		if !is(err, fault.Busy) || r.Accepted || r.Unknown {
			t.Fatalf("got %+v, %v", r, err)
		}
		if took := time.Since(began); took != 8*time.Second {
			t.Errorf("it took %v; the budget of Connect is 8 s", took)
		}
		if r.Relay != first || r.Reason != Timeout {
			t.Errorf("the receipt tells %+v", r)
		}
		for _, relay := range []string{first, second} {
			if !strings.Contains(err.Error(), relay) {
				t.Errorf("%q does not name %s", err, relay)
			}
		}
	})
}

func TestTheCallersEndIsTheEnd(t *testing.T) {
	t.Parallel()
	for name, relay := range map[string]func(net.Conn){
		"before the greeting": script("silence"),
		"at MAIL":             after(greeted, "silence"),
		"at DATA":             after(announced[:7], "silence"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				n := newNetwork(t)
				n.host(first, relay)
				desk := carrier(t, Options{Dial: n.dial}, open("first.example"))
				ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
				defer stop()
				began := time.Now()
				_, err := desk.Send(ctx, letter("k1"))
				if !is(err, fault.Busy, context.DeadlineExceeded) {
					t.Errorf("got %v", err)
				}
				if took := time.Since(began); took != 3*time.Second {
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestTheCallersEndAfterTheDotIsAnUnknownOutcome(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := newNetwork(t)
		n.host(first, after(announced, "< .", "silence"))
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"))
		ctx, stop := context.WithTimeout(t.Context(), 3*time.Second)
		defer stop()
		r, err := desk.Send(ctx, letter("k1"))
		if err != nil || !r.Unknown || r.Accepted {
			t.Errorf("got %+v, %v", r, err)
		}
	})
}

func TestALetterIsNeverHandedOverAfterItsDeadline(t *testing.T) {
	t.Parallel()
	late := func(t *testing.T, relay func(net.Conn), ahead time.Duration) (*network, error) {
		t.Helper()
		n := newNetwork(t)
		n.host(first, relay)
		n.host(second, relay)
		desk := carrier(t, Options{Dial: n.dial}, open("first.example"), open("second.example"))
		l := letter("k1")
		l.Deadline = time.Now().Add(ahead)
		began := time.Now()
		_, err := desk.Send(t.Context(), l)
		if took := time.Since(began); took > max(ahead, 0) {
			t.Errorf("it took %v", took)
		}
		return n, err
	}
	t.Run("it is over already", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n, err := late(t, script("silence"), 0)
			if !is(err, Late) || n.dialled(first) != 0 {
				t.Errorf("got %v after %d dials", err, n.dialled(first))
			}
		})
	})
	for name, relay := range map[string]func(net.Conn){
		"it passes before the greeting": script("silence"),
		"it passes at DATA":             after(announced[:7], "silence"),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				if _, err := late(t, relay, 3*time.Second); !is(err, Late) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
	t.Run("it passes by the product's clock alone", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			var jumped atomic.Bool
			n := newNetwork(t)
			n.host(first, func(c net.Conn) {
				script(announced[:6]...)(&unclosed{c})
				jumped.Store(true)
				script("> 250 ok", "< DATA", "> 354 go on", "< .", "> 250 ok")(c)
			})
			desk := carrier(t, Options{Dial: n.dial, Now: func() time.Time {
				if jumped.Load() {
					return time.Now().Add(time.Hour)
				}
				return time.Now()
			}}, open("first.example"))
			l := letter("k1")
			l.Deadline = time.Now().Add(time.Minute)
			if r, err := desk.Send(t.Context(), l); !is(err, Late) {
				t.Errorf("got %+v, %v", r, err)
			}
		})
	})
	t.Run("it passes while the answer to the dot is awaited, which still counts", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			n := newNetwork(t)
			n.host(first, func(c net.Conn) {
				after(announced, "< .")(&lastWord{Conn: c, wait: 5 * time.Second})
			})
			desk := carrier(t, Options{Dial: n.dial}, open("first.example"))
			l := letter("k1")
			l.Deadline = time.Now().Add(3 * time.Second)
			if r := send(t, desk, l); !r.Accepted {
				t.Errorf("got %+v", r)
			}
		})
	})
}

// lastWord says yes, after a while, where its script would hang up.
type lastWord struct {
	net.Conn
	wait time.Duration
}

func (l *lastWord) Close() error {
	time.Sleep(l.wait) // the bubble's time
	_, _ = l.Write([]byte("250 2.0.0 queued\r\n"))
	return l.Conn.Close()
}
