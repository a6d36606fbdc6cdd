package member_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/balance"
	"keyturn/internal/db"
	"keyturn/internal/login"
	"keyturn/internal/member"
	"keyturn/internal/message"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/site"
	"keyturn/internal/user"
)

const kimsNumber = "+61491570156"

// surely saves a form all the same, and gives the doubts that it was asked about.
func (w *world) surely(t *testing.T, by authority.Bearer, whom user.User, change func(*member.Form)) []member.Doubt {
	t.Helper()
	was := w.form(t, by, whom)
	typed := member.Typed{Was: was, Now: was}
	change(&typed.Now)
	saved, err := w.desk.Save(t.Context(), by, whom.ID, typed)
	if err != nil {
		t.Fatal(err)
	}
	if saved.Refused != member.Doubtful {
		t.Fatalf("it was not asked about: %+v", saved)
	}
	doubts := saved.Doubts
	typed.Sure = saved.Sure
	if saved, err = w.desk.Save(t.Context(), by, whom.ID, typed); err != nil || saved.Refused != "" {
		t.Fatalf("all the same: %+v, %v", saved, err)
	}
	return doubts
}

// afford lets a site send SMS.
func (w *world) afford(t *testing.T, at site.Site) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		by := audit.Actor{Kind: audit.ActorCommand, ID: "test"}
		_, err := balance.TopUp(ctx, tx, balance.TopUpOrder{Site: at.ID, Parts: 500, By: by, ByName: "test", Reference: "first"})
		return err
	})
}

func cleared(f *member.Form) { f.Mobile = "" }

func TestAnAdminWhoClearsAProvedNumberMakesNoEmailASecondFactorByThat(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.prove(t, w.twinKim, policy.SMS, kimsNumber)
		pat := w.in(t, w.pat, w.site)
		// In one form, and in two of them a week apart.
		doubts := w.surely(t, pat, w.kim, func(f *member.Form) { f.Mobile, f.Email = "", "kim.by.pat@bayside.example" })
		if !slices.Equal(doubts, []member.Doubt{member.NoWayIn}) {
			t.Errorf("asked about %v", doubts)
		}
		if m := w.ways(t, w.kim, policy.Email)[0]; !m.AwaitsProof || !m.NoRecovery {
			t.Errorf("the mailbox is %+v", m)
		}
		if doubts := w.surely(t, w.in(t, w.twinPat, w.twin), w.twinKim, cleared); !slices.Equal(doubts, []member.Doubt{member.ProvedGone}) {
			t.Errorf("asked about %v", doubts)
		}
		w.db.Clock.Advance(7 * 24 * time.Hour)
		w.surely(t, w.in(t, w.twinPat, w.twin), w.twinKim, email("kim.by.pat@bayview.example"))
		if m := w.ways(t, w.twinKim, policy.Email)[0]; !m.AwaitsProof {
			t.Errorf("a week later the mailbox is %+v", m)
		}
	})
}

func TestWhoRemovesTheirOwnWayWaitsForNoneThatIsGone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.TOTP, "")
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return method.Remove(ctx, tx, w.kim.ID, w.ways(t, w.kim, policy.TOTP)[0].ID)
		})
		if saved := w.save(t, w.in(t, w.pat, w.site), w.kim, email("kim.new@bayside.example")); saved.Refused != "" {
			t.Fatalf("%+v", saved)
		}
		if m := w.ways(t, w.kim, policy.Email)[0]; m.AwaitsProof {
			t.Errorf("the mailbox waits for what is gone: %+v", m)
		}
		// A number that an Admin took is forgotten after 30 days.
		w.prove(t, w.twinKim, policy.SMS, kimsNumber)
		w.surely(t, w.in(t, w.twinPat, w.twin), w.twinKim, cleared)
		w.db.Clock.Advance(30*24*time.Hour + time.Second)
		if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinKim, email("kim.new@bayview.example")); saved.Refused != "" {
			t.Errorf("after 30 days: %+v", saved)
		}
		if m := w.ways(t, w.twinKim, policy.Email)[0]; m.AwaitsProof {
			t.Errorf("after 30 days the mailbox is %+v", m)
		}
	})
}

func TestAnUndoGivesNoPowerBackToAMailboxNobodyProvedBesideATakenNumber(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		w.surely(t, w.in(t, w.pat, w.site), w.kim, func(f *member.Form) { f.Mobile, f.Email = "", "kim.by.pat@bayside.example" })
		if found, err := w.desk.Login.Undo(t.Context(), w.sent(t, w.kim, message.LoginUndo)[0], place); err != nil || found != login.Done {
			t.Fatalf("%q, %v", found, err)
		}
		if m := w.ways(t, w.kim, policy.Email)[0]; m.Address != "kim@bayside.example" || !m.AwaitsProof {
			t.Errorf("the mailbox is %+v", m)
		}
	})
}

func TestWhoeverWouldLoseTheirOnlyWayIsAskedAbout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.do(t, func(ctx context.Context, tx *db.Tx) error {
			return tx.Change(ctx, `UPDATE sites SET twofa = 'everyone', weakest = 'sms' WHERE site_id = $1`, w.site.ID)
		})
		w.afford(t, w.site)
		link := func(whom user.User) {
			w.do(t, func(ctx context.Context, tx *db.Tx) error {
				_, err := method.Link(ctx, tx, method.Method{User: whom.ID, Kind: policy.SMS, Address: kimsNumber})
				return err
			})
		}
		link(w.kim) // linked, and not proved
		pat := w.in(t, w.pat, w.site)
		none := func(what string, whom user.User, change func(*member.Form)) {
			t.Helper()
			if saved := w.save(t, pat, whom, change); saved.Refused != member.Doubtful || !slices.Contains(saved.Doubts, member.NoWayIn) {
				t.Errorf("%s: %+v", what, saved)
			}
		}
		none("an empty field", w.kim, cleared)
		if saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Kind = policy.Mobile }); saved.Refused != "" {
			t.Fatalf("the app: %+v", saved)
		}
		if saved := w.save(t, pat, w.kim, cleared); saved.Refused != "" {
			t.Fatalf("who is asked for nothing needs no number: %+v", saved)
		}
		none("back to the office", w.kim, func(f *member.Form) { f.Kind = policy.Office })
		if saved := w.save(t, pat, w.bo, func(f *member.Form) { f.Group = policy.GroupMechanic }); saved.Refused != "" {
			t.Errorf("who has no way before the form loses none by it: %+v", saved)
		}
		// What was looked at is what is saved: another kind is another doubt.
		was := w.form(t, pat, w.kim)
		now := was
		now.Kind = policy.Office
		asked, err := w.desk.Save(t.Context(), pat, w.kim.ID, member.Typed{Was: was, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		now.Group = policy.GroupSales
		if saved, err := w.desk.Save(t.Context(), pat, w.kim.ID, member.Typed{Was: was, Now: now, Sure: asked.Sure}); err != nil || saved.Refused != member.Doubtful {
			t.Errorf("another form by the same word: %+v, %v", saved, err)
		}
	})
}

func TestTwoNumbersThatAreTakenAwayAreTwoEvents(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		w.prove(t, w.kim, policy.SMS, kimsNumber)
		pat := w.in(t, w.pat, w.site)
		if saved := w.save(t, pat, w.kim, func(f *member.Form) { f.Mobile = "0491 570 157" }); !saved.Pending {
			t.Fatalf("%+v", saved)
		}
		w.surely(t, pat, w.kim, cleared)
		if n := w.count(t, w.kim, w.site.ID, audit.MethodRemoved); n != 2 {
			t.Errorf("%d events", n)
		}
		if n := len(w.ways(t, w.kim, policy.SMS)); n != 0 {
			t.Errorf("%d numbers are left", n)
		}
	})
}

func TestANameThatAnActiveMemberHasHereIsAskedAbout(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		pat := w.in(t, w.pat, w.site)
		for _, named := range []func(*member.Form){
			func(f *member.Form) { f.First, f.Last = "Max", "Ito" },
			func(f *member.Form) { f.First, f.Last = "max ito", "" },
		} {
			saved := w.save(t, pat, w.pat, named)
			if saved.Refused != member.Doubtful || !slices.Equal(saved.Doubts, []member.Doubt{member.Namesake}) || saved.Namesake != "max@bayside.example" {
				t.Errorf("%+v", saved)
			}
		}
		// The twin's people are no members here.
		if saved := w.save(t, w.in(t, w.twinPat, w.twin), w.twinKim, func(f *member.Form) { f.First, f.Last = "Max", "Ito" }); saved.Refused != "" {
			t.Errorf("the twin: %+v", saved)
		}
		if doubts := w.surely(t, pat, w.kim, func(f *member.Form) { f.First, f.Last = "Max", "Ito" }); len(doubts) != 1 {
			t.Errorf("%v", doubts)
		}
	})
}
