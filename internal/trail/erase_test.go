package trail_test

import (
	"context"
	"strings"
	"testing"

	"keyturn/internal/audit"
	"keyturn/internal/db"
	"keyturn/internal/site"
	"keyturn/internal/trail"
	"keyturn/internal/user"
)

// retired takes a member away, as if they had left.
func retired(who user.User, s site.Site) func(context.Context, *db.Tx) error {
	return func(ctx context.Context, tx *db.Tx) error {
		return tx.Change(ctx, `UPDATE memberships SET status = 'inactive' WHERE site_id = $1 AND user_id = $2`, s.ID, who.ID)
	}
}

// values is how many personal values of somebody stand in the trail.
func (w *world) values(t *testing.T, who user.User) int {
	t.Helper()
	return w.count(t, `SELECT COUNT(*) FROM audit_personal WHERE user_id = $1`, who.ID)
}

func TestWhatIsErasedIsGoneFromEveryChainAndTheTrailVerifies(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.happens(t, w.site, w.pat, w.bo, w.bo)
		w.happens(t, w.twin, w.twinPat, w.bo)
		w.happens(t, site.Site{}, w.bo) // in Bo's own chain
		w.pass(1)
		w.makes(t)
		_, then := w.last(t, w.site)
		before := w.values(t, w.bo)
		others := w.count(t, `SELECT COUNT(*) FROM audit_personal WHERE user_id <> $1`, w.bo.ID)

		by := audit.Actor{Kind: audit.ActorCommand, ID: "audit erase"}
		n, err := trail.Erase(t.Context(), w.db, by, w.bo.ID, trail.Request)
		if err != nil || n != 16 || before != 16 {
			t.Fatalf("erased %d of %d: %v", n, before, err)
		}
		if w.values(t, w.bo) != 0 || w.count(t, `SELECT COUNT(*) FROM audit_personal WHERE value LIKE '%bo@books%'`) != 0 {
			t.Error("values of Bo are in the trail")
		}
		if n := w.count(t, `SELECT COUNT(*) FROM audit_personal WHERE user_id <> $1`, w.bo.ID); n != others {
			t.Errorf("%d values of others are left of %d", n, others)
		}
		w.green(t)
		if found := w.verified(t, &then); len(found) > 0 {
			t.Errorf("against the checkpoint of before: %v", found)
		}
		for values, at := range map[string]site.Site{"8": w.site, "4": w.twin} {
			all := w.events(t, audit.Filter{Site: at.ID, Kind: audit.AuditErased})
			if len(all) != 1 || all[0].User != w.bo.ID || all[0].Facts["values"] != values || all[0].Facts["why"] != "request" || all[0].Actor.ID != "audit erase" {
				t.Errorf("the site %s has %+v", at.Ref, all)
			}
		}
		for _, s := range []site.Site{w.site, w.twin} {
			lines := w.copied(t, s)
			text := strings.Join(lines, "")
			if found := w.fileVerified(t, lines, nil); len(found) > 0 || strings.Contains(text, "bo@books") || strings.Contains(text, "Bo Ng") {
				t.Errorf("the copy after it: %v\n%s", found, text)
			}
		}
		if text := strings.Join(w.copied(t, w.twin), ""); !strings.Contains(text, string(w.twinPat.Login)) {
			t.Error("the other Pat's values are gone, too")
		}

		if n, err := trail.Erase(t.Context(), w.db, by, w.bo.ID, trail.Left); err != nil || n != 0 {
			t.Errorf("a second time: %d, %v", n, err)
		}
		if w.has(t, w.site, audit.AuditErased) != 1 {
			t.Error("a second time is an event of the site, in whose chain nothing stood")
		}
		w.green(t)
	})
}
