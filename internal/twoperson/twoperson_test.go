package twoperson_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/audit"
	"keyturn/internal/authority"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/twoperson"
	"keyturn/internal/user"
)

// ring is an act that counts how often it was done.
const ring twoperson.Kind = "test.ring"

// world is three members of staff and a bell that two of them ring. Its subject "broken"
// cannot be rung, and nobody has a part in what is about themselves.
type world struct {
	db             *db.DB
	desk           *twoperson.Desk
	sam, toni, uma authority.Bearer
}

func each(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		w := &world{db: d}
		w.desk = &twoperson.Desk{DB: d, Acts: map[twoperson.Kind]twoperson.Act{ring: {
			Fits: func(_ context.Context, _ db.Reader, p twoperson.Proposal, by authority.Bearer) (bool, error) {
				return p.Subject != string(by.User.ID), nil
			},
			Do: func(ctx context.Context, tx *db.Tx, p twoperson.Proposal, by authority.Bearer) error {
				if p.Subject == "broken" {
					return fault.Conflict
				}
				return tx.Change(ctx, `INSERT INTO meta (name, value) VALUES ($1, $2)`, "rung "+p.Subject, p.Payload["tone"]+" by "+by.User.FirstName)
			},
		}}}
		w.sam, w.toni, w.uma = w.staff(t, "Sam"), w.staff(t, "Toni"), w.staff(t, "Uma")
		test(t, w)
	})
}

func (w *world) do(t *testing.T, fn func(ctx context.Context, tx *db.Tx) error) {
	t.Helper()
	if err := w.db.Do(t.Context(), func(tx *db.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

func (w *world) staff(t *testing.T, name string) authority.Bearer {
	t.Helper()
	b := authority.Bearer{Place: session.Place{Browser: name, Network: "203.0.113.7", Agent: "Chrome"}}
	w.do(t, func(ctx context.Context, tx *db.Tx) (err error) {
		if b.User, err = user.Add(ctx, tx, user.User{Login: address.Canonical(name + "@vendor.example"), FirstName: name, Staff: true}); err != nil {
			return err
		}
		_, err = method.Link(ctx, tx, method.Method{User: b.User.ID, Kind: policy.TOTP, ProvedAt: tx.Now})
		return err
	})
	return w.again(t, b)
}

// again is the same person, who has just signed in.
func (w *world) again(t *testing.T, b authority.Bearer) authority.Bearer {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		fresh, err := session.Under(ctx, tx, session.Session{
			User: b.User.ID, Client: string(policy.ClientWeb), PasswordAt: tx.Now, Factor: string(policy.TOTP), FactorAt: tx.Now,
			Place: b.Place, EndsAt: tx.Now.Add(48 * time.Hour),
		})
		if err != nil {
			return err
		}
		b.Session, _, err = session.Start(ctx, tx, fresh)
		return err
	})
	return b
}

func (w *world) propose(t *testing.T, by authority.Bearer, subject string) (id.Proposal, twoperson.Refused) {
	t.Helper()
	which, refused, err := w.desk.Propose(t.Context(), by, twoperson.Proposal{Kind: ring, Subject: subject, Payload: map[string]string{"tone": "low"}})
	if err != nil {
		t.Fatal(err)
	}
	return which, refused
}

func (w *world) confirm(t *testing.T, by authority.Bearer, which id.Proposal) twoperson.Refused {
	t.Helper()
	refused, err := w.desk.Confirm(t.Context(), by, which)
	if err != nil {
		t.Fatal(err)
	}
	return refused
}

func (w *world) rung(t *testing.T) string {
	t.Helper()
	said, err := db.Meta(t.Context(), w.db, "rung bell")
	if err != nil && !errors.Is(err, fault.NotFound) {
		t.Fatal(err)
	}
	return said
}

// events is how many events of a kind the house's chain has.
func (w *world) events(t *testing.T, kind audit.Kind) int {
	t.Helper()
	all, err := db.Many(t.Context(), w.db, func(r db.Row) (n int64, err error) { return n, r.Scan(&n) },
		`SELECT seq FROM audit_events WHERE chain = 'house' AND kind = $1`, string(kind))
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func TestWhatOneProposesAnotherDoesAndNobodyAlone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which, refused := w.propose(t, w.sam, "bell")
		if refused != "" {
			t.Fatal(refused)
		}
		if _, again := w.propose(t, w.toni, "bell"); again != twoperson.Already {
			t.Errorf("proposed again: %q", again)
		}
		if got := w.confirm(t, w.sam, which); got != twoperson.SamePerson || w.rung(t) != "" {
			t.Errorf("alone: %q", got)
		}
		if list, err := w.desk.Waiting(t.Context(), w.uma); err != nil || len(list) != 1 || list[0].Payload["tone"] != "low" {
			t.Errorf("Uma sees %+v, %v", list, err)
		}
		if got := w.confirm(t, w.toni, which); got != "" || w.rung(t) != "low by Toni" {
			t.Errorf("the second: %q, rung %q", got, w.rung(t))
		}
		if got := w.confirm(t, w.uma, which); got != twoperson.Over {
			t.Errorf("the third: %q", got)
		}
		if w.events(t, audit.ProposalMade) != 1 || w.events(t, audit.ProposalConfirmed) != 1 {
			t.Error("the trail of the house")
		}
		if list, err := w.desk.Waiting(t.Context(), w.uma); err != nil || len(list) != 0 {
			t.Errorf("Uma still sees %+v, %v", list, err)
		}
	})
}

func TestOfManyWhoConfirmAtOnceOneDoesIt(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which, _ := w.propose(t, w.sam, "bell")
		var all sync.WaitGroup
		said := make([]twoperson.Refused, 6)
		for i := range said {
			all.Go(func() {
				var err error
				if said[i], err = w.desk.Confirm(t.Context(), []authority.Bearer{w.toni, w.uma}[i%2], which); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		slices.Sort(said)
		if said[0] != "" || said[1] != twoperson.Over || w.events(t, audit.ProposalConfirmed) != 1 {
			t.Errorf("they were told %q", said)
		}
	})
}

func TestAProposalNeedsTwoFreshMembersOfStaffWithinADay(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which, _ := w.propose(t, w.sam, "bell")
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		if _, got := w.propose(t, w.sam, "gong"); got != twoperson.NotFresh {
			t.Errorf("proposed with an old proof: %q", got)
		}
		if got := w.confirm(t, w.toni, which); got != twoperson.NotFresh {
			t.Errorf("confirmed with an old proof: %q", got)
		}
		w.db.Clock.Advance(twoperson.Life)
		toni := w.again(t, w.toni)
		if got := w.confirm(t, toni, which); got != twoperson.Over || w.rung(t) != "" {
			t.Errorf("a day later: %q", got)
		}
		next, refused := w.propose(t, toni, "bell")
		if refused != "" {
			t.Fatalf("proposed anew: %q", refused)
		}
		w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.EndStaff(ctx, tx, w.toni.User.ID) })
		if got := w.confirm(t, w.again(t, w.uma), next); got != twoperson.Over {
			t.Errorf("of somebody who is staff no more: %q", got)
		}
		if _, err := w.desk.Confirm(t.Context(), toni, next); !errors.Is(err, fault.NotFound) {
			t.Errorf("by somebody who is staff no more: %v", err)
		}
	})
}

func TestWhatCannotBeDoneOrIsTakenBackIsNotDone(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		if _, got := w.propose(t, w.sam, string(w.sam.User.ID)); got != twoperson.Unfit {
			t.Errorf("about oneself: %q", got)
		}
		about, _ := w.propose(t, w.sam, string(w.toni.User.ID))
		if got := w.confirm(t, w.toni, about); got != twoperson.Unfit {
			t.Errorf("confirmed by whom it is about: %q", got)
		}
		if got, err := w.desk.Cancel(t.Context(), w.uma, about); err != nil || got != "" {
			t.Errorf("taken back: %q, %v", got, err)
		}
		if got := w.confirm(t, w.uma, about); got != twoperson.Over {
			t.Errorf("after that: %q", got)
		}
		broken, _ := w.propose(t, w.sam, "broken")
		if got := w.confirm(t, w.toni, broken); got != twoperson.Over || w.events(t, audit.ProposalConfirmed) != 0 {
			t.Errorf("what cannot be done: %q", got)
		}
		if _, err := w.desk.Confirm(t.Context(), w.toni, id.New[id.Proposal]()); !errors.Is(err, fault.NotFound) {
			t.Errorf("one that there is not: %v", err)
		}
		if _, _, err := w.desk.Propose(t.Context(), w.toni, twoperson.Proposal{Kind: "test.unknown", Subject: "x"}); !errors.Is(err, fault.Invalid) {
			t.Errorf("a kind that nobody knows: %v", err)
		}
	})
}

func TestWhomAProposalIsAboutDoesNotTakeItBack(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		which, _ := w.propose(t, w.sam, string(w.toni.User.ID))
		if got, err := w.desk.Cancel(t.Context(), w.toni, which); err != nil || got != twoperson.Unfit {
			t.Errorf("Toni, whom it is about: %q, %v", got, err)
		}
		if got := w.confirm(t, w.uma, which); got != "" {
			t.Errorf("Uma after that: %q", got)
		}
		if w.events(t, audit.ProposalCancelled) != 0 {
			t.Error("it was taken back")
		}
	})
}

func TestWhoMadeAProposalTakesItBackAtOnceAndOthersWithAFreshProof(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, w *world) {
		t.Helper()
		bell, _ := w.propose(t, w.sam, "bell")
		gong, _ := w.propose(t, w.sam, "gong")
		w.db.Clock.Advance(policy.FreshFor + time.Second)
		if got, err := w.desk.Cancel(t.Context(), w.uma, bell); err != nil || got != twoperson.NotFresh {
			t.Errorf("another's, with an old proof: %q, %v", got, err)
		}
		if got, err := w.desk.Cancel(t.Context(), w.sam, gong); err != nil || got != "" {
			t.Errorf("one's own, with an old proof: %q, %v", got, err)
		}
		if got, err := w.desk.Cancel(t.Context(), w.again(t, w.uma), bell); err != nil || got != "" {
			t.Errorf("another's, with a fresh proof: %q, %v", got, err)
		}
	})
}
