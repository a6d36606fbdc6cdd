package request_test

import (
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/id"
	"keyturn/internal/request"
	"keyturn/internal/site"
)

// about gives whom the site's trail is about, by the kind of event; the events of the
// request alone, because all others are of members.
func (w *world) about(t *testing.T, ref request.Ref) map[audit.Kind]id.User {
	t.Helper()
	all, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.site.ID}, 200)
	if err != nil {
		t.Fatal(err)
	}
	about := map[audit.Kind]id.User{}
	for _, e := range all {
		if e.Facts["request"] == string(ref.ID) {
			about[e.Kind] = e.User
		}
	}
	return about
}

func TestBeforeAcceptanceTheTrailTellsNobodyWhoseAnAddressIs(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		f := nia
		f.Email, f.FirstName, f.LastName = string(w.twinKim.Login), "Xavier", "Typed"
		held, _ := w.invited(t, f)
		if _, err := w.desk.Look(t.Context(), w.in(t, w.sam, site.Site{}), w.site.ID, held.ID); err != nil {
			t.Fatal(err)
		}
		free, token := w.invited(t, nia)
		for _, ref := range []request.Ref{held, free} {
			about := w.about(t, ref)
			if len(about) < 3 {
				t.Fatalf("the trail has %v", about)
			}
			for kind, who := range about {
				if who != "" {
					t.Errorf("%s is about the user %s", kind, who)
				}
			}
		}
		if out, err := w.desk.Accept(t.Context(), token, words, phone); err != nil || out.Gone {
			t.Fatalf("accepting: %+v, %v", out, err)
		}
		m, in := w.membership(t, nia.Email, w.site)
		if about := w.about(t, free); !in || about[audit.InvitationAccepted] != m.User {
			t.Errorf("who accepted is not named: %v", about)
		}
	})
}
