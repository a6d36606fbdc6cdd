package mail

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// mailpit starts a real mail server, if there is one on this machine, and gives its
// SMTP address and the root of its REST API.
func mailpit(t *testing.T) (smtpAddr, api string) {
	t.Helper()
	binary := os.Getenv("KEYTURN_TEST_MAILPIT")
	if binary == "" {
		found, err := exec.LookPath("mailpit")
		if err != nil {
			if os.Getenv("KEYTURN_TEST_REQUIRE") == "all" {
				t.Fatal("no mailpit, and KEYTURN_TEST_REQUIRE=all demands it")
			}
			t.Skip("no mailpit: set KEYTURN_TEST_MAILPIT to its path to run this test")
		}
		binary = found
	}
	smtpAddr, web := freeAddr(t), freeAddr(t)
	cmd := exec.CommandContext(t.Context(), binary, "--smtp", smtpAddr, "--listen", web, "--database", filepath.Join(t.TempDir(), "mail.db"), "--disable-version-check")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // t.Context has ended it by then
	waitFor(t, out, "[smtpd]", "[http] accessible")
	go func() { _, _ = io.Copy(io.Discard, out) }()
	return smtpAddr, "http://" + web + "/api/v1"
}

// waitFor reads until all words have been said.
func waitFor(t *testing.T, out io.Reader, all ...string) {
	t.Helper()
	var said strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := out.Read(buf)
		said.Write(buf[:n])
		missing := false
		for _, w := range all {
			missing = missing || !strings.Contains(said.String(), w)
		}
		if !missing {
			return
		}
		if err != nil {
			t.Fatalf("mailpit: %v after %q", err, said.String())
		}
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }() // only its number was wanted
	return l.Addr().String()
}

func fetch(t *testing.T, url string, into any) {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
	defer stop()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if resp.StatusCode != http.StatusOK {
		t.Fatalf("GET %s: %s", url, resp.Status)
	}
	if err := json.NewDecoder(resp.Body).Decode(into); err != nil {
		t.Fatal(err)
	}
}

func TestARealMailServerReadsTheLetterAsItWasWritten(t *testing.T) {
	t.Parallel()
	addr, api := mailpit(t)
	relays, err := ParseRelays("smtp://" + addr + "?tls=none")
	if err != nil {
		t.Fatal(err)
	}
	desk := carrier(t, Options{}, relays...)
	l := Letter{
		Key: "0192-real", FromName: "Zoë's Garage, \"Bayside\"", To: "sam@bayside.example", Auto: true,
		Subject: "482 913 is your Bäyside Auto sign-in code — asked at 10:02",
		Text:    "Your code is 482 913.\n.\n..\nFrom here on: ümlauts, 日本語, =3D and a line that is a good deal longer than seventy-six characters, so that it is folded.\n",
		HTML:    "<!doctype html>\n<p>Your code is <b>482 913</b> — ümlauts, 日本語</p>\n",
	}
	if r := send(t, desk, l); !r.Accepted || r.Code != 250 {
		t.Fatalf("got %+v", r)
	}

	var list struct {
		Messages []struct{ ID string }
	}
	fetch(t, api+"/messages", &list)
	if len(list.Messages) != 1 {
		t.Fatalf("%d messages", len(list.Messages))
	}
	type person struct{ Name, Address string }
	var got struct {
		MessageID, Subject, Text, HTML string
		From                           person
		To                             []person
	}
	fetch(t, api+"/message/"+list.Messages[0].ID, &got)
	lines := func(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }
	if got.Subject != l.Subject || lines(got.Text) != l.Text || lines(got.HTML) != l.HTML || got.MessageID != "0192-real@keyturn.example" {
		t.Errorf("got %+v", got)
	}
	if got.From != (person{l.FromName, sender}) || len(got.To) != 1 || got.To[0] != (person{"", l.To}) {
		t.Errorf("from %+v to %+v", got.From, got.To)
	}
	var headers map[string][]string
	fetch(t, api+"/message/"+list.Messages[0].ID+"/headers", &headers)
	if a := headers["Auto-Submitted"]; len(a) != 1 || a[0] != "auto-generated" {
		t.Errorf("headers %v", headers)
	}
	for _, name := range []string{"User-Agent", "X-Mailer", "Bcc", "Cc"} {
		if headers[name] != nil {
			t.Errorf("there is a header %s: %v", name, headers[name])
		}
	}
}
