package session_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"keyturn/internal/address"
	"keyturn/internal/db"
	"keyturn/internal/db/dbtest"
	"keyturn/internal/epoch"
	"keyturn/internal/fault"
	"keyturn/internal/id"
	"keyturn/internal/session"
	"keyturn/internal/user"
)

const (
	bayside = id.Site("site-bayside")
	twin    = id.Site("site-twin") // where people have the same names
)

type world struct {
	t       *testing.T
	db      *db.DB
	pat, pa user.User // the same name, another person
}

func each(t *testing.T, test func(w *world)) {
	t.Helper()
	dbtest.Each(t, func(t *testing.T, d *db.DB) {
		t.Helper()
		w := &world{t: t, db: d}
		w.do(func(ctx context.Context, tx *db.Tx) (err error) {
			if w.pat, err = user.Add(ctx, tx, user.User{Login: address.Canonical("pat@bayside.example"), FirstName: "Pat", LastName: "Chen"}); err != nil {
				return err
			}
			w.pa, err = user.Add(ctx, tx, user.User{Login: address.Canonical("pat@twin.example"), FirstName: "Pat", LastName: "Chen"})
			return err
		})
		test(w)
	})
}

func (w *world) try(fn func(ctx context.Context, tx *db.Tx) error) error {
	ctx := w.t.Context()
	return w.db.Do(ctx, func(tx *db.Tx) error { return fn(ctx, tx) })
}

func (w *world) do(fn func(ctx context.Context, tx *db.Tx) error) {
	w.t.Helper()
	if err := w.try(fn); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) now() time.Time { return w.db.Clock.Now() }

// remember remembers a device of a person at both sites for a day.
func (w *world) remember(who user.User) (d session.Device, token string) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) (err error) {
		d = session.Device{
			User: who.ID, Sites: map[id.Site]int64{bayside: 0, twin: 0}, EndsAt: tx.Now.Add(20 * time.Hour),
			Place: session.Place{Browser: "browser-1", Network: "203.0.113.7/32", Agent: "Chrome on Windows"},
		}
		if d, err = session.DeviceUnder(ctx, tx, d); err != nil {
			return err
		}
		d, token, err = session.RememberDevice(ctx, tx, d)
		return err
	})
	return d, token
}

func (w *world) raise(owner epoch.Owner) {
	w.t.Helper()
	w.do(func(ctx context.Context, tx *db.Tx) error { return epoch.Raise(ctx, tx, owner) })
}

// sites are those at which a device is still good, by token and by id alike.
func (w *world) sites(who user.User, which id.Device, tokens ...string) []id.Site {
	w.t.Helper()
	d, err := session.DeviceByTokens(w.t.Context(), w.db, who.ID, tokens, w.now())
	byID, errByID := session.DeviceByID(w.t.Context(), w.db, who.ID, which, w.now())
	if errors.Is(err, fault.NotFound) && errors.Is(errByID, fault.NotFound) {
		return nil
	}
	if err != nil || errByID != nil || d.ID != byID.ID || len(d.Sites) != len(byID.Sites) {
		w.t.Fatalf("by token %v, %v; by id %v, %v", d, err, byID, errByID)
	}
	var all []id.Site
	for at := range d.Sites {
		all = append(all, at)
	}
	slices.Sort(all)
	return all
}

func (w *world) is(who user.User, which id.Device, token string, want ...id.Site) {
	w.t.Helper()
	if got := w.sites(who, which, token); !slices.Equal(got, want) {
		w.t.Errorf("good at %v, want %v", got, want)
	}
}

func TestADeviceIsFoundAsItWasRememberedByItsWholeTokenOnly(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d, token := w.remember(w.pat)
		w.is(w.pat, d.ID, token, bayside, twin)
		found, err := session.DeviceByTokens(w.t.Context(), w.db, w.pat.ID, []string{"", "other", token}, w.now())
		if err != nil || found.Place != d.Place || !found.Since.Equal(d.Since) || !found.EndsAt.Equal(d.EndsAt) || !found.LastUsedAt.IsZero() {
			w.t.Errorf("found %+v, %v; remembered %+v", found, err, d)
		}
		for _, wrong := range []string{token[:42], token + "A", token[1:], strings.ToLower(token), strings.ToUpper(token), " " + token, "", string(d.ID)} {
			if _, err := session.DeviceByTokens(w.t.Context(), w.db, w.pat.ID, []string{wrong}, w.now()); !errors.Is(err, fault.NotFound) {
				w.t.Errorf("%q: %v", wrong, err)
			}
		}
	})
}

func TestADeviceIsOneUsersWhoeverSitsAtTheBrowser(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d, token := w.remember(w.pat)
		other, others := w.remember(w.pa)
		w.is(w.pa, d.ID, token)
		w.is(w.pat, other.ID, others)
		both := []string{token, others}
		if got := w.sites(w.pa, other.ID, both...); len(got) != 2 {
			w.t.Errorf("of two people remembered in one browser the second is good at %v", got)
		}
		if err := w.try(func(ctx context.Context, tx *db.Tx) error { return session.ForgetDevice(ctx, tx, w.pat.ID, other.ID) }); !errors.Is(err, fault.Conflict) {
			w.t.Errorf("another's device was forgotten: %v", err)
		}
		if err := w.try(func(ctx context.Context, tx *db.Tx) error { return session.UsedDevice(ctx, tx, w.pat.ID, other.ID) }); !errors.Is(err, fault.Conflict) {
			w.t.Errorf("another's device was used: %v", err)
		}
		all, err := session.Devices(w.t.Context(), w.db, w.pat.ID, w.now())
		if err != nil || len(all) != 1 || all[0].ID != d.ID {
			w.t.Errorf("listed %v, %v", all, err)
		}
	})
}

func TestAChangeOfThePersonEndsTheirDevices(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d, token := w.remember(w.pat)
		other, others := w.remember(w.pa)
		w.raise(epoch.User(w.pat.ID))
		w.is(w.pat, d.ID, token)
		w.is(w.pa, other.ID, others, bayside, twin)
		again, fresh := w.remember(w.pat)
		w.is(w.pat, again.ID, fresh, bayside, twin)
		found, err := session.DeviceByTokens(w.t.Context(), w.db, w.pat.ID, []string{token, fresh}, w.now())
		if err != nil || found.ID != again.ID {
			w.t.Errorf("beside a dead one: %v, %v", found, err)
		}
	})
}

func TestAChangeOfOneMembershipTakesThatSiteFromADevice(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d, token := w.remember(w.pat)
		w.raise(epoch.Member(bayside, w.pa.ID))
		w.is(w.pat, d.ID, token, bayside, twin)
		w.raise(epoch.Site(bayside))
		w.is(w.pat, d.ID, token, bayside, twin)
		w.raise(epoch.Member(bayside, w.pat.ID))
		w.is(w.pat, d.ID, token, twin)
		w.raise(epoch.Member(twin, w.pat.ID))
		w.is(w.pat, d.ID, token)
		if all, err := session.Devices(w.t.Context(), w.db, w.pat.ID, w.now()); err != nil || len(all) != 0 {
			w.t.Errorf("listed %v, %v", all, err)
		}
	})
}

func TestADeviceEndsAtItsEndWhateverIsDoneWithIt(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d, token := w.remember(w.pat)
		w.db.Clock.Advance(d.EndsAt.Sub(w.now()) - time.Second)
		w.do(func(ctx context.Context, tx *db.Tx) error { return session.UsedDevice(ctx, tx, w.pat.ID, d.ID) })
		w.is(w.pat, d.ID, token, bayside, twin)
		w.db.Clock.Advance(time.Second)
		w.is(w.pat, d.ID, token)
	})
}

func TestNoDeviceIsRememberedForOverThirtyDaysNorForNowhere(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		var d session.Device
		w.do(func(ctx context.Context, tx *db.Tx) (err error) {
			d, _, err = session.RememberDevice(ctx, tx, session.Device{
				User: w.pat.ID, Sites: map[id.Site]int64{bayside: 0}, EndsAt: tx.Now.Add(365 * 24 * time.Hour),
			})
			return err
		})
		if got := d.EndsAt.Sub(d.Since); got != 30*24*time.Hour {
			w.t.Errorf("remembered for %v", got)
		}
		for _, bad := range []session.Device{
			{User: w.pat.ID, EndsAt: w.now().Add(time.Hour)},
			{User: w.pat.ID, Sites: map[id.Site]int64{bayside: 0}},
			{User: w.pat.ID, Sites: map[id.Site]int64{bayside: 0}, EndsAt: w.now().Add(-time.Second)},
		} {
			err := w.try(func(ctx context.Context, tx *db.Tx) error {
				_, _, err := session.RememberDevice(ctx, tx, bad)
				return err
			})
			if !errors.Is(err, fault.Invalid) {
				w.t.Errorf("%+v: %v", bad, err)
			}
		}
	})
}

func TestAForgottenDeviceIsForgottenOnceAndCannotBeUsed(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		d, token := w.remember(w.pat)
		forget := func(ctx context.Context, tx *db.Tx) error { return session.ForgetDevice(ctx, tx, w.pat.ID, d.ID) }
		w.do(forget)
		w.is(w.pat, d.ID, token)
		if err := w.try(forget); !errors.Is(err, fault.Conflict) {
			w.t.Errorf("forgotten twice: %v", err)
		}
		if err := w.try(func(ctx context.Context, tx *db.Tx) error { return session.UsedDevice(ctx, tx, w.pat.ID, d.ID) }); !errors.Is(err, fault.Conflict) {
			w.t.Errorf("used: %v", err)
		}
	})
}

func TestTheListShowsLiveDevicesTheNewestFirstAndTheirLastUse(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		first, _ := w.remember(w.pat)
		w.db.Clock.Advance(time.Minute)
		second, _ := w.remember(w.pat)
		gone, _ := w.remember(w.pat)
		w.do(func(ctx context.Context, tx *db.Tx) error { return session.ForgetDevice(ctx, tx, w.pat.ID, gone.ID) })
		w.db.Clock.Advance(time.Minute)
		w.do(func(ctx context.Context, tx *db.Tx) error { return session.UsedDevice(ctx, tx, w.pat.ID, first.ID) })
		all, err := session.Devices(w.t.Context(), w.db, w.pat.ID, w.now())
		if err != nil || len(all) != 2 || all[0].ID != second.ID || all[1].ID != first.ID {
			w.t.Fatalf("listed %v, %v", all, err)
		}
		if all[1].LastUsedAt.Sub(first.Since) < 2*time.Minute || !all[0].LastUsedAt.IsZero() {
			w.t.Errorf("last used %v and %v", all[1].LastUsedAt, all[0].LastUsedAt)
		}
	})
}

func TestASweepTakesDevicesThatAreOverAndNoOther(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		old, _ := w.remember(w.pat)
		w.db.Clock.Advance(old.EndsAt.Sub(w.now()) + time.Second)
		live, token := w.remember(w.pat)
		w.do(func(ctx context.Context, tx *db.Tx) error { return session.Sweep(ctx, tx, 100) })
		w.is(w.pat, live.ID, token, bayside, twin)
		left, err := db.One(w.t.Context(), w.db, func(r db.Row) (n int, err error) { return n, r.Scan(&n) }, `SELECT COUNT(*) FROM devices`)
		if err != nil || left != 1 {
			w.t.Errorf("%d left, %v", left, err)
		}
	})
}

// start stores a session of a person at a site.
func (w *world) start(who user.User, at id.Site, s session.Session) (session.Session, string) {
	w.t.Helper()
	var token string
	w.do(func(ctx context.Context, tx *db.Tx) (err error) {
		s.User, s.Site, s.Client, s.PasswordAt, s.EndsAt = who.ID, at, "web", tx.Now, tx.Now.Add(20*time.Hour)
		if s, err = session.Under(ctx, tx, s); err != nil {
			return err
		}
		s, token, err = session.Start(ctx, tx, s)
		return err
	})
	return s, token
}

func TestASessionRemembersWithWhatItBeganAndWasPassed(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		plain, token := w.start(w.pat, bayside, session.Session{})
		found, err := session.ByToken(w.t.Context(), w.db, token)
		if err != nil || found != plain || found.Began != session.BeganPassword || found.Device != "" || found.FactorMethod != "" {
			w.t.Errorf("found %+v, %v; started %+v", found, err, plain)
		}
		s := session.Session{Began: session.BeganPasskey, Factor: "passkey", FactorMethod: "m-1", FactorAt: w.now(), Device: "d-1"}
		rich, token := w.start(w.pat, bayside, s)
		if found, err = session.ByToken(w.t.Context(), w.db, token); err != nil || found != rich {
			w.t.Errorf("found %+v, %v; started %+v", found, err, rich)
		}
		w.do(func(ctx context.Context, tx *db.Tx) (err error) {
			rich, token, err = session.Resume(ctx, tx, found)
			return err
		})
		if found, err = session.ByToken(w.t.Context(), w.db, token); err != nil || found != rich || found.Began != session.BeganPasskey || found.Device != "d-1" {
			w.t.Errorf("resumed %+v, %v", found, err)
		}
	})
}

func TestOpenSessionsAreThoseThatNoChangeHasEnded(t *testing.T) {
	t.Parallel()
	each(t, func(w *world) {
		here, _ := w.start(w.pat, bayside, session.Session{})
		w.db.Clock.Advance(time.Minute)
		there, _ := w.start(w.pat, twin, session.Session{})
		ended, _ := w.start(w.pat, twin, session.Session{})
		w.start(w.pa, twin, session.Session{})
		w.do(func(ctx context.Context, tx *db.Tx) error { return session.End(ctx, tx, ended) })
		open := func(want ...id.Session) {
			w.t.Helper()
			all, err := session.Open(w.t.Context(), w.db, w.pat.ID, w.now())
			var got []id.Session
			for _, s := range all {
				got = append(got, s.ID)
			}
			if err != nil || !slices.Equal(got, want) {
				w.t.Errorf("open %v, %v; want %v", got, err, want)
			}
		}
		open(there.ID, here.ID)
		w.raise(epoch.Site(twin))
		open(there.ID, here.ID)
		w.raise(epoch.Member(twin, w.pat.ID))
		open(here.ID)
		w.raise(epoch.User(w.pat.ID))
		open()
		last, _ := w.start(w.pat, bayside, session.Session{})
		open(last.ID)
		w.db.Clock.Advance(20 * time.Hour)
		open()
	})
}
