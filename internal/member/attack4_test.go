package member_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/id"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/rescue"
	"keyturn/internal/secret"
	"keyturn/internal/session"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const kimsNumber = "+61491570156"

// A1: an Admin who clears a proved number makes the email of their choice a second factor.
func TestAttackClearingTheMobileMakesAnAdminsEmailASecondFactor(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		pat := w.in(t, w.pat, w.site)
		saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Mobile, f.Email = "", "kim.by.pat@bayside.example" })
		if saved.Refused != "" {
			t.Fatalf("%+v", saved)
		}
		m := w.ways(t, w.kim, policy.Email)[0]
		t.Logf("doubts asked: %v", saved.Doubts)
		if !m.AwaitsProof {
			t.Errorf("%s is a second factor at once, although Kim had proved a number before this form: awaits_proof=%t", m.Address, m.AwaitsProof)
		}
	})
}

// A2: after that a recovery has no delay, calls nobody back, and tells no old address.
func TestAttackARecoveryAfterAnAdminsEditsHasNoDelayAndTellsTheOwnerNothing(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.confirm(t, w.kim) // her mailbox is proved, too
		pat := w.in(t, w.pat, w.site)
		w.save(t, pat, w.kim, func(f *member.Form) { f.Mobile, f.Email = "", "kim.by.pat@bayside.example" })

		sam, toni := w.staff(t, "sam"), w.staff(t, "toni")
		which, refused, err := w.rescue.Begin(t.Context(), sam, rescue.Recover{User: w.kim.ID, Site: w.site.ID, Reason: "Kim calls, no number on file"})
		if err != nil || refused != "" {
			t.Fatalf("%q %v", refused, err)
		}
		if refused, err := w.rescue.Confirm(t.Context(), toni, w.kim.ID, which); err != nil || refused != "" {
			t.Fatalf("%q %v", refused, err)
		}
		given, refused, err := w.rescue.ReadCode(t.Context(), sam, w.kim.ID, which)
		if err == nil && refused == "" && given.Code != "" {
			t.Errorf("a code is read out at once, although Kim had proved a number and a mailbox a moment ago")
		}
		to, err := db.Many(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) },
			`SELECT address FROM messages WHERE user_id = $1 AND kind = $2`, w.kim.ID, string(message.RecoveryStop))
		if err != nil {
			t.Fatal(err)
		}
		t.Errorf("links to say stop went to %v; the old address %s, which can undo the change still, got none", to, w.kim.Login)
	})
}

func (w *world) staff(t *testing.T, name string) authority.Bearer {
	t.Helper()
	b := authority.Bearer{Place: place}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		b.User, err = user.Add(ctx, tx, user.User{Login: address.Canonical(name + "@vendor.example"), FirstName: name, Staff: true, Password: stored()})
		if err != nil {
			return err
		}
		if _, err = method.Link(ctx, tx, method.Method{User: b.User.ID, Kind: policy.TOTP, ProvedAt: tx.Now}); err != nil {
			return err
		}
		if err := authority.Give(ctx, tx, authority.Gift{User: b.User.ID, Site: w.site.ID, By: b.User.ID, Reason: "test"}); err != nil {
			return err
		}
		fresh, err := session.Under(ctx, tx, session.Session{
			User: b.User.ID, Client: string(policy.ClientWeb), PasswordAt: tx.Now, Factor: string(policy.TOTP), FactorAt: tx.Now,
			Place: place, EndsAt: tx.Now.Add(10 * time.Hour),
		})
		if err != nil {
			return err
		}
		b.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return b
}

// A3: no newcomer is an Admin ... until the second Save, which tells nobody.
func TestAttackANewcomerIsAnAdminByTwoFormsAndNobodyIsTold(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		was := w.form(t, pat, w.kim)
		now := was
		now.Email, now.First, now.Last = "accomplice@elsewhere.example", "Al", "Accomplice"
		saved, err := w.desk.Save(t.Context(), pat, w.kim.ID, member.Typed{Was: was, Now: now, Person: member.Another})
		if err != nil || saved.Newcomer == "" {
			t.Fatalf("%+v %v", saved, err)
		}
		before := w.notices(t, w.max)
		saved = w.save(t, pat, user.User{ID: saved.Newcomer}, func(f *member.Form) { f.Group = policy.GroupAdmin })
		if saved.Refused == "" {
			t.Errorf("an Admin who is new to the vendor, without a request and without staff, who has not even accepted; Max was told %d more things", w.notices(t, w.max)-before)
		}
	})
}

func (w *world) notices(t *testing.T, who user.User) int {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (s string, err error) { return s, r.Scan(&s) }, `SELECT kind FROM notices WHERE user_id = $1`, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

// A4: the old address of somebody who is elsewhere, too, is read by each site's Admin.
func TestAttackAnAdminReadsTheOldAddressOfABookkeeper(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.do(t, func(ctx context.Context, tx *db.Tx) error { // Bo's own change, at the other site
			m, err := method.Link(ctx, tx, method.Method{User: w.bo.ID, Kind: policy.Email, Address: "bo@new.example", ProvedAt: tx.Now})
			if err != nil {
				return err
			}
			_, err = w.desk.Login.Make(ctx, tx, login.Change{User: w.bo, To: "bo@new.example", Site: w.twin.ID, Proved: m.ID, Actor: audit.Actor{Kind: audit.ActorUser, ID: string(w.bo.ID)}})
			return err
		})
		card, err := w.desk.Card(t.Context(), w.in(t, w.pat, w.site), w.bo.ID)
		if err != nil {
			t.Fatal(err)
		}
		if card.Elsewhere && card.Old != "" {
			t.Errorf("Bayside reads that Bo was %s, from a change at Bayview, until %s", card.Old, card.OldUntil)
		}
	})
}

// A5: a temp whose access has ended is "saved" active, is not, and cannot be asked for.
func TestAttackAReturningTempIsSavedActiveAndIsNot(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.until(t, w.kim.ID, time.Hour)
		w.db.Clock.Advance(2 * time.Hour)
		w.do(t, func(ctx context.Context, tx *db.Tx) error { _, err := site.End(ctx, tx, 10); return err })
		pat := w.in(t, w.pat, w.site)
		saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Status = policy.Active })
		m, err := site.MembershipIn(t.Context(), w.db, w.site.ID, w.kim.ID)
		if err != nil {
			t.Fatal(err)
		}
		if saved.Refused == "" && !m.Active(w.db.Clock.Now()) {
			t.Errorf("saved without a word, status %s, and counts for nothing: her access ended %s", m.Status, m.Until)
		}
	})
}

// A6: an Admin kills the undo by making somebody inactive and active again.
func TestAttackInactiveAndActiveAgainKillsTheUndo(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		w.save(t, pat, w.kim, email("kim.by.pat@bayside.example"))
		link := w.sent(t, w.kim, message.LoginUndo)[0]
		w.save(t, pat, w.kim, func(f *member.Form) { f.Status = policy.Inactive })
		w.save(t, pat, w.kim, func(f *member.Form) { f.Status = policy.Active })
		found, err := w.desk.Login.Undo(t.Context(), link, place)
		if err != nil {
			t.Fatal(err)
		}
		if found != login.Done {
			t.Errorf("Kim is active, her seven days are not over, and her link is %q; she signs in as %s", found, w.again(t, w.kim).Login)
		}
	})
}

// A7: a slip gives a stranger the first password; the undo leaves it with them, and the owner
// without any way to set one.
func TestAttackASlipAndItsUndoLeaveTheStrangersPassword(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		var lee user.User
		w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
			lee, err = user.Add(ctx, tx, user.User{Login: "lee@bayside.example", FirstName: "Lee"})
			if err != nil {
				return err
			}
			_, err = method.Link(ctx, tx, method.Method{User: lee.ID, Kind: policy.Email, Address: "lee@bayside.example"})
			return err
		})
		w.join(t, lee, w.site, policy.GroupMechanic)
		pat := w.in(t, w.pat, w.site)
		w.save(t, pat, lee, email("le@bayside.example"))
		undo := w.sent(t, lee, message.LoginUndo)[0]
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return w.rescue.InviteFirst(ctx, tx, w.againTx(ctx, t, tx, lee), w.site.ID, audit.Actor{Kind: audit.ActorSystem, ID: "stands for a reset asked at the door"})
		})
		token := w.sent(t, lee, message.ResetLink)[0]
		if set, err := w.rescue.SetPassword(t.Context(), token, secret.NewText("a stranger's long words"), place); err != nil || set.Gone || set.Unfit != "" {
			t.Fatalf("%+v %v", set, err)
		}
		if found, err := w.desk.Login.Undo(t.Context(), undo, place); err != nil || found != login.Done {
			t.Fatalf("%v %v", found, err)
		}
		u := w.again(t, lee)
		m := w.ways(t, lee, policy.Email)[0]
		if u.Password.Encoded() != "" {
			t.Errorf("%s has the stranger's password after the undo, and the mailbox may recover: %t", u.Login, !m.NoRecovery)
		}
	})
}

func (w *world) againTx(ctx context.Context, t *testing.T, tx *db.Tx, who user.User) user.User {
	t.Helper()
	u, err := user.ByID(ctx, tx, who.ID)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

// A8: an empty mobile field locks somebody out whose site takes no email, unasked.
func TestAttackAnEmptyMobileFieldTakesTheOnlyWayUnasked(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE sites SET twofa = 'everyone', weakest = 'sms', sms_available = 50 WHERE site_id = $1`, w.site.ID)
		})
		pat := w.in(t, w.pat, w.site)
		saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Mobile = "" })
		card, err := w.desk.Card(t.Context(), pat, w.kim.ID)
		if err != nil {
			t.Skip(err)
		}
		if saved.Refused == "" && card.Readiness.Mark == policy.NeedsHelp {
			t.Errorf("one empty field, no question: %s, and no undo", card.Readiness.Mark)
		}
	})
}

// A9: an Admin takes another Admin's name, by which the page and the CSV of the trail then
// call whatever they did.
func TestAttackAnAdminTakesAnotherAdminsName(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		w.save(t, pat, w.kim, func(f *member.Form) { f.Status = policy.Blocked }) // the deed
		saved := w.save(t, pat, w.pat, func(f *member.Form) { f.First, f.Last = "Max", "Ito" })
		all, err := audit.List(t.Context(), w.db, audit.Filter{Site: w.site.ID, Kind: audit.MembershipChanged}, 10)
		if err != nil || len(all) == 0 {
			t.Fatal(err)
		}
		u, err := user.ByID(t.Context(), w.db, id.User(all[0].Actor.ID)) // as settings.teller.name
		if err == nil && saved.Refused == "" && u.Name() == w.max.Name() {
			t.Errorf("Pat's deed is told as %q's; Max was told %d things", u.Name(), w.notices(t, w.max)-1)
		}
	})
}
