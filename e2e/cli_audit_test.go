package e2e_test

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/tlog"

	"keyturn/e2e/e2etest"
	"keyturn/internal/db/dbtest"
)

// lived runs a test on a product in which somebody has signed in and which has stopped.
func lived(t *testing.T, test func(t *testing.T, p *e2etest.Product)) {
	t.Helper()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat := p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		pat.Post(t, "/signout").Leads(t, "/signedout")
		p.Stop(t)
		test(t, p)
	})
}

func TestAnEventThatIsEditedInTheDatabaseIsNamed(t *testing.T) {
	t.Parallel()
	lived(t, func(t *testing.T, p *e2etest.Product) {
		p.MustRun(t, "audit", "verify")
		client := clientOf(t, p)
		const edit = `UPDATE audit_events SET body = REPLACE(body, '"code.accepted"', '"code.wrong"'), kind = 'code.wrong' WHERE kind = 'code.accepted'`
		if _, err := client.ExecContext(t.Context(), edit); err == nil || !strings.Contains(err.Error(), "append-only") {
			t.Fatalf("the database let an event be edited: %v", err)
		}
		if _, err := client.ExecContext(t.Context(), `DELETE FROM audit_events WHERE kind = 'code.accepted'`); err == nil {
			t.Fatal("the database let an event be removed")
		}
		p.MustRun(t, "audit", "verify")

		target := eventOf(t, p, "code.accepted")
		dropGuards(t, p, client)
		mustExec(t, client, edit)
		said := p.Run(t, "audit", "verify")
		if said.Code != 1 {
			t.Errorf("verify ended with %d after an edit", said.Code)
		}
		want := fmt.Sprintf("chain %q, event %d (%q)", target.Chain, target.Seq, target.ID)
		if !strings.Contains(said.Out, want) {
			t.Errorf("verify does not name the edited event %s:\n%s%s", want, said.Out, said.Err)
		}
		if n := strings.Count(said.Out, "\n"); n != 1 {
			t.Errorf("one edit is reported in %d lines:\n%s", n, said.Out)
		}
	})
}

func TestAnEventThatIsRemovedIsNamed(t *testing.T) {
	t.Parallel()
	lived(t, func(t *testing.T, p *e2etest.Product) {
		target, client := eventOf(t, p, "code.sent"), clientOf(t, p)
		dropGuards(t, p, client)
		mustExec(t, client, `DELETE FROM audit_events WHERE chain = $1 AND seq = $2`, target.Chain, target.Seq)
		said := p.Run(t, "audit", "verify")
		if want := fmt.Sprintf("chain %q, event %d", target.Chain, target.Seq); said.Code != 1 || !strings.Contains(said.Out, want) {
			t.Errorf("verify ended with %d and does not name the place %s:\n%s%s", said.Code, want, said.Out, said.Err)
		}
	})
}

func TestATailThatIsCutWithItsHeadShowsAgainstACheckpoint(t *testing.T) {
	t.Parallel()
	lived(t, func(t *testing.T, p *e2etest.Product) {
		checkpoint := filepath.Join(p.Folder, "checkpoint")
		if err := os.WriteFile(checkpoint, []byte(p.MustRun(t, "audit", "checkpoint")), 0o600); err != nil {
			t.Fatal(err)
		}
		if said := p.MustRun(t, "audit", "verify", "--against", checkpoint); !strings.Contains(said, "compared with the checkpoint: ") {
			t.Errorf("verify does not say what it compared:\n%s", said)
		}
		// Whoever cuts well cuts all of it: nothing in the database tells.
		last, client := eventOf(t, p, "session.ended"), clientOf(t, p)
		dropGuards(t, p, client)
		mustExec(t, client, `DELETE FROM audit_events WHERE chain = $1 AND seq >= $2`, last.Chain, last.Seq)
		mustExec(t, client, `DELETE FROM audit_personal WHERE chain = $1 AND seq >= $2`, last.Chain, last.Seq)
		mustExec(t, client, `DELETE FROM audit_hashes WHERE chain = $1 AND pos >= $2`, last.Chain, tlog.StoredHashIndex(0, last.Seq))
		mustExec(t, client, `UPDATE audit_heads SET size = $2 WHERE chain = $1`, last.Chain, last.Seq)
		p.MustRun(t, "audit", "verify")
		said := p.Run(t, "audit", "verify", "--against", checkpoint)
		if said.Code != 1 || !strings.Contains(said.Out, "the end was cut") || !strings.Contains(said.Out, last.Chain) {
			t.Errorf("verify against the checkpoint ended with %d:\n%s%s", said.Code, said.Out, said.Err)
		}
	})
}

func TestAnExportIsVerifiedOfflineWithTheKeyAlone(t *testing.T) {
	t.Parallel()
	lived(t, func(t *testing.T, p *e2etest.Product) {
		export := filepath.Join(p.Folder, "trail.jsonl")
		p.MustRun(t, "audit", "export", "--site", e2etest.Connected, "--out", export)
		key := strings.TrimSpace(p.MustRun(t, "audit", "key"))
		whole, err := os.ReadFile(export)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(whole), e2etest.TwinPat) || !strings.Contains(string(whole), "session.started") {
			t.Error("a site's export holds another site's people, or nothing")
		}

		// The customer has neither our settings, nor our database, nor our keys.
		customer := e2etest.NewProduct(t, "sqlite:"+filepath.Join(t.TempDir(), "none.db"))
		for _, name := range []string{"KEYTURN_DATABASE_URL", "KEYTURN_KEYS_FILE", "KEYTURN_PUBLIC_URL", "KEYTURN_SMTP_URL"} {
			customer.Set(name, "")
		}
		customer.MustRun(t, "audit", "verify", export, "--key", key)

		forged := filepath.Join(p.Folder, "forged.jsonl")
		text := strings.Replace(string(whole), `"kind":"code.accepted"`, `"kind":"code.wrong"`, 1)
		if err := os.WriteFile(forged, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		line := strings.Count(string(whole[:strings.Index(string(whole), `"kind":"code.accepted"`)]), "\n") + 1
		said := customer.Run(t, "audit", "verify", forged, "--key", key)
		if want := fmt.Sprintf("line %d,", line); said.Code != 1 || !strings.Contains(said.Out, want) {
			t.Errorf("a forged export ended with %d and does not name %s:\n%s%s", said.Code, want, said.Out, said.Err)
		}
		other := strings.TrimSpace(e2etest.NewProduct(t, dbtest.Fresh(t, "sqlite")).MustRun(t, "audit", "key"))
		said = customer.Run(t, "audit", "verify", export, "--key", other)
		if said.Code != 1 || !strings.Contains(said.Out, "not signed by the key") {
			t.Errorf("another installation's key ended with %d:\n%s%s", said.Code, said.Out, said.Err)
		}
		said = customer.Run(t, "audit", "verify", export, "--key", "no key")
		if said.Code != 2 {
			t.Errorf("a key that is none ended with %d:\n%s", said.Code, said.Err)
		}
	})
}

// eventOf is the last event of a kind.
func eventOf(t *testing.T, p *e2etest.Product, kind string) e2etest.Event {
	t.Helper()
	var found e2etest.Event
	for _, e := range p.Trail(t) {
		if e.Kind == kind {
			found = e
		}
	}
	if found.ID == "" {
		t.Fatalf("the trail has no %s", kind)
	}
	return found
}

// dropGuards takes away what keeps the trail append-only, as only the database's owner
// can.
func dropGuards(t *testing.T, p *e2etest.Product, client *sql.DB) {
	t.Helper()
	if !p.OnSQLite() {
		mustExec(t, client, `DROP TRIGGER audit_events_append_only ON audit_events`)
		return
	}
	mustExec(t, client, `DROP TRIGGER audit_events_no_change`)
	mustExec(t, client, `DROP TRIGGER audit_events_no_removal`)
}
