package e2e_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"hash/fnv"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

// onePassword is everybody's, and oneHash what is cheap to check of it: this is a test of
// who is let in, and not of hashes.
const (
	onePassword = "Spanner22"
	oneHash     = "$2a$04$klZH/sCZlm3Vx83GdCuXNewupg.HTaCOut.wS4l1h5AHOqjaO46Pq"
)

// readyPerson is one person of "keyturn readiness --format json", and their site.
type readyPerson struct {
	Login string `json:"login"`
	Kind  string `json:"kind"`
	Mark  string `json:"readiness"`
	Do    string `json:"do"`
	site  string
}

// predicted asks the command about everybody in the office.
func predicted(t *testing.T, p *e2etest.Product) map[string]readyPerson {
	t.Helper()
	all := map[string]readyPerson{}
	lines := json.NewDecoder(strings.NewReader(p.MustRun(t, "readiness", "--format", "json")))
	for lines.More() {
		var line struct {
			Site   struct{ Ref string }
			People []readyPerson
		}
		if err := lines.Decode(&line); err != nil {
			t.Fatal(err)
		}
		for _, one := range line.People {
			if one.Mark != "exempt" {
				one.site = line.Site.Ref
				all[one.Login] = one
			}
		}
	}
	return all
}

// sampleWithOnePassword is the large sample, or the repository's own where that is not
// here, in which everybody has one password.
func sampleWithOnePassword(t *testing.T) string {
	t.Helper()
	source := filepath.Join(e2etest.Root(t), "internal", "people", "testdata", "sample.csv")
	for folder := e2etest.Root(t); folder != filepath.Dir(folder); folder = filepath.Dir(folder) {
		if path := filepath.Join(folder, "shared", "data", "legacy-users.csv"); exists(path) {
			source = path
			break
		}
	}
	raw, err := os.ReadFile(source)
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(raw), "\ufeff"))).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for i, name := range rows[0] {
		for _, row := range rows[1:] {
			if name == "password_hash" {
				row[i] = oneHash
			}
		}
	}
	path := filepath.Join(t.TempDir(), "sample.csv")
	var out strings.Builder
	if err := csv.NewWriter(&out).WriteAll(rows); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

// share says whether somebody is among so many of a hundred, the same in every run.
func share(login, salt string, percent uint32) bool {
	h := fnv.New32a()
	_, _ = h.Write([]byte(salt + login))
	return h.Sum32()%100 < percent
}

// dead says which mailboxes nobody has: slips of well known names, and every ninth.
func dead(to string) bool {
	return strings.HasSuffix(to, "@gmial.example") || share(to, "dead", 11)
}

// attempted is how a sign-in ended.
type attempted string

const (
	gotIn attempted = "in"
	stuck attempted = "stuck"
)

// signInFor real: the password, and the code if one arrives. The mail server's answer to
// the mail is waited for, so that nobody is stuck for being asked too soon.
func signInFor(t *testing.T, p *e2etest.Product, sink *e2etest.Sink, login string) (*e2etest.Visitor, attempted) {
	t.Helper()
	v, had, refused := p.Visitor(t), len(sink.Letters(t, login)), sink.Refused(login)
	answer := v.Post(t, "/signin", "email", login, "password", onePassword)
	switch to := answer.Header.Get("Location"); {
	case answer.Status == http.StatusSeeOther && to == "/me":
		return v, gotIn
	case answer.Status != http.StatusSeeOther || to != "/signin/code":
		return v, stuck // nothing can be asked of them
	}
	return v, typeCode(t, sink, v, login, had, refused)
}

// typeCode types the code that comes. Whoever has no field for one is stuck, and so is
// whose mail is refused: the page says both.
func typeCode(t *testing.T, sink *e2etest.Sink, v *e2etest.Visitor, login string, had, refused int) attempted {
	t.Helper()
	code := ""
	e2etest.Within(t, 3*e2etest.Patience, "mail to "+login, func() bool {
		for _, l := range sink.Letters(t, login)[had:] {
			if strings.Contains(l.Subject, "sign-in code") {
				code = l.Code(t)
			}
		}
		return code != "" || sink.Refused(login) > refused || !strings.Contains(v.Get(t, "/signin/code").Body, `name="code"`)
	})
	if code != "" && v.Post(t, "/signin/code", "code", code).Status == http.StatusSeeOther {
		return gotIn
	}
	return stuck
}

// rehearse tries the new sign-in while nothing is asked yet.
func rehearse(t *testing.T, sink *e2etest.Sink, v *e2etest.Visitor, login string) attempted {
	t.Helper()
	had, refused := len(sink.Letters(t, login)), sink.Refused(login)
	answer := v.Post(t, "/me/security/rehearse", "go", "yes")
	if answer.Header.Get("Location") != "/signin/code" {
		return stuck
	}
	return typeCode(t, sink, v, login, had, refused)
}

// inParallel does something for each, eight at a time.
func inParallel(all []string, do func(string)) {
	turn, wait := make(chan struct{}, 8), sync.WaitGroup{}
	for _, one := range all {
		turn <- struct{}{}
		wait.Go(func() { defer func() { <-turn }(); do(one) })
	}
	wait.Wait()
}

func TestWhoIsPredictedToGetInGetsInAndWhoIsStuckWasPredicted(t *testing.T) {
	t.Parallel()
	file := sampleWithOnePassword(t)
	dbtest.EachURL(t, func(t *testing.T, url string) {
		sink := e2etest.StartSink(t)
		sink.Refuse(dead)
		p := e2etest.NewProduct(t, url)
		p.Set("KEYTURN_SMTP_URL", sink.URL)
		p.MustRun(t, "import", file)
		percent := uint32(25)
		switch {
		case os.Getenv("KEYTURN_TEST_SOAK") != "":
			percent = 100
		case !p.OnSQLite():
			percent = 5 // the rules are the same; what could differ is what the SQL gives
		}
		p.Start(t)

		// A third of the people tries the new sign-in before the day: who is asked already by
		// signing in, the others by the rehearsal.
		before := predicted(t, p)
		var early, everybody []string
		for login := range before {
			if share(login, "all", percent) {
				everybody = append(everybody, login)
				if share(login, "early", 33) {
					early = append(early, login)
				}
			}
		}
		inParallel(early, func(login string) {
			v, how := signInFor(t, p, sink, login)
			if how == gotIn && before[login].Mark == "will_manage" && len(sink.Letters(t, login)) == 0 {
				rehearse(t, sink, v, login)
			}
		})

		prediction := predicted(t, p)
		flip(t, p)
		ends := drive(t, p, sink, everybody)
		judge(t, prediction, ends)
	})
}

// flip connects every site to Xero: without a rollout 2FA is asked there at once.
func flip(t *testing.T, p *e2etest.Product) {
	t.Helper()
	var refs []string
	for line := range strings.Lines(p.MustRun(t, "site", "list", "--json")) {
		var site struct{ Ref, Xero string }
		if err := json.Unmarshal([]byte(line), &site); err != nil {
			t.Fatal(err)
		}
		if site.Xero != "connected" {
			refs = append(refs, site.Ref)
		}
	}
	inParallel(refs, func(ref string) { p.MustRun(t, "site", "connect", ref) })
}

func drive(t *testing.T, p *e2etest.Product, sink *e2etest.Sink, everybody []string) map[string]attempted {
	t.Helper()
	ends, mu := map[string]attempted{}, sync.Mutex{}
	inParallel(everybody, func(login string) {
		_, how := signInFor(t, p, sink, login)
		mu.Lock()
		defer mu.Unlock()
		ends[login] = how
	})
	return ends
}

// judge compares, and prints, what was predicted with what came.
func judge(t *testing.T, prediction map[string]readyPerson, ends map[string]attempted) {
	t.Helper()
	matrix := map[string]map[attempted]int{"ready": {}, "will_manage": {}, "needs_help": {}}
	for login, how := range ends {
		said := prediction[login]
		matrix[said.Mark][how]++
		switch {
		case said.Mark == "ready" && how == stuck:
			t.Errorf("%s of %s was ready, and is stuck", login, said.site)
		case said.Mark == "needs_help" && how == gotIn:
			t.Errorf("%s of %s needed help, and got in", login, said.site)
		case said.Mark == "will_manage" && how == stuck && !dead(login):
			t.Errorf("%s of %s has a mailbox that works, and is stuck", login, said.site)
		case said.Mark == "will_manage" && how == stuck && said.Do == "":
			t.Errorf("%s of %s is stuck, and nobody was told what to do", login, said.site)
		}
	}
	var text strings.Builder
	fmt.Fprintf(&text, "%-12s %6s %6s\n", "predicted", gotIn, stuck)
	for _, mark := range []string{"ready", "will_manage", "needs_help"} {
		fmt.Fprintf(&text, "%-12s %6d %6d\n", mark, matrix[mark][gotIn], matrix[mark][stuck])
	}
	t.Logf("%d sign-ins\n%s", len(ends), text.String())
	if matrix["ready"][gotIn] == 0 || matrix["needs_help"][stuck] == 0 || matrix["will_manage"][gotIn] == 0 {
		t.Error("a mark that nobody has is not tested")
	}
}
