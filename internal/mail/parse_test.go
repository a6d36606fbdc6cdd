package mail

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"keyturn/internal/fault"
)

func TestRelaysAreReadInOrder(t *testing.T) {
	t.Parallel()
	got, err := ParseRelays("smtp://user:p%2Css%40@Mail.Example:2525?tls=required&server_name=other.example, smtps://backup.example ,smtp://[::1]?tls=none,smtp://mailpit:1025?tls=none&insecure=yes,smtp://u:p@127.0.0.1:1025?tls=none")
	if err != nil {
		t.Fatal(err)
	}
	want := []Relay{
		{host: "mail.example", port: "2525", user: "user", password: "p,ss@", serverName: "other.example"},
		{host: "backup.example", port: "465", privacy: implicit},
		{host: "::1", port: "587", privacy: plain},
		{host: "mailpit", port: "1025", privacy: plain},
		{host: "127.0.0.1", port: "1025", user: "u", password: "p", privacy: plain},
	}
	if len(got) != len(want) {
		t.Fatalf("%d relays, want %d", len(got), len(want))
	}
	for i := range want {
		if got[i] != want[i] {
			t.Errorf("relay %d: got %s, want %s", i+1, got[i], want[i])
		}
	}
	if got[2].Addr() != "[::1]:587" || got[2].Private() || !got[1].Private() {
		t.Errorf("got %s and %s", got[2], got[1])
	}
}

const secretWord = "hunter2x"

func TestRelaysThatAreRefusedSayWhyAndKeepThePassword(t *testing.T) {
	t.Parallel()
	cases := map[string]struct{ in, says string }{
		"nothing":                            {"  ", "at least one"},
		"an empty place in the list":         {"smtp://a.example,,smtp://b.example", "mail relay 2: the address must begin with smtp"},
		"another scheme":                     {"http://u:" + secretWord + "@h", "begin with smtp"},
		"no scheme":                          {"u:" + secretWord + "@host:25", "may stand between"},
		"a slash in the password":            {"smtp://u:1/" + secretWord + "@host", "may stand between"},
		"a slash at once":                    {"smtp://u:a/" + secretWord + "@host", "cannot be read"},
		"a hash in the password":             {"smtp://u:1#" + secretWord + "@host", "may stand between"},
		"a question mark in the password":    {"smtp://u:1?" + secretWord + "@host", "another one"},
		"a comma in the password":            {"smtp://u:1," + secretWord + "@host", "mail relay 2"},
		"a percent sign in the password":     {"smtp://u:%zz" + secretWord + "@host", "cannot be read"},
		"a line end in the password":         {"smtp://u:%0d%0a" + secretWord + "@host", "control characters"},
		"no host":                            {"smtp://u:" + secretWord + "@:25", "host is missing"},
		"a host with a space":                {"smtp://u:p@a%20b", "cannot be read"},
		"a host with an odd letter":          {"smtp://u:p@a!b", "letters, digits"},
		"a port that is none":                {"smtp://host:99999", "1 to 65535"},
		"a user alone":                       {"smtp://u@host", "both user name and password"},
		"a password alone":                   {"smtp://:" + secretWord + "@host", "both user name and password"},
		"an unknown setting":                 {"smtp://host?tsl=none", "the settings are tls"},
		"a setting twice":                    {"smtp://host?tls=none&tls=required", "once"},
		"a setting without a value":          {"smtp://host?tls=", "once, with a value"},
		"opportunistic TLS":                  {"smtp://host?tls=opportunistic", "required or none"},
		"in the clear to another machine":    {"smtp://host?tls=none", "insecure=yes"},
		"a password in the clear":            {"smtp://u:" + secretWord + "@host?tls=none&insecure=yes", "readable on the way"},
		"insecure without saying what":       {"smtp://host?insecure=yes", "beside tls=none"},
		"insecure in another word":           {"smtp://host?tls=none&insecure=1", "beside tls=none"},
		"smtps in the clear":                 {"smtps://localhost?tls=none", "always encrypted"},
		"a certificate for a clear way":      {"smtp://localhost?tls=none&server_name=x", "mean nothing"},
		"a root file that does not exist":    {"smtp://host?ca=/nowhere/at/all.pem", "cannot be read"},
		"a root file without a certificate":  {"smtp://host?ca=" + emptyFile(t), "no certificate"},
		"a server name with an odd letter":   {"smtp://host?server_name=a%0d%0ab", "server_name may hold"},
		"settings that cannot be read":       {"smtp://host?tls=%zz", "cannot be read"},
		"the whole password as the hostname": {"smtp://" + secretWord + "!:25", "letters, digits"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := ParseRelays(c.in)
			if !is(err, fault.Invalid) || !strings.Contains(err.Error(), c.says) {
				t.Fatalf("got %v, want it to say %q", err, c.says)
			}
			if strings.Contains(err.Error(), secretWord) {
				t.Errorf("it shows the password: %v", err)
			}
		})
	}
}

func emptyFile(t *testing.T) string {
	t.Helper()
	name := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(name, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestARelayPrintsItselfWithoutUserAndPassword(t *testing.T) {
	t.Parallel()
	relays, err := ParseRelays("smtp://someone:" + secretWord + "@mail.example,smtps://someone:" + secretWord + "@mail.example,smtp://someone:" + secretWord + "@localhost?tls=none")
	if err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(relays)
	if err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	slog.New(slog.NewTextHandler(&log, nil)).Info("relays", "all", relays, "one", relays[0])
	for _, shown := range []string{fmt.Sprint(relays), fmt.Sprintf("%+v %#v %s %q", relays, relays, relays, relays), log.String(), string(asJSON)} {
		if strings.Contains(shown, secretWord) || strings.Contains(shown, "someone") {
			t.Errorf("shown: %s", shown)
		}
	}
	if got := fmt.Sprint(relays); got != "[smtp://mail.example:587 smtps://mail.example:465 smtp://localhost:587?tls=none]" {
		t.Errorf("got %s", got)
	}
}

func FuzzParseRelays(f *testing.F) {
	f.Add("smtp://user:%s@host:587?tls=required")
	f.Add("smtps://u:%s@[::1]:465?ca=x,smtp://localhost?tls=none")
	f.Add("smtp://%s!:25")
	f.Fuzz(func(t *testing.T, s string) {
		in := strings.ReplaceAll(s, "%s", secretWord)
		if strings.Contains(in, "ca=") {
			return // it would open files
		}
		relays, err := ParseRelays(in)
		if err != nil {
			if !is(err, fault.Invalid) || strings.Contains(err.Error(), secretWord) {
				t.Errorf("got %v", err)
			}
			return
		}
		for _, r := range relays {
			if r.host == "" || r.port == "" || (r.privacy == plain && r.password != "" && !isLoopback(r.host)) {
				t.Errorf("accepted %s", r)
			}
		}
	})
}
