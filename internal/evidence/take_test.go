package evidence_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"testing"
	"time"

	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/evidence"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

// in is somebody who passed their second factor so long ago.
func (w *world) in(t *testing.T, who user.User, at id.Site, ago time.Duration) authority.Bearer {
	t.Helper()
	b := authority.Bearer{User: who, Place: session.Place{Browser: "b", Network: "203.0.113.7", Agent: "Firefox on Linux"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: who.ID, Client: string(policy.ClientWeb), Site: at, PasswordAt: tx.Now.Add(-ago),
			Factor: string(policy.TOTP), FactorAt: tx.Now.Add(-ago), Place: b.Place, EndsAt: tx.Now.Add(10 * time.Hour),
		})
		if err != nil {
			return err
		}
		b.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return b
}

// staff makes a member of staff, with an authenticator, who manages nothing.
func (w *world) staff(t *testing.T, login string) (who user.User) {
	t.Helper()
	who = w.user(t, login, method.Method{Kind: policy.TOTP, ProvedAt: w.now})
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		_, err := tx.Exec(ctx, `UPDATE users SET staff = TRUE WHERE user_id = $1`, who.ID)
		return err
	})
	who.Staff = true
	return who
}

func TestStaffTakeAPackOfTheSitesThatAreGivenToThemAndNoOther(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.until(0)
		robin, casey := w.staff(t, "robin@vendor.example"), w.staff(t, "casey@vendor.example")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return authority.Give(ctx, tx, authority.Gift{User: robin.ID, Site: w.site.ID, By: robin.ID, Reason: "the yearly audit"})
		})
		noted := func() int { return w.count(t, `SELECT COUNT(*) FROM audit_events WHERE kind = 'evidence.made'`) }

		if _, refused, err := w.desk.Take(t.Context(), w.in(t, casey, "", 0), evidence.Ask{}); err != nil || refused != evidence.NoSite {
			t.Errorf("somebody without a site: %q, %v", refused, err)
		}
		if _, refused, err := w.desk.Take(t.Context(), w.in(t, robin, "", time.Hour), evidence.Ask{}); err != nil || refused != evidence.NotFresh {
			t.Errorf("an old proof: %q, %v", refused, err)
		}
		swapped := evidence.Ask{From: w.now, Until: w.now.Add(-day)}
		if _, refused, err := w.desk.Take(t.Context(), w.in(t, robin, "", 0), swapped); err != nil || refused != evidence.WrongPeriod {
			t.Errorf("a period that ends first: %q, %v", refused, err)
		}
		if _, _, err := w.desk.Take(t.Context(), w.in(t, w.pat, w.site.ID, 0), evidence.Ask{}); !errors.Is(err, fault.NotFound) {
			t.Errorf("an Admin of a site: %v", err)
		}
		if _, err := w.desk.Given(t.Context(), w.in(t, w.pat, w.site.ID, 0)); !errors.Is(err, fault.NotFound) {
			t.Errorf("an Admin asks what is given: %v", err)
		}
		if n := noted(); n != 0 {
			t.Errorf("%d packs stand in the trail before one was made", n)
		}

		by := w.in(t, robin, "", 0)
		if n, err := w.desk.Given(t.Context(), by); err != nil || n != 1 {
			t.Errorf("%d sites are given, %v", n, err)
		}
		ask, refused, err := w.desk.Take(t.Context(), by, evidence.Ask{})
		if err != nil || refused != "" || len(ask.Sites) != 1 || ask.Sites[0] != w.site.ID {
			t.Fatalf("the pack is of %v: %q, %v", ask.Sites, refused, err)
		}
		same(t, "packs in the trail of the site", 1, w.count(t, `SELECT COUNT(*) FROM audit_events WHERE kind = 'evidence.made' AND site_id = $1`, w.site.ID))
		same(t, "packs in all trails", 1, noted())

		var file bytes.Buffer
		if _, err := w.desk.Zip(t.Context(), ask, "evidence.json", &file); err != nil {
			t.Fatal(err)
		}
		of := unzip(t, file.Bytes())
		for _, name := range []string{"evidence.json", "evidence.json.html"} {
			if _, err := evidence.Verify(bytes.NewReader(of[name]), of["evidence.json.sig"], w.keys.CheckpointVerifier()); err != nil {
				t.Errorf("%s: %v", name, err)
			}
			if bytes.Contains(of[name], []byte(w.twin.ID)) {
				t.Errorf("%s holds the twin", name)
			}
		}
	})
}

func unzip(t *testing.T, raw []byte) map[string][]byte {
	t.Helper()
	r, err := zip.NewReader(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		t.Fatal(err)
	}
	of := map[string][]byte{}
	for _, f := range r.File {
		in, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if of[f.Name], err = io.ReadAll(in); err != nil {
			t.Fatal(err)
		}
		_ = in.Close()
	}
	return of
}
