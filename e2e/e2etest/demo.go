package e2etest

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// Demo is a running "keyturn demo", with people, an inbox and a clock of its own.
type Demo struct {
	// URL is where it answers, without a slash at the end.
	URL string `json:"url"`
	// Inbox is the address of the list of messages.
	Inbox string `json:"inbox"`
	// Password is everybody's.
	Password string `json:"password"`
	// Users are the people who can sign in.
	Users []DemoUser `json:"users"`
	// Example is where the product beside it answers; empty: none runs.
	Example string `json:"example"`

	ahead time.Duration
	log   *tail
}

// Log is the end of what it has said, and the product beside it.
func (d *Demo) Log() string { return d.log.String() }

// Now is the time by the demo's clock.
func (d *Demo) Now() time.Time { return time.Now().Add(d.ahead) }

// DemoUser is one user of a demo, once for each site.
type DemoUser struct {
	Email  string `json:"email"`
	Mobile string `json:"mobile"`
	Site   string `json:"site"`
	Group  string `json:"group"`
	Kind   string `json:"kind"`
	Note   string `json:"note"`
}

// Message is one message that a demo has delivered.
type Message struct {
	Channel string `json:"channel"`
	To      string `json:"to"`
	Subject string `json:"subject"`
	Text    string `json:"text"`
	At      string `json:"at"`
}

// Patience is how long the tests wait for what another process does at once.
const Patience = 20 * time.Second

// StartDemo runs a demo of its own for one test, with more arguments perhaps, and ends it
// with the test.
func StartDemo(tb testing.TB, args ...string) *Demo {
	tb.Helper()
	args = append([]string{"demo", "--json", "--addr", "127.0.0.1:0"}, args...)
	cmd := exec.CommandContext(context.WithoutCancel(tb.Context()), Binary(tb), args...)
	// The demo reads no KEYTURN_ variable; that one of the suite's own is set must not matter.
	cmd.Env = os.Environ()
	var log tail
	cmd.Stderr = &log
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatalf("start the demo: %v", err)
	}
	tb.Cleanup(func() { endProcess(tb, cmd, &log) })
	line := make(chan string, 1)
	go func() {
		first, _ := bufio.NewReader(out).ReadString('\n')
		line <- first
		_, _ = io.Copy(io.Discard, out)
	}()
	select {
	case first := <-line:
		d := new(Demo)
		if err := json.Unmarshal([]byte(first), d); err != nil {
			tb.Fatalf("the demo's first line is not as promised: %v\n%s\n%s", err, first, log.String())
		}
		d.URL, d.log = strings.TrimSuffix(d.URL, "/"), &log
		return d
	case <-time.After(Patience):
		tb.Fatalf("the demo was not ready in %s\n%s", Patience, log.String())
		return nil
	}
}

// StartShop is StartDemo with the example of a product beside it.
func StartShop(tb testing.TB) *Demo {
	tb.Helper()
	return StartDemo(tb, "--example", Workshop(tb), "--example-addr", FreeAddr(tb))
}

// endProcess asks a process to end, and makes it when it does not.
func endProcess(tb testing.TB, cmd *exec.Cmd, log *tail) {
	tb.Helper()
	_ = cmd.Process.Signal(syscall.SIGTERM) // it may have ended by itself
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if err != nil {
			tb.Errorf("%s did not end well: %v", cmd.Path, err)
		}
	case <-time.After(Patience):
		_ = cmd.Process.Kill()
		tb.Errorf("%s did not end in %s", cmd.Path, Patience)
	}
	if tb.Failed() && log.String() != "" {
		tb.Logf("what it said:\n%s", log.String())
	}
}

// At is the demo's user with an email at a site whose name has a piece in it.
func (d *Demo) At(tb testing.TB, email, sitePiece string) DemoUser {
	tb.Helper()
	i := slices.IndexFunc(d.Users, func(u DemoUser) bool {
		return u.Email == email && strings.Contains(u.Site, sitePiece)
	})
	if i < 0 {
		tb.Fatalf("the demo has no user %s at %s", email, sitePiece)
	}
	return d.Users[i]
}

// Messages are the messages to an address, newest first.
func (d *Demo) Messages(tb testing.TB, to string) []Message {
	tb.Helper()
	var all []Message
	body := Get(tb, d.Inbox+"?to="+url.QueryEscape(to))
	if err := json.Unmarshal([]byte(body), &all); err != nil {
		tb.Fatalf("read the inbox: %v\n%.300s", err, body)
	}
	return all
}

var sixDigits = regexp.MustCompile(`\b(\d{3})[ \x{00a0}]?(\d{3})\b`)

// NextCode waits until an address has more messages than it had, and reads the code from
// the newest.
func (d *Demo) NextCode(tb testing.TB, to string, had int) string {
	tb.Helper()
	var all []Message
	Until(tb, fmt.Sprintf("message %d to %s", had+1, to), func() bool {
		all = d.Messages(tb, to)
		return len(all) > had
	})
	found := sixDigits.FindStringSubmatch(all[0].Subject + " " + all[0].Text)
	if found == nil {
		tb.Fatalf("no code in the message %q %q", all[0].Subject, all[0].Text)
	}
	return found[1] + found[2]
}

// Advance moves the demo's clock forward: "31m".
func (d *Demo) Advance(tb testing.TB, by string) {
	tb.Helper()
	d.post(tb, "/demo/clock", url.Values{"advance": {by}})
	if more, err := time.ParseDuration(by); err == nil {
		d.ahead += more
	}
}

// post sends a form to the demo as its desk would.
func (d *Demo) post(tb testing.TB, path string, form url.Values) {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodPost, d.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", d.URL)
	answer(tb, r)
}

// Get reads an address that must answer with success.
func Get(tb testing.TB, address string) string {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, address, nil)
	if err != nil {
		tb.Fatal(err)
	}
	return answer(tb, r)
}

func answer(tb testing.TB, r *http.Request) string {
	tb.Helper()
	w, err := http.DefaultClient.Do(r)
	if err != nil {
		tb.Fatal(err)
	}
	defer func() { _ = w.Body.Close() }()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		tb.Fatal(err)
	}
	if w.StatusCode >= http.StatusBadRequest {
		tb.Fatalf("%s %s answered %s:\n%.500s", r.Method, r.URL, w.Status, body)
	}
	return string(body)
}

// Until waits for something that another process does, and fails the test when it does
// not come.
func Until(tb testing.TB, what string, done func() bool) {
	tb.Helper()
	if !within(done) {
		tb.Fatalf("waited %s for %s", Patience, what)
	}
}

// within asks again and again until it is done, and says whether it was in time.
func within(done func() bool) bool { return asks(Patience, done) }

// Between two askings it is first askSoon and then a quarter longer each time, up to
// askLate: what takes a minute must not be asked for a thousand times, since each asking
// keeps the machine from what is waited for.
const (
	askSoon = 20 * time.Millisecond
	askLate = 400 * time.Millisecond
)

// asks asks until it is done or patience ends, and says whether it was done.
func asks(patience time.Duration, done func() bool) bool {
	end := time.After(patience)
	for pause := askSoon; !done(); pause = min(pause+pause/4, askLate) {
		select {
		case <-time.After(pause):
		case <-end:
			return false
		}
	}
	return true
}
