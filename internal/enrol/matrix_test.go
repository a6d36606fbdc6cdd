package enrol_test

import (
	"context"
	"testing"
	"time"

	"keyturn/internal/db"
	"keyturn/internal/enrol"
	"keyturn/internal/id"
	"keyturn/internal/method"
	"keyturn/internal/policy"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

type stand struct {
	name  string
	level int // the highest that Kim can reach
	hold  func(t *testing.T, w *world) enrol.Holder
	// want says what is to happen to a change.
	want func(w way) enrol.Refused
}

func needs(otherwise enrol.Refused) func(way) enrol.Refused {
	return func(w way) enrol.Refused {
		if w.free {
			return ""
		}
		return otherwise
	}
}

func stands() []stand {
	with := func(p proof) func(*testing.T, *world) enrol.Holder {
		return func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.in(t, w.kim, p)
			return h
		}
	}
	always := func(r enrol.Refused) func(way) enrol.Refused { return func(way) enrol.Refused { return r } }
	return []stand{
		{"no session", 3, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.in(t, w.kim, proof{factor: policy.TOTP})
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return session.End(ctx, tx, h.Session) })
			return h
		}, always(enrol.Gone)},
		{"a session of an older number", 3, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.in(t, w.kim, proof{factor: policy.TOTP})
			must(t, answer(t)(w.desk.EndOthers(t.Context(), h)), nil)
			return h
		}, always(enrol.Gone)},
		{"somebody else's session", 3, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.in(t, w.twinKim, proof{factor: policy.TOTP})
			h.User, h.Session.User = w.kim, w.kim.ID
			return h
		}, always(enrol.Gone)},
		{"a password alone", 3, with(proof{}), needs(enrol.NotFresh)},
		{"a stale session", 3, with(proof{factor: policy.TOTP, password: 6 * time.Minute, passed: 5*time.Minute + time.Second}), needs(enrol.NotFresh)},
		{"a fresh lower method", 3, with(freshEmail), needs(enrol.NotFresh)},
		{"the highest method, just fresh", 3, with(proof{factor: policy.TOTP, password: time.Hour, passed: 4 * time.Minute}), always("")},
		{"a fresh recovery code", 4, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.in(t, w.kim, proof{factor: policy.Recovery, passed: time.Minute})
			return h
		}, func(w way) enrol.Refused {
			if w.free || w.change != policy.OtherChange {
				return ""
			}
			return enrol.NotFresh
		}},
		{"marked by a reset", 3, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.MarkReset(ctx, tx, w.kim.ID) })
			h, _ := w.in(t, w.kim, proof{factor: policy.TOTP, passed: time.Minute})
			return h
		}, func(w way) enrol.Refused {
			if w.change == policy.AddMethod || w.change == policy.RemoveMethod || w.name == "make recovery codes" {
				return enrol.Marked
			}
			return ""
		}},
		{"an enrol-only session", 3, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.enrolling(t, w.kim)
			return h
		}, func(w way) enrol.Refused {
			if w.enrols {
				return ""
			}
			return enrol.NotHere
		}},
		{"an enrol-only session that was used", 3, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.enrolling(t, w.kim)
			if done := must(t, w.addPasskey(t, h), nil); !done.Ended || done.Session != "" {
				t.Fatalf("%+v", done)
			}
			return h
		}, func(w way) enrol.Refused {
			if w.enrols {
				return enrol.Gone
			}
			return enrol.NotHere
		}},
		{"an enrol-only session that is over", 3, func(t *testing.T, w *world) enrol.Holder {
			t.Helper()
			h, _ := w.enrolling(t, w.kim)
			w.db.Clock.Advance(15 * time.Minute)
			return h
		}, func(w way) enrol.Refused {
			if w.enrols {
				return enrol.Gone
			}
			return enrol.NotHere
		}},
	}
}

func TestEachChangeNeedsAFreshProofOfTheHighestLevel(t *testing.T) {
	t.Parallel()
	for _, s := range stands() {
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			each(t, func(t *testing.T, w *world) {
				t.Helper()
				for _, change := range ways() {
					w.begin(t, s.level)
					h := s.hold(t, w)
					before := ids(w.methods(t, w.kim))
					twin := ids(w.methods(t, w.twinKim))
					done := change.do(t, w, h)
					if want := s.want(change); done.Refused != want {
						t.Errorf("%s: refused as %q, not %q (level %d)", change.name, done.Refused, want, done.Level)
					}
					if done.Refused == enrol.NotFresh && done.Level != s.level {
						t.Errorf("%s: asks for level %d", change.name, done.Level)
					}
					if done.Refused != "" && w.worked(t, before) {
						t.Errorf("%s: refused, and done", change.name)
					}
					if got := ids(w.methods(t, w.twinKim)); len(got) != len(twin) {
						t.Errorf("%s: the twin's methods changed", change.name)
					}
					w.db.Clock.Advance(24 * time.Hour) // the budgets of before are free
					w.unmark(t)
				}
			})
		})
	}
}

// begin gives Kim a mailbox, an authenticator, and for level 4 a passkey, and nothing else.

func (w *world) begin(t *testing.T, level int) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error {
		for _, m := range w.methodsIn(t, tx, w.kim) {
			if m.Kind == policy.Email {
				continue
			}
			if err := method.Remove(ctx, tx, w.kim.ID, m.ID); err != nil {
				return err
			}
		}
		if level < 4 {
			return nil
		}
		_, err := method.Link(ctx, tx, method.Method{User: w.kim.ID, Kind: policy.Passkey, ProvedAt: tx.Now})
		return err
	})
	w.app(t, w.kim)
}

// worked says whether Kim has a method that works and that was not there before.

func (w *world) worked(t *testing.T, before []id.Method) bool {
	t.Helper()
	seen := map[id.Method]bool{}
	for _, which := range before {
		seen[which] = true
	}
	now := 0
	for _, m := range w.methods(t, w.kim) {
		if !seen[m.ID] && !m.Pending {
			return true
		}
		if seen[m.ID] {
			now++
		}
	}
	return now < len(before)
}

func (w *world) unmark(t *testing.T) {
	t.Helper()
	w.do(t, func(ctx context.Context, tx *db.Tx) error { return user.ClearResetMark(ctx, tx, w.kim.ID) })
}
