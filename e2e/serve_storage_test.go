package e2e_test

import (
	"database/sql"
	"net/http"
	"strings"
	"testing"

	"keyturn/e2e/e2etest"
)

func TestAStorageThatCannotBeWrittenNeverReadsAsAWrongPassword(t *testing.T) {
	t.Parallel()
	serving(t, func(t *testing.T, p *e2etest.Product, sink *e2etest.Sink) {
		pat, late := p.Visitor(t), p.Visitor(t)
		pat.SignIn(t, sink, e2etest.Pat, e2etest.Password)
		code := late.Password(t, sink, e2etest.Sam, e2etest.Password)

		free := lockWrites(t, p)
		ready := pat.Get(t, "/readyz")
		ready.Is(t, http.StatusServiceUnavailable, `"checks":"ok"`, `"signin":"unavailable"`)
		pat.Get(t, "/healthz").Is(t, http.StatusOK)
		if !in(t, pat) {
			t.Error("whoever is in does not need writing")
		}
		for name, page := range map[string]e2etest.Answer{
			"the password": p.Visitor(t).Post(t, "/signin", "email", e2etest.TwinPat, "password", e2etest.Password),
			"the code":     late.Post(t, "/signin/code", "code", code),
		} {
			if page.Status != http.StatusServiceUnavailable || page.Header.Get("Retry-After") == "" {
				t.Errorf("%s is answered %d, with Retry-After %q", name, page.Status, page.Header.Get("Retry-After"))
			}
			if strings.Contains(page.Body, "do not go together") || strings.Contains(page.Body, "not right") {
				t.Errorf("%s is called wrong", name)
			}
		}

		free()
		e2etest.Until(t, "the product to be ready again by itself", func() bool { return pat.Get(t, "/readyz").Status == http.StatusOK })
		late.Post(t, "/signin/code", "code", code).Leads(t, "/me")
		p.Visitor(t).Post(t, "/signin", "email", e2etest.TwinPat, "password", e2etest.Password).Leads(t, "/me")
	})
}

// lockWrites has another process, this one, hold the database against writing until
// the answer is called.
func lockWrites(t *testing.T, p *e2etest.Product) (free func()) {
	t.Helper()
	ctx := t.Context()
	conn, err := clientOf(t, p).Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	statements := []string{"BEGIN IMMEDIATE"}
	if !p.OnSQLite() {
		statements = []string{"BEGIN", "LOCK TABLE meta, users, budgets, attempts, codes IN EXCLUSIVE MODE"}
	}
	for _, s := range statements {
		if _, err := conn.ExecContext(ctx, s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return func() { rollBack(t, conn) }
}

func rollBack(t *testing.T, conn *sql.Conn) {
	t.Helper()
	if _, err := conn.ExecContext(t.Context(), "ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if err := conn.Close(); err != nil {
		t.Fatal(err)
	}
}
