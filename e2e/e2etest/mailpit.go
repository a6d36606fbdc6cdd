package e2etest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// MailpitVariable names the environment variable with the path of mailpit.
const MailpitVariable = "KEYTURN_TEST_MAILPIT"

// Mailpit is a real mail server in a process of its own.
type Mailpit struct {
	// URL is what KEYTURN_SMTP_URL takes.
	URL string

	api string
}

// StartMailpit starts mailpit for the length of a test, which is skipped (see Missing)
// where it is not installed.
func StartMailpit(t testing.TB) *Mailpit {
	t.Helper()
	path := findMailpit()
	if path == "" {
		Missing(t, "mailpit is not here: set "+MailpitVariable+" to its path")
	}
	smtpAddr, webAddr := FreeAddr(t), FreeAddr(t)
	cmd := exec.CommandContext(t.Context(), path,
		"--smtp", smtpAddr, "--listen", webAddr, "--database", filepath.Join(t.TempDir(), "mail.db"), "--disable-version-check")
	var log tail
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatalf("start mailpit: %v", err)
	}
	t.Cleanup(func() { _ = cmd.Wait() }) // the test's context has ended it by then
	m := &Mailpit{URL: "smtp://" + smtpAddr + "?tls=none", api: "http://" + webAddr + "/api/v1"}
	Until(t, "mailpit to be ready", func() bool { return m.read(t, "/info", new(any)) == nil })
	return m
}

// findMailpit looks where the suite's scripts put it.
func findMailpit() string {
	if given := os.Getenv(MailpitVariable); given != "" {
		return given
	}
	if found, err := exec.LookPath("mailpit"); err == nil {
		return found
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return ""
	}
	places := []string{"/tmp/tools/mailpit"}
	for _, pattern := range []string{"mailpit*", "mailpit*/mailpit"} {
		found, err := filepath.Glob(filepath.Join(cache, "keyturn", "tools", pattern))
		if err == nil {
			places = append(places, found...)
		}
	}
	for _, place := range slices.Backward(places) {
		if info, err := os.Stat(place); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return place
		}
	}
	return ""
}

// Letters implements Mailbox.
func (m *Mailpit) Letters(t testing.TB, to string) []Letter {
	t.Helper()
	var page struct {
		Messages []struct {
			ID, MessageID, Subject string
			To                     []struct{ Address string }
		} `json:"messages"`
	}
	if err := m.read(t, "/messages?limit=500", &page); err != nil {
		t.Fatalf("read mailpit's list: %v", err)
	}
	var found []Letter
	for _, one := range slices.Backward(page.Messages) {
		if len(one.To) != 1 || one.To[0].Address != to {
			continue
		}
		var whole struct{ Text string }
		if err := m.read(t, "/message/"+one.ID, &whole); err != nil {
			t.Fatalf("read a mail of mailpit's: %v", err)
		}
		found = append(found, Letter{To: to, MessageID: one.MessageID, Subject: one.Subject, Text: whole.Text})
	}
	return found
}

func (m *Mailpit) read(t testing.TB, path string, into any) error {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, m.api+path, nil)
	if err != nil {
		return err
	}
	w, err := plainClient.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = w.Body.Close() }()
	if w.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %w", w.Status, errNoPost)
	}
	return json.NewDecoder(w.Body).Decode(into)
}
